/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom to follow, and where to. See clock_discipline.h.
 */
#include "ntp/clock/clock_discipline_parts.h"

enum { MISSES_SILENT = 4 }; /* polls in vain after which a source is not waited for at the start */

#define SOURCE_FAR_NS (1500 * NS_PER_MS) /* RFC 5905 §7.2: MAXDIST, and half of it */

static bool is_fresh(const struct clock_discipline *d, size_t source, int64_t raw_ns)
{
    const struct clock_filter *filter = &d->filter[source];
    return clock_filter_has_line(filter) &&
           !clock_discipline_is_silent(filter->confirmed_raw_ns, d->poll_ns[source], raw_ns);
}

static uint64_t steps_and_one(const struct clock_discipline *d, size_t source)
{
    return d->filter[source].counts.breaks + 1;
}

/* The only source has to be believed in the end: three samples, as for a step. */
static bool is_distrusted(const struct clock_discipline *d, size_t source)
{
    bool others = d->options.source_count > 1;
    return d->selection.distrusted[source] &&
           (others || d->filter[source].window.count < CLOCK_FILTER_STEP_SAMPLES);
}

static struct clock_contender contender(const struct clock_discipline *d, size_t source,
                                        int64_t raw_ns)
{
    struct clock_contender c = {.steady = d->agreed[source] == steps_and_one(d, source),
                                .distrusted = is_distrusted(d, source)};
    if (is_fresh(d, source, raw_ns)) {
        struct clock_filter_line line = clock_filter_line_at(&d->filter[source], raw_ns);
        c.offset_ns = sat_sub(line.offset_ns, clock_discipline_offset_ns(d, raw_ns));
        c.distance_ns = clock_target_distance_ns(&d->filter[source], raw_ns);
        c.usable = c.distance_ns <= SOURCE_FAR_NS;
        c.wide = c.distance_ns > d->options.max_error_ns;
        /* In time, or served time would be lost before the others have their turn. */
        c.prefer = d->options.source[source].prefer && c.distance_ns <= d->options.max_error_ns / 2;
    }
    return c;
}

/* Nothing is served yet, and the answers that may contradict the first ones are still to come. */
static bool is_too_early(const struct clock_discipline *d, const struct clock_contender *c,
                         int64_t raw_ns)
{
    size_t usable = 0;
    size_t awaited = 0;
    for (size_t i = 0; i < d->options.source_count; i++) {
        usable += c[i].usable;
        awaited += !clock_filter_has_line(&d->filter[i]) &&
                   d->filter[i].misses_in_row < MISSES_SILENT &&
                   !clock_discipline_is_silent(d->start_raw_ns, d->poll_ns[i], raw_ns);
    }
    return !clock_discipline_is_serving(d) && awaited > 0 && 2 * usable <= d->options.source_count;
}

/* The leap second that most of those followed announce; none while one of them smears it. */
static void hear_leap(struct clock_discipline *d)
{
    size_t followed = 0;
    size_t votes[NTP_LEAP_UNKNOWN + 1] = {0};
    for (size_t i = 0; i < d->options.source_count; i++) {
        uint8_t verdict = d->selection.verdict[i];
        if (verdict != CLOCK_SOURCE_SELECTED && verdict != CLOCK_SOURCE_COMBINED) {
            continue;
        }
        const struct clock_sample *accepted = &d->filter[i].accepted;
        bool is_new = accepted->raw_ns > d->leap_done_raw_ns;
        bool announces = is_new && !d->options.source[i].smeared;
        followed++;
        votes[announces ? accepted->leap : NTP_LEAP_NONE]++;
    }
    uint8_t leap = NTP_LEAP_NONE;
    for (int i = NTP_LEAP_INSERT; i <= NTP_LEAP_DELETE; i++) {
        leap = 2 * votes[i] > followed ? (uint8_t)i : leap;
    }
    int64_t wall_ns = sat_add(d->target.offset_ns, d->target.raw_ns);
    struct clock_leap heard = clock_leap_announced(leap, (struct wall_ns){.ns = wall_ns});
    if (heard.due_wall_ns == d->leap_done_wall_ns) {
        heard = (struct clock_leap){0};
    }
    /* The same announcement means the same second, also when the target has passed it already and
     * served time has not. */
    if (heard.step_ns != d->leap.step_ns || !clock_discipline_is_serving(d)) {
        d->leap = heard;
    }
}

/* Who agrees with whom: two at least, or it means nothing. */
static void note_agreement(struct clock_discipline *d)
{
    size_t agreeing = 0;
    for (size_t i = 0; i < d->options.source_count; i++) {
        agreeing += d->selection.verdict[i] >= CLOCK_SOURCE_SPARE;
    }
    for (size_t i = 0; i < d->options.source_count; i++) {
        if (d->selection.verdict[i] == CLOCK_SOURCE_FALSETICKER) {
            d->agreed[i] = 0;
        } else if (agreeing >= 2 && d->selection.verdict[i] >= CLOCK_SOURCE_SPARE) {
            d->agreed[i] = steps_and_one(d, i);
        }
    }
}

void clock_discipline_follow(struct clock_discipline *d, int64_t raw_ns)
{
    struct clock_contender contenders[CLOCK_SOURCES_MAX];
    for (size_t i = 0; i < d->options.source_count; i++) {
        contenders[i] = contender(d, i, raw_ns);
    }
    struct mono_ns raw = {.ns = raw_ns};
    const struct clock_ballot ballot = {
        .contender = contenders,
        .count = d->options.source_count,
        .peer = d->selection.peer,
        .line_is_trusted = clock_discipline_is_serving(d),
        .line_bound_ns = clock_model_bound_ns(&d->model, raw),
    };
    struct clock_selection selection =
        is_too_early(d, contenders, raw_ns) ? clock_select_nobody(&ballot) : clock_select(&ballot);
    for (size_t i = 0; i < d->options.source_count; i++) {
        if (contenders[i].distance_ns > SOURCE_FAR_NS) {
            selection.verdict[i] = CLOCK_SOURCE_FAR;
        }
    }
    d->selection = selection;
    if (selection.decided) {
        note_agreement(d);
        d->target = clock_target_combine(d->filter, d->poll_ns, d->options.source_count, &selection,
                                         raw_ns);
        hear_leap(d);
    }
}
