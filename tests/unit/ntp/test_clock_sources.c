/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several sources under one discipline: who is waited for, who is followed, and leap seconds.
 */
#include "tests/unit/ntp/clock_world.h"

static struct world w;

static void second_without(size_t from)
{
    for (size_t i = from; i < w.options.source_count; i++) {
        clock_discipline_miss(&w.clock, i, world_raw(&w));
    }
    (void)world_update(&w);
    w.now_s += 2;
}

Test(clock_sources, the_start_waits_for_most_of_them)
{
    world_start(&w, 3, NULL);
    world_sample(&w, 0);
    (void)world_update(&w);
    cr_assert_eq(w.model.state, CLOCK_STARTING);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_CANDIDATE);
    world_sample(&w, 1);
    (void)world_update(&w);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
}

Test(clock_sources, but_not_for_silent_ones)
{
    world_start(&w, 3, NULL);
    world_sample(&w, 0);
    for (int i = 0; i < 3; i++) {
        second_without(1);
        cr_assert_eq(w.model.state, CLOCK_STARTING);
    }
    second_without(1);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
}

Test(clock_sources, nor_for_ever)
{
    world_start(&w, 2, NULL);
    for (int i = 0; i < 20; i++) {
        world_sample(&w, 0); /* and of the other one not even a miss */
        (void)world_update(&w);
        w.now_s += POLL_S;
    }
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
}

Test(clock_sources, a_first_liar_is_not_believed)
{
    world_start(&w, 3, NULL);
    w.shift_ns[0] = 10 * NS_PER_S;
    for (size_t i = 0; i < 3; i++) {
        world_sample(&w, i);
        (void)world_update(&w);
        cr_assert_eq(w.model.state, i < 2 ? CLOCK_STARTING : CLOCK_SYNCHRONISED);
    }
    cr_assert_lt(llabs(world_error_ns(&w)), 10 * US);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_FALSETICKER);
}

Test(clock_sources, two_liars_agree_too_late)
{
    world_start(&w, 3, NULL);
    world_pass(&w, 1600);
    w.shift_ns[0] = 10 * NS_PER_S;
    world_pass(&w, 160);
    cr_assert_eq(world_report(&w, 0).verdict, CLOCK_SOURCE_FALSETICKER);
    world_forget(&w);
    w.silent[1] = true;
    w.silent[2] = true;
    world_pass(&w, 300);
    cr_assert_eq(w.model.state, CLOCK_HOLDOVER);
    cr_assert_eq(w.reason, CLOCK_REASON_DISAGREE);
    world_pass(&w, 1000);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    world_pass(&w, 3600);
    cr_assert_eq(w.model.state, CLOCK_LOST);
    cr_assert_eq(w.steps, 0);
    w.shift_ns[0] = 0;
    w.silent[1] = false;
    world_pass(&w, 10 * POLL_S);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
    cr_assert_lt(llabs(world_error_ns(&w)), 50 * US);
}

Test(clock_sources, a_jump_of_most_is_one_of_the_raw_clock)
{
    world_start(&w, 3, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    for (size_t i = 0; i < 3; i++) {
        w.shift_ns[i] = 5 * NS_PER_S;
    }
    world_pass(&w, POLL_S); /* one sample of each is enough */
    cr_assert_eq(w.steps, 1);
    cr_assert_eq(w.reason, CLOCK_REASON_MAJORITY);
    cr_assert_float_eq((double)world_error_ns(&w), 5e9, 100e3);
    cr_assert_eq(w.changes, 0);
}

Test(clock_sources, two_that_jump_apart_are_no_majority)
{
    world_start(&w, 2, NULL);
    world_pass(&w, 1600);
    world_forget(&w);
    w.shift_ns[0] = 5 * NS_PER_S;
    w.shift_ns[1] = -5 * NS_PER_S;
    world_pass(&w, 2 * POLL_S);
    cr_assert_eq(w.steps, 0);
    cr_assert_lt(llabs(world_error_ns(&w)), 50 * US);
    world_pass(&w, 2000); /* and then nobody is right */
    cr_assert_eq(w.model.state, CLOCK_LOST);
    cr_assert_eq(w.steps, 0);
}

/* Both are right within what they know, and the preferred one is back. */
Test(clock_sources, another_choice_can_be_a_step)
{
    world_start(&w, 2, NULL);
    w.options.max_error_ns = NS_PER_S;
    w.options.source[1].prefer = true;
    w.root_dispersion_ns = 200 * NS_PER_MS;
    world_init(&w);
    w.silent[1] = true;
    world_pass(&w, 1600);
    world_forget(&w);
    w.silent[1] = false;
    w.shift_ns[1] = 250 * NS_PER_MS;
    world_pass(&w, POLL_S);
    cr_assert_eq(w.steps, 1);
    cr_assert_eq(w.reason, CLOCK_REASON_RESELECT);
    cr_assert_eq(w.changes, 0);
}

Test(clock_sources, another_one_may_take_over_from_holdover)
{
    world_start(&w, 2, NULL);
    w.options.max_error_ns = 10 * NS_PER_S;
    world_init(&w);
    w.silent[1] = true;
    world_pass(&w, 1600);
    world_forget(&w);
    w.silent[0] = true;
    world_pass(&w, 200);
    w.silent[1] = false;
    w.shift_ns[1] = NS_PER_S;
    world_pass(&w, POLL_S);
    cr_assert_eq(w.steps, 1);
    cr_assert_eq(w.reason, CLOCK_REASON_RETURNED); /* from holdover */
    cr_assert_eq(w.model.reference_id, 0x0a000001u);
}

Test(clock_sources, the_combination_lies_between)
{
    world_start(&w, 2, NULL);
    w.shift_ns[0] = 200 * US;
    w.shift_ns[1] = -200 * US;
    world_pass(&w, 1600);
    cr_assert_lt(llabs(world_error_ns(&w)), 50 * US);
    cr_assert_geq(clock_model_bound_ns(&w.model, world_raw(&w)), 200 * US);
}

Test(clock_sources, the_preferred_alone)
{
    world_start(&w, 2, NULL);
    w.options.source[1].prefer = true;
    world_init(&w);
    w.shift_ns[0] = 200 * US;
    world_pass(&w, 1600);
    cr_assert_lt(llabs(world_error_ns(&w)), 10 * US);
    cr_assert_eq(w.model.reference_id, 0x0a000001u);
    w.silent[1] = true;
    world_pass(&w, 1600);
    cr_assert_float_eq((double)world_error_ns(&w), 200e3, 10e3);
    cr_assert_eq(w.model.state, CLOCK_SYNCHRONISED);
}

/* ---- leap seconds: the world begins a hundred seconds before the end of a month */

static void start_before_leap(size_t sources, uint8_t leap)
{
    world_start(&w, sources, NULL);
    w.start_wall_ns = WORLD_WALL - 1700 * NS_PER_S;
    for (size_t i = 0; i < sources; i++) {
        w.leap[i] = leap;
    }
    world_init(&w);
    world_pass(&w, 1600);
    world_forget(&w);
}

static void all_show(int64_t shift_ns, uint8_t leap)
{
    for (size_t i = 0; i < w.options.source_count; i++) {
        w.shift_ns[i] = shift_ns;
        w.leap[i] = leap;
    }
}

Test(clock_sources, an_inserted_second_is_served_at_its_moment)
{
    start_before_leap(1, NTP_LEAP_INSERT);
    cr_assert_eq(w.model.leap, NTP_LEAP_INSERT);
    world_pass(&w, 99);
    cr_assert_eq(w.steps, 0);
    int64_t due = clock_discipline_update(&w.clock, world_raw(&w), &w.model).due_raw_ns;
    cr_assert_float_eq((double)(due - world_raw(&w).ns), 1e9, 20e3);
    all_show(-NS_PER_S, NTP_LEAP_NONE);
    world_pass(&w, 2);
    cr_assert_eq(w.steps, 1);
    cr_assert_eq(w.stepped_ns, -NS_PER_S);
    cr_assert_eq(w.reason, CLOCK_REASON_LEAP);
    cr_assert_eq(w.model.leap, NTP_LEAP_NONE);
    cr_assert_float_eq((double)world_error_ns(&w), -1e9, 20e3);
    world_pass(&w, 1000);
    cr_assert_eq(w.steps, 1);
    cr_assert_eq(w.changes, 0);
    cr_assert_eq(world_report(&w, 0).outliers, 0);
    cr_assert_eq(w.model.leap, NTP_LEAP_NONE);
}

Test(clock_sources, a_deleted_second_too)
{
    start_before_leap(1, NTP_LEAP_DELETE);
    cr_assert_eq(w.model.leap, NTP_LEAP_DELETE);
    world_pass(&w, 98);
    cr_assert_eq(w.steps, 0);
    all_show(NS_PER_S, NTP_LEAP_NONE);
    world_pass(&w, 2);
    cr_assert_eq(w.steps, 1);
    cr_assert_eq(w.stepped_ns, NS_PER_S);
    cr_assert_float_eq((double)world_error_ns(&w), 1e9, 20e3);
    world_pass(&w, 1000);
    cr_assert_eq(w.steps, 1);
}

Test(clock_sources, a_smeared_second_is_neither_announced_nor_stepped)
{
    start_before_leap(1, NTP_LEAP_INSERT);
    w.options.source[0].smeared = true;
    world_init(&w);
    world_forget(&w);
    world_pass(&w, 300);
    cr_assert_eq(w.model.leap, NTP_LEAP_NONE);
    cr_assert_eq(w.steps, 0);
}

Test(clock_sources, leap_by_majority)
{
    static const struct {
        uint8_t said[3];
        uint8_t leap;
    } cases[] = {
        {{NTP_LEAP_INSERT, NTP_LEAP_INSERT, NTP_LEAP_NONE}, NTP_LEAP_INSERT},
        {{NTP_LEAP_INSERT, NTP_LEAP_NONE, NTP_LEAP_NONE}, NTP_LEAP_NONE},
        {{NTP_LEAP_INSERT, NTP_LEAP_DELETE, NTP_LEAP_NONE}, NTP_LEAP_NONE},
        {{NTP_LEAP_DELETE, NTP_LEAP_DELETE, NTP_LEAP_INSERT}, NTP_LEAP_DELETE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start_before_leap(3, NTP_LEAP_NONE);
        for (size_t k = 0; k < 3; k++) {
            w.leap[k] = cases[i].said[k];
        }
        world_pass(&w, 2 * POLL_S);
        cr_assert_eq(w.model.leap, cases[i].leap, "case %zu", i);
    }
}

Test(clock_sources, a_withdrawn_announcement_is_forgotten)
{
    start_before_leap(1, NTP_LEAP_INSERT);
    all_show(0, NTP_LEAP_NONE);
    world_pass(&w, 200);
    cr_assert_eq(w.model.leap, NTP_LEAP_NONE);
    cr_assert_eq(w.steps, 0);
}

Test(clock_sources, announced_and_then_silent_it_is_served_in_holdover)
{
    start_before_leap(1, NTP_LEAP_INSERT);
    w.start_wall_ns -= 200 * NS_PER_S;
    world_init(&w);
    world_pass(&w, 64);
    w.silent[0] = true;
    world_forget(&w);
    world_pass(&w, 240);
    cr_assert_eq(w.model.state, CLOCK_HOLDOVER);
    cr_assert_eq(w.stepped_ns, -NS_PER_S);
}
