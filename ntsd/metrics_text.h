/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of Prometheus text (exposition format 0.0.4). Core.
 */
#ifndef NTSD_NTSD_METRICS_TEXT_H
#define NTSD_NTSD_METRICS_TEXT_H

#include "common/base/cursor.h"
#include "common/base/time.h"

/* printf onto the text. A line that is too long, or no room, turns the writer bad. */
void metrics_put(struct wr *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The two lines before a metric's values. */
void metrics_head(struct wr *out, const char *name, const char *type, const char *help);

/* Metrics of one value. */
void metrics_gauge(struct wr *out, const char *name, const char *help, double value);
void metrics_counter(struct wr *out, const char *name, const char *help, uint64_t value);

/* A label's value: quote, backslash and what is not printable ASCII become `?`. Cut to fit. */
enum { METRICS_LABEL_MAX = 65 };
const char *metrics_label(const char *text, char label[static METRICS_LABEL_MAX]);

double metrics_seconds(int64_t ns);

#endif
