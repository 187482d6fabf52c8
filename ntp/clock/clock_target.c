/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Combination. See clock_target.h.
 */
#include "ntp/clock/clock_target.h"

#include "ntp/clock/clock_number.h"
#include "ntp/saturate.h"

#include <math.h>

#define RATE_SD_MIN 0.001 /* ppb; keeps weights finite */

int64_t clock_target_offset_ns(const struct clock_target *target, int64_t raw_ns)
{
    double age_ns = (double)sat_sub(raw_ns, target->raw_ns);
    return sat_add(target->offset_ns, clock_number_ns(age_ns * target->rate_ppb / 1e9));
}

int64_t clock_target_dispersion_ns(const struct clock_target *target, int64_t raw_ns)
{
    int64_t age_ns = sat_abs(sat_sub(raw_ns, target->raw_ns));
    return sat_add(target->dispersion_ns, sat_ppb(age_ns, target->drift_ppb));
}

int64_t clock_target_distance_ns(const struct clock_filter *filter, int64_t raw_ns)
{
    return clock_number_ns(clock_window_bound_ns(&filter->window, raw_ns) + 1.0);
}

static bool is_followed(const struct clock_selection *selection, size_t source)
{
    return selection->verdict[source] == CLOCK_SOURCE_SELECTED ||
           selection->verdict[source] == CLOCK_SOURCE_COMBINED;
}

/* Weighted means. Offsets weigh by root distance, RFC 5905 §11.2.3; rates by their own variance,
 * for they do not depend on the way. */
struct blend {
    struct {
        double offset;
        double distance;
    } part[CLOCK_SOURCES_MAX];
    size_t count;
    double weight;
    double offset; /* from the selected source's */
    double distance;
    double rate_weight;
    double rate;
    double growth;
};

static void blend_in(struct blend *blend, const struct clock_filter_line *line, double offset,
                     double distance)
{
    double weight = 1.0 / distance;
    double sd = line->rate_sd_ppb + RATE_SD_MIN;
    blend->part[blend->count].offset = offset;
    blend->part[blend->count++].distance = distance;
    blend->weight += weight;
    blend->offset += weight * offset;
    blend->distance += weight * distance;
    blend->rate_weight += 1.0 / (sd * sd);
    blend->rate += line->rate_ppb / (sd * sd);
    blend->growth += line->growth_ppb / (sd * sd);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* How far those followed reach to one side of the target: as far as so many of them do that one is
 * right among them if most are; of two, if one is. `end` is each one's. */
static double reach_ns(const double *end, size_t count)
{
    size_t needed = count <= 2 ? 1 : count / 2 + 1;
    double reach = 0.0;
    for (size_t i = 0; i < count; i++) {
        size_t as_far = 0;
        for (size_t k = 0; k < count; k++) {
            as_far += end[k] >= end[i];
        }
        reach = as_far >= needed ? fmax(reach, end[i]) : reach;
    }
    return reach;
}

/* An error of the mean is at most the mean of the errors, so its bound is the mean of the root
 * distances, whatever the signs, when all are right. If one is not, which nobody can see while it
 * touches the others, the truth is where the others are. */
static double distance_of(const struct blend *blend)
{
    double ahead[CLOCK_SOURCES_MAX];
    double behind[CLOCK_SOURCES_MAX];
    double mean = blend->offset / blend->weight;
    for (size_t i = 0; i < blend->count; i++) {
        ahead[i] = blend->part[i].offset - mean + blend->part[i].distance;
        behind[i] = mean - blend->part[i].offset + blend->part[i].distance;
    }
    double reach = fmax(reach_ns(ahead, blend->count), reach_ns(behind, blend->count));
    return fmax(reach, blend->distance / blend->weight);
}

static void settle(struct clock_target *target, const struct blend *blend)
{
    int64_t distance = clock_number_ns(distance_of(blend));
    target->offset_ns = sat_add(target->offset_ns, clock_number_ns(blend->offset / blend->weight));
    target->rate_ppb = blend->rate / blend->rate_weight;
    target->dispersion_ns = later(sat_sub(distance, target->root_delay_ns / 2), 0);
    target->drift_ppb = clock_number_ns(blend->growth / blend->rate_weight);
}

struct clock_target clock_target_combine(const struct clock_filter *filter, const int64_t *poll_ns,
                                         size_t count, const struct clock_selection *selection,
                                         int64_t raw_ns)
{
    const struct clock_filter *peer = &filter[selection->peer];
    struct clock_filter_line peer_line = clock_filter_line_at(peer, raw_ns);
    struct clock_target target = {
        .valid = true,
        .raw_ns = raw_ns,
        .offset_ns = peer_line.offset_ns,
        .root_delay_ns = sat_add(peer->accepted.root_delay_ns, peer->window.delay_min_ns),
    };
    struct blend blend = {0};
    for (size_t i = 0; i < count; i++) {
        if (!is_followed(selection, i)) {
            continue;
        }
        struct clock_filter_line line = clock_filter_line_at(&filter[i], raw_ns);
        blend_in(&blend, &line, (double)sat_sub(line.offset_ns, peer_line.offset_ns),
                 (double)clock_target_distance_ns(&filter[i], raw_ns));
        target.used_raw_ns = later(target.used_raw_ns, line.used_raw_ns);
        target.heard_raw_ns = later(target.heard_raw_ns, filter[i].confirmed_raw_ns);
        target.poll_ns = later(target.poll_ns, poll_ns[i]);
    }
    settle(&target, &blend);
    return target;
}
