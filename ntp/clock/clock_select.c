/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selection. See clock_select.h.
 */
#include "ntp/clock/clock_select.h"

#include "ntp/saturate.h"

enum {
    VOTERS_MIN = 3,     /* two can only contradict each other */
    SPARE_DISTANCE = 3, /* so many times the least root distance is not worth following */
};

struct interval {
    int64_t low;
    int64_t high;
};

static struct interval interval_of(const struct clock_contender *c)
{
    return (struct interval){.low = sat_sub(c->offset_ns, c->distance_ns),
                             .high = sat_add(c->offset_ns, c->distance_ns)};
}

static bool overlaps(const struct interval *a, const struct interval *b)
{
    return a->low <= b->high && b->low <= a->high;
}

static size_t usable_count(const struct clock_ballot *ballot)
{
    size_t n = 0;
    for (size_t i = 0; i < ballot->count; i++) {
        n += ballot->contender[i].usable;
    }
    return n;
}

/* How many intervals contain the moment. */
static size_t containing(const struct clock_ballot *ballot, int64_t moment)
{
    size_t n = 0;
    for (size_t i = 0; i < ballot->count; i++) {
        struct interval it = interval_of(&ballot->contender[i]);
        n += ballot->contender[i].usable && it.low <= moment && moment <= it.high;
    }
    return n;
}

/* From the first to the last moment that all but `falsetickers` intervals contain. */
static bool intersect(const struct clock_ballot *ballot, size_t truechimers,
                      struct interval *common)
{
    *common = (struct interval){.low = INT64_MAX, .high = INT64_MIN};
    for (size_t i = 0; i < ballot->count; i++) {
        if (!ballot->contender[i].usable) {
            continue;
        }
        struct interval it = interval_of(&ballot->contender[i]);
        if (it.low < common->low && containing(ballot, it.low) >= truechimers) {
            common->low = it.low;
        }
        if (it.high > common->high && containing(ballot, it.high) >= truechimers) {
            common->high = it.high;
        }
    }
    return common->low <= common->high;
}

static size_t midpoints_outside(const struct clock_ballot *ballot, const struct interval *common)
{
    size_t n = 0;
    for (size_t i = 0; i < ballot->count; i++) {
        const struct clock_contender *c = &ballot->contender[i];
        n += c->usable && (c->offset_ns < common->low || c->offset_ns > common->high);
    }
    return n;
}

/* RFC 5905 §11.2.1: the fewest falsetickers, less than half, with which an intersection exists that
 * has not more midpoints outside than there are falsetickers. */
static bool majority(const struct clock_ballot *ballot, struct interval *common)
{
    size_t voters = usable_count(ballot);
    for (size_t falsetickers = 0; 2 * falsetickers < voters; falsetickers++) {
        if (intersect(ballot, voters - falsetickers, common) &&
            midpoints_outside(ballot, common) <= falsetickers) {
            return true;
        }
    }
    return false;
}

static void judge(const struct clock_ballot *ballot, const struct interval *truth,
                  struct clock_selection *selection)
{
    selection->decided = true;
    for (size_t i = 0; i < ballot->count; i++) {
        if (!ballot->contender[i].usable) {
            continue;
        }
        struct interval it = interval_of(&ballot->contender[i]);
        bool agrees = overlaps(&it, truth);
        selection->verdict[i] = agrees ? CLOCK_SOURCE_COMBINED : CLOCK_SOURCE_FALSETICKER;
        selection->distrusted[i] = selection->distrusted[i] || !agrees;
    }
}

static bool agrees(const struct clock_selection *selection, size_t source)
{
    return selection->verdict[source] == CLOCK_SOURCE_COMBINED;
}

/* Who says that it may be off by a second agrees with everybody, which is no merit: as far as trust
 * is concerned nobody is given more room than whoever vouches for it has. */
static bool is_vouched_for(const struct clock_ballot *ballot,
                           const struct clock_selection *selection, size_t source)
{
    int64_t offset = ballot->contender[source].offset_ns;
    if (ballot->line_is_trusted && sat_abs(offset) <= ballot->line_bound_ns) {
        return true;
    }
    for (size_t i = 0; i < ballot->count; i++) {
        const struct clock_contender *other = &ballot->contender[i];
        if (i != source && agrees(selection, i) &&
            sat_abs(sat_sub(offset, other->offset_ns)) <= sat_mul(other->distance_ns, 2)) {
            return true;
        }
    }
    return false;
}

static void forgive(const struct clock_ballot *ballot, struct clock_selection *selection)
{
    for (size_t i = 0; i < ballot->count; i++) {
        if (agrees(selection, i) && is_vouched_for(ballot, selection, i)) {
            selection->distrusted[i] = false;
        }
    }
}

static size_t next_usable(const struct clock_ballot *ballot, size_t i)
{
    while (i < ballot->count && !ballot->contender[i].usable) {
        i++;
    }
    return i;
}

static struct interval line_interval(const struct clock_ballot *ballot)
{
    return (struct interval){.low = -ballot->line_bound_ns, .high = ballot->line_bound_ns};
}

/* The only one is believed, unless others have shown it wrong before they fell silent: then the
 * line they left behind has to vouch for it. */
static void judge_one(const struct clock_ballot *ballot, struct clock_selection *selection)
{
    size_t one = next_usable(ballot, 0);
    struct interval truth = interval_of(&ballot->contender[one]);
    if (ballot->contender[one].distrusted && !is_vouched_for(ballot, selection, one)) {
        selection->verdict[one] = CLOCK_SOURCE_FALSETICKER;
        return;
    }
    judge(ballot, &truth, selection);
}

/* Two that contradict each other: the line has the casting vote while it is trusted. If its bound
 * has grown so wide that both touch it, served time itself has. But it is no witness when two that
 * agreed have come apart without a step: then it went along with both, or with the one that lies.
 */
static void judge_two(const struct clock_ballot *ballot, struct clock_selection *selection)
{
    size_t first = next_usable(ballot, 0);
    size_t second = next_usable(ballot, first + 1);
    struct interval a = interval_of(&ballot->contender[first]);
    struct interval b = interval_of(&ballot->contender[second]);
    if (overlaps(&a, &b)) {
        judge(ballot, &a, selection);
        return;
    }
    bool apart_slowly = ballot->contender[first].steady && ballot->contender[second].steady;
    if (!ballot->line_is_trusted || apart_slowly) {
        return;
    }
    struct interval line = line_interval(ballot);
    if (overlaps(&a, &line) && overlaps(&b, &line)) {
        line = (struct interval){0};
    }
    if (overlaps(&a, &line) != overlaps(&b, &line)) {
        judge(ballot, &line, selection);
    }
}

static bool may_lead(const struct clock_ballot *ballot, const struct clock_selection *selection,
                     size_t source)
{
    return agrees(selection, source) && !ballot->contender[source].wide;
}

static bool is_nearer(const struct clock_contender *a, const struct clock_contender *b)
{
    if (a->prefer != b->prefer) {
        return a->prefer;
    }
    return a->distance_ns < b->distance_ns;
}

/* Preferred first, then the nearest; but who was selected before stays as long as it is followed,
 * lest the reference id flaps between two alike. */
static size_t choose_peer(const struct clock_ballot *ballot,
                          const struct clock_selection *selection)
{
    size_t best = CLOCK_SOURCES_MAX;
    for (size_t i = 0; i < ballot->count; i++) {
        if (may_lead(ballot, selection, i) &&
            (best == CLOCK_SOURCES_MAX ||
             is_nearer(&ballot->contender[i], &ballot->contender[best]))) {
            best = i;
        }
    }
    size_t before = ballot->peer;
    if (before >= ballot->count || !may_lead(ballot, selection, before) ||
        ballot->contender[before].prefer != ballot->contender[best].prefer) {
        return best;
    }
    int64_t limit = sat_mul(ballot->contender[best].distance_ns, SPARE_DISTANCE);
    return ballot->contender[before].distance_ns <= limit ? before : best;
}

static void set_aside_spares(const struct clock_ballot *ballot, struct clock_selection *selection)
{
    const struct clock_contender *peer = &ballot->contender[selection->peer];
    int64_t limit = sat_mul(peer->distance_ns, SPARE_DISTANCE);
    for (size_t i = 0; i < ballot->count; i++) {
        const struct clock_contender *c = &ballot->contender[i];
        if (agrees(selection, i) && (peer->prefer || c->wide || c->distance_ns > limit)) {
            selection->verdict[i] = CLOCK_SOURCE_SPARE;
        }
    }
    selection->verdict[selection->peer] = CLOCK_SOURCE_SELECTED;
}

/* All that agree are too far away. */
static void follow_nobody(const struct clock_ballot *ballot, struct clock_selection *selection)
{
    selection->decided = false;
    for (size_t i = 0; i < ballot->count; i++) {
        if (agrees(selection, i)) {
            selection->verdict[i] = CLOCK_SOURCE_FAR;
        }
    }
}

struct clock_selection clock_select_nobody(const struct clock_ballot *ballot)
{
    struct clock_selection selection = {.peer = CLOCK_SOURCES_MAX};
    for (size_t i = 0; i < ballot->count; i++) {
        selection.verdict[i] =
            ballot->contender[i].usable ? CLOCK_SOURCE_CANDIDATE : CLOCK_SOURCE_SILENT;
        selection.distrusted[i] = ballot->contender[i].distrusted;
    }
    return selection;
}

struct clock_selection clock_select(const struct clock_ballot *ballot)
{
    struct clock_selection selection = clock_select_nobody(ballot);
    size_t voters = usable_count(ballot);
    struct interval common;
    if (voters >= VOTERS_MIN && majority(ballot, &common)) {
        judge(ballot, &common, &selection);
    } else if (voters == 2) {
        judge_two(ballot, &selection);
    } else if (voters == 1) {
        judge_one(ballot, &selection);
    }
    if (!selection.decided) {
        return selection;
    }
    forgive(ballot, &selection);
    selection.peer = choose_peer(ballot, &selection);
    if (selection.peer == CLOCK_SOURCES_MAX) {
        follow_nobody(ballot, &selection);
    } else {
        set_aside_spares(ballot, &selection);
    }
    return selection;
}
