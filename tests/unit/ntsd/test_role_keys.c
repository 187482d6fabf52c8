/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys process itself, with boards of its own: what becomes of the ring in service when the
 * process comes back and finds less than it left.
 */
#include "common/base/board.h"
#include "common/base/log.h"
#include "common/keys/keystore.h"
#include "ntp/clock/clock_model.h"
#include "ntsd/role.h"
#include "ntsd/status_values.h"
#include "tests/unit/ntsd/scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct scratch scratch;
static struct config config;
static struct role_context context;

static void *new_board(size_t size)
{
    void *p = mmap(NULL, board_footprint(size), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

static void set_up(void)
{
    scratch_make(&scratch);
    config.state_dir = strdup(scratch_path(&scratch, "state"));
    config.rotate_s = 3600;
    config.lifetime_s = 7200;
    context.config = &config;
    context.board[BOARDS_KEYS] = new_board(sizeof(struct keyring));
    context.board[BOARDS_KEY_STATUS] = new_board(sizeof(struct key_status));
    context.board[BOARDS_CLOCK] = new_board(sizeof(struct clock_model));
}

static void tear_down(void)
{
    scratch_remove(&scratch);
}

TestSuite(role_keys, .init = set_up, .fini = tear_down, .timeout = 60);

static uint64_t published(void)
{
    return board_generation(context.board[BOARDS_KEY_STATUS]);
}

/* A process that publishes and is then told to end, or ends by itself. Its exit status. */
static int run(void)
{
    int status = -1;
    uint64_t before = published();
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        log_setup("keys", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        _exit(role_keys_run(&context));
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        /* More than once: ThreadSanitizer may keep a signal back until the next one. */
        if (published() != before) {
            cr_assert_eq(kill(pid, SIGTERM), 0);
        }
        (void)poll(NULL, 0, 1);
    }
    cr_assert(WIFEXITED(status), "status %d", status);
    return WEXITSTATUS(status);
}

static struct keyring ring_on_board(uint64_t *generation)
{
    struct keyring ring;
    cr_assert_eq(board_read(context.board[BOARDS_KEYS], &ring, sizeof(ring), generation), NTS_OK);
    cr_assert_gt(*generation, 0);
    return ring;
}

Test(role_keys, a_document_that_is_gone_does_not_replace_the_ring)
{
    uint64_t first = 0;
    uint64_t second = 0;
    cr_assert_eq(run(), 0);
    struct keyring before = ring_on_board(&first);
    cr_assert_eq(unlink(scratch_path(&scratch, "state/" KEYSTORE_FILE)), 0);
    cr_expect_eq(run(), 1, "the supervisor tries again");
    cr_expect_eq(run(), 1);
    struct keyring after = ring_on_board(&second);
    cr_expect_eq(first, second);
    cr_expect_arr_eq(&before, &after, sizeof(before));
    cr_expect_eq(access(scratch_path(&scratch, "state/" KEYSTORE_FILE), F_OK), -1);
}

Test(role_keys, a_document_that_is_there_gives_the_same_keys_again)
{
    uint64_t generation = 0;
    cr_assert_eq(run(), 0);
    struct keyring before = ring_on_board(&generation);
    cr_assert_eq(run(), 0);
    struct keyring after = ring_on_board(&generation);
    cr_expect_arr_eq(before.key[0].bytes, after.key[0].bytes, KEYRING_KEY_LEN);
    cr_expect_eq(before.key[0].id, after.key[0].id);
}

static struct keydoc stored(void)
{
    struct keydoc doc;
    struct keystore_fault fault;
    const struct keystore_options options = {.dir = config.state_dir, .rotate_s = config.rotate_s};
    cr_assert_eq(keystore_open(&options, NULL, &doc, &fault), NTS_OK, "%s", fault.text);
    return doc;
}

/* The epoch for a new rotation comes with a trusted clock, and is on the disk before it is used. */
Test(role_keys, another_rotation_waits_for_a_trusted_clock)
{
    cr_assert_eq(run(), 0);
    config.rotate_s = 1800;
    cr_assert_eq(run(), 0);
    cr_expect_eq(stored().count, 1);
    struct clock_model clock = {.anchor_raw_ns = mono_raw_now().ns,
                                .anchor_wall_ns = wall_now().ns,
                                .state = CLOCK_SYNCHRONISED,
                                .stratum = 2};
    board_write(context.board[BOARDS_CLOCK], &clock, sizeof(clock));
    cr_assert_eq(run(), 0);
    struct keydoc doc = stored();
    cr_expect_eq(doc.count, 2);
    cr_expect_eq(doc.epoch[1].rotate_s, 1800);
    cr_expect_neq(doc.epoch[1].id, doc.epoch[0].id);
}
