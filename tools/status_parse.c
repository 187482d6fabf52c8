/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See status_parse.h.
 */
#include "tools/status_parse.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum { LINE_LEN_MAX = 512, NUMBER_LEN_MAX = 40 };

/* name{label="value",...} number */
struct line {
    struct span name;
    struct span source;
    struct span word; /* the value of the other label, whichever it is */
    double value;
};

static bool is(struct span s, const char *text)
{
    return span_is(s, text, strlen(text));
}

static void keep(char *to, size_t cap, struct span from)
{
    size_t n = from.n < cap - 1 ? from.n : cap - 1;
    if (n > 0) {
        memcpy(to, from.p, n);
    }
    to[n] = '\0';
}

/* Up to `end` or the last octet; the end itself is taken too. */
static struct span up_to(struct rd *r, uint8_t end)
{
    const uint8_t *found = r->left > 0 ? memchr(r->p, end, r->left) : NULL;
    struct span s = rd_span(r, found == NULL ? r->left : (size_t)(found - r->p));
    rd_skip(r, found == NULL ? 0 : 1);
    return s;
}

static void read_labels(struct span labels, struct line *line)
{
    struct rd r = rd_init(labels);
    while (r.left > 0) {
        struct span name = up_to(&r, '=');
        (void)up_to(&r, '"');
        struct span value = up_to(&r, '"');
        (void)up_to(&r, ',');
        if (is(name, "source")) {
            line->source = value;
        } else {
            line->word = value;
        }
    }
}

static bool read_line(struct span text, struct line *line)
{
    char number[NUMBER_LEN_MAX];
    struct rd r = rd_init(text);
    *line = (struct line){.value = 0};
    if (text.n == 0 || text.n > LINE_LEN_MAX || text.p[0] == '#') {
        return false;
    }
    bool labelled = memchr(text.p, '{', text.n) != NULL;
    line->name = up_to(&r, labelled ? '{' : ' ');
    if (labelled) {
        /* Values hold no quote, but any other character. */
        const uint8_t *end = r.left > 0 ? memrchr(r.p, '}', r.left) : NULL;
        if (end == NULL) {
            return false;
        }
        read_labels(rd_span(&r, (size_t)(end - r.p)), line);
        (void)up_to(&r, ' ');
    }
    struct span rest = rd_rest(&r);
    char *stop = NULL;
    keep(number, sizeof(number), rest);
    line->value = strtod(number, &stop);
    return rest.n > 0 && rest.n < sizeof(number) && *stop == '\0' && isfinite(line->value);
}

static unsigned small(double value)
{
    return value >= 0 && value <= 255 ? (unsigned)value : 0;
}

/* NULL: one too many. */
static struct status_source *source_named(struct status *status, struct span name)
{
    char wanted[STATUS_NAME_MAX];
    keep(wanted, sizeof(wanted), name);
    for (size_t i = 0; i < status->source_count; i++) {
        if (strcmp(status->source[i].name, wanted) == 0) {
            return &status->source[i];
        }
    }
    if (status->source_count == STATUS_SOURCES_MAX) {
        return NULL;
    }
    struct status_source *source = &status->source[status->source_count++];
    memcpy(source->name, wanted, sizeof(wanted));
    source->age_s = -1;
    return source;
}

static void take_source(struct status *status, const struct line *line)
{
    static const struct {
        const char *name;
        size_t offset;
    } numbers[] = {
        {"ntsd_source_poll_seconds", offsetof(struct status_source, poll_s)},
        {"ntsd_source_age_seconds", offsetof(struct status_source, age_s)},
        {"ntsd_source_offset_seconds", offsetof(struct status_source, offset_s)},
        {"ntsd_source_deviation_seconds", offsetof(struct status_source, deviation_s)},
        {"ntsd_source_delay_seconds", offsetof(struct status_source, delay_s)},
        {"ntsd_source_root_distance_seconds", offsetof(struct status_source, distance_s)},
    };
    struct status_source *source = source_named(status, line->source);
    if (source == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (is(line->name, numbers[i].name)) {
            memcpy((uint8_t *)source + numbers[i].offset, &line->value, sizeof(line->value));
        }
    }
    if (is(line->name, "ntsd_source_info")) {
        keep(source->kind, sizeof(source->kind), line->word);
    } else if (is(line->name, "ntsd_source_verdict") && line->value > 0) {
        keep(source->verdict, sizeof(source->verdict), line->word);
    } else if (is(line->name, "ntsd_source_stratum")) {
        source->stratum = small(line->value);
    } else if (is(line->name, "ntsd_source_reach")) {
        source->reach = small(line->value);
    }
}

static void take(struct status *status, const struct line *line)
{
    if (line->source.n > 0) {
        take_source(status, line);
    } else if (is(line->name, "ntsd_clock_state") && line->value > 0) {
        keep(status->state, sizeof(status->state), line->word);
    } else if (is(line->name, "ntsd_clock_reference")) {
        keep(status->reference, sizeof(status->reference), line->word);
    } else if (is(line->name, "ntsd_clock_trusted")) {
        status->trusted = line->value > 0;
    } else if (is(line->name, "ntsd_ready") && is(line->word, "ntp")) {
        status->ready_ntp = line->value > 0;
    } else if (is(line->name, "ntsd_clock_stratum")) {
        status->stratum = small(line->value);
    } else if (is(line->name, "ntsd_clock_leap")) {
        status->leap = small(line->value);
    } else if (is(line->name, "ntsd_clock_error_bound_seconds")) {
        status->has_bound = true;
        status->bound_s = line->value;
    } else if (is(line->name, "ntsd_clock_remaining_seconds")) {
        status->remaining_s = line->value;
    } else if (is(line->name, "ntsd_clock_frequency_ppm")) {
        status->frequency_ppm = line->value;
    }
}

NODISCARD enum nts_err status_parse(struct span text, struct status *status)
{
    struct rd r = rd_init(text);
    memset(status, 0, sizeof(*status));
    while (r.left > 0) {
        struct line line;
        if (read_line(up_to(&r, '\n'), &line)) {
            take(status, &line);
        }
    }
    return status->state[0] != '\0' ? NTS_OK : NTS_EFORMAT;
}
