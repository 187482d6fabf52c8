/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting when there is nothing left to accept with, and what a crowd that says nothing costs.
 */
#include "tests/unit/nts-ke/ke_visit.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/resource.h>

static struct ke_fixture fixture;

static size_t descriptors(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    size_t count = 0;
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count - 2; /* without . and .. */
}

/* The n-th number (from 0) of a file in /proc that has them in one line. */
static uint64_t proc_number(pid_t pid, const char *file, unsigned n)
{
    char path[64];
    char line[512] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f);
    cr_assert_not_null(fgets(line, (int)sizeof(line), f));
    (void)fclose(f);
    char *at = line;
    for (unsigned i = 0; i < n; i++) {
        at = strchr(at, ' ') + 1;
    }
    return strtoull(at, NULL, 10);
}

static uint64_t cpu_ticks(pid_t pid)
{
    return proc_number(pid, "stat", 13) + proc_number(pid, "stat", 14);
}

static uint64_t resident(pid_t pid)
{
    return proc_number(pid, "statm", 1) * 4096;
}

Test(ke_acceptor, out_of_descriptors)
{
    enum { CROWD = 50, ROOM = 10 };
    struct ke_service_options options = fixture_prepare(&fixture);
    options.timeout_ms = 600;
    fixture_run(&fixture, &options);
    fixture_canary(&fixture);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_SERVED) == 1);
    struct rlimit limit = {.rlim_cur = descriptors(fixture.pid) + ROOM, .rlim_max = 1024};
    cr_assert_eq(prlimit(fixture.pid, RLIMIT_NOFILE, &limit, NULL), 0);
    uint64_t ticks = cpu_ticks(fixture.pid);
    int fd[CROWD];
    for (size_t i = 0; i < CROWD; i++) {
        fd[i] = peer_connect(&fixture);
    }
    char octet;
    for (size_t i = 0; i < CROWD; i++) { /* the ones with room by the deadline, the rest at once */
        cr_assert_leq(read(fd[i], &octet, 1), 0);
        (void)close(fd[i]);
    }
    cr_assert_gt(fixture_count(&fixture, KE_COUNT_ACCEPT_FAILED), 0);
    cr_assert_lt(cpu_ticks(fixture.pid) - ticks, 20, "spinning");
    fixture_canary(&fixture);
    fixture_stop(&fixture);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_ACCEPTED) +
                     fixture_count(&fixture, KE_COUNT_ACCEPT_FAILED),
                 CROWD + 2);
}

/* Nine octets that claim as much as is believed, and then silence. */
Test(ke_acceptor, a_silent_crowd_is_cheap)
{
    enum { CROWD = 500, LIMIT = 40 * 1024 };
    static const uint8_t claim[] = {0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc};
    struct ke_service_options options = fixture_prepare(&fixture);
    options.timeout_ms = 60000;
    fixture_run(&fixture, &options);
    fixture_canary(&fixture);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_SERVED) == 1);
    uint64_t before = resident(fixture.pid);
    static int fd[CROWD];
    for (size_t i = 0; i < CROWD; i++) {
        fd[i] = peer_connect(&fixture);
        cr_assert_eq(write(fd[i], claim, sizeof(claim)), (ssize_t)sizeof(claim));
    }
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_ACCEPTED) == CROWD + 1);
    fixture_canary(&fixture);
    uint64_t each = (resident(fixture.pid) - before) / CROWD;
    cr_assert_lt(each, LIMIT, "%" PRIu64 " octets each", each);
    for (size_t i = 0; i < CROWD; i++) {
        (void)close(fd[i]);
    }
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_PEER_CLOSED) == CROWD);
    fixture_stop(&fixture);
}
