/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines. See log.h.
 *
 *   text:     2030-01-02T03:04:05.678Z warn ke: certificate refused file=/etc/x.pem reason="too
 * old" journal:  <4>warn ke: certificate refused file=/etc/x.pem reason="too old" JSON:
 * {"time":"2030-...","level":"warn","process":"ke","event":"certificate refused",...}
 *
 * The journal has its own clock and takes the level from the number in front, which it removes; so
 * the middle form is used when standard error is the journal (JOURNAL_STREAM names it).
 *
 * A pair that no longer fits is left out together with all that follow it, and `cut=yes` says so:
 * half a pair would break JSON and mislead in text.
 *
 * Nobody waits for the reader of standard error: a line that a pipe or a socket cannot take at once
 * is dropped, and the next one that goes through ends in `dropped=N`. Files and terminals are
 * written to as they are.
 */
#include "common/base/log.h"

#include "common/base/cursor.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_LEN = 1023, /* without its newline */
    TAIL_LEN = 52,       /* room kept for the closing below */
    EVENT_MAX = 100,     /* octets of our own wording; escaped they take six times that */
    NAME_MAX_LEN = 32,
};

#define TEXT_CUT " cut=yes"
#define JSON_CUT ",\"cut\":\"yes\""

#define DROPPED_KEY     "dropped"
#define DROPPED_LONGEST ",\"" DROPPED_KEY "\":\"18446744073709551615\""

static_assert(sizeof(JSON_CUT DROPPED_LONGEST "}") <= TAIL_LEN, "the closing fits its room");
static_assert(6 * (EVENT_MAX + NAME_MAX_LEN) + 128 <= LINE_MAX_LEN - TAIL_LEN,
              "a line without pairs fits");
static_assert(LINE_MAX_LEN + 1 <= PIPE_BUF, "a pipe with room takes a line whole");

/* Written by log_setup() before threads start, only read afterwards. */
static struct {
    const char *name;
    enum log_level level;
    enum log_format format;
    bool journal;
} setup = {.name = "ntsd", .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_TEXT, .journal = false};

/* Lines that were not written since the last one that was; any thread. */
static _Atomic uint64_t dropped;

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARN:
        return "warn";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "unknown";
}

/* The numbers of syslog(3), which the journal reads. */
static const char *level_prefix(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "<3>";
    case LOG_LEVEL_WARN:
        return "<4>";
    case LOG_LEVEL_INFO:
        return "<6>";
    case LOG_LEVEL_DEBUG:
        return "<7>";
    }
    return "";
}

static void put(struct wr *w, const char *text)
{
    wr_bytes(w, span_of(text, strlen(text)));
}

static void put_char(struct wr *w, char c)
{
    wr_u8(w, (uint8_t)c);
}

static void put_hex(struct wr *w, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    put_char(w, digits[c >> 4]);
    put_char(w, digits[c & 15]);
}

/* Everything outside printable ASCII leaves as its octet's number, so that no file name can write a
 * line, an escape sequence or half a UTF-8 character into the log. */
static void put_escaped(struct wr *w, const char *text, size_t max)
{
    for (size_t i = 0; i < max && text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            put_char(w, '\\');
            put_char(w, (char)c);
        } else if (c >= 0x20 && c < 0x7f) {
            put_char(w, (char)c);
        } else {
            put(w, setup.format == LOG_FORMAT_JSON ? "\\u00" : "\\x");
            put_hex(w, c);
        }
    }
}

static void put_quoted(struct wr *w, const char *text)
{
    put_char(w, '"');
    put_escaped(w, text, SIZE_MAX);
    put_char(w, '"');
}

/* True when a value needs quotes to be told from what stands around it. */
static bool needs_quotes(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\' || *p == '=') {
            return true;
        }
    }
    return *text == '\0';
}

/* RFC 3339 in UTC, with milliseconds. */
static void put_time(struct wr *w, struct wall_ns now)
{
    time_t seconds = (time_t)(now.ns / NS_PER_S);
    struct tm tm = {0};
    char text[64];
    (void)gmtime_r(&seconds, &tm);
    size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(now.ns / NS_PER_MS % 1000));
    put(w, text);
}

static void text_head(struct wr *w, enum log_level level, const char *event)
{
    if (setup.journal) {
        put(w, level_prefix(level));
    } else {
        put_time(w, wall_now());
        put_char(w, ' ');
    }
    put(w, level_name(level));
    put_char(w, ' ');
    put_escaped(w, setup.name, NAME_MAX_LEN);
    put(w, ": ");
    put_escaped(w, event, EVENT_MAX);
}

static void text_pair(struct wr *w, const char *key, const char *value)
{
    put_char(w, ' ');
    put_escaped(w, key, SIZE_MAX);
    put_char(w, '=');
    if (needs_quotes(value)) {
        put_quoted(w, value);
    } else {
        put(w, value);
    }
}

static void json_head(struct wr *w, enum log_level level, const char *event)
{
    put(w, "{\"time\":\"");
    put_time(w, wall_now());
    put(w, "\",\"level\":\"");
    put(w, level_name(level));
    put(w, "\",\"process\":\"");
    put_escaped(w, setup.name, NAME_MAX_LEN);
    put(w, "\",\"event\":\"");
    put_escaped(w, event, EVENT_MAX);
    put_char(w, '"');
}

static void json_pair(struct wr *w, const char *key, const char *value)
{
    put_char(w, ',');
    put_quoted(w, key);
    put_char(w, ':');
    put_quoted(w, value);
}

/* Appends pairs while they fit; false when some were left out. */
static bool put_pairs(struct wr *w, va_list pairs)
{
    bool json = setup.format == LOG_FORMAT_JSON;
    for (;;) {
        const char *key = va_arg(pairs, const char *);
        if (key == NULL) {
            return true;
        }
        const char *value = va_arg(pairs, const char *);
        struct wr before = *w;
        (json ? json_pair : text_pair)(w, key, value != NULL ? value : "");
        if (w->bad) {
            *w = before;
            return false;
        }
    }
}

/* Standard error is the journal when its device and inode are those JOURNAL_STREAM names; the
 * variable alone is inherited by programs whose output goes elsewhere. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device;
    uintmax_t inode;
    struct stat st;
    return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_setup(const char *name, enum log_level level, enum log_format format)
{
    setup.name = name;
    setup.level = level;
    setup.format = format;
    setup.journal = stderr_is_journal();
    atomic_store(&dropped, 0); /* after a fork they are the parent's to tell */
}

bool log_level_is_on(enum log_level level)
{
    return level <= setup.level;
}

/* A pipe that poll(2) calls writable has room for PIPE_BUF octets. O_NONBLOCK would be set for
 * every process that shares standard error, those of others among them. */
static bool would_block(void)
{
    struct stat st;
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (fstat(STDERR_FILENO, &st) != 0 || !S_ISFIFO(st.st_mode)) {
        return false;
    }
    return poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0;
}

/* One write(2) or send(2), so that lines of several processes do not mix. A log that cannot be
 * written is no reason to stop serving, nor is one whose reader sleeps. False: not written. */
static bool write_line(struct span line)
{
    ssize_t n = send(STDERR_FILENO, line.p, line.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0 || errno != ENOTSOCK) {
        return n >= 0;
    }
    if (would_block()) {
        return false;
    }
    do {
        n = write(STDERR_FILENO, line.p, line.n);
    } while (n < 0 && errno == EINTR);
    return n >= 0;
}

/* The room kept for it makes this pair fit. */
static void put_dropped(struct wr *w, uint64_t count)
{
    bool json = setup.format == LOG_FORMAT_JSON;
    if (count > 0) {
        (json ? json_pair : text_pair)(w, DROPPED_KEY, log_fmt(LOG_BUF, "%" PRIu64, count));
    }
}

void log_event(enum log_level level, const char *event, ...)
{
    if (!log_level_is_on(level)) {
        return;
    }
    int saved = errno;
    uint64_t untold = atomic_exchange(&dropped, 0);
    bool json = setup.format == LOG_FORMAT_JSON;
    uint8_t line[LINE_MAX_LEN + 1];
    struct wr w = wr_init(line, LINE_MAX_LEN - TAIL_LEN);
    (json ? json_head : text_head)(&w, level, event);
    va_list pairs;
    va_start(pairs, event);
    bool whole = put_pairs(&w, pairs);
    va_end(pairs);
    w.cap = sizeof(line);
    put_dropped(&w, untold);
    if (!whole) {
        put(&w, json ? JSON_CUT : TEXT_CUT);
    }
    put(&w, json ? "}\n" : "\n");
    if (!write_line(wr_done(&w))) {
        (void)atomic_fetch_add(&dropped, untold + 1);
    }
    errno = saved;
}

/* Gives back one line for each interval that has passed. */
static void refill(struct log_limit *limit, struct mono_ns now)
{
    int64_t interval_ns = limit->interval_s * NS_PER_S;
    int64_t passed = now.ns - limit->refilled.ns;
    int64_t back = interval_ns > 0 ? passed / interval_ns : limit->used;
    if (back >= limit->used) {
        limit->used = 0;
        limit->refilled = now;
    } else if (back > 0) {
        limit->used -= back;
        limit->refilled.ns += back * interval_ns;
    }
}

bool log_limit_allows(struct log_limit *limit, struct mono_ns now, uint64_t *suppressed)
{
    refill(limit, now);
    if (limit->used >= limit->burst) {
        limit->suppressed++;
        return false;
    }
    limit->used++;
    *suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}

const char *log_fmt(struct log_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(buf->text, sizeof(buf->text), format, args);
    va_end(args);
    return buf->text;
}
