/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From samples to the published line: states and their reasons, slews, steps and the bound.
 */
#include "tests/unit/ntp/clock_world.h"

#include <math.h>
#include <string.h>

static struct world w;

static bool is_trusted(void)
{
    return clock_model_is_trusted(&w.model, world_raw(&w));
}

Test(clock_discipline, nothing_is_claimed_before_the_first_sample)
{
    world_start(&w, 1, NULL);
    w.silent[0] = true;
    world_pass(&w, 1000);
    cr_assert_eq(w.model.state, CLOCK_STARTING);
    cr_assert_eq(w.model.leap, NTP_LEAP_UNKNOWN);
    cr_assert_eq(w.model.stratum, 0);
    cr_assert_not(is_trusted());
    cr_assert_eq(w.changes, 0);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_SILENT);
}

Test(clock_discipline, the_first_sample_synchronises)
{
    world_start(&w, 1, NULL);
    world_sample(&w, 0);
    struct clock_update u = world_update(&w);
    cr_assert(u.changed);
    cr_assert_eq(u.reason, CLOCK_REASON_FIRST);
    cr_assert_eq(u.step_ns, 0);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_eq(w.model.stratum, 4);
    cr_assert_eq(w.model.leap, NTP_LEAP_NONE);
    cr_assert_eq(w.model.reference_id, 0x0a000000u);
    cr_assert_eq(w.model.reference_wall_ns, WORLD_WALL);
    cr_assert_eq(w.model.precision, -25);
    cr_assert_eq(world_error_ns(&w), 0);
    /* Half of what both ways take, and what the source says of itself, and chance. */
    cr_assert_eq(w.model.root_delay_ns, 700 * US);
    int64_t bound = clock_model_bound_ns(&w.model, world_raw(&w));
    cr_assert_geq(bound, 650 * US);
    cr_assert_lt(bound, 2 * NS_PER_MS);
    /* A rate never seen may be anything up to some hundred ppm. */
    cr_assert_geq(w.model.drift_ppb, 300000);
}

Test(clock_discipline, the_bound_grows_by_50_ppm)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 3600);
    int64_t drift = w.model.drift_ppb;
    cr_assert_geq(drift, 50000);
    cr_assert_lt(drift, 52000);
    int64_t now = clock_model_bound_ns(&w.model, world_raw(&w));
    struct mono_ns later = {.ns = world_raw(&w).ns + 10 * NS_PER_S};
    cr_assert_geq(clock_model_bound_ns(&w.model, later) - now, 500 * US);
    /* Between two samples it is the same whether models are published or one grows old. */
    world_pass(&w, 10);
    cr_assert_float_eq((double)clock_model_bound_ns(&w.model, world_raw(&w)),
                       (double)(now + 500 * US), 20e3);
}

Test(clock_discipline, holdover_lost_and_back_each_told_once)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    w.silent[0] = true;
    world_pass(&w, 8 * POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    world_pass(&w, POLL_S);
    cr_assert_eq(w.model.state, CLOCK_HOLDOVER);
    cr_assert_eq(w.reason, CLOCK_REASON_SILENT);
    cr_assert_eq(w.changes, 1);
    cr_assert(is_trusted());
    cr_assert_eq(w.model.stratum, 4);
    cr_assert_eq(w.model.reference_id, 0x0a000000u);
    cr_assert_eq(w.model.reference_wall_ns, WORLD_WALL + 1600 * NS_PER_S);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_SILENT);
    /* 50 ms less one, at 50 ppm. */
    world_pass(&w, 800);
    cr_assert_eq(w.model.state, CLOCK_HOLDOVER);
    world_pass(&w, 200);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    cr_assert_eq(w.reason, CLOCK_REASON_BOUND);
    cr_assert_eq(w.changes, 2);
    cr_assert_not(is_trusted());
    cr_assert_eq(w.model.leap, NTP_LEAP_UNKNOWN);
    cr_assert_eq(w.model.stratum, 0);
    w.silent[0] = false;
    world_pass(&w, POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_eq(w.reason, CLOCK_REASON_RETURNED);
    cr_assert_eq(w.changes, 3);
    cr_assert(is_trusted());
}

Test(clock_discipline, back_from_holdover)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    w.silent[0] = true;
    world_pass(&w, 200);
    world_forget(&w);
    w.silent[0] = false;
    world_pass(&w, 100);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_eq(w.reason, CLOCK_REASON_RETURNED);
    cr_assert_eq(w.changes, 1);
    cr_assert_eq(w.steps, 0);
}

Test(clock_discipline, a_source_too_far_does_not_start)
{
    world_start(&w, 1, NULL);
    w.options.max_error_ns = 600 * US; /* less than the root distance */
    world_init(&w);
    world_pass(&w, 200);
    cr_assert_eq(w.model.state, CLOCK_STARTING);
}

Test(clock_discipline, small_offsets_are_slewed)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    w.shift_ns[0] = 100 * US; /* within what a sample may be off */
    int64_t before = world_error_ns(&w);
    for (int i = 0; i < 1600; i++) {
        world_pass(&w, 1);
        cr_assert_lt(llabs(world_error_ns(&w) - before), 210 * US, "never faster than 200 ppm");
        cr_assert_leq(llabs(w.model.rate_ppb), 500000);
        before = world_error_ns(&w);
    }
    cr_assert_float_eq((double)before, 100e3, 5e3);
    cr_assert_eq(w.steps, 0);
    cr_assert_eq(w.changes, 0);
}

Test(clock_discipline, up_to_128_ms_is_slewed_at_a_limited_rate)
{
    world_start(&w, 1, NULL);
    w.options.max_error_ns = NS_PER_S;
    world_init(&w);
    world_pass(&w, 1600);
    world_forget(&w);
    w.shift_ns[0] = 100 * NS_PER_MS;
    world_pass(&w, 3 * POLL_S); /* until it is believed */
    int64_t before = world_error_ns(&w);
    world_pass(&w, 100);
    int64_t slewed = world_error_ns(&w) - before;
    cr_assert_float_eq((double)slewed, 20e6, 1e6);
    cr_assert_geq(clock_model_bound_ns(&w.model, world_raw(&w)),
                  100 * NS_PER_MS - world_error_ns(&w));
    world_pass(&w, 600);
    cr_assert_float_eq((double)world_error_ns(&w), 100e6, 50e3);
    cr_assert_eq(w.steps, 0);
}

Test(clock_discipline, more_is_stepped_after_three_samples)
{
    static const int64_t shifts[] = {200 * NS_PER_MS, -NS_PER_S, 3600 * NS_PER_S};
    for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        world_start(&w, 1, NULL);
        world_pass(&w, 1600);
        world_forget(&w);
        w.shift_ns[0] = shifts[i];
        world_pass(&w, 2 * POLL_S);
        cr_assert_eq(w.steps, 0);
        cr_assert_lt(llabs(world_error_ns(&w)), 100 * US, "not half way either");
        world_pass(&w, POLL_S);
        cr_assert_eq(w.steps, 1);
        cr_assert_eq(w.reason, CLOCK_REASON_STEP);
        cr_assert_float_eq((double)w.stepped_ns, (double)shifts[i], 100e3);
        cr_assert_float_eq((double)world_error_ns(&w), (double)shifts[i], 100e3);
        cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
        cr_assert_eq(w.changes, 0);
    }
}

Test(clock_discipline, single_outliers_do_nothing)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    for (int i = 0; i < 20; i++) {
        w.shift_ns[0] = i % 4 == 0 ? 10 * NS_PER_S : 0;
        world_pass(&w, POLL_S);
        cr_assert_lt(llabs(world_error_ns(&w)), 20 * US);
    }
    cr_assert_eq(w.steps, 0);
    cr_assert_eq(w.changes, 0);
    cr_assert_eq(world_report(&w, 0).outliers, 5);
}

Test(clock_discipline, an_error_beyond_the_allowed_is_lost_first_and_then_set)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    w.shift_ns[0] = 80 * NS_PER_MS; /* no step by its size, but more than 50 ms */
    world_pass(&w, 3 * POLL_S);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    cr_assert_eq(w.reason, CLOCK_REASON_BOUND);
    cr_assert_lt(llabs(world_error_ns(&w)), 100 * US);
    world_pass(&w, 1);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_eq(w.changes, 2);
    cr_assert_eq(w.reason, CLOCK_REASON_RETURNED);
    cr_assert_float_eq((double)world_error_ns(&w), 80e6, 100e3);
}

Test(clock_discipline, published_lines_join)
{
    world_start(&w, 2, NULL);
    world_pass(&w, 160);
    w.shift_ns[1] = 300 * US;
    for (int i = 0; i < 500; i++) {
        struct clock_model before = w.model;
        world_pass(&w, 1);
        int64_t gap =
            clock_model_at(&w.model, world_raw(&w)).ns - clock_model_at(&before, world_raw(&w)).ns;
        cr_assert_leq(llabs(gap), 1);
        cr_assert_eq(w.model.anchor_raw_ns, world_raw(&w).ns);
    }
}

Test(clock_discipline, time_does_not_run_back_for_an_early_update)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 100);
    struct clock_model before = w.model;
    struct mono_ns earlier = {.ns = world_raw(&w).ns - 5 * NS_PER_S};
    (void)clock_discipline_update(&w.clock, earlier, &w.model);
    cr_assert_eq(w.model.anchor_raw_ns, before.anchor_raw_ns);
    cr_assert_eq(w.model.anchor_wall_ns, before.anchor_wall_ns);
}

Test(clock_discipline, suspension_loses_the_clock)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    clock_discipline_suspended(&w.clock, world_raw(&w));
    w.now_s++;
    (void)world_update(&w);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    cr_assert_eq(w.reason, CLOCK_REASON_SUSPENDED);
    cr_assert_not(is_trusted());
    w.shift_ns[0] = 3600 * NS_PER_S;
    world_pass(&w, POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_float_eq((double)world_error_ns(&w), 3600e9, 100e3);
    cr_assert_eq(w.changes, 2);
    cr_assert_float_eq((double)w.stepped_ns, 3600e9, 100e3);
}

Test(clock_discipline, suspension_before_the_start_is_nothing)
{
    world_start(&w, 1, NULL);
    clock_discipline_suspended(&w.clock, world_raw(&w));
    world_pass(&w, 2);
    cr_assert_eq(w.model.state, CLOCK_STARTING);
    cr_assert_eq(w.changes, 0);
}

Test(clock_discipline, a_predecessor_is_gone_on_with)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    struct clock_model before = w.model;
    before.leap = NTP_LEAP_INSERT;
    clock_discipline_init(&w.clock, &w.options, &before, world_raw(&w));
    world_forget(&w);
    w.model = before;
    w.silent[0] = true;
    world_pass(&w, 20);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_eq(w.model.stratum, 4);
    cr_assert_eq(w.model.leap, NTP_LEAP_INSERT);
    cr_assert_lt(llabs(world_error_ns(&w)), 20 * US);
    world_pass(&w, 8 * POLL_S);
    cr_assert_eq(w.model.state, CLOCK_HOLDOVER);
    w.silent[0] = false;
    world_pass(&w, POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_eq(w.steps, 0);
}

Test(clock_discipline, an_old_or_lost_predecessor_is_not)
{
    static const struct {
        uint8_t state;
        int64_t age_s;
        uint8_t becomes;
    } cases[] = {
        {CLOCK_SYNCHRONISED, 61, CLOCK_LOST},
        {CLOCK_HOLDOVER, 59, CLOCK_HOLDOVER},
        {CLOCK_LOST, 1, CLOCK_LOST},
        {CLOCK_STARTING, 1, CLOCK_STARTING},
        {200, 1, CLOCK_LOST},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct clock_model before = {.anchor_raw_ns = WORLD_RAW - cases[i].age_s * NS_PER_S,
                                           .anchor_wall_ns = WORLD_WALL,
                                           .drift_ppb = 50000,
                                           .state = cases[i].state,
                                           .stratum = 4};
        world_start(&w, 1, &before);
        (void)clock_discipline_update(&w.clock, world_raw(&w), &w.model);
        cr_assert_eq(w.model.state, cases[i].becomes, "case %zu", i);
    }
}

Test(clock_discipline, values_from_nowhere_do_no_harm)
{
    static const int64_t ends[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    world_start(&w, 2, NULL);
    for (size_t i = 0; i < 625; i++) {
        const struct clock_sample s = {.raw_ns = ends[i % 5],
                                       .wall_ns = ends[i / 5 % 5],
                                       .delay_ns = ends[i / 25 % 5],
                                       .root_delay_ns = ends[i / 125],
                                       .root_dispersion_ns = ends[i / 125]};
        clock_discipline_sample(&w.clock, 0, &s);
        clock_discipline_sample(&w.clock, 99, &s);
        clock_discipline_miss(&w.clock, 99, (struct mono_ns){.ns = ends[i % 5]});
        clock_discipline_poll_ns(&w.clock, i % 3, ends[i % 5]);
        (void)clock_discipline_update(&w.clock, (struct mono_ns){.ns = ends[i / 5 % 5]}, &w.model);
        (void)world_report(&w, 0);
    }
    cr_assert_eq(w.model.state, CLOCK_STARTING);
    const struct clock_model wild = {.anchor_raw_ns = INT64_MAX,
                                     .anchor_wall_ns = INT64_MIN,
                                     .rate_ppb = INT64_MIN,
                                     .root_delay_ns = INT64_MIN,
                                     .root_dispersion_ns = INT64_MIN,
                                     .drift_ppb = INT64_MAX,
                                     .state = CLOCK_SYNCHRONISED,
                                     .stratum = 1,
                                     .precision = 127};
    clock_discipline_init(&w.clock, &w.options, &wild, (struct mono_ns){.ns = INT64_MAX});
    (void)clock_discipline_update(&w.clock, (struct mono_ns){.ns = INT64_MAX}, &w.model);
    world_sample(&w, 0);
    (void)clock_discipline_update(&w.clock, (struct mono_ns){.ns = INT64_MAX}, &w.model);
}

Test(clock_discipline, the_report)
{
    world_start(&w, 2, NULL);
    w.options.source[1].prefer = true;
    memset(w.options.source[1].name, 'x', sizeof(w.options.source[1].name));
    world_init(&w);
    world_pass(&w, 1600);
    struct clock_source_report r = world_report(&w, 0);
    cr_assert_str_eq(r.name, "source0");
    cr_assert_eq(r.verdict, CLOCK_SOURCE_SPARE);
    cr_assert_eq(r.reach, 0xff);
    cr_assert_eq(r.stratum, 3);
    cr_assert_eq(r.samples, 100);
    cr_assert_eq(r.window, 64);
    cr_assert_eq(r.poll_ns, POLL_S * NS_PER_S);
    cr_assert_eq(r.last_raw_ns, world_raw(&w).ns);
    cr_assert_eq(r.used_raw_ns, r.last_raw_ns);
    cr_assert_eq(r.delay_ns, 500 * US);
    cr_assert_lt(llabs(r.offset_ns), 10 * US);
    cr_assert_gt(r.root_distance_ns, 650 * US);
    cr_assert_lt(llabs(r.rate_ppb), 50);
    cr_assert_eq(world_report(&w, 1).verdict, CLOCK_SOURCE_SELECTED);
    cr_assert_eq(world_report(&w, 1).prefer, 1);
    cr_assert_eq(strlen(world_report(&w, 1).name), CLOCK_SOURCE_NAME_LEN - 1);
}

Test(clock_discipline, names)
{
    for (int i = 0; i < CLOCK_REASONS; i++) {
        cr_assert_str_neq(clock_reason_name((enum clock_reason)i), "unknown");
    }
    for (int i = 0; i < CLOCK_VERDICTS; i++) {
        cr_assert_str_neq(clock_verdict_name((enum clock_verdict)i), "unknown");
    }
    cr_assert_str_eq(clock_reason_name(CLOCK_REASONS), "unknown");
    cr_assert_str_eq(clock_verdict_name(CLOCK_VERDICTS), "unknown");
}
