/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the published line: age, trust, growing dispersion, and values from another world.
 */
#include "ntp/clock/clock_model.h"
#include "ntp/ntp_packet.h"

#include <criterion/criterion.h>

#define RAW  (INT64_C(1000) * NS_PER_S)
#define WALL (INT64_C(1767225600) * NS_PER_S)

static struct clock_model sound_model(void)
{
    return (struct clock_model){
        .anchor_raw_ns = RAW,
        .anchor_wall_ns = WALL,
        .rate_ppb = 100000,
        .root_delay_ns = 2 * NS_PER_MS,
        .root_dispersion_ns = NS_PER_MS,
        .drift_ppb = 15000,
        .reference_wall_ns = WALL - NS_PER_S,
        .reference_id = 0x7f7f0100,
        .state = CLOCK_SYNCHRONISED,
        .leap = NTP_LEAP_INSERT,
        .stratum = 3,
        .precision = -25,
    };
}

static struct mono_ns raw_after(int64_t age_ns)
{
    return (struct mono_ns){.ns = RAW + age_ns};
}

Test(clock_model, the_line)
{
    struct clock_model m = sound_model();
    cr_assert_eq(clock_model_at(&m, raw_after(0)).ns, WALL);
    cr_assert_eq(clock_model_at(&m, raw_after(NS_PER_S)).ns, WALL + NS_PER_S + 100000);
    cr_assert_eq(clock_model_at(&m, raw_after(-NS_PER_S)).ns, WALL - NS_PER_S - 100000);
    cr_assert_eq(clock_model_at(&m, raw_after(10000)).ns, WALL + 10001);
    m.rate_ppb = INT64_MAX; /* held to half a part in a thousand */
    cr_assert_eq(clock_model_at(&m, raw_after(NS_PER_S)).ns, WALL + NS_PER_S + 500000);
    m.rate_ppb = INT64_MIN;
    cr_assert_eq(clock_model_at(&m, raw_after(NS_PER_S)).ns, WALL + NS_PER_S - 500000);
}

Test(clock_model, trust_ends_with_age_and_state)
{
    struct clock_model m = sound_model();
    cr_assert(clock_model_is_trusted(&m, raw_after(0)));
    cr_assert(clock_model_is_trusted(&m, raw_after(CLOCK_MODEL_AGE_MAX_NS)));
    cr_assert_not(clock_model_is_trusted(&m, raw_after(CLOCK_MODEL_AGE_MAX_NS + 1)));
    cr_assert(clock_model_is_trusted(&m, raw_after(-1)));
    cr_assert_not(clock_model_is_trusted(&m, raw_after(-CLOCK_MODEL_AGE_MAX_NS - 1)));
    m.state = CLOCK_HOLDOVER;
    cr_assert(clock_model_is_trusted(&m, raw_after(0)));
    m.state = CLOCK_LOST;
    cr_assert_not(clock_model_is_trusted(&m, raw_after(0)));
    m.state = CLOCK_STARTING;
    cr_assert_not(clock_model_is_trusted(&m, raw_after(0)));
    m.state = 77;
    cr_assert_not(clock_model_is_trusted(&m, raw_after(0)));
}

Test(clock_model, a_model_that_would_be_a_kiss_or_unsynchronised_is_not_trusted)
{
    struct clock_model m = sound_model();
    m.stratum = 0;
    cr_assert_not(clock_model_is_trusted(&m, raw_after(0)));
    m.stratum = 16;
    cr_assert_not(clock_model_is_trusted(&m, raw_after(0)));
    m = sound_model();
    m.leap = NTP_LEAP_UNKNOWN;
    cr_assert_not(clock_model_is_trusted(&m, raw_after(0)));
}

Test(clock_model, fields_when_trusted)
{
    const struct clock_model m = sound_model();
    struct ntp_clock_fields f = clock_model_fields(&m, raw_after(10 * NS_PER_S));
    cr_assert_eq(f.leap, NTP_LEAP_INSERT);
    cr_assert_eq(f.stratum, 3);
    cr_assert_eq(f.precision, -25);
    cr_assert_eq(f.reference_id, 0x7f7f0100);
    cr_assert_eq(f.root_delay, ntp_short_from_ns(2 * NS_PER_MS));
    cr_assert_eq(f.root_dispersion, ntp_short_from_ns(NS_PER_MS + 150000));
    cr_assert_eq(f.reference_time, ntp_time_from_wall((struct wall_ns){.ns = WALL - NS_PER_S}));
}

Test(clock_model, fields_when_not)
{
    const struct clock_model m = sound_model();
    struct ntp_clock_fields f = clock_model_fields(&m, raw_after(61 * NS_PER_S));
    cr_assert_eq(f.leap, NTP_LEAP_UNKNOWN);
    cr_assert_eq(f.stratum, 0);
    cr_assert_eq(f.reference_id, 0);
    cr_assert_eq(f.reference_time, 0);
    cr_assert_eq(f.root_delay, 0);
    cr_assert_eq(f.root_dispersion, UINT32_MAX);
    cr_assert_eq(f.precision, -25);
    const struct clock_model nothing = {0};
    cr_assert_eq(clock_model_fields(&nothing, raw_after(0)).leap, NTP_LEAP_UNKNOWN);
}

Test(clock_model, the_bound_grows_with_age_and_never_shrinks)
{
    const struct clock_model m = sound_model();
    int64_t last = 0;
    for (int64_t age = 0; age <= CLOCK_MODEL_AGE_MAX_NS; age += NS_PER_S / 3) {
        int64_t bound = clock_model_bound_ns(&m, raw_after(age));
        cr_assert_geq(bound, last);
        cr_assert_eq(bound,
                     2 * NS_PER_MS + age / NS_PER_S * 15000 + age % NS_PER_S * 15000 / NS_PER_S);
        last = bound;
    }
    cr_assert_eq(clock_model_bound_ns(&m, raw_after(CLOCK_MODEL_AGE_MAX_NS + 1)), INT64_MAX);
}

/* Whatever a board holds: no overflow (the sanitizer watches), and nothing absurd is trusted. */
Test(clock_model, extreme_values)
{
    const int64_t values[] = {INT64_MIN, INT64_MIN + 1, -1,       0, 1,
                              NS_PER_S,  INT64_MAX - 1, INT64_MAX};
    const size_t n = sizeof(values) / sizeof(values[0]);
    for (size_t i = 0; i < n * n * n; i++) {
        struct clock_model m = sound_model();
        int64_t a = values[i % n];
        int64_t b = values[i / n % n];
        int64_t c = values[i / n / n];
        m.anchor_raw_ns = a;
        m.anchor_wall_ns = b;
        m.rate_ppb = c;
        m.root_delay_ns = b;
        m.root_dispersion_ns = c;
        m.drift_ppb = a;
        m.reference_wall_ns = c;
        struct mono_ns raw = {.ns = values[(i * 5 + 3) % n]};
        (void)clock_model_at(&m, raw);
        (void)clock_model_fields(&m, raw);
        cr_assert_geq(clock_model_bound_ns(&m, raw), 0);
    }
}

Test(clock_model, states_have_names)
{
    cr_assert_str_eq(clock_state_name(CLOCK_STARTING), "starting");
    cr_assert_str_eq(clock_state_name(CLOCK_SYNCHRONISED), "synchronised");
    cr_assert_str_eq(clock_state_name(CLOCK_HOLDOVER), "holdover");
    cr_assert_str_eq(clock_state_name(CLOCK_LOST), "lost");
    cr_assert_str_eq(clock_state_name((enum clock_state)9), "unknown");
}
