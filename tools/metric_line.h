/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of the text of /metrics: NAME{LABEL="VALUE",...} NUMBER. Core; made for text of any origin.
 * What is parsed borrows from the text.
 */
#ifndef NTSD_TOOLS_METRIC_LINE_H
#define NTSD_TOOLS_METRIC_LINE_H

#include "common/base/cursor.h"

enum { METRIC_LABELS_MAX = 4, METRIC_LINE_MAX = 512 };

struct metric_line {
    struct span name;
    size_t count;
    struct span label[METRIC_LABELS_MAX];
    struct span text[METRIC_LABELS_MAX]; /* of the label; holds no quote */
    double value;                        /* finite */
};

/* The next line of `text` that is one, others are passed over. False: there is none any more. */
bool metric_line_next(struct rd *text, struct metric_line *line);

bool metric_line_is(const struct metric_line *line, const char *name);

/* The text of a label; empty when the line has no such label. */
struct span metric_line_label(const struct metric_line *line, const char *label);

#endif
