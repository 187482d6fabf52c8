/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines: their form, that no value can break out of its line, that a long one is cut whole, and
 * that each line is one write. Standard error is a packet socket here: one write, one packet.
 */
#include "common/base/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_LIMIT = 1023, WRITERS = 4, LINES_EACH = 500 };

static int receiver = -1;   /* the other end of standard error */
static int saved_err = -1;  /* where Criterion wants it back */
static char line[4 * 1024]; /* the last line received, without its newline */

static void capture(void)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    saved_err = dup(STDERR_FILENO);
    cr_assert_eq(dup2(pair[0], STDERR_FILENO), STDERR_FILENO);
    (void)close(pair[0]);
    receiver = pair[1];
    (void)unsetenv("JOURNAL_STREAM");
}

static void release(void)
{
    (void)dup2(saved_err, STDERR_FILENO);
    (void)close(saved_err);
    (void)close(receiver);
}

TestSuite(log, .init = capture, .fini = release);

/* The next packet, which must be a line with one newline, at its end. False: nothing was written.
 */
static bool next_line(void)
{
    ssize_t n = recv(receiver, line, sizeof(line) - 1, 0);
    if (n < 0) {
        return false;
    }
    cr_assert_gt(n, 0);
    line[n] = '\0';
    cr_assert_eq(strlen(line), (size_t)n, "no NUL inside");
    cr_assert_eq(strchr(line, '\n'), line + n - 1, "one newline, at the end: %s", line);
    line[n - 1] = '\0';
    cr_assert_leq(n - 1, LINE_LIMIT);
    return true;
}

/* The text behind the time, whose form is checked on the way. */
static const char *after_time(void)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        bool good = form[i] == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == form[i];
        cr_assert(good, "time in: %s", line);
    }
    return line + sizeof(form) - 1;
}

static json_t *next_json(void)
{
    cr_assert(next_line());
    json_error_t error;
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s in: %s", error.text, line);
    return root;
}

static const char *member(const json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));
    return text != NULL ? text : "(missing)";
}

Test(log, text_values_are_quoted_and_escaped_only_where_needed)
{
    static const struct {
        const char *value;
        const char *printed;
    } cases[] = {
        {"/etc/x.pem", "/etc/x.pem"},
        {"", "\"\""},
        {"not yet valid", "\"not yet valid\""},
        {"a=b", "\"a=b\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"two\nlines", "\"two\\x0alines\""},
        {"\x1b[31m", "\"\\x1b[31m\""},
        {"caf\xc3\xa9", "\"caf\\xc3\\xa9\""},
        {"\x7f", "\"\\x7f\""},
        {"[2001:db8::1]:123", "[2001:db8::1]:123"},
    };
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        log_event(LOG_LEVEL_WARN, "certificate refused, old one kept", "file", cases[i].value, "n",
                  "1", NULL);
        cr_assert(next_line());
        char want[256];
        (void)snprintf(want, sizeof(want), "warn ke: certificate refused, old one kept file=%s n=1",
                       cases[i].printed);
        cr_assert_str_eq(after_time(), want);
    }
}

Test(log, a_line_may_have_no_pairs)
{
    log_setup("ntsd", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
    log_event(LOG_LEVEL_ERROR, "stopped", NULL);
    cr_assert(next_line());
    cr_assert_str_eq(after_time(), "error ntsd: stopped");
    log_setup("ntsd", LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
    log_event(LOG_LEVEL_DEBUG, "stopped", NULL);
    json_t *root = next_json();
    cr_assert_eq(json_object_size(root), 4);
    cr_assert_str_eq(member(root, "level"), "debug");
    cr_assert_str_eq(member(root, "process"), "ntsd");
    cr_assert_str_eq(member(root, "event"), "stopped");
    cr_assert_eq(strlen(member(root, "time")), strlen("2030-01-02T03:04:05.678Z"));
    json_decref(root);
}

Test(log, json_gives_every_octet_back)
{
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    for (unsigned c = 1; c < 256; c++) {
        char value[] = {'<', (char)c, '>', '\0'};
        log_event(LOG_LEVEL_INFO, "seen", "value", value, NULL);
        json_t *root = next_json();
        /* Jansson answers in UTF-8, in which the octets from 128 on take two. */
        char want[8];
        if (c < 0x80) {
            (void)snprintf(want, sizeof(want), "<%c>", (int)c);
        } else {
            (void)snprintf(want, sizeof(want), "<%c%c>", (int)(0xc0 | c >> 6),
                           (int)(0x80 | (c & 0x3f)));
        }
        cr_assert_str_eq(member(root, "value"), want, "octet %u", c);
        json_decref(root);
    }
}

Test(log, text_never_holds_a_control_character)
{
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    for (unsigned c = 1; c < 256; c++) {
        char value[] = {(char)c, '\0'};
        log_event(LOG_LEVEL_INFO, value, value, value, NULL);
        cr_assert(next_line());
        for (const char *p = line; *p != '\0'; p++) {
            cr_assert(*p >= ' ' && *p <= '~', "octet %u", c);
        }
    }
}

static void check_text_cut(bool whole, size_t len)
{
    const char *text = after_time();
    cr_assert_eq(strstr(text, " cut=yes") == NULL, whole, "value of %zu", len);
    cr_assert_eq(strstr(text, " b=") != NULL, whole, "value of %zu", len);
    cr_assert_eq(strncmp(text, "info keys: long line first=1", 28), 0);
}

static void check_json_cut(const json_t *root, bool whole, size_t len)
{
    cr_assert_str_eq(member(root, "cut"), whole ? "(missing)" : "yes", "value of %zu", len);
    cr_assert_str_eq(member(root, "first"), "1");
    cr_assert_str_eq(member(root, "b"), whole ? "2" : "(missing)");
}

/* Values that grow past the limit: first whole lines, then cut ones, and never back. */
static void grow(enum log_format format, char filler, size_t octets_each)
{
    log_setup("keys", LOG_LEVEL_INFO, format);
    char value[1400];
    bool was_whole = true;
    size_t longest = 0;
    for (size_t len = 0; len < sizeof(value) - 1; len++) {
        memset(value, filler, len);
        value[len] = '\0';
        log_event(LOG_LEVEL_INFO, "long line", "first", "1", "a", value, "b", "2", NULL);
        if (format == LOG_FORMAT_JSON) {
            json_t *root = next_json();
            bool whole = json_object_get(root, "cut") == NULL;
            cr_assert(was_whole || !whole);
            check_json_cut(root, whole, len);
            was_whole = whole;
            json_decref(root);
        } else {
            cr_assert(next_line());
            bool whole = strstr(line, " cut=yes") == NULL;
            cr_assert(was_whole || !whole);
            check_text_cut(whole, len);
            was_whole = whole;
        }
        longest = was_whole ? len : longest;
    }
    cr_assert_not(was_whole, "the longest value was cut");
    cr_assert_gt(longest * octets_each, 800, "most of the line can be used");
}

Test(log, a_long_line_loses_whole_pairs)
{
    grow(LOG_FORMAT_TEXT, 'x', 1);
    grow(LOG_FORMAT_TEXT, '\n', 4);
    grow(LOG_FORMAT_JSON, 'x', 1);
    grow(LOG_FORMAT_JSON, '"', 2);
    grow(LOG_FORMAT_JSON, '\n', 6);
}

Test(log, a_long_event_and_name_leave_a_valid_line)
{
    char longest[3000];
    memset(longest, '\x01', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    log_setup(longest, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_event(LOG_LEVEL_INFO, longest, "k", "v", NULL);
    json_decref(next_json());
    log_setup(longest, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_event(LOG_LEVEL_INFO, longest, "k", "v", NULL);
    cr_assert(next_line());
}

Test(log, a_missing_value_is_empty)
{
    const char *missing = NULL;
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_event(LOG_LEVEL_INFO, "seen", "file", missing, "n", "1", NULL);
    cr_assert(next_line());
    cr_assert_str_eq(after_time(), "info ke: seen file=\"\" n=1");
}

Test(log, levels_above_the_chosen_one_are_silent)
{
    for (int chosen = LOG_LEVEL_ERROR; chosen <= LOG_LEVEL_DEBUG; chosen++) {
        log_setup("ke", (enum log_level)chosen, LOG_FORMAT_TEXT);
        for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
            log_event((enum log_level)level, "said", NULL);
            cr_assert_eq(next_line(), level <= chosen);
            cr_assert_eq(log_level_is_on((enum log_level)level), level <= chosen);
        }
    }
}

Test(log, the_journal_gets_a_level_and_no_time)
{
    struct stat st;
    char stream[64];
    cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_event(LOG_LEVEL_WARN, "certificate refused", "days", "3", NULL);
    cr_assert(next_line());
    cr_assert_str_eq(line, "<4>warn ke: certificate refused days=3");

    /* The variable is inherited by programs whose output goes elsewhere. */
    char other_inode[64];
    char other_device[64];
    (void)snprintf(other_inode, sizeof(other_inode), "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino + 1);
    (void)snprintf(other_device, sizeof(other_device), "%ju:%ju", (uintmax_t)st.st_dev + 1,
                   (uintmax_t)st.st_ino);
    const char *const others[] = {other_inode, other_device, "", "x", "9999999999999999999999:1",
                                  "5"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        (void)setenv("JOURNAL_STREAM", others[i], 1);
        log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
        log_event(LOG_LEVEL_WARN, "certificate refused", NULL);
        cr_assert(next_line());
        cr_assert_str_eq(after_time(), "warn ke: certificate refused");
    }
}

Test(log, a_log_that_cannot_be_written_changes_nothing)
{
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)close(receiver);
    errno = ENOENT;
    log_event(LOG_LEVEL_INFO, "said", NULL); /* EPIPE */
    cr_assert_eq(errno, ENOENT);
    (void)close(STDERR_FILENO);
    log_event(LOG_LEVEL_INFO, "said", NULL); /* EBADF */
    cr_assert_eq(errno, ENOENT);
}

/* Puts the pair's writing end where standard error was, full of what nobody reads. */
static void stuff(const int pair[2])
{
    static const char filler[1024];
    int flags = fcntl(pair[1], F_GETFL);
    cr_assert_eq(fcntl(pair[1], F_SETFL, flags | O_NONBLOCK), 0);
    while (write(pair[1], filler, sizeof(filler)) > 0) {
    }
    cr_assert_eq(errno, EAGAIN);
    cr_assert_eq(fcntl(pair[1], F_SETFL, flags), 0);
    cr_assert_eq(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
    (void)close(pair[1]);
    cr_assert_eq(fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK), 0);
    (void)close(receiver);
    receiver = pair[0];
}

static void stuff_pipe(void)
{
    int pair[2];
    cr_assert_eq(pipe(pair), 0);
    stuff(pair);
}

static void stuff_stream(void) /* as the journal is */
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    stuff(pair);
}

/* What is in the pipe until it is empty; how many octets of it were not the filler. */
static size_t drain(void)
{
    size_t written = 0;
    ssize_t n;
    while ((n = read(receiver, line, sizeof(line))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            written += line[i] != '\0';
        }
    }
    cr_assert(n < 0 && errno == EAGAIN);
    return written;
}

/* The one line in the pipe. */
static bool next_written(void)
{
    ssize_t n = read(receiver, line, sizeof(line) - 1);
    if (n <= 0 || line[n - 1] != '\n') {
        return false;
    }
    line[n - 1] = '\0';
    return strchr(line, '\n') == NULL && n - 1 <= LINE_LIMIT;
}

static void expect_count(enum log_format format, const char *count)
{
    if (format == LOG_FORMAT_TEXT) {
        char want[64];
        (void)snprintf(want, sizeof(want), "info ke: back n=1%s%s",
                       count != NULL ? " dropped=" : "", count != NULL ? count : "");
        cr_assert_str_eq(after_time(), want);
        return;
    }
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(root, "%s", line);
    cr_assert_str_eq(member(root, "n"), "1");
    cr_assert_str_eq(member(root, "dropped"), count != NULL ? count : "(missing)");
    json_decref(root);
}

static void drop_and_recover(void (*stuff_stderr)(void), enum log_format format)
{
    stuff_stderr();
    log_setup("ke", LOG_LEVEL_INFO, format);
    errno = ENOENT;
    for (int i = 0; i < 3; i++) {
        log_event(LOG_LEVEL_INFO, "nobody reads", NULL);
    }
    log_event(LOG_LEVEL_DEBUG, "not to be written, so not dropped", NULL);
    cr_assert_eq(errno, ENOENT);
    cr_assert_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0, "others share the description");
    cr_assert_eq(drain(), 0);
    log_event(LOG_LEVEL_INFO, "back", "n", "1", NULL);
    cr_assert(next_written());
    expect_count(format, "3");
    log_event(LOG_LEVEL_INFO, "back", "n", "1", NULL);
    cr_assert(next_written());
    expect_count(format, NULL);
}

Test(log, a_reader_that_sleeps_holds_nobody_up, .timeout = 20)
{
    drop_and_recover(stuff_pipe, LOG_FORMAT_TEXT);
    drop_and_recover(stuff_pipe, LOG_FORMAT_JSON);
    drop_and_recover(stuff_stream, LOG_FORMAT_TEXT);
    drop_and_recover(stuff_stream, LOG_FORMAT_JSON);
}

Test(log, a_long_line_has_room_for_the_count, .timeout = 20)
{
    char value[2000];
    char event[200];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    memset(event, '\x01', sizeof(event) - 1);
    event[sizeof(event) - 1] = '\0';
    stuff_pipe();
    log_setup(event, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    for (int i = 0; i < 12345; i++) {
        log_event(LOG_LEVEL_INFO, "nobody reads", NULL);
    }
    cr_assert_eq(drain(), 0);
    log_event(LOG_LEVEL_INFO, event, "a", value, NULL);
    cr_assert(next_written());
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(root, "%s", line);
    cr_assert_str_eq(member(root, "dropped"), "12345");
    cr_assert_str_eq(member(root, "cut"), "yes");
    json_decref(root);
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES_EACH; i++) {
        log_event(LOG_LEVEL_INFO, "nobody reads", NULL);
    }
    return arg;
}

Test(log, no_dropped_line_of_any_thread_is_forgotten, .timeout = 20)
{
    pthread_t thread[WRITERS];
    stuff_pipe();
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    for (size_t i = 0; i < WRITERS; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, write_lines, NULL), 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        cr_assert_eq(pthread_join(thread[i], NULL), 0);
    }
    cr_assert_eq(drain(), 0);
    log_event(LOG_LEVEL_INFO, "back", "n", "1", NULL);
    cr_assert(next_written());
    expect_count(LOG_FORMAT_TEXT, "2000");
}

/* A pipe with less room than a line may take: nothing of a line, or all of it. */
Test(log, a_pipe_takes_lines_whole, .timeout = 20)
{
    char value[900];
    size_t written = 0;
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    stuff_pipe();
    (void)drain();
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    for (int i = 0; i < 200; i++) {
        log_event(LOG_LEVEL_INFO, "back", "a", value, NULL);
    }
    bool at_start = true;
    ssize_t n;
    while ((n = read(receiver, line, 1)) > 0) {
        cr_assert(!at_start || line[0] == '2', "a line begins with its year");
        at_start = line[0] == '\n';
        written += at_start;
    }
    cr_assert(at_start);
    cr_assert(written > 10 && written < 200, "%zu lines", written);
}

Test(log, a_file_is_written_to_as_it_is)
{
    char path[] = "/tmp/ntsd-unit-XXXXXX";
    (void)close(receiver);
    receiver = mkstemp(path);
    cr_assert_geq(receiver, 0);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(dup2(receiver, STDERR_FILENO), STDERR_FILENO);
    log_setup("ke", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    for (int i = 0; i < 1000; i++) {
        log_event(LOG_LEVEL_INFO, "back", "n", "1", NULL);
    }
    cr_assert_eq(lseek(receiver, 0, SEEK_CUR) % 1000, 0, "all of the same length");
    cr_assert_eq(lseek(receiver, 0, SEEK_SET), 0);
    cr_assert_gt(read(receiver, line, sizeof(line) - 1), 0);
    *strchr(line, '\n') = '\0';
    expect_count(LOG_FORMAT_TEXT, NULL);
}

Test(log, fmt_prints_and_cuts)
{
    cr_assert_str_eq(log_fmt(LOG_BUF, "%d of %s", 5, "eight"), "5 of eight");
    struct log_buf buf;
    cr_assert_eq(strlen(log_fmt(&buf, "%0500d", 1)), sizeof(buf.text) - 1);
}

static struct mono_ns at_ms(int64_t ms)
{
    return (struct mono_ns){.ns = ms * NS_PER_MS};
}

Test(log, a_limit_lets_a_burst_and_then_one_an_interval_pass)
{
    static const struct {
        int64_t ms;
        bool allowed;
        uint64_t suppressed;
    } steps[] = {
        {5000, true, 0},
        {5000, true, 0},
        {5001, true, 0},
        {5001, false, 0},
        {14999, false, 0},
        {15000, true, 2},
        {15001, false, 0},
        {25000, true, 1},
        {25000, false, 0},
        /* after a long silence there is one burst again, not more */
        {900000, true, 1},
        {900000, true, 0},
        {900000, true, 0},
        {900000, false, 0},
        {910000, true, 1},
    };
    struct log_limit limit = {.interval_s = 10, .burst = 3};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        uint64_t suppressed = 77;
        bool allowed = log_limit_allows(&limit, at_ms(steps[i].ms), &suppressed);
        cr_assert_eq(allowed, steps[i].allowed, "step %zu", i);
        cr_assert_eq(suppressed, allowed ? steps[i].suppressed : 77, "step %zu", i);
    }
}

Test(log, a_limit_bounds_a_day_of_flood)
{
    struct log_limit limit = {.interval_s = 60, .burst = 5};
    uint64_t lines = 0;
    uint64_t suppressed_sum = 0;
    uint64_t asked = 0;
    for (int64_t ms = 0; ms < 86400000; ms += 97) {
        uint64_t suppressed = 0;
        asked++;
        if (log_limit_allows(&limit, at_ms(ms), &suppressed)) {
            lines++;
            suppressed_sum += suppressed;
        }
    }
    cr_assert_leq(lines, 5 + 86400 / 60);
    cr_assert_geq(lines, 86400 / 60);
    cr_assert_eq(lines + suppressed_sum + limit.suppressed, asked, "every event is accounted for");
}
