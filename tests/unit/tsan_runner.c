/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs Criterion's tests without Criterion, for SAN=thread. Criterion's own runner hands its state
 * to the tests through a mapping at an address that ThreadSanitizer keeps for itself, and gives up
 * at start. This has the few functions its macros call and a main() that runs each test in a child,
 * one after the other. Understands --tap=FILE and ignores other options. Not for parameterised
 * tests: it fails them.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77 };

/* What the macros put into their sections; the linker names the ends. There may be no suite. */
extern struct criterion_test *tests_begin[] __asm__("__start_cr_tst");
extern struct criterion_test *tests_end[] __asm__("__stop_cr_tst");
extern struct criterion_suite *suites_begin[] __asm__("__start_cr_sts") __attribute__((weak));
extern struct criterion_suite *suites_end[] __asm__("__stop_cr_sts") __attribute__((weak));

struct criterion_options criterion_options;

/* Written by the child that runs the test, before the test starts. */
static const struct criterion_test_extra_data *current;
static const struct criterion_test_extra_data *current_suite;
static int report_fd = STDERR_FILENO; /* stays when a test redirects its standard error */
static bool finishing;
static bool failed;

static const struct criterion_test_extra_data *suite_of(const struct criterion_test *test)
{
    static const struct criterion_test_extra_data none;
    for (struct criterion_suite **s = suites_begin; s != NULL && s < suites_end; s++) {
        if (strcmp((*s)->name, test->category) == 0) {
            return (*s)->data;
        }
    }
    return &none;
}

static void call(void (*fixture)(void))
{
    if (fixture != NULL) {
        fixture();
    }
}

void criterion_internal_test_setup(void)
{
    call(current_suite->init);
    call(current->init);
}

void criterion_internal_test_main(void (*fn)(void))
{
    fn();
}

void criterion_internal_test_teardown(void)
{
    finishing = true;
    call(current->fini);
    call(current_suite->fini);
}

/* Leaves the test at once, but not without its fixture's cleaning up. */
static _Noreturn void leave(int status)
{
    if (!finishing) {
        criterion_internal_test_teardown();
    }
    _exit(status);
}

void criterion_abort_test(void)
{
    leave(1);
}

void criterion_continue_test(void)
{
    failed = true;
}

void criterion_skip_test(const char *format, ...)
{
    (void)dprintf(report_fd, "skipped: %s ...\n", format);
    leave(EXIT_SKIPPED);
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (!stats->passed) {
        (void)dprintf(report_fd, "%s:%u: %s\n", stats->file, stats->line, stats->message);
    }
}

void cri_asserts_passed_incr(void)
{
}

void cr_log(enum criterion_severity severity, const char *msg, ...)
{
    va_list args;
    va_start(args, msg);
    (void)dprintf(report_fd, "%s", severity == CR_LOG_ERROR ? "error: " : "");
    (void)vdprintf(report_fd, msg, args);
    (void)dprintf(report_fd, "\n");
    va_end(args);
}

int cr_asprintf(char **strp, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(strp, fmt, args);
    va_end(args);
    return n;
}

void cr_asprintf_free(char *buf)
{
    free(buf);
}

/* Criterion has a sentence for each kind; the expression is enough here. */
char *cr_translate_assert_msg(int msg_index, ...)
{
    va_list args;
    va_start(args, msg_index);
    const char *expression = va_arg(args, const char *);
    char *text = NULL;
    int n = asprintf(&text, "assertion failed: %s", expression != NULL ? expression : "");
    va_end(args);
    return n < 0 ? NULL : text;
}

static void run_in_child(const struct criterion_test *test)
{
    current = test->data;
    current_suite = suite_of(test);
    report_fd = dup(STDERR_FILENO);
    if (current->kind_ != CR_TEST_NORMAL) {
        (void)dprintf(report_fd, "parameterised tests are not run here\n");
        exit(1);
    }
    test->test();
    exit(failed ? 1 : 0); /* not _exit(): the sanitizer has its say at the end */
}

static bool ended_as_expected(const struct criterion_test *test, int status)
{
    const struct criterion_test_extra_data *suite = suite_of(test);
    int signal = test->data->signal != 0 ? test->data->signal : suite->signal;
    int code = test->data->exit_code != 0 ? test->data->exit_code : suite->exit_code;
    if (WIFSIGNALED(status)) {
        return signal != 0 && WTERMSIG(status) == signal;
    }
    return signal == 0 && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/* "ok", "not ok" and SKIP in the words of the Test Anything Protocol. */
static bool run(const struct criterion_test *test, FILE *tap)
{
    (void)fflush(NULL);
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        run_in_child(test);
    }
    bool ran = pid > 0 && waitpid(pid, &status, 0) == pid;
    bool skipped = ran && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED;
    bool good = skipped || (ran && ended_as_expected(test, status));
    (void)fprintf(tap, "%s - %s::%s%s\n", good ? "ok" : "not ok", test->category, test->name,
                  skipped ? " # SKIP" : "");
    if (!good) {
        (void)fprintf(stderr, "failed: %s::%s (status %x)\n", test->category, test->name,
                      (unsigned)status);
    }
    return good;
}

int main(int argc, char **argv)
{
    FILE *tap = stdout;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--tap=", 6) == 0) {
            tap = fopen(argv[i] + 6, "we");
        }
    }
    if (tap == NULL) {
        perror("tap");
        return 2;
    }
    (void)fprintf(tap, "TAP version 13\n1..%td\n", tests_end - tests_begin);
    bool good = true;
    for (struct criterion_test **test = tests_begin; test < tests_end; test++) {
        good = run(*test, tap) && good;
    }
    return fclose(tap) == 0 && good ? 0 : 1;
}
