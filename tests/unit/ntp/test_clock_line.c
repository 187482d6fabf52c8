/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From samples of the kernel clock to models: what is claimed when, and how steps, slews and lost
 * sources are followed.
 */
#include "ntp/clock/clock_system.h"

#include <criterion/criterion.h>

#define RAW  (INT64_C(1000) * NS_PER_S)
#define WALL (INT64_C(1767225600) * NS_PER_S)

enum { SYSTEM_STRATUM = 10, PRECISION = -25 };

static const struct clock_system_options system_only = {.trust_kernel = true,
                                                        .precision = PRECISION};
static const struct clock_system_options local_only = {.local_stratum = 5, .precision = PRECISION};
static const struct clock_system_options both = {
    .trust_kernel = true, .local_stratum = 5, .precision = PRECISION};
static const struct clock_system_options local_one = {.local_stratum = 1, .precision = PRECISION};
static const struct clock_system_options both_one = {
    .trust_kernel = true, .local_stratum = 1, .precision = PRECISION};
static const struct clock_system_options neither = {.precision = PRECISION};

/* `s` seconds after the beginning, with the kernel clock `gained_ns` ahead of the raw one. */
static struct clock_system_sample sample_at(int64_t s, int64_t gained_ns)
{
    return (struct clock_system_sample){
        .raw_ns = RAW + s * NS_PER_S,
        .wall_ns = WALL + s * NS_PER_S + gained_ns,
        .window_ns = 100,
        .synchronised = true,
        .leap = NTP_LEAP_DELETE,
        .max_error_ns = 3 * NS_PER_MS + s * 500000,
    };
}

Test(clock_line, what_is_claimed)
{
    const struct {
        const struct clock_system_options *options;
        bool synchronised;
        enum clock_state state;
        uint8_t stratum;
        uint8_t leap;
        uint32_t reference_id;
        int64_t dispersion;
    } cases[] = {
        {&system_only, true, CLOCK_SYNCHRONISED, SYSTEM_STRATUM, NTP_LEAP_DELETE, 0x7f7f0100,
         3 * NS_PER_MS + 50},
        {&both, true, CLOCK_SYNCHRONISED, 5, NTP_LEAP_DELETE, 0x7f7f0100, 3 * NS_PER_MS + 50},
        {&both, false, CLOCK_SYNCHRONISED, 5, NTP_LEAP_NONE, 0x7f7f0101, 50},
        {&local_only, true, CLOCK_SYNCHRONISED, 5, NTP_LEAP_NONE, 0x7f7f0101, 50},
        {&local_only, false, CLOCK_SYNCHRONISED, 5, NTP_LEAP_NONE, 0x7f7f0101, 50},
        {&local_one, true, CLOCK_SYNCHRONISED, 1, NTP_LEAP_NONE, 0x4c4f434c, 50},
        {&both_one, true, CLOCK_SYNCHRONISED, 1, NTP_LEAP_DELETE, 0x4c4f434c, 3 * NS_PER_MS + 50},
        {&system_only, false, CLOCK_STARTING, 0, NTP_LEAP_UNKNOWN, 0, 50},
        {&neither, true, CLOCK_STARTING, 0, NTP_LEAP_UNKNOWN, 0, 50},
        {&neither, false, CLOCK_STARTING, 0, NTP_LEAP_UNKNOWN, 0, 50},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clock_system_sample sample = sample_at(0, 0);
        sample.synchronised = cases[i].synchronised;
        struct clock_model m = clock_system_model(cases[i].options, &sample, NULL, NULL);
        cr_assert_eq(m.state, cases[i].state, "case %zu", i);
        cr_assert_eq(m.stratum, cases[i].stratum, "case %zu", i);
        cr_assert_eq(m.leap, cases[i].leap, "case %zu", i);
        cr_assert_eq(m.reference_id, cases[i].reference_id, "case %zu", i);
        cr_assert_eq(m.root_dispersion_ns, cases[i].dispersion, "case %zu", i);
        cr_assert_eq(m.root_delay_ns, 0);
        cr_assert_eq(m.drift_ppb, 15000);
        cr_assert_eq(m.rate_ppb, 0);
        cr_assert_eq(m.precision, PRECISION);
        cr_assert_eq(m.anchor_raw_ns, sample.raw_ns);
        cr_assert_eq(m.anchor_wall_ns, sample.wall_ns);
        struct mono_ns raw = {.ns = sample.raw_ns};
        cr_assert_eq(clock_model_is_trusted(&m, raw), cases[i].state == CLOCK_SYNCHRONISED);
    }
}

Test(clock_line, a_source_that_goes_is_lost_and_comes_back)
{
    struct clock_system_sample a = sample_at(0, 0);
    struct clock_model m = clock_system_model(&system_only, &a, NULL, NULL);
    struct clock_system_sample b = sample_at(1, 0);
    b.synchronised = false;
    struct clock_model lost = clock_system_model(&system_only, &b, &a, &m);
    cr_assert_eq(lost.state, CLOCK_LOST);
    cr_assert_eq(lost.reference_wall_ns, m.reference_wall_ns);
    struct clock_system_sample c = sample_at(2, 0);
    c.synchronised = false;
    lost = clock_system_model(&system_only, &c, &b, &lost);
    cr_assert_eq(lost.state, CLOCK_LOST);
    struct clock_system_sample d = sample_at(3, 0);
    cr_assert_eq(clock_system_model(&system_only, &d, &c, &lost).state, CLOCK_SYNCHRONISED);
}

Test(clock_line, rate_slew_and_step)
{
    const struct {
        const char *name;
        int64_t gained;
        int64_t rate;
        int64_t miss; /* in the dispersion */
    } cases[] = {
        {"steady", 0, 0, 0},
        {"20 ppm fast", 20000, 20000, 20000},
        {"20 ppm slow", -20000, -20000, 20000},
        {"500 ppm", 500000, 500000, 500000},
        {"501 ppm", 501000, 0, 501000},
        {"fast slew", 80 * NS_PER_MS, 0, 80 * NS_PER_MS},
        {"10 %", 100 * NS_PER_MS, 0, 100 * NS_PER_MS},
        {"step of 101 ms", 101 * NS_PER_MS, 0, 0},
        {"step of an hour", 3600 * NS_PER_S, 0, 0},
        {"step back", -3600 * NS_PER_S, 0, 0},
        {"step to 1970", -WALL, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clock_system_sample a = sample_at(0, 0);
        struct clock_system_sample b = sample_at(1, cases[i].gained);
        struct clock_model before = clock_system_model(&local_only, &a, NULL, NULL);
        struct clock_model m = clock_system_model(&local_only, &b, &a, &before);
        cr_assert_eq(m.rate_ppb, cases[i].rate, "%s: %ld", cases[i].name, (long)m.rate_ppb);
        cr_assert_eq(m.root_dispersion_ns, 50 + cases[i].miss, "%s", cases[i].name);
        /* Followed at once: the line goes through the newest sample. */
        struct mono_ns raw = {.ns = b.raw_ns};
        cr_assert_eq(clock_model_at(&m, raw).ns, b.wall_ns, "%s", cases[i].name);
    }
}

Test(clock_line, a_steady_rate_is_followed_without_a_miss)
{
    struct clock_system_sample last = sample_at(0, 0);
    struct clock_model m = clock_system_model(&local_only, &last, NULL, NULL);
    for (int64_t s = 1; s < 100; s++) {
        struct clock_system_sample now = sample_at(s, s * 37000);
        m = clock_system_model(&local_only, &now, &last, &m);
        cr_assert_eq(m.rate_ppb, 37000);
        cr_assert_eq(m.root_dispersion_ns, s == 1 ? 50 + 37000 : 50);
        last = now;
    }
}

Test(clock_line, the_reference_time_moves_when_the_keeper_has_looked)
{
    struct clock_system_sample a = sample_at(0, 0);
    struct clock_model m = clock_system_model(&system_only, &a, NULL, NULL);
    cr_assert_eq(m.reference_wall_ns, a.wall_ns);
    struct clock_system_sample b = sample_at(1, 0);
    m = clock_system_model(&system_only, &b, &a, &m);
    cr_assert_eq(m.reference_wall_ns, a.wall_ns);
    struct clock_system_sample c = sample_at(2, 0);
    c.max_error_ns = 100; /* set anew */
    m = clock_system_model(&system_only, &c, &b, &m);
    cr_assert_eq(m.reference_wall_ns, c.wall_ns);
    struct clock_system_sample d = sample_at(3, -3600 * NS_PER_S);
    m = clock_system_model(&system_only, &d, &c, &m);
    cr_assert_eq(m.reference_wall_ns, d.wall_ns, "never in the future");
}

Test(clock_line, samples_out_of_order_or_absurd_do_no_harm)
{
    const int64_t values[] = {INT64_MIN, -1, 0, 1, RAW, INT64_MAX};
    const size_t n = sizeof(values) / sizeof(values[0]);
    for (size_t i = 0; i < n * n * n * n; i++) {
        struct clock_system_sample a = sample_at(0, 0);
        struct clock_system_sample b = sample_at(1, 0);
        a.raw_ns = values[i % n];
        a.wall_ns = values[i / n % n];
        b.raw_ns = values[i / n / n % n];
        b.wall_ns = values[i / n / n / n];
        b.window_ns = INT64_MAX;
        b.max_error_ns = INT64_MAX;
        struct clock_model before = clock_system_model(&system_only, &a, NULL, NULL);
        struct clock_model m = clock_system_model(&system_only, &b, &a, &before);
        cr_assert_leq(m.rate_ppb, 500000);
        cr_assert_geq(m.rate_ppb, -500000);
        cr_assert_geq(m.root_dispersion_ns, 0);
        cr_assert_eq(m.anchor_wall_ns, b.wall_ns);
    }
}
