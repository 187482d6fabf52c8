/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gets into replies and what must not: the word of a sample that is not believed yet, of a
 * source that is too far away, of one that has come apart from another.
 */
#include "tests/unit/ntp/clock_world.h"

#include <string.h>

static struct world w;

/* All that a source can claim to be better than it is, beside a wrong time. */
static void boast(size_t source, int64_t shift_ns)
{
    const struct clock_sample sample = {
        .raw_ns = world_raw(&w).ns,
        .wall_ns = world_wall_ns(&w) + shift_ns,
        .reference_id = 0xbadbadu,
        .leap = NTP_LEAP_INSERT,
    };
    clock_discipline_sample(&w.clock, source, &sample);
}

Test(clock_published, a_sample_that_is_held_changes_nothing)
{
    static struct world without;
    static const int64_t shifts[] = {10 * NS_PER_S, -NS_PER_S, 2 * NS_PER_MS};
    for (size_t sources = 1; sources <= 3; sources++) {
        for (size_t k = 0; k < sizeof(shifts) / sizeof(shifts[0]); k++) {
            world_start(&w, sources, NULL);
            world_pass(&w, 1600);
            w.now_s += 8;
            without = w;
            boast(0, shifts[k]);
            (void)world_update(&w);
            (void)world_update(&without);
            cr_assert_eq(world_report(&w, 0).outliers, 1);
            cr_assert_eq(memcmp(&w.model, &without.model, sizeof(w.model)), 0,
                         "%zu sources, shift %zu", sources, k);
            cr_assert_eq(world_report(&w, 0).root_distance_ns,
                         world_report(&without, 0).root_distance_ns);
        }
    }
}

Test(clock_published, with_the_verdict_its_word_counts)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    for (int i = 0; i < 3; i++) {
        w.now_s += POLL_S;
        boast(0, 10 * NS_PER_S);
        (void)world_update(&w);
        cr_assert_eq(w.model.stratum, i < 2 ? 4 : 1);
        cr_assert_eq(w.model.leap, i < 2 ? NTP_LEAP_NONE : NTP_LEAP_INSERT);
        cr_assert_eq(w.model.reference_id, i < 2 ? 0x0a000000u : 0xbadbadu);
    }
    cr_assert_lt(w.model.root_delay_ns, 2);
}

/* Two that jump alike are a majority of three: the second one's word counts as of its sample. */
Test(clock_published, a_majority_is_believed_with_what_it_says)
{
    world_start(&w, 2, NULL);
    world_pass(&w, 1600);
    w.now_s += POLL_S;
    boast(0, 10 * NS_PER_S);
    boast(1, 10 * NS_PER_S);
    (void)world_update(&w);
    cr_assert_eq(w.reason, CLOCK_REASON_MAJORITY);
    cr_assert_eq(w.model.stratum, 1);
    cr_assert_eq(w.model.leap, NTP_LEAP_INSERT);
}

/* One that says it can hardly tell is no witness for another one's single wrong answer. */
Test(clock_published, a_companion_has_to_have_seen_the_same)
{
    world_start(&w, 3, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    w.now_s += POLL_S;
    struct clock_sample vague = {
        .raw_ns = world_raw(&w).ns,
        .wall_ns = world_wall_ns(&w) + 451 * NS_PER_MS,
        .delay_ns = 900 * NS_PER_MS,
        .root_delay_ns = 200 * US,
        .root_dispersion_ns = 300 * US,
        .stratum = 3,
    };
    clock_discipline_sample(&w.clock, 0, &vague);
    w.shift_ns[1] = 5 * NS_PER_MS;
    world_sample(&w, 1);
    world_sample(&w, 2);
    (void)world_update(&w);
    cr_assert_eq(world_report(&w, 0).breaks, 0);
    cr_assert_eq(world_report(&w, 1).breaks, 0);
    cr_assert_lt(llabs(world_error_ns(&w)), 50 * US);
}

/* ---- too far away */

Test(clock_published, one_that_knows_too_little_is_not_followed_into_loss)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    w.root_dispersion_ns = 200 * NS_PER_MS;
    w.shift_ns[0] = 100 * NS_PER_MS;
    world_pass(&w, 200);
    cr_assert_eq(w.model.state, CLOCK_HOLDOVER);
    cr_assert_eq(w.reason, CLOCK_REASON_FAR);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_FAR);
    cr_assert_lt(llabs(world_error_ns(&w)), 50 * US);
    cr_assert_eq(w.changes, 1);
    world_pass(&w, 2000);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    w.root_dispersion_ns = 300 * US;
    world_pass(&w, 2 * POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
}

/* What it proved before holds on, and wears off. */
Test(clock_published, one_that_knows_less_and_less_is_followed_as_long_as_it_may)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    w.root_dispersion_ns = 200 * NS_PER_MS;
    world_pass(&w, 900);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_geq(clock_model_bound_ns(&w.model, world_raw(&w)), 45 * NS_PER_MS);
    world_pass(&w, 200);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    cr_assert_eq(w.reason, CLOCK_REASON_BOUND);
    cr_assert_eq(w.changes, 1);
}

Test(clock_published, others_take_over_from_a_preferred_one_that_knows_too_little)
{
    world_start(&w, 3, NULL);
    w.options.source[0].prefer = true;
    world_init(&w);
    world_pass(&w, 1600);
    world_forget(&w);
    for (int i = 0; i < 100; i++) {
        w.now_s += POLL_S;
        w.root_dispersion_ns = 400 * NS_PER_MS;
        world_sample(&w, 0);
        w.root_dispersion_ns = 300 * US;
        world_sample(&w, 1);
        world_sample(&w, 2);
        (void)world_update(&w);
        cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
        cr_assert_leq(clock_model_bound_ns(&w.model, world_raw(&w)), 30 * NS_PER_MS);
    }
    cr_assert_neq(w.model.reference_id & 0xff, 0);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_SPARE);
    cr_assert_lt(clock_model_bound_ns(&w.model, world_raw(&w)), 3 * NS_PER_MS);
}

/* ---- two of which one runs away */

static void run_away(int64_t seconds, int64_t ppb)
{
    for (int64_t i = 0; i < seconds; i++) {
        w.shift_ns[0] += ppb;
        world_pass(&w, 1);
    }
}

Test(clock_published, two_that_come_apart_slowly_end_in_loss)
{
    static const int64_t rates_ppb[] = {1000, 5000, 20000};
    for (size_t i = 0; i < sizeof(rates_ppb) / sizeof(rates_ppb[0]); i++) {
        world_start(&w, 2, NULL);
        world_pass(&w, 1600);
        world_forget(&w);
        for (int s = 0; s < 5000 && w.model.state == CLOCK_SYNCHRONISED; s++) {
            run_away(1, rates_ppb[i]);
            cr_assert_leq(llabs(world_error_ns(&w)), clock_model_bound_ns(&w.model, world_raw(&w)));
        }
        cr_assert_eq(w.model.state, CLOCK_HOLDOVER);
        cr_assert_eq(w.reason, CLOCK_REASON_DISAGREE);
        run_away(1500, rates_ppb[i]);
        cr_assert_eq(w.model.state, CLOCK_LOST);
        cr_assert_eq(w.steps, 0);
    }
}

/* A newcomer has agreed with nobody: the line knows better. */
Test(clock_published, a_liar_that_joins_is_seen_through)
{
    world_start(&w, 2, NULL);
    w.silent[0] = true;
    w.shift_ns[0] = NS_PER_S;
    world_pass(&w, 1600);
    w.silent[0] = false;
    world_pass(&w, 1600);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_FALSETICKER);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_lt(llabs(world_error_ns(&w)), 50 * US);
}

/* ---- the rate of the line */

Test(clock_published, a_rate_beyond_what_may_be_served_is_in_the_bound)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    run_away(3200, 450000);
    cr_assert_float_eq(w.clock.target.rate_ppb, 450000.0, 100.0);
    cr_assert_leq(llabs(w.model.rate_ppb), 500000);
    int64_t apart = llabs((int64_t)w.clock.target.rate_ppb - w.model.rate_ppb);
    cr_assert_geq(w.model.drift_ppb, 50000 + apart);
    /* ... also where the line is turned no more, because it has arrived. */
    w.clock.target.offset_ns = clock_model_at(&w.model, world_raw(&w)).ns - world_raw(&w).ns;
    for (int i = 0; i < 64; i++) {
        run_away(1, 450000);
        struct mono_ns later = {.ns = world_raw(&w).ns + NS_PER_S - 1};
        int64_t error = clock_model_at(&w.model, later).ns - world_wall_ns(&w) - NS_PER_S -
                        w.shift_ns[0] - 450000;
        cr_assert_leq(llabs(error), clock_model_bound_ns(&w.model, later));
    }
}

/* ---- a host that slept */

Test(clock_published, an_answer_from_before_the_sleep_is_none)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    clock_discipline_suspended(&w.clock, world_raw(&w));
    (void)world_update(&w);
    /* Sent before, read after: the middle of the exchange is after, its beginning is not. */
    struct clock_sample early = {
        .raw_ns = world_raw(&w).ns + 100 * US,
        .wall_ns = world_wall_ns(&w),
        .delay_ns = 500 * US,
        .stratum = 3,
    };
    w.shift_ns[0] = 3600 * NS_PER_S;
    w.now_s++;
    clock_discipline_sample(&w.clock, 0, &early);
    (void)world_update(&w);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    world_pass(&w, POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_float_eq((double)world_error_ns(&w), 3600e9, 100e3);
}

/* ---- leap seconds at bad moments: the world begins a while before the end of a month */

static void start_before_leap(int64_t seconds)
{
    world_start(&w, 1, NULL);
    w.start_wall_ns = WORLD_WALL - (1600 + seconds) * NS_PER_S;
    w.leap[0] = NTP_LEAP_INSERT;
    world_init(&w);
    world_pass(&w, 1600);
    cr_assert_eq(w.model.leap, NTP_LEAP_INSERT);
    world_forget(&w);
}

/* The announcement is heard on for a while after, as of some servers. */
Test(clock_published, a_second_that_passed_while_lost_is_not_made_up_for)
{
    start_before_leap(2000);
    w.silent[0] = true;
    world_pass(&w, 1900);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    world_pass(&w, 200);
    w.silent[0] = false;
    w.shift_ns[0] = -NS_PER_S;
    world_pass(&w, 5 * POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_float_eq((double)world_error_ns(&w), -1e9, 200e3);
    world_pass(&w, 100);
    cr_assert_float_eq((double)world_error_ns(&w), -1e9, 200e3);
}

Test(clock_published, a_second_that_passed_while_nobody_was_there_is_served_at_once)
{
    start_before_leap(10);
    struct clock_model before = w.model;
    w.now_s += 12; /* killed before it, and started again after it */
    clock_discipline_init(&w.clock, &w.options, &before, world_raw(&w));
    w.silent[0] = true;
    (void)world_update(&w);
    cr_assert_eq(w.stepped_ns, -NS_PER_S);
    cr_assert_eq(w.reason, CLOCK_REASON_LEAP);
    cr_assert_float_eq((double)world_error_ns(&w), -1e9, 50e3);
    world_pass(&w, 100);
    cr_assert_eq(w.steps, 1);
}

/* ---- a process that was started again: its predecessor's line is the only witness it has */

static void start_again(void)
{
    struct clock_model before = w.model;
    w.now_s += 3;
    clock_discipline_init(&w.clock, &w.options, &before, world_raw(&w));
    world_forget(&w);
}

Test(clock_published, a_liar_that_answers_first_after_a_restart)
{
    world_start(&w, 3, NULL);
    w.shift_ns[0] = NS_PER_S;
    world_pass(&w, 1600);
    start_again();
    for (int i = 0; i < 12; i++) { /* asked each second, and the others are not */
        w.now_s++;
        world_sample(&w, 0);
        (void)world_update(&w);
        cr_assert_lt(llabs(world_error_ns(&w)), 100 * US);
    }
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_FALSETICKER);
    world_pass(&w, 160);
    cr_assert_eq(w.changes, 0);
    cr_assert_eq(w.steps, 0);
    cr_assert_eq(world_report(&w, 1).verdict, CLOCK_SOURCE_SELECTED);
}

Test(clock_published, one_wrong_answer_after_a_restart)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    start_again();
    w.shift_ns[0] = 10 * NS_PER_S;
    world_sample(&w, 0);
    (void)world_update(&w);
    w.shift_ns[0] = 0;
    world_pass(&w, 160);
    cr_assert_lt(llabs(world_error_ns(&w)), 100 * US);
    cr_assert_eq(w.steps, 0);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_SELECTED);
}

Test(clock_published, a_step_during_a_restart_takes_three_samples)
{
    world_start(&w, 1, NULL);
    world_pass(&w, 1600);
    start_again();
    w.shift_ns[0] = 10 * NS_PER_S;
    world_pass(&w, 2 * POLL_S);
    cr_assert_eq(w.steps, 0);
    world_pass(&w, POLL_S);
    cr_assert_eq(w.steps, 1);
    cr_assert_float_eq((double)world_error_ns(&w), 10e9, 100e3);
}
