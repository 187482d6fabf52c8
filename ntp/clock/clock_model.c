/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the published line. See clock_model.h. Saturating throughout: a board may hold anything.
 */
#include "ntp/clock/clock_model.h"

#include "ntp/ntp_packet.h"
#include "ntp/saturate.h"

#define RATE_MAX_PPB  INT64_C(500000)
#define DRIFT_MAX_PPB INT64_C(1000000000)

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    if (v < low) {
        return low;
    }
    return v > high ? high : v;
}

/* A reader may ask for a moment just before the anchor, when the clock process has just written. */
static int64_t age_ns(const struct clock_model *model, struct mono_ns raw)
{
    return sat_sub(raw.ns, model->anchor_raw_ns);
}

static int64_t dispersion_ns(const struct clock_model *model, struct mono_ns raw)
{
    int64_t growth =
        sat_ppb(sat_abs(age_ns(model, raw)), clamp(model->drift_ppb, 0, DRIFT_MAX_PPB));
    return sat_add(clamp(model->root_dispersion_ns, 0, INT64_MAX), growth);
}

const char *clock_state_name(enum clock_state state)
{
    switch (state) {
    case CLOCK_STARTING:
        return "starting";
    case CLOCK_SYNCHRONISED:
        return "synchronised";
    case CLOCK_HOLDOVER:
        return "holdover";
    case CLOCK_LOST:
        return "lost";
    }
    return "unknown";
}

struct wall_ns clock_model_at(const struct clock_model *model, struct mono_ns raw)
{
    int64_t age = age_ns(model, raw);
    int64_t gain = sat_ppb(age, clamp(model->rate_ppb, -RATE_MAX_PPB, RATE_MAX_PPB));
    return (struct wall_ns){.ns = sat_add(model->anchor_wall_ns, sat_add(age, gain))};
}

bool clock_model_is_trusted(const struct clock_model *model, struct mono_ns raw)
{
    /* Stratum 0 and leap 3 would be kisses; a model that says them is none. */
    bool served = model->state == CLOCK_SYNCHRONISED || model->state == CLOCK_HOLDOVER;
    return served && model->stratum >= 1 && model->stratum <= NTP_STRATUM_MAX &&
           model->leap < NTP_LEAP_UNKNOWN && sat_abs(age_ns(model, raw)) <= CLOCK_MODEL_AGE_MAX_NS;
}

struct ntp_clock_fields clock_model_fields(const struct clock_model *model, struct mono_ns raw)
{
    if (!clock_model_is_trusted(model, raw)) {
        return (struct ntp_clock_fields){
            .leap = NTP_LEAP_UNKNOWN,
            .precision = model->precision,
            .root_dispersion = UINT32_MAX,
        };
    }
    return (struct ntp_clock_fields){
        .leap = model->leap,
        .stratum = model->stratum,
        .precision = model->precision,
        .root_delay = ntp_short_from_ns(model->root_delay_ns),
        .root_dispersion = ntp_short_from_ns(dispersion_ns(model, raw)),
        .reference_id = model->reference_id,
        .reference_time = ntp_time_from_wall((struct wall_ns){.ns = model->reference_wall_ns}),
    };
}

int64_t clock_model_bound_ns(const struct clock_model *model, struct mono_ns raw)
{
    if (!clock_model_is_trusted(model, raw)) {
        return INT64_MAX;
    }
    return sat_add(clamp(model->root_delay_ns, 0, INT64_MAX) / 2, dispersion_ns(model, raw));
}
