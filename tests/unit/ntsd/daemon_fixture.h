/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon under test: the program itself, started on free loopback ports with certificates made
 * for it, asked over its sockets, and ended with the test. What needs time is polled for, with a
 * deadline.
 */
#ifndef NTSD_TESTS_UNIT_NTSD_DAEMON_FIXTURE_H
#define NTSD_TESTS_UNIT_NTSD_DAEMON_FIXTURE_H

#include "tests/unit/ntsd/scratch.h"

#include "certs/devca.h"
#include "common/base/time.h"
#include "common/net/addr.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWED = 10 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SLOWED = 10 };
#else
enum { SLOWED = 1 };
#endif
#else
enum { SLOWED = 1 }; /* sanitizers take their time */
#endif

struct daemon_under_test {
    struct scratch scratch;
    char program[PATH_MAX];
    char config[PATH_MAX];
    char log[PATH_MAX];
    unsigned ntp_port;
    unsigned ke_port;
    unsigned http_port;
    pid_t pid; /* 0: not running */
};

static inline int64_t now_ms(void)
{
    return mono_now().ns / NS_PER_MS;
}

static inline void pause_ms(long ms)
{
    struct timespec wait = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&wait, NULL);
}

/* A loopback port that was free a moment ago; never the same one twice in a row. */
static inline unsigned free_port(int type)
{
    struct net_addr addr = net_addr_any(AF_INET, 0);
    socklen_t len = sizeof(addr);
    addr.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, &addr.sa, net_addr_len(&addr)), 0);
    cr_assert_eq(getsockname(fd, &addr.sa, &len), 0);
    (void)close(fd);
    return net_addr_port(&addr);
}

/* Writes the configuration with `more` at its end. */
static inline void daemon_configure(struct daemon_under_test *d, const char *more)
{
    char text[2048];
    (void)snprintf(text, sizeof(text),
                   "bindaddress 127.0.0.1\nport %u\nntsport %u\nhttpaddress 127.0.0.1:%u\n"
                   "ntsservercert %s/server.pem\nntsserverkey %s/server.key\n"
                   "ntsdumpdir %s/state\nlocal stratum 5\nthreads 2\n%s%s%s",
                   d->ntp_port, d->ke_port, d->http_port, d->scratch.dir, d->scratch.dir,
                   d->scratch.dir, geteuid() == 0 ? "user root\n" : "",
                   SLOWED > 1 ? "sandbox no\n" : "", more);
    scratch_write(&d->scratch, "ntsd.conf", text, 0644);
}

static inline void daemon_make(struct daemon_under_test *d)
{
    struct cert_fault fault = {0};
    memset(d, 0, sizeof(*d));
    scratch_make(&d->scratch);
    ssize_t n = readlink("/proc/self/exe", d->program, sizeof(d->program) - 1);
    cr_assert_gt(n, 0);
    /* BUILD/tests/unit/ntsd/test_daemon is beside BUILD/ntsd */
    char *tests = strstr(d->program, "/tests/unit/");
    cr_assert_not_null(tests);
    memcpy(tests, "/ntsd", sizeof("/ntsd"));
    cr_assert_eq(access(d->program, X_OK), 0, "%s is not built: make it first", d->program);
    (void)snprintf(d->config, sizeof(d->config), "%s/ntsd.conf", d->scratch.dir);
    (void)snprintf(d->log, sizeof(d->log), "%s/log", d->scratch.dir);
    const struct devca_options ca = {
        .dir = d->scratch.dir, .not_before = wall_now().ns / NS_PER_S - 3600, .days = 90};
    cr_assert_eq(devca_make(&ca, &fault), NTS_OK, "%s", fault.text);
    d->ntp_port = free_port(SOCK_DGRAM);
    d->ke_port = free_port(SOCK_STREAM);
    d->http_port = free_port(SOCK_STREAM);
    daemon_configure(d, "");
}

static inline void daemon_spawn(struct daemon_under_test *d, const char *option)
{
    d->pid = fork();
    if (d->pid == 0) {
        int fd = open(d->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        if (geteuid() != 0) { /* the daemon may not be traced, so leaks cannot be looked for */
            (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        }
        execl(d->program, "ntsd", "-c", d->config, option, (char *)NULL);
        _exit(127);
    }
    cr_assert_gt(d->pid, 0);
}

/* Exit status once it ended by itself; -1: a signal ended it; -2: it did not end in time. */
static inline int daemon_wait(struct daemon_under_test *d, int64_t timeout_ms)
{
    int status = 0;
    int64_t until = now_ms() + timeout_ms;
    while (waitpid(d->pid, &status, WNOHANG) == 0) {
        if (now_ms() > until) {
            return -2;
        }
        pause_ms(5);
    }
    d->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool log_has(const struct daemon_under_test *d, const char *text)
{
    static char log[65536];
    FILE *f = fopen(d->log, "re");
    size_t n = f == NULL ? 0 : fread(log, 1, sizeof(log) - 1, f);
    if (f != NULL) {
        (void)fclose(f);
    }
    log[n] = '\0';
    return strstr(log, text) != NULL;
}

static inline void daemon_remove(struct daemon_under_test *d)
{
    if (d->pid > 0) {
        (void)kill(d->pid, SIGKILL);
        (void)waitpid(d->pid, NULL, 0);
    }
    cr_expect_not(log_has(d, "Sanitizer") || log_has(d, "runtime error"), "see the log");
    scratch_remove(&d->scratch);
}

static inline int dial(unsigned port, int type)
{
    struct timeval limit = {.tv_usec = 200000};
    struct net_addr addr;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    cr_assert_eq(net_addr_parse("127.0.0.1", (uint16_t)port, &addr), NTS_OK);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, &addr.sa, net_addr_len(&addr)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* One plain NTP question: true when a server's answer comes that has a time in it. */
static inline bool ntp_answers(const struct daemon_under_test *d)
{
    uint8_t packet[48] = {0x23};
    int fd = dial(d->ntp_port, SOCK_DGRAM);
    bool good = fd >= 0 && send(fd, packet, sizeof(packet), 0) == sizeof(packet) &&
                recv(fd, packet, sizeof(packet), 0) == sizeof(packet) && (packet[0] & 7) == 4 &&
                packet[1] == 5;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

/* The status code of a page, and what it says; 0: no answer. */
static inline unsigned http_get(const struct daemon_under_test *d, const char *path, char *body,
                                size_t cap)
{
    char request[256];
    size_t n = 0;
    ssize_t got = 0;
    int fd = dial(d->http_port, SOCK_STREAM);
    if (fd < 0) {
        return 0;
    }
    int len = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
    (void)send(fd, request, (size_t)len, MSG_NOSIGNAL);
    while (n < cap - 1 && (got = recv(fd, body + n, cap - 1 - n, 0)) > 0) {
        n += (size_t)got;
    }
    (void)close(fd);
    body[n] = '\0';
    unsigned code = 0;
    return sscanf(body, "HTTP/1.1 %u", &code) == 1 ? code : 0;
}

/* Polls until the daemon is ready and answers; how long it took, or -1. */
static inline int64_t daemon_await(const struct daemon_under_test *d, int64_t timeout_ms)
{
    static char body[4096];
    int64_t began = now_ms();
    while (now_ms() - began < timeout_ms) {
        if (http_get(d, "/readyz", body, sizeof(body)) == 200 &&
            http_get(d, "/healthz", body, sizeof(body)) == 200 && ntp_answers(d)) {
            return now_ms() - began;
        }
        pause_ms(5);
    }
    return -1;
}

/* The living child of this name ("ntsd: ke"), or 0. */
static inline pid_t daemon_child(const struct daemon_under_test *d, const char *name)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *e = readdir(proc); e != NULL; e = readdir(proc)) {
        char path[64];
        char comm[32] = "";
        char state = 'Z';
        int parent = 0;
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        FILE *f = pid > 0 ? fopen(path, "re") : NULL;
        if (f == NULL) {
            continue;
        }
        if (fscanf(f, "%*d (%31[^)]) %c %d", comm, &state, &parent) == 3 && parent == d->pid &&
            state != 'Z' && strcmp(comm, name) == 0) {
            found = pid;
        }
        (void)fclose(f);
    }
    (void)closedir(proc);
    return found;
}

#endif
