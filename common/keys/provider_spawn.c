/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See provider_spawn.h.
 *
 * fork(2) and not posix_spawn(3), which cannot have the child die with its parent. Between fork and
 * exec only what a signal handler may do is done, because other threads may hold locks.
 */
#include "common/keys/provider_spawn.h"

#include "common/keys/provider_refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NOT_RUN = 127 };

#define NAME         "%.160s" /* of a program in a fault */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* All ends that a start needs; -1: closed. */
struct ends {
    int null;
    int out[2];
    int err[2];
    int failed[2]; /* errno of the child when it could not run the program */
};

static enum provider_outcome refuse_errno(const char *name, int error, struct provider_fault *fault)
{
    char text[64];
    enum provider_outcome outcome = PROVIDER_INTERNAL;
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) {
        outcome = PROVIDER_NOT_FOUND;
    } else if (error == EACCES || error == EPERM) {
        outcome = PROVIDER_DENIED;
    } else if (error == ENOEXEC) {
        outcome = PROVIDER_FAILED;
    }
    return provider_refuse(fault, outcome, "cannot run " NAME ": %s", name,
                           strerror_r(error, text, sizeof(text)));
}

/* 0, or why it is not to be run. */
static int look_at(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return EACCES;
    }
    return access(path, X_OK) == 0 ? 0 : errno;
}

/* As execvp(3) does, but an empty element of PATH is nothing, and a text without a first line that
 * names its interpreter is not handed to a shell. 0, or why there is none. */
static int find_program(const char *name, char path[static PATH_MAX])
{
    const char *dirs = getenv("PATH");
    int why = ENOENT;
    if (strchr(name, '/') != NULL) {
        int len = snprintf(path, PATH_MAX, "%s", name);
        return len >= PATH_MAX ? ENAMETOOLONG : look_at(path);
    }
    for (const char *at = dirs == NULL ? DEFAULT_PATH : dirs; *at != '\0';) {
        size_t n = strcspn(at, ":");
        int len = snprintf(path, PATH_MAX, "%.*s/%s", (int)n, at, name);
        int error = n == 0 || len >= PATH_MAX ? ENOENT : look_at(path);
        if (error == 0) {
            return 0;
        }
        why = error == EACCES ? EACCES : why;
        at += n + (at[n] == ':' ? 1 : 0);
    }
    return why;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

static void close_ends(struct ends *ends)
{
    int *const all[] = {&ends->null,   &ends->out[0],    &ends->out[1],   &ends->err[0],
                        &ends->err[1], &ends->failed[0], &ends->failed[1]};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        close_one(all[i]);
    }
}

static bool open_ends(struct ends *ends)
{
    *ends = (struct ends){.null = -1, .out = {-1, -1}, .err = {-1, -1}, .failed = {-1, -1}};
    ends->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    /* Only our ends do not block: the program's are ordinary pipes. */
    return ends->null >= 0 && pipe2(ends->out, O_CLOEXEC) == 0 &&
           pipe2(ends->err, O_CLOEXEC) == 0 && pipe2(ends->failed, O_CLOEXEC) == 0 &&
           fcntl(ends->out[0], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(ends->err[0], F_SETFL, O_NONBLOCK) == 0;
}

/* In the child, all signals blocked: those that come with default actions are let in last. */
static bool set_up(const struct ends *ends, pid_t parent)
{
    sigset_t none;
    for (int s = 1; s < NSIG; s++) {
        (void)signal(s, SIG_DFL);
    }
    (void)sigemptyset(&none);
    /* A parent that died before the prctl() sends no signal any more. */
    return setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
           getppid() == parent && dup2(ends->null, STDIN_FILENO) >= 0 &&
           dup2(ends->out[1], STDOUT_FILENO) >= 0 && dup2(ends->err[1], STDERR_FILENO) >= 0 &&
           close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
           sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

_Noreturn static void become(const char *path, const char *const *argv, const struct ends *ends,
                             pid_t parent)
{
    if (set_up(ends, parent)) {
        (void)execve(path, (char *const *)argv, environ);
    }
    int error = errno;
    ssize_t told = write(ends->failed[1], &error, sizeof(error));
    (void)told; /* nobody is left to whom it could be told otherwise */
    _exit(STATUS_NOT_RUN);
}

/* Signals are kept from the child until it has default actions: a handler of ours must not run in
 * it. */
static pid_t start(const char *path, const char *const *argv, const struct ends *ends)
{
    sigset_t all;
    sigset_t before;
    pid_t parent = getpid();
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        become(path, argv, ends, parent);
    }
    int saved = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

/* 0: the program runs. The pipe ends with exec. */
static int exec_error(int fd)
{
    int error = 0;
    ssize_t got;
    do {
        got = read(fd, &error, sizeof(error));
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(error) ? error : 0;
}

/* Its own errno, or that of what went wrong in the child. */
static int run(const char *path, const char *const *argv, struct ends *ends,
               struct provider_child *child)
{
    child->pid = start(path, argv, ends);
    if (child->pid < 0) {
        return errno;
    }
    close_one(&ends->failed[1]);
    int error = exec_error(ends->failed[0]);
    if (error == 0) {
        child->ended = (int)syscall(SYS_pidfd_open, child->pid, 0);
        error = child->ended < 0 ? errno : 0;
    }
    if (error != 0) {
        provider_kill(child);
        (void)waitpid(child->pid, NULL, 0);
    }
    return error;
}

enum provider_outcome provider_spawn_look(const char *name, struct provider_fault *fault)
{
    char path[PATH_MAX];
    int error = find_program(name, path);
    return error == 0 ? PROVIDER_OK : refuse_errno(name, error, fault);
}

enum provider_outcome provider_spawn(const char *const *argv, struct provider_child *child,
                                     struct provider_fault *fault)
{
    char path[PATH_MAX];
    struct ends ends;
    int error = find_program(argv[0], path);
    *child = (struct provider_child){.pid = -1, .ended = -1, .out = -1, .err = -1};
    if (error != 0) {
        return refuse_errno(argv[0], error, fault);
    }
    error = open_ends(&ends) ? run(path, argv, &ends, child) : errno;
    if (error == 0) {
        child->out = ends.out[0];
        child->err = ends.err[0];
        ends.out[0] = -1;
        ends.err[0] = -1;
    }
    close_ends(&ends);
    return error == 0 ? PROVIDER_OK : refuse_errno(argv[0], error, fault);
}

/* Not yet waited for, so that both numbers are still its own. It may have left its group. */
void provider_kill(const struct provider_child *child)
{
    (void)kill(-child->pid, SIGKILL);
    (void)kill(child->pid, SIGKILL);
}

bool provider_reap(struct provider_child *child, int *status)
{
    pid_t got;
    do {
        got = waitpid(child->pid, status, 0);
    } while (got < 0 && errno == EINTR);
    close_one(&child->ended);
    close_one(&child->out);
    close_one(&child->err);
    return got == child->pid;
}
