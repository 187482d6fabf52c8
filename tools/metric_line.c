/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See metric_line.h.
 */
#include "tools/metric_line.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_MAX = 40 };

static bool is(struct span s, const char *text)
{
    return span_is(s, text, strlen(text));
}

/* Up to `end`, which is taken, too. Turns the reader bad when it is not there. */
static struct span up_to(struct rd *r, uint8_t end)
{
    const uint8_t *found = r->left > 0 ? memchr(r->p, end, r->left) : NULL;
    struct span s = rd_span(r, found == NULL ? r->left + 1 : (size_t)(found - r->p));
    rd_skip(r, 1);
    return s;
}

/* LABEL="TEXT" after LABEL="TEXT", up to the brace. */
static bool read_labels(struct rd *r, struct metric_line *line)
{
    while (!r->bad && r->left > 0 && r->p[0] != '}') {
        struct span label = up_to(r, '=');
        rd_skip(r, r->left > 0 && r->p[0] == '"' ? 1 : r->left + 1);
        struct span text = up_to(r, '"');
        if (line->count == METRIC_LABELS_MAX) {
            return false;
        }
        line->label[line->count] = label;
        line->text[line->count++] = text;
        rd_skip(r, r->left > 0 && r->p[0] == ',' ? 1 : 0);
    }
    rd_skip(r, 1);
    return !r->bad;
}

static bool read_number(struct span text, double *value)
{
    char number[NUMBER_MAX];
    char *end = NULL;
    if (text.n == 0 || text.n >= sizeof(number)) {
        return false;
    }
    memcpy(number, text.p, text.n);
    number[text.n] = '\0';
    *value = strtod(number, &end);
    /* An octet of zero would end the number before its text ends. */
    return end == number + text.n && isfinite(*value);
}

static bool read_line(struct span text, struct metric_line *line)
{
    struct rd r = rd_init(text);
    *line = (struct metric_line){.count = 0};
    if (text.n == 0 || text.n > METRIC_LINE_MAX || text.p[0] == '#') {
        return false;
    }
    const uint8_t *blank = memchr(text.p, ' ', text.n);
    const uint8_t *brace = memchr(text.p, '{', text.n);
    bool labelled = brace != NULL && (blank == NULL || brace < blank);
    line->name = up_to(&r, labelled ? '{' : ' ');
    if (labelled) {
        if (!read_labels(&r, line)) {
            return false;
        }
        rd_skip(&r, r.left > 0 && r.p[0] == ' ' ? 1 : r.left + 1);
    }
    return !r.bad && line->name.n > 0 && read_number(rd_rest(&r), &line->value);
}

bool metric_line_next(struct rd *text, struct metric_line *line)
{
    while (!text->bad && text->left > 0) {
        const uint8_t *end = memchr(text->p, '\n', text->left);
        struct span whole = rd_span(text, end == NULL ? text->left : (size_t)(end - text->p));
        rd_skip(text, end == NULL ? 0 : 1);
        if (read_line(whole, line)) {
            return true;
        }
    }
    return false;
}

bool metric_line_is(const struct metric_line *line, const char *name)
{
    return is(line->name, name);
}

struct span metric_line_label(const struct metric_line *line, const char *label)
{
    for (size_t i = 0; i < line->count; i++) {
        if (is(line->label[i], label)) {
            return line->text[i];
        }
    }
    return span_of(NULL, 0);
}
