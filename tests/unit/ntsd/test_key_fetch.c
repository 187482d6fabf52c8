/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches beside the loop: one at a time, once more when it was asked for meanwhile, none after the
 * end. The store is a command that waits until the test lets it go.
 */
#include "ntsd/key_fetch.h"
#include "tests/unit/ntsd/scratch.h"

static struct scratch s;
static uv_loop_t loop;
static struct key_fetch fetch;
static unsigned answers;
static char text[32]; /* of the last one */
static void (*then)(void);

/* Each start is a line in `runs`; it ends when `go` is there. */
static const char *const script =
    "echo >>\"$0/runs\"; while [ ! -e \"$0/go\" ]; do sleep 0.01; done; "
    "printf document";

static void on_answered(void *ctx)
{
    cr_assert_eq(ctx, &answers);
    answers++;
    (void)snprintf(text, sizeof(text), "%.*s", (int)fetch.text.len, (char *)fetch.text.bytes);
    if (then != NULL) {
        then();
    }
}

static void set_up(void)
{
    static const char *argv[5];
    scratch_make(&s);
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    argv[3] = s.dir;
    const struct provider_options options = {.kind = PROVIDER_COMMAND, .argv = argv};
    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(key_fetch_open(&fetch, &loop, &options, on_answered, &answers), NTS_OK, "%s",
                 fetch.fault.text);
}

static void tear_down(void)
{
    key_fetch_close(&fetch);
    key_fetch_close(&fetch);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    provider_free(fetch.provider);
    (void)uv_loop_close(&loop);
    scratch_remove(&s);
}

TestSuite(key_fetch, .init = set_up, .fini = tear_down, .timeout = 120);

static size_t runs(void)
{
    struct stat st;
    return stat(scratch_path(&s, "runs"), &st) == 0 ? (size_t)st.st_size : 0;
}

static void let_go(void)
{
    scratch_write(&s, "go", "", 0600);
}

static void run_until(unsigned wanted)
{
    while (answers < wanted) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

Test(key_fetch, nothing_happens_unasked)
{
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    cr_expect_eq(runs(), 0);
    let_go();
    key_fetch_now(&fetch);
    run_until(1);
    cr_expect_str_eq(text, "document");
    cr_expect_eq(fetch.outcome, PROVIDER_OK);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    cr_expect_eq(fetch.text.len, 0, "wiped when it was looked at");
    cr_expect_eq(fetch.text.bytes[0], 0);
}

/* What one that runs has read may be what was: once more, but only once. */
Test(key_fetch, asked_while_it_runs)
{
    key_fetch_now(&fetch);
    while (runs() == 0) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    for (int i = 0; i < 100; i++) {
        key_fetch_now(&fetch);
    }
    cr_expect_eq(runs(), 1, "one at a time");
    let_go();
    run_until(2);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    cr_expect_eq(runs(), 2);
    cr_expect_eq(answers, 2);
}

static void again_soon(void)
{
    key_fetch_after(&fetch, 1);
}

Test(key_fetch, the_next_one_comes_in_time)
{
    then = again_soon;
    let_go();
    key_fetch_now(&fetch);
    run_until(5);
    cr_expect_eq(runs() >= 5, true);
}

Test(key_fetch, nothing_is_called_after_the_end)
{
    key_fetch_now(&fetch);
    while (runs() == 0) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    key_fetch_now(&fetch);
    key_fetch_close(&fetch);
    let_go();
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(answers, 0);
    cr_expect_eq(runs(), 1);
    key_fetch_now(&fetch);
    key_fetch_after(&fetch, 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(runs(), 1);
}
