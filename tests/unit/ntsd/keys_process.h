/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keys process under test: forked from the test, with boards of its own and clocks that the test
 * can move. Its document is a file in a scratch directory.
 *
 * CLOCK_MONOTONIC_RAW and CLOCK_BOOTTIME are read through this program, so that an hour passes at
 * once, for the test and the process alike.
 */
#ifndef NTSD_TESTS_UNIT_NTSD_KEYS_PROCESS_H
#define NTSD_TESTS_UNIT_NTSD_KEYS_PROCESS_H

#include "tests/unit/ntsd/scratch.h"

#include "common/base/board.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "ntp/clock/clock_model.h"
#include "ntsd/role.h"
#include "ntsd/status_values.h"
#include "tests/unit/common/keys_sample.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { PATIENCE_MS = 30000 };

static _Atomic int64_t *ahead_ns; /* written by the test, read by the process */

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int err = (int)syscall(SYS_clock_gettime, id, ts);
    if (err != 0 || ahead_ns == NULL || (id != CLOCK_MONOTONIC_RAW && id != CLOCK_BOOTTIME)) {
        return err;
    }
    int64_t ns = (int64_t)ts->tv_sec * NS_PER_S + ts->tv_nsec + atomic_load(ahead_ns);
    *ts = (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    return 0;
}

struct keys_process {
    struct scratch scratch;
    struct config config;
    char document[128]; /* names in `config` */
    char state[128];
    struct role_context context;
    pid_t pid; /* 0: none runs */
};

static inline void *shared_memory(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

/* With `ntskeys file DIR/doc.json`. */
static inline void keys_make(struct keys_process *k)
{
    struct role_context *context = &k->context;
    memset(k, 0, sizeof(*k));
    scratch_make(&k->scratch);
    ahead_ns = shared_memory(sizeof(*ahead_ns));
    k->config.keys = CONFIG_KEYS_FILE;
    (void)snprintf(k->document, sizeof(k->document), "%s/doc.json", k->scratch.dir);
    (void)snprintf(k->state, sizeof(k->state), "%s/state", k->scratch.dir);
    k->config.keys_source = k->document;
    k->config.state_dir = k->state;
    k->config.rotate_s = SAMPLE_ROTATE_S;
    k->config.lifetime_s = SAMPLE_LIFETIME_S;
    context->config = &k->config;
    context->board[BOARDS_KEYS] = shared_memory(board_footprint(sizeof(struct keyring)));
    context->board[BOARDS_KEY_DOC] = shared_memory(board_footprint(sizeof(struct keydoc)));
    context->board[BOARDS_KEY_STATUS] = shared_memory(board_footprint(sizeof(struct key_status)));
    context->board[BOARDS_CLOCK] = shared_memory(board_footprint(sizeof(struct clock_model)));
}

static inline void keys_start(struct keys_process *k)
{
    k->pid = fork();
    cr_assert_geq(k->pid, 0);
    if (k->pid == 0) {
        log_setup("keys", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        _exit(role_keys_run(&k->context));
    }
}

/* Its exit status once it has ended after `signal`. */
static inline int keys_stop(struct keys_process *k, int signal)
{
    int status = -1;
    cr_assert_gt(k->pid, 0);
    for (int i = 0; waitpid(k->pid, &status, WNOHANG) == 0; i++) {
        if (i % 1000 == 0) { /* ThreadSanitizer may keep a signal until the next one */
            (void)kill(k->pid, signal);
        }
        (void)poll(NULL, 0, 1);
    }
    k->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void keys_remove(struct keys_process *k)
{
    if (k->pid > 0) {
        (void)keys_stop(k, SIGKILL);
    }
    scratch_remove(&k->scratch);
}

static inline struct key_status keys_status(const struct keys_process *k)
{
    struct key_status status = {.count = 0};
    uint64_t generation = 0;
    cr_assert_eq(
        board_read(k->context.board[BOARDS_KEY_STATUS], &status, sizeof(status), &generation),
        NTS_OK);
    return status;
}

static inline struct keyring keys_ring(const struct keys_process *k)
{
    struct keyring ring = {.count = 0};
    uint64_t generation = 0;
    cr_assert_eq(board_read(k->context.board[BOARDS_KEYS], &ring, sizeof(ring), &generation),
                 NTS_OK);
    return ring;
}

/* Answers that have been judged, since the boards were made. */
static inline uint64_t keys_answers(const struct keys_process *k)
{
    struct key_status status = keys_status(k);
    uint64_t sum = 0;
    for (int i = 0; i < PROVIDER_OUTCOMES; i++) {
        sum += status.provider.outcome[i];
    }
    return sum;
}

static inline void keys_await_answer(const struct keys_process *k, uint64_t before)
{
    for (int i = 0; keys_answers(k) <= before; i++) {
        cr_assert_lt(i, PATIENCE_MS, "no answer");
        (void)poll(NULL, 0, 1);
    }
}

/* SIGHUP, and two answers: the first may be of a fetch that was under way. */
static inline void keys_ask(const struct keys_process *k)
{
    for (int i = 0; i < 2; i++) {
        uint64_t before = keys_answers(k);
        cr_assert_eq(kill(k->pid, SIGHUP), 0);
        keys_await_answer(k, before);
    }
}

/* Puts the document where the process looks, whole, without asking it to. */
static inline void keys_put(const struct keys_process *k, const struct keydoc *doc)
{
    uint8_t text[KEYDOC_WRITTEN_MAX];
    struct wr out = wr_init(text, sizeof(text));
    cr_assert_eq(keydoc_write(doc, &out), NTS_OK);
    cr_assert_eq(file_replace(k->config.keys_source, wr_done(&out), 0600), NTS_OK);
}

/* A trusted clock that says what the host's does, and how far this test is ahead of it. */
static inline int64_t keys_publish_clock(const struct keys_process *k)
{
    struct clock_model clock = {.anchor_raw_ns = mono_raw_now().ns,
                                .anchor_wall_ns = wall_now().ns + atomic_load(ahead_ns),
                                .state = CLOCK_SYNCHRONISED,
                                .stratum = 2};
    board_write(k->context.board[BOARDS_CLOCK], &clock, sizeof(clock));
    return clock.anchor_wall_ns / NS_PER_S;
}

#endif
