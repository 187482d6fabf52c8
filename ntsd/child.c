/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See child.h.
 */
#include "ntsd/child.h"

#include "common/base/log.h"
#include "ntsd/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

void child_ignore_signals(void)
{
    static const int signals[] = {SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM,   SIGVTALRM,
                                  SIGXFSZ, SIGPROF, SIGIO,   SIGSTKFLT, SIGPWR};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)signal(signals[i], SIG_IGN);
    }
    for (int s = SIGRTMIN; s <= SIGRTMAX; s++) { /* those below are libc's own */
        (void)signal(s, SIG_IGN);
    }
}

/* The parent has some blocked for its signalfd. */
static void reset_signals(void)
{
    sigset_t none;
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int compare(const void *a, const void *b)
{
    const int *x = a;
    const int *y = b;
    return (*x > *y) - (*x < *y);
}

/* Closes everything from 3 up but the `n` descriptors of `keep`, which is sorted in place. */
static bool close_others(int *keep, size_t n)
{
    unsigned from = STDERR_FILENO + 1;
    qsort(keep, n, sizeof(keep[0]), compare);
    for (size_t i = 0; i < n; i++) {
        unsigned fd = (unsigned)keep[i];
        if (fd > from && close_range(from, fd - 1, 0) != 0) {
            return false;
        }
        from = fd + 1;
    }
    return close_range(from, ~0U, 0) == 0;
}

static bool map_boards(enum role role, const struct child_world *world,
                       struct role_context *context)
{
    for (int id = 0; id < BOARDS_COUNT; id++) {
        enum boards_id board = (enum boards_id)id;
        enum boards_access access = role_access(role, context->index, board);
        if (access == BOARDS_NONE) {
            continue;
        }
        bool own_page = board == BOARDS_KE_STATS && access == BOARDS_WRITE;
        context->board[id] = own_page ? boards_map_ke_stats(world->boards, context->index)
                                      : boards_map(world->boards, board, access);
        if (context->board[id] == NULL) {
            return false;
        }
    }
    return true;
}

static bool enter_sandbox(enum role role, const struct config *config)
{
    unsigned layers = 0;
    if (config->no_sandbox != 0) {
        return true;
    }
    if (sandbox_enter(role, config, &layers) != NTS_OK) {
        log_event(LOG_LEVEL_ERROR, "process cannot be locked in", "error", strerror(errno), NULL);
        return false;
    }
    return true;
}

static int run_child(const struct child_which *which, const struct child_world *world, pid_t parent)
{
    enum role role = which->role;
    int keep[SOCKETS_OF_ROLE_MAX];
    struct role_context context = {.config = world->config,
                                   .sockets = world->sockets,
                                   .index = which->index,
                                   .restarted = which->restarted,
                                   .worker_count = world->sockets->worker_count};
    reset_signals();
    log_setup(role_name(role), (enum log_level)world->config->log_level,
              (enum log_format)world->config->log_format);
    /* A parent that died before the prctl() sends no signal any more. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent) {
        return 1;
    }
    (void)prctl(PR_SET_NAME, role_process_name(role), 0, 0, 0);
    size_t n = sockets_of_role(world->sockets, role, which->index, keep);
    if (!map_boards(role, world, &context) || !close_others(keep, n)) {
        log_event(LOG_LEVEL_ERROR, "process cannot be set up", "error", strerror(errno), NULL);
        return 1;
    }
    return enter_sandbox(role, world->config) ? role_run(role, &context) : 1;
}

pid_t child_start(const struct child_which *which, const struct child_world *world)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        /* _exit: what the parent has buffered or registered for its end is not the child's. */
        _exit(run_child(which, world, parent));
    }
    return pid;
}
