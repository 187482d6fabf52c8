/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process of each role can no longer do, tried in a process that was locked in: the call
 * ends it, or is refused. And that it can still do its own work.
 */
#include "ntsd/sandbox.h"

#include "common/base/log.h"
#include "tests/unit/ntsd/config_text.h"
#include "tests/unit/ntsd/scratch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

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

enum outcome { DONE, DENIED, DEAD };

static struct scratch scratch;
static char own_file[PATH_MAX];
static int udp; /* open before the door is shut */

/* --- Deeds: true when they could be done --- */

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd >= 0 && close(fd) == 0;
}

static bool read_passwd(void)
{
    return opens("/etc/passwd", O_RDONLY);
}

static bool list_root(void)
{
    return opens("/", O_RDONLY | O_DIRECTORY);
}

static bool write_elsewhere(void)
{
    return opens("/tmp/ntsd-sandbox-was-here", O_WRONLY | O_CREAT);
}

static bool read_own(void)
{
    return opens(own_file, O_RDONLY);
}

static bool write_own(void)
{
    char path[PATH_MAX + 8];
    (void)snprintf(path, sizeof(path), "%s.new", own_file);
    return opens(path, O_WRONLY | O_CREAT) && rename(path, own_file) == 0;
}

static bool connect_tcp(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(9),
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 &&
           (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno == ECONNREFUSED);
}

static bool ask_over_udp(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(9),
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
           send(fd, "", 1, 0) == 1;
}

static bool open_raw(void)
{
    return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0;
}

static bool receive(void)
{
    struct mmsghdr message[1];
    memset(message, 0, sizeof(message));
    return recvmmsg(udp, message, 1, MSG_DONTWAIT, NULL) < 0 && errno == EAGAIN;
}

static bool execute(void)
{
    static char *const argv[] = {"true", NULL};
    (void)execv("/bin/true", argv);
    return false;
}

static bool trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool make_process(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return pid > 0;
}

static bool signal_parent(void)
{
    return kill(getppid(), 0) == 0;
}

static bool make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool turn_data_into_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool leave_namespace(void)
{
    return unshare(CLONE_NEWUSER) == 0;
}

static void *nothing(void *arg)
{
    return arg;
}

static bool make_thread(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool say(void)
{
    log_event(LOG_LEVEL_INFO, "still here", NULL);
    return true;
}

/* --- Who may do what --- */

struct deed {
    const char *name;
    bool (*attempt)(void);
    enum outcome outcome[ROLE_COUNT];
};

/* In the order of enum role: clock, keys, ke, ntp, status. */
static const struct deed deeds[] = {
    {"reads /etc/passwd", read_passwd, {DENIED, DENIED, DENIED, DEAD, DENIED}},
    {"lists /", list_root, {DENIED, DENIED, DENIED, DEAD, DENIED}},
    {"writes to /tmp", write_elsewhere, {DENIED, DENIED, DENIED, DEAD, DENIED}},
    {"reads in its directory", read_own, {DONE, DONE, DONE, DEAD, DENIED}},
    {"writes in its directory", write_own, {DONE, DONE, DENIED, DEAD, DENIED}},
    {"connects over TCP", connect_tcp, {DENIED, DEAD, DEAD, DEAD, DEAD}},
    {"asks over UDP", ask_over_udp, {DONE, DEAD, DEAD, DEAD, DEAD}},
    {"opens a raw socket", open_raw, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"receives", receive, {DONE, DEAD, DEAD, DONE, DEAD}},
    {"runs a program", execute, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"traces", trace, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"makes a process", make_process, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"signals its parent", signal_parent, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"maps code", make_code, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"turns data into code", turn_data_into_code, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"leaves its namespace", leave_namespace, {DEAD, DEAD, DEAD, DEAD, DEAD}},
    {"makes a thread", make_thread, {DONE, DONE, DONE, DONE, DONE}},
    {"writes to the log", say, {DONE, DONE, DONE, DONE, DONE}},
};

static const char *const words[] = {"done", "denied", "the end of the process"};

/* A configuration in which the state directory and that of the certificates are the scratch one. */
static const struct config *config(const char *more)
{
    static struct parsed made;
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "ntsservercert %s/own\nntsserverkey %s/own\nntsdumpdir %s\n%s", scratch.dir,
                   scratch.dir, scratch.dir, more);
    cr_assert_eq(parse_text(&made, text), NTS_OK, "%s", made.faults.fault[0].text);
    return &made.config;
}

static void make_scratch(void)
{
    scratch_make(&scratch);
    scratch_write(&scratch, "own", "mine", 0600);
    (void)snprintf(own_file, sizeof(own_file), "%s/own", scratch.dir);
    udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(udp, 0);
}

static enum outcome attempt(enum role role, const struct config *c, const struct deed *deed)
{
    int status;
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        unsigned layers;
        (void)signal(SIGSYS, SIG_DFL);
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (sandbox_enter(role, c, &layers) != NTS_OK) {
            _exit(3);
        }
        _exit(deed->attempt() ? DONE : DENIED);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        cr_expect_eq(WTERMSIG(status), SIGSYS, "%s: signal %d", deed->name, WTERMSIG(status));
        return DEAD;
    }
    cr_assert_neq(WEXITSTATUS(status), 3, "cannot be locked in");
    return (enum outcome)WEXITSTATUS(status);
}

static bool has_all_layers(void)
{
    unsigned all = SANDBOX_FILES | SANDBOX_NETWORK | SANDBOX_SCOPE | SANDBOX_SYSCALLS;
    unsigned layers = 0;
    int fd[2];
    cr_assert_eq(pipe(fd), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (sandbox_enter(ROLE_STATUS, config("clock system\n"), &layers) != NTS_OK) {
            layers = 0;
        }
        _exit(write(fd[1], &layers, sizeof(layers)) == sizeof(layers) ? 0 : 1);
    }
    (void)close(fd[1]);
    cr_assert_eq(read(fd[0], &layers, sizeof(layers)), (ssize_t)sizeof(layers));
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    (void)close(fd[0]);
    return layers == all;
}

static void skip_unless_possible(void)
{
    if (SANITIZED != 0) {
        cr_skip_test("a sanitizer needs more system calls than the program");
    }
    if (!has_all_layers()) {
        cr_skip_test("this kernel lacks Landlock (ABI 6) or seccomp");
    }
}

Test(sandbox, what_each_role_can_do)
{
    make_scratch();
    skip_unless_possible();
    const struct config *c = config("server 192.0.2.1\n");
    for (int role = 0; role < ROLE_COUNT; role++) {
        for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
            enum outcome got = attempt((enum role)role, c, &deeds[i]);
            cr_expect_eq(got, deeds[i].outcome[role], "%s %s: %s", role_name((enum role)role),
                         deeds[i].name, words[got]);
        }
    }
    scratch_remove(&scratch);
}

Test(sandbox, a_clock_that_looks_up_names_may_read_what_that_takes)
{
    static const struct deed connects = {.name = "connects over TCP", .attempt = connect_tcp};
    static const struct deed reads = {.name = "reads /etc/passwd", .attempt = read_passwd};
    static const struct deed writes = {.name = "writes to /tmp", .attempt = write_elsewhere};
    make_scratch();
    skip_unless_possible();
    const struct config *c = config("server time.example nts\n");
    cr_expect_eq(attempt(ROLE_CLOCK, c, &connects), DONE);
    cr_expect_eq(attempt(ROLE_CLOCK, c, &reads), DONE, "of /etc nothing is left out");
    cr_expect_eq(attempt(ROLE_CLOCK, c, &writes), DENIED);
    cr_expect_eq(attempt(ROLE_KE, c, &connects), DEAD, "nobody else gained by it");
    scratch_remove(&scratch);
}

Test(sandbox, with_loglevel_debug_the_call_is_named)
{
    int fd[2];
    char text[512] = "";
    make_scratch();
    skip_unless_possible();
    const struct config *c = config("clock system\nloglevel debug\n");
    cr_assert_eq(pipe(fd), 0);
    pid_t pid = fork();
    if (pid == 0) {
        unsigned layers;
        (void)dup2(fd[1], STDERR_FILENO);
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        log_setup("ntp", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
        if (sandbox_enter(ROLE_NTP, c, &layers) == NTS_OK) {
            (void)execute();
        }
        _exit(0);
    }
    int status;
    (void)close(fd[1]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGSYS);
    cr_assert_gt(read(fd[0], text, sizeof(text) - 1), 0);
    cr_expect_not_null(strstr(text, "forbidden system call"), "%s", text);
    cr_expect_not_null(strstr(text, "call=execve"), "%s", text);
    scratch_remove(&scratch);
}
