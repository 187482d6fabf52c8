/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting when there is nothing left to accept with, and what a crowd that says nothing costs.
 */
#include "tests/unit/nts-ke/ke_visit.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/resource.h>

/* A sanitizer's own memory is many times ours: then there is nothing to measure. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

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

enum { SILENT, CLAIMING, HALF_WAY };

/* Opens a connection, gets it into a state, and leaves it there. */
static int hold(int how)
{
    static const uint8_t claim[] = {0x16, 3, 1, 0x20, 0, 1, 0, 0x1f, 0xfc};
    int fd = peer_connect(&fixture);
    if (how == CLAIMING) {
        cr_assert_eq(write(fd, claim, sizeof(claim)), (ssize_t)sizeof(claim));
    }
    if (how != HALF_WAY) {
        return fd;
    }
    SSL *ssl = tls_client_connection(fixture.tls, "localhost");
    cr_assert_not_null(ssl);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    cr_assert_eq(SSL_connect(ssl), -1);
    char *hello = NULL;
    long n = BIO_get_mem_data(out, &hello);
    cr_assert_eq(write(fd, hello, (size_t)n), n);
    char octet;
    cr_assert_eq(read(fd, &octet, 1), 1); /* the server's side is done */
    SSL_free(ssl);
    return fd;
}

/* Octets of memory each of many connections costs, while all are held. */
static uint64_t cost_each(int how)
{
    enum { CROWD = 500 };
    static int fd[CROWD];
    struct ke_service_options options = fixture_prepare(&fixture);
    options.timeout_ms = 60000;
    fixture_run(&fixture, &options);
    fixture_canary(&fixture);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_SERVED) == 1);
    uint64_t before = resident(fixture.pid);
    for (size_t i = 0; i < CROWD; i++) {
        fd[i] = hold(how);
    }
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_ACCEPTED) == CROWD + 1);
    fixture_canary(&fixture);
    uint64_t after = resident(fixture.pid);
    for (size_t i = 0; i < CROWD; i++) {
        (void)close(fd[i]);
    }
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_PEER_CLOSED) +
                      fixture_count(&fixture, KE_COUNT_IO_ERROR) ==
                  CROWD);
    fixture_stop(&fixture);
    return (after - before) / CROWD;
}

Test(ke_acceptor, held_connections_are_cheap)
{
    if (SANITIZED) {
        cr_skip_test("memory is not measured in a build with sanitizers");
    }
    uint64_t silent = cost_each(SILENT);
    uint64_t claiming = cost_each(CLAIMING);
    uint64_t half_way = cost_each(HALF_WAY);
    cr_log_info("octets each: %" PRIu64 " %" PRIu64 " %" PRIu64, silent, claiming, half_way);
    cr_expect_lt(silent, 8 * 1024, "%" PRIu64, silent);
    cr_expect_lt(claiming, 16 * 1024, "%" PRIu64, claiming);
    cr_expect_lt(half_way, 64 * 1024, "%" PRIu64, half_way);
}
