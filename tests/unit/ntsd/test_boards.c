/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory: what is written is read elsewhere, and rights hold in the kernel.
 */
#include "ntsd/boards.h"

#include "common/base/board.h"
#include "common/base/stats.h"
#include "ntp/clock/clock_model.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct boards boards;

static void setup(void)
{
    cr_assert_eq(boards_open(&boards, 2, 3), NTS_OK);
}

static void teardown(void)
{
    boards_close(&boards);
}

TestSuite(boards, .init = setup, .fini = teardown);

Test(boards, begin_empty_and_carry_values)
{
    struct clock_model model = {.anchor_wall_ns = 42};
    struct clock_model seen;
    uint64_t generation = 9;
    struct board *writer = boards_map(&boards, BOARDS_CLOCK, BOARDS_WRITE);
    const struct board *reader = boards_map(&boards, BOARDS_CLOCK, BOARDS_READ);
    cr_assert_not_null(writer);
    cr_assert_not_null(reader);
    cr_expect_eq(board_read(reader, &seen, sizeof(seen), &generation), NTS_OK);
    cr_expect_eq(generation, 0);
    board_write(writer, &model, sizeof(model));
    cr_expect_eq(board_read(reader, &seen, sizeof(seen), &generation), NTS_OK);
    cr_expect_eq(generation, 1);
    cr_expect_eq(seen.anchor_wall_ns, 42);
}

Test(boards, a_writer_that_is_started_again_goes_on)
{
    struct clock_model model = {.anchor_wall_ns = 1};
    struct board *first = boards_map(&boards, BOARDS_CLOCK, BOARDS_WRITE);
    board_write(first, &model, sizeof(model));
    (void)munmap(first, boards.file[BOARDS_CLOCK].size);
    struct board *second = boards_map(&boards, BOARDS_CLOCK, BOARDS_WRITE);
    cr_expect_eq(board_generation(second), 1);
}

Test(boards, readers_cannot_write_even_if_they_try)
{
    for (int id = 0; id < BOARDS_COUNT; id++) {
        size_t size = boards.file[id].size;
        void *p = boards_map(&boards, (enum boards_id)id, BOARDS_READ);
        cr_assert_not_null(p);
        cr_expect_eq(mprotect(p, size, PROT_READ | PROT_WRITE), -1, "board %d", id);
        cr_expect_eq(errno, EACCES);
        cr_expect_eq(
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, boards.file[id].readable, 0),
            MAP_FAILED);
        cr_expect_eq(write(boards.file[id].readable, "x", 1), -1);
    }
    cr_expect_null(boards_map(&boards, BOARDS_KEYS, BOARDS_NONE));
}

/* In a child: the signal that ended it, 0 for none. */
static int signal_of(void (*act)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer would report it and exit */
        act();
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void write_as_reader(void)
{
    volatile uint64_t *p = boards_map(&boards, BOARDS_KEYS, BOARDS_READ);
    p[8] = 1;
}

Test(boards, writing_through_a_readers_mapping_faults)
{
    cr_expect_eq(signal_of(write_as_reader), SIGSEGV);
}

Test(boards, nobody_can_pull_the_rug)
{
    for (int id = 0; id < BOARDS_COUNT; id++) {
        cr_expect_eq(ftruncate(boards.file[id].writable, 0), -1, "board %d", id);
        cr_expect_eq(errno, EPERM);
    }
}

Test(boards, ke_processes_have_a_page_each)
{
    struct stats *second = boards_map_ke_stats(&boards, 1);
    const uint8_t *all = boards_map(&boards, BOARDS_KE_STATS, BOARDS_READ);
    cr_assert_not_null(second);
    stats_add(second, 5, 7);
    const struct stats *seen = (const void *)(all + boards_ke_stats_stride());
    cr_expect_eq(stats_get(seen, 5), 7);
    cr_expect_eq(stats_get((const void *)all, 5), 0);
}

static volatile uint64_t *inherited; /* the test's, for its child */

static void read_inherited(void)
{
    (void)*inherited;
}

Test(boards, the_supervisors_mapping_is_not_inherited)
{
    inherited = boards_map(&boards, BOARDS_CLOCK, BOARDS_WRITE);
    cr_expect_eq(signal_of(read_inherited), 0, "others are");
    inherited = boards_map(&boards, BOARDS_SUPERVISOR, BOARDS_WRITE);
    cr_expect_eq(*inherited, 0);
    cr_expect_eq(signal_of(read_inherited), SIGSEGV);
}
