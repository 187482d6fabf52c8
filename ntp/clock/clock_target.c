/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Combination. See clock_target.h.
 */
#include "ntp/clock/clock_target.h"

#include "ntp/clock/clock_number.h"
#include "ntp/saturate.h"

#define CHANCE_SD   5.0   /* so many standard deviations of a line are taken for a bound */
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
    struct clock_filter_line line = clock_filter_line_at(filter, raw_ns);
    int64_t root = sat_add(filter->last.root_delay_ns / 2, filter->last.root_dispersion_ns);
    int64_t age_ns = sat_abs(sat_sub(raw_ns, line.used_raw_ns));
    int64_t chance = clock_number_ns(CHANCE_SD * line.sd_ns);
    return sat_add(sat_add(root, filter->window.delay_min_ns / 2 + 1),
                   sat_add(chance, sat_ppb(age_ns, CLOCK_DRIFT_PPB)));
}

static bool is_followed(const struct clock_selection *selection, size_t source)
{
    return selection->verdict[source] == CLOCK_SOURCE_SELECTED ||
           selection->verdict[source] == CLOCK_SOURCE_COMBINED;
}

/* Weighted means. Offsets weigh by root distance, RFC 5905 §11.2.3; rates by their own variance,
 * for they do not depend on the way. */
struct blend {
    double weight;
    double offset; /* from the selected source's */
    double distance;
    double rate_weight;
    double rate;
};

static void blend_in(struct blend *blend, const struct clock_filter_line *line, double offset,
                     double distance)
{
    double weight = 1.0 / distance;
    double sd = line->rate_sd_ppb + RATE_SD_MIN;
    blend->weight += weight;
    blend->offset += weight * offset;
    blend->distance += weight * distance;
    blend->rate_weight += 1.0 / (sd * sd);
    blend->rate += line->rate_ppb / (sd * sd);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* An error of the mean is at most the mean of the errors, so its bound is the mean of the root
 * distances, whatever the signs. */
static void settle(struct clock_target *target, const struct blend *blend, double rate_sd_ppb)
{
    int64_t distance = clock_number_ns(blend->distance / blend->weight);
    target->offset_ns = sat_add(target->offset_ns, clock_number_ns(blend->offset / blend->weight));
    target->rate_ppb = blend->rate / blend->rate_weight;
    target->dispersion_ns = later(sat_sub(distance, target->root_delay_ns / 2), 0);
    target->drift_ppb = sat_add(CLOCK_DRIFT_PPB, clock_number_ns(CHANCE_SD * rate_sd_ppb));
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
        .root_delay_ns = sat_add(peer->last.root_delay_ns, peer->window.delay_min_ns),
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
    settle(&target, &blend, peer_line.rate_sd_ppb);
    return target;
}
