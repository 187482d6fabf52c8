/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See metrics_text.h.
 */
#include "ntsd/metrics_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { LINE_MAX_LEN = 256 };

void metrics_put(struct wr *out, const char *format, ...)
{
    char line[LINE_MAX_LEN];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(line)) {
        out->bad = true; /* our own wording is too long */
        return;
    }
    wr_bytes(out, span_of(line, (size_t)n));
}

void metrics_head(struct wr *out, const char *name, const char *type, const char *help)
{
    metrics_put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_gauge(struct wr *out, const char *name, const char *help, double value)
{
    metrics_head(out, name, "gauge", help);
    metrics_put(out, "%s %.15g\n", name, value);
}

void metrics_counter(struct wr *out, const char *name, const char *help, uint64_t value)
{
    metrics_head(out, name, "counter", help);
    metrics_put(out, "%s %" PRIu64 "\n", name, value);
}

const char *metrics_label(const char *text, char label[static METRICS_LABEL_MAX])
{
    size_t n = 0;
    for (; n < METRICS_LABEL_MAX - 1 && text[n] != '\0'; n++) {
        bool plain = text[n] >= ' ' && text[n] <= '~' && text[n] != '"' && text[n] != '\\';
        label[n] = plain ? text[n] : '?';
    }
    label[n] = '\0';
    return label;
}

double metrics_seconds(int64_t ns)
{
    return (double)ns / 1e9;
}
