/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See phc_window.h.
 */
#include "ntp/clock/phc_window.h"

#include <stddef.h>

static int64_t ns_of(const struct ptp_clock_time *time)
{
    return sat_add(sat_mul(time->sec, NS_PER_S), time->nsec);
}

/* Takes it when it is shorter than what there is. */
static void offer(struct phc_window *best, bool *found, int64_t before, int64_t phc, int64_t after)
{
    int64_t width = sat_sub(after, before);
    if (width < 0 || (*found && width >= best->width_ns)) {
        return;
    }
    *found = true;
    *best = (struct phc_window){
        .phc_ns = phc, .system_ns = sat_add(before, width / 2), .width_ns = width};
}

bool phc_window_precise(const struct ptp_sys_offset_precise *said, struct phc_window *window)
{
    int64_t raw = ns_of(&said->sys_monoraw);
    if (raw <= 0) {
        return false;
    }
    *window = (struct phc_window){.phc_ns = ns_of(&said->device), .system_ns = raw, .raw = true};
    return true;
}

bool phc_window_extended(const struct ptp_sys_offset_extended *said, struct phc_window *window)
{
    bool found = false;
    for (unsigned i = 0; i < said->n_samples && i < PTP_MAX_SAMPLES; i++) {
        offer(window, &found, ns_of(&said->ts[i][0]), ns_of(&said->ts[i][1]),
              ns_of(&said->ts[i][2]));
    }
    return found;
}

/* system, device, system, device, ..., system */
bool phc_window_basic(const struct ptp_sys_offset *said, struct phc_window *window)
{
    bool found = false;
    for (unsigned i = 0; i < said->n_samples && i < PTP_MAX_SAMPLES; i++) {
        const struct ptp_clock_time *t = &said->ts[(size_t)2 * i];
        offer(window, &found, ns_of(&t[0]), ns_of(&t[1]), ns_of(&t[2]));
    }
    return found;
}

bool phc_window_sample(const struct phc_window *window, const struct clock_pair *before,
                       const struct clock_pair *after, const struct phc_facts *facts,
                       struct clock_sample *sample)
{
    int64_t raw = window->raw ? window->system_ns
                              : clock_pair_raw(after, (struct wall_ns){.ns = window->system_ns}).ns;
    if (raw < before->raw_ns - before->window_ns || raw > after->raw_ns + after->window_ns) {
        return false;
    }
    *sample = (struct clock_sample){
        .raw_ns = raw,
        .wall_ns = sat_add(window->phc_ns, facts->offset_ns),
        .delay_ns = window->width_ns,
        .root_dispersion_ns =
            sat_add(facts->error_bound_ns, window->raw ? 0 : after->window_ns / 2),
        .reference_id = PHC_REFERENCE_ID,
        .leap = facts->leap,
    };
    return true;
}
