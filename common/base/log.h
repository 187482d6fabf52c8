/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line, one event: fixed wording first, then key=value pairs. Text for people or JSON for
 * machines, to standard error in one write(2). Levels: error needs a human, warn may, info is the
 * life of the service, debug is off. Core modules do not log.
 *
 *   2030-01-02T03:04:05.678Z warn ke: certificate refused file=/etc/x.pem reason="too old"
 *   {"time":"2030-01-02T03:04:05.678Z","level":"warn","process":"ke","event":"certificate refused",
 *    "file":"/etc/x.pem","reason":"too old"}
 *
 * Where standard error is the journal, a text line starts with `<4>`, the level as the journal
 * reads it, instead of the time.
 *
 * Values may come from outside (a file name, a TLS name): control characters, quotes and octets
 * that are not printable ASCII are escaped, in both formats, as \xHH or \u00HH. Thread-safe after
 * log_setup(). Nobody waits for a log: a line that a pipe or socket cannot take at once is dropped,
 * and the next one that goes through ends in `dropped=N`. SIGPIPE is the program's to ignore.
 */
#ifndef NTSD_COMMON_BASE_LOG_H
#define NTSD_COMMON_BASE_LOG_H

#include "common/base/time.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Who speaks: `name` is the process's role ("ntsd", "ke", ...), static storage. Called once per
 * process before threads start; writes the module's only globals. */
void log_setup(const char *name, enum log_level level, enum log_format format);

/*
 * log_event(LOG_LEVEL_INFO, "certificate loaded", "file", path, "days_left", "61", NULL):
 * after `event` come pairs of strings and a final NULL; a value of NULL is an empty one. A line has
 * at most 1023 octets: the first pair that does not fit and all behind it are left out, and a last
 * pair `cut=yes` says so. Leaves errno alone.
 */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

bool log_level_is_on(enum log_level level);

/* A bucket for events that strangers can cause: at most `burst` lines at once and then one per
 * `interval_s` seconds. A zeroed struct with the two limits set is ready. Not thread-safe. */
struct log_limit {
    int64_t interval_s;
    int64_t burst;
    int64_t used;            /* lines taken from the burst */
    struct mono_ns refilled; /* last time a line was given back */
    uint64_t suppressed;     /* lines not written since the last one that was */
};

/* True when a line may be written now. `suppressed` then receives how many were not, since. */
bool log_limit_allows(struct log_limit *limit, struct mono_ns now, uint64_t *suppressed);

/* printf into a small static-size value: log_event(..., "port", log_fmt(LOG_BUF, "%d", port), NULL)
 */
struct log_buf {
    char text[192];
};
#define LOG_BUF (&(struct log_buf){{0}})
const char *log_fmt(struct log_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
