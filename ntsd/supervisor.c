/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See supervisor.h.
 */
#include "ntsd/supervisor.h"

#include "common/base/board.h"
#include "common/base/log.h"
#include "ntsd/backoff.h"
#include "ntsd/drain.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    enum role role;
    size_t index;
    pid_t pid; /* 0: not running */
    struct mono_ns started;
    struct mono_ns restart_at; /* while not running */
    struct backoff backoff;
    uint64_t restarts;
};

struct supervisor {
    const struct child_world *world;
    struct board *board;
    int signals; /* signalfd */
    size_t count;
    struct child child[ROLE_CHILDREN_MAX];
    enum drain_phase phase;
    unsigned terminations; /* SIGTERM and SIGINT received */
    struct mono_ns drain_began;
    int64_t started_s;
    struct log_limit reloads_told;
};

static uint64_t ms_since(struct mono_ns then)
{
    int64_t ns = mono_now().ns - then.ns;
    return ns > 0 ? (uint64_t)(ns / NS_PER_MS) : 0;
}

static bool is_service(enum role role)
{
    return role == ROLE_KE || role == ROLE_NTP;
}

static void publish(const struct supervisor *s)
{
    struct supervisor_status status = {
        .draining = s->phase != DRAIN_RUNNING, .started_s = s->started_s, .count = s->count};
    for (size_t i = 0; i < s->count; i++) {
        const struct child *c = &s->child[i];
        status.child[i] = (struct child_status){.role = (uint32_t)c->role,
                                                .index = (uint32_t)c->index,
                                                .pid = c->pid,
                                                .restarts = c->restarts};
    }
    board_write(s->board, &status, sizeof(status));
}

/* `lived_ms` of 0 for one that could not even be made. */
static uint64_t plan_restart(struct child *c, uint64_t lived_ms)
{
    uint64_t wait_ms = backoff_next(&c->backoff, lived_ms);
    c->pid = 0;
    c->restart_at = (struct mono_ns){.ns = mono_now().ns + (int64_t)wait_ms * NS_PER_MS};
    return wait_ms;
}

static void start(struct supervisor *s, struct child *c)
{
    const struct child_which which = {
        .role = c->role, .index = c->index, .restarted = c->restarts > 0};
    pid_t pid = child_start(&which, s->world);
    if (pid < 0) {
        const char *error = strerror(errno);
        uint64_t wait_ms = plan_restart(c, 0);
        log_event(LOG_LEVEL_ERROR, "process cannot be started", "process", role_name(c->role),
                  "error", error, "next_try_ms", log_fmt(LOG_BUF, "%lu", wait_ms), NULL);
        return;
    }
    c->pid = pid;
    c->started = mono_now();
    log_event(LOG_LEVEL_DEBUG, "process started", "process", role_name(c->role), "pid",
              log_fmt(LOG_BUF, "%d", (int)pid), NULL);
}

static void add_children(struct supervisor *s)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        size_t count = role_process_count((enum role)r, s->world->config);
        for (size_t i = 0; i < count; i++) {
            s->child[s->count++] = (struct child){.role = (enum role)r, .index = i};
        }
    }
}

static void log_end(const struct child *c, int status, uint64_t wait_ms)
{
    bool killed = WIFSIGNALED(status);
    int code = killed ? WTERMSIG(status) : WEXITSTATUS(status);
    log_event(LOG_LEVEL_WARN, "process ended unasked", "process", role_name(c->role), "pid",
              log_fmt(LOG_BUF, "%d", (int)c->pid), killed ? "signal" : "status",
              log_fmt(LOG_BUF, "%d", code), "restart_in_ms", log_fmt(LOG_BUF, "%lu", wait_ms),
              NULL);
}

static void child_ended(struct supervisor *s, struct child *c, int status)
{
    if (s->phase != DRAIN_RUNNING) {
        c->pid = 0;
        return;
    }
    struct child dead = *c;
    uint64_t wait_ms = plan_restart(c, ms_since(c->started));
    c->restarts++;
    log_end(&dead, status, wait_ms);
}

static void reap(struct supervisor *s)
{
    int status = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < s->count; i++) {
            if (s->child[i].pid == pid) {
                child_ended(s, &s->child[i], status);
            }
        }
    }
}

static void restart_due(struct supervisor *s)
{
    int64_t now = mono_now().ns;
    for (size_t i = 0; s->phase == DRAIN_RUNNING && i < s->count; i++) {
        if (s->child[i].pid == 0 && s->child[i].restart_at.ns <= now) {
            start(s, &s->child[i]);
        }
    }
}

static void send_all(const struct supervisor *s, int signal, bool services, bool others)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct child *c = &s->child[i];
        if (c->pid > 0 && (is_service(c->role) ? services : others)) {
            (void)kill(c->pid, signal);
        }
    }
}

static void enter(struct supervisor *s, enum drain_phase phase)
{
    switch (phase) {
    case DRAIN_SERVICES:
        s->drain_began = mono_now();
        log_event(LOG_LEVEL_INFO, "draining", NULL);
        send_all(s, SIGTERM, true, false);
        return;
    case DRAIN_REST:
        send_all(s, SIGTERM, false, true);
        return;
    case DRAIN_KILL:
        log_event(LOG_LEVEL_WARN, "drain cut short", NULL);
        send_all(s, SIGKILL, true, true);
        return;
    case DRAIN_RUNNING:
    case DRAIN_DONE:
        return;
    }
}

static void drain(struct supervisor *s)
{
    for (;;) {
        struct drain_facts facts = {.signals = s->terminations};
        facts.elapsed_ms = s->phase == DRAIN_RUNNING ? 0 : ms_since(s->drain_began);
        for (size_t i = 0; i < s->count; i++) {
            bool alive = s->child[i].pid > 0;
            facts.services_alive += alive && is_service(s->child[i].role);
            facts.others_alive += alive && !is_service(s->child[i].role);
        }
        enum drain_phase next = drain_next(s->phase, &facts);
        if (next == s->phase) {
            return;
        }
        s->phase = next;
        /* Published first: the load balancer's next question already gets the new answer. */
        publish(s);
        enter(s, next);
    }
}

/* Somebody's loop that sends SIGHUP is not to fill the log. */
static void tell_reload(struct supervisor *s)
{
    uint64_t suppressed = 0;
    if (log_limit_allows(&s->reloads_told, mono_now(), &suppressed)) {
        log_event(LOG_LEVEL_INFO, "reload: certificates are read again, the configuration is not",
                  "suppressed", log_fmt(LOG_BUF, "%lu", suppressed), NULL);
    }
}

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    bool reload = false;
    while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        reload = reload || info.ssi_signo == SIGHUP;
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
            s->terminations++;
        }
    }
    if (reload && s->terminations == 0) {
        tell_reload(s);
        send_all(s, SIGHUP, true, true);
    }
}

/* Milliseconds until something is due; -1: nothing is. */
static int next_wait_ms(const struct supervisor *s)
{
    int64_t now = mono_now().ns;
    int64_t due = INT64_MAX;
    for (size_t i = 0; s->phase == DRAIN_RUNNING && i < s->count; i++) {
        if (s->child[i].pid == 0 && s->child[i].restart_at.ns < due) {
            due = s->child[i].restart_at.ns;
        }
    }
    if (s->phase == DRAIN_KILL) {
        return -1; /* SIGCHLD is all that is left to come */
    }
    if (s->phase != DRAIN_RUNNING) {
        due = s->drain_began.ns + (int64_t)drain_deadline_ms(s->phase) * NS_PER_MS;
    }
    if (due == INT64_MAX) {
        return -1;
    }
    return due <= now ? 0 : (int)((due - now + NS_PER_MS - 1) / NS_PER_MS);
}

static bool block_signals(struct supervisor *s)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGCHLD);
    (void)signal(SIGCHLD, SIG_DFL); /* a parent of ours may have had it ignored: no waitpid then */
    child_ignore_signals();
    s->signals = sigprocmask(SIG_SETMASK, &set, NULL) != 0
                     ? -1
                     : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0;
}

int supervisor_run(const struct child_world *world, struct board *board)
{
    struct supervisor s = {.world = world,
                           .board = board,
                           .started_s = wall_now().ns / NS_PER_S,
                           .reloads_told = {.interval_s = 1, .burst = 5}};
    if (!block_signals(&s)) {
        log_event(LOG_LEVEL_ERROR, "no signalfd", "error", strerror(errno), NULL);
        return 1;
    }
    add_children(&s);
    while (s.phase != DRAIN_DONE) {
        restart_due(&s);
        publish(&s);
        struct pollfd wait = {.fd = s.signals, .events = POLLIN};
        (void)poll(&wait, 1, next_wait_ms(&s));
        take_signals(&s);
        drain(&s); /* first: who ends because of the same Ctrl-C has not ended unasked */
        reap(&s);
        drain(&s);
    }
    log_event(LOG_LEVEL_INFO, "stopped", NULL);
    (void)close(s.signals);
    return 0;
}
