/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document that a command prints: what it is given, what is taken of it, and that nothing of it
 * stays behind. `sh -c` here is a program like any other.
 */
#include "common/keys/provider_command.h"

#include "common/base/time.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONG_MS = 30000, SHORT_MS = 150 };

static struct provider_text text;
static struct provider_fault fault;

static size_t count_files(void)
{
    size_t count = 0;
    DIR *fds = opendir("/proc/self/fd");
    for (struct dirent *e = readdir(fds); e != NULL; e = readdir(fds)) {
        count++;
    }
    (void)closedir(fds);
    return count;
}

/* Whatever came of it: no child, no descriptor is left, and on failure no octet of the text. */
static enum provider_outcome run(const char *const *argv, int64_t deadline_ms)
{
    size_t before = count_files();
    memset(&text, 0x5a, sizeof(text));
    fault.text[0] = '\0';
    enum provider_outcome outcome = provider_command_fetch(argv, deadline_ms, &text, &fault);
    cr_expect_eq(count_files(), before);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a zombie");
    cr_expect_eq(errno, ECHILD);
    for (size_t i = outcome == PROVIDER_OK ? text.len : 0; i < sizeof(text.bytes); i++) {
        cr_assert_eq(text.bytes[i], 0, "octet %zu behind the end", i);
    }
    for (const char *c = fault.text; *c != '\0'; c++) {
        cr_expect(*c >= ' ' && *c <= '~');
    }
    return outcome;
}

static enum provider_outcome sh(const char *script, int64_t deadline_ms)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return run(argv, deadline_ms);
}

static bool said(const char *words)
{
    return strstr(fault.text, words) != NULL;
}

TestSuite(provider_command, .timeout = 120);

Test(provider_command, prints_a_document)
{
    const char *const argv[] = {"printf", "%s-%s", "a b", "$HOME;`x`*", NULL};
    cr_expect_eq(run(argv, LONG_MS), PROVIDER_OK, "%s", fault.text);
    cr_expect_eq(text.len, strlen("a b-$HOME;`x`*"));
    cr_expect_arr_eq(text.bytes, "a b-$HOME;`x`*", text.len, "no shell looks at the words");
    const char *const by_path[] = {"/bin/echo", NULL};
    cr_expect_eq(run(by_path, LONG_MS), PROVIDER_OK, "%s", fault.text);
    cr_expect_eq(text.len, 1);
}

Test(provider_command, any_octet)
{
    cr_expect_eq(sh("printf '\\000\\377\\n\\001'", LONG_MS), PROVIDER_OK, "%s", fault.text);
    cr_expect_eq(text.len, 4);
    cr_expect_arr_eq(text.bytes, "\0\xff\n\1", 4);
    cr_expect_eq(sh("exit 0", LONG_MS), PROVIDER_OK, "nothing is for the parser to refuse");
    cr_expect_eq(text.len, 0);
}

/* More than the pipe holds at once, in many small writes, and then some on standard error. */
Test(provider_command, a_long_document)
{
    static const char *const script = "i=0; while [ $i -lt 64 ]; do "
                                      "printf '%01023d\\n' $i; echo noise >&2; i=$((i + 1)); done";
    cr_expect_eq(sh(script, LONG_MS), PROVIDER_OK, "%s", fault.text);
    cr_expect_eq(text.len, KEYDOC_TEXT_MAX);
    cr_expect_eq(text.bytes[KEYDOC_TEXT_MAX - 2], '3');
    cr_expect_eq(fault.text[0], '\0', "%s", fault.text);
}

Test(provider_command, too_much)
{
    static const char *const script = "head -c 65537 /dev/zero; sleep 600";
    cr_expect_eq(sh(script, LONG_MS), PROVIDER_TOO_LONG);
    cr_expect(said("sh prints more than 65536 octets"), "%s", fault.text);
    cr_expect_eq(sh("cat /dev/zero", LONG_MS), PROVIDER_TOO_LONG);
    cr_expect_eq(sh("head -c 65536 /dev/zero; echo; exit 3", LONG_MS), PROVIDER_TOO_LONG);
}

Test(provider_command, too_slow)
{
    struct mono_ns began = mono_now();
    cr_expect_eq(sh("printf '{'; echo waiting >&2; sleep 600", SHORT_MS), PROVIDER_TIMEOUT);
    cr_expect(said("sh did not end in time: waiting"), "%s", fault.text);
    cr_expect_eq(sh("exec >&- 2>&-; sleep 600", SHORT_MS), PROVIDER_TIMEOUT, "closed its outputs");
    cr_expect_eq(sh("trap '' TERM HUP INT; sleep 600", SHORT_MS), PROVIDER_TIMEOUT);
    cr_expect_eq(sh("while :; do echo x >&2; done", SHORT_MS), PROVIDER_TIMEOUT);
    cr_expect_eq(sh("kill -STOP $$", SHORT_MS), PROVIDER_TIMEOUT);
    cr_expect_lt(mono_now().ns - began.ns, 30 * NS_PER_S, "nobody waits for the sleep");
}

Test(provider_command, ends_badly)
{
    cr_expect_eq(
        sh("echo secret; echo first >&2; printf 'no such key\\r\\n\\n' >&2; exit 3", LONG_MS),
        PROVIDER_FAILED);
    cr_expect_str_eq(fault.text, "sh ended with status 3: no such key");
    cr_expect_eq(sh("exit 1", LONG_MS), PROVIDER_FAILED);
    cr_expect_str_eq(fault.text, "sh ended with status 1");
    cr_expect_eq(sh("echo x; kill -KILL $$", LONG_MS), PROVIDER_FAILED);
    cr_expect_str_eq(fault.text, "sh was ended by signal 9");
    cr_expect_eq(sh("kill -PIPE $$", LONG_MS), PROVIDER_FAILED, "signals are not ignored");
}

Test(provider_command, what_it_says_is_cut_and_made_printable)
{
    cr_expect_eq(sh("printf 'a\\033[31m\\377b\\tc' >&2; exit 1", LONG_MS), PROVIDER_FAILED);
    cr_expect_str_eq(fault.text, "sh ended with status 1: a?[31m?b?c");
    cr_expect_eq(sh("head -c 200000 /dev/zero | tr '\\0' y >&2; exit 1", LONG_MS), PROVIDER_FAILED);
    cr_expect_eq(strlen(fault.text), strlen("sh ended with status 1: ") + 160, "%s", fault.text);
}

/* Environment, descriptors, signals, group. */
Test(provider_command, what_it_is_given)
{
    int leak = dup2(STDERR_FILENO, 77); /* without close-on-exec */
    cr_assert_eq(setenv("NTSD_TEST_GIVEN", "word", 1), 0);
    (void)signal(SIGUSR1, SIG_IGN);
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGUSR2);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
    static const char *const script =
        "cat && printf '%s ' \"$NTSD_TEST_GIVEN\" &&"
        " for fd in 0 1 2 77; do [ ! -e /proc/$$/fd/$fd ] || printf '%s ' $fd; done &&"
        /* Of libc's own, 32 and 33, the first is inherited as it is: it is in the last half. */
        " sed -nE 's/^Sig(Blk|Ign):.*(.{8})$/Sig\\1:\\2/p' /proc/self/status |"
        " sed 's/:8/:0/' | tr -d '\\n' &&"
        " awk '{ printf \" %d\", $5 == $1 }' /proc/$$/stat";
    cr_expect_eq(sh(script, LONG_MS), PROVIDER_OK, "%s", fault.text);
    text.bytes[text.len] = '\0';
    cr_expect_str_eq((char *)text.bytes, "word 0 1 2 SigBlk:00000000SigIgn:00000000 1");
    (void)close(leak);
}

Test(provider_command, programs_that_cannot_be_run)
{
    char dir[] = "/tmp/ntsd-test-command.XXXXXX";
    char plain[64];
    char script[64];
    cr_assert_not_null(mkdtemp(dir));
    (void)snprintf(plain, sizeof(plain), "%s/plain", dir);
    (void)snprintf(script, sizeof(script), "%s/script", dir);
    FILE *f = fopen(plain, "we");
    (void)fputs("echo a document\n", f);
    (void)fclose(f);
    f = fopen(script, "we");
    (void)fputs("#!/no/such/interpreter\n", f);
    (void)fclose(f);
    cr_assert_eq(chmod(script, 0755), 0);
    const struct {
        const char *name;
        mode_t mode;
        enum provider_outcome outcome;
        const char *words;
    } cases[] = {
        {"/no/such/program", 0, PROVIDER_NOT_FOUND, "cannot run /no/such/program: No such file"},
        {"no-such-program", 0, PROVIDER_NOT_FOUND, "cannot run no-such-program: No such file"},
        {"", 0, PROVIDER_DENIED, "cannot run "},
        {plain, 0644, PROVIDER_DENIED, "/plain: Permission denied"},
        {plain, 0755, PROVIDER_FAILED, "/plain: Exec format error"}, /* no shell to the rescue */
        {script, 0755, PROVIDER_NOT_FOUND, "/script: No such file"},
        {dir, 0755, PROVIDER_DENIED, ": Permission denied"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const argv[] = {cases[i].name, NULL};
        cr_assert(cases[i].mode == 0 || chmod(cases[i].name, cases[i].mode) == 0);
        cr_expect_eq(run(argv, LONG_MS), cases[i].outcome, "'%s': %s", cases[i].name, fault.text);
        cr_expect(said(cases[i].words), "%s", fault.text);
    }
    (void)unlink(plain);
    (void)unlink(script);
    (void)rmdir(dir);
}

Test(provider_command, without_a_path)
{
    const char *const argv[] = {"echo", "x", NULL};
    cr_assert_eq(unsetenv("PATH"), 0);
    cr_expect_eq(run(argv, LONG_MS), PROVIDER_OK, "%s", fault.text);
    cr_assert_eq(setenv("PATH", "::/no/such:/bin/sh::", 1), 0);
    cr_expect_eq(run(argv, LONG_MS), PROVIDER_NOT_FOUND);
    cr_assert_eq(setenv("PATH", "/no/such:/usr/bin:/bin", 1), 0);
    cr_expect_eq(run(argv, LONG_MS), PROVIDER_OK, "%s", fault.text);
}

static bool is_gone(pid_t pid)
{
    char path[64];
    char state = '?';
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    bool there = f != NULL && fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state != 'Z';
    if (f != NULL) {
        (void)fclose(f);
    }
    return !there;
}

static void await_gone(pid_t pid)
{
    for (int i = 0; i < 20000 && !is_gone(pid); i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    cr_expect(is_gone(pid));
}

/* Something it left running has its pipes: what it printed counts all the same, at once. */
Test(provider_command, what_it_leaves_running_is_ended)
{
    struct mono_ns began = mono_now();
    cr_expect_eq(sh("sleep 600 & printf '%d\\n' $!", LONG_MS), PROVIDER_OK, "%s", fault.text);
    cr_expect_lt(mono_now().ns - began.ns, LONG_MS / 2 * NS_PER_MS);
    text.bytes[text.len] = '\0';
    pid_t left = (pid_t)strtol((char *)text.bytes, NULL, 10);
    cr_assert_gt(left, 1);
    await_gone(left);
}

/* A daemon of its own session is out of reach, and cannot hold anybody up. */
Test(provider_command, a_daemon_does_not_hold_it)
{
    struct mono_ns began = mono_now();
    cr_expect_eq(sh("setsid sh -c 'echo $$; exec sleep 600' & sleep 0.1; printf ok", LONG_MS),
                 PROVIDER_OK, "%s", fault.text);
    cr_expect_lt(mono_now().ns - began.ns, LONG_MS / 2 * NS_PER_MS);
    text.bytes[text.len] = '\0';
    pid_t daemon = (pid_t)strtol((char *)text.bytes, NULL, 10);
    cr_expect_not_null(strstr((char *)text.bytes, "ok"));
    if (daemon > 1) {
        cr_expect_eq(kill(daemon, SIGKILL), 0);
    }
    enum provider_outcome outcome =
        sh("setsid sh -c 'while :; do echo x; done' & sleep 0.1", LONG_MS);
    cr_expect(outcome == PROVIDER_OK || outcome == PROVIDER_TOO_LONG, "it goes on talking");
}

/* The process that asked is killed: the command ends with it. */
Test(provider_command, dies_with_its_caller)
{
    int said_by[2];
    char line[32] = "";
    cr_assert_eq(pipe(said_by), 0);
    pid_t caller = fork();
    if (caller == 0) {
        char script[64];
        (void)snprintf(script, sizeof(script), "echo $$ >/proc/%d/fd/%d; exec sleep 600",
                       (int)getpid(), said_by[1]);
        const char *const argv[] = {"sh", "-c", script, NULL};
        (void)provider_command_fetch(argv, LONG_MS, &text, &fault);
        _exit(0);
    }
    cr_assert_gt(read(said_by[0], line, sizeof(line) - 1), 0);
    pid_t command = (pid_t)strtol(line, NULL, 10);
    cr_assert_gt(command, 1);
    cr_assert_not(is_gone(command));
    cr_assert_eq(kill(caller, SIGKILL), 0);
    cr_assert_eq(waitpid(caller, NULL, 0), caller);
    await_gone(command);
}
