/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shortest window wins; what follows from it; what is no reading.
 */
#include "ntp/clock/phc_window.h"

#include <criterion/criterion.h>

#define WALL (INT64_C(1800000000) * NS_PER_S)

static struct ptp_clock_time time_of(int64_t ns)
{
    return (struct ptp_clock_time){.sec = ns / NS_PER_S, .nsec = (__u32)(ns % NS_PER_S)};
}

static struct ptp_sys_offset_extended extended(const int64_t (*ns)[3], unsigned n)
{
    struct ptp_sys_offset_extended said = {.n_samples = n};
    for (unsigned i = 0; i < n && i < PTP_MAX_SAMPLES; i++) {
        for (int k = 0; k < 3; k++) {
            said.ts[i][k] = time_of(WALL + ns[i][k]);
        }
    }
    return said;
}

Test(phc_window, shortest_of_several)
{
    static const int64_t ns[][3] = {
        {0, 1000, 900}, {2000, 3000, 2400}, {4000, 5000, 4800}, {6000, 7000, 5900}};
    struct phc_window window;
    struct ptp_sys_offset_extended said = extended(ns, 4);
    cr_assert(phc_window_extended(&said, &window));
    cr_expect_eq(window.phc_ns, WALL + 3000);
    cr_expect_eq(window.width_ns, 400);
    cr_expect_eq(window.system_ns, WALL + 2200);
    cr_expect_not(window.raw);
}

Test(phc_window, none_in_order)
{
    static const int64_t ns[][3] = {{1000, 1, 999}};
    struct phc_window window;
    struct ptp_sys_offset_extended said = extended(ns, 1);
    cr_expect_not(phc_window_extended(&said, &window));
    said.n_samples = 0;
    cr_expect_not(phc_window_extended(&said, &window));
    said = (struct ptp_sys_offset_extended){.n_samples = UINT32_MAX};
    cr_expect(phc_window_extended(&said, &window), "a driver that counts wrongly is not followed");
}

Test(phc_window, basic)
{
    static const int64_t ns[] = {0, 10, 700, 710, 1100, 1110, 1900};
    struct ptp_sys_offset said = {.n_samples = 3};
    struct phc_window window;
    for (size_t i = 0; i < 7; i++) {
        said.ts[i] = time_of(WALL + ns[i]);
    }
    cr_assert(phc_window_basic(&said, &window));
    cr_expect_eq(window.phc_ns, WALL + 710);
    cr_expect_eq(window.width_ns, 400);
    cr_expect_eq(window.system_ns, WALL + 900);
    said.n_samples = UINT32_MAX;
    cr_expect(phc_window_basic(&said, &window));
}

Test(phc_window, precise)
{
    const struct ptp_sys_offset_precise said = {.device = time_of(WALL),
                                                .sys_monoraw = time_of(77 * NS_PER_S + 5)};
    const struct ptp_sys_offset_precise none = {.device = time_of(WALL)};
    struct phc_window window;
    cr_assert(phc_window_precise(&said, &window));
    cr_expect(window.raw);
    cr_expect_eq(window.system_ns, 77 * NS_PER_S + 5);
    cr_expect_eq(window.width_ns, 0);
    cr_expect_not(phc_window_precise(&none, &window));
}

static const struct clock_pair before = {.raw_ns = 10 * NS_PER_S, .wall_ns = WALL, .window_ns = 60};
static const struct clock_pair after = {
    .raw_ns = 10 * NS_PER_S + 20000, .wall_ns = WALL + 20000, .window_ns = 80};
static const struct phc_facts facts = {.offset_ns = -37, .error_bound_ns = 12000, .leap = 1};

Test(phc_window, sample)
{
    const struct phc_window window = {
        .phc_ns = WALL + 555, .system_ns = WALL + 10000, .width_ns = 500};
    struct clock_sample sample;
    cr_assert(phc_window_sample(&window, &before, &after, &facts, &sample));
    cr_expect_eq(sample.raw_ns, 10 * NS_PER_S + 10000);
    cr_expect_eq(sample.wall_ns, WALL + 555 - 37);
    cr_expect_eq(sample.delay_ns, 500);
    cr_expect_eq(sample.root_delay_ns, 0);
    cr_expect_eq(sample.root_dispersion_ns, 12040, "the device's bound and the pairing's error");
    cr_expect_eq(sample.stratum, 0);
    cr_expect_eq(sample.reference_id, PHC_REFERENCE_ID);
    cr_expect_eq(sample.leap, 1);
}

/* The host's clock is stepped between the reading and the pair: not a reading any more. */
Test(phc_window, stepped)
{
    static const int64_t steps[] = {-3600 * NS_PER_S, -NS_PER_S, -30000, 30000, NS_PER_S};
    const struct phc_window window = {
        .phc_ns = WALL + 555, .system_ns = WALL + 10000, .width_ns = 500};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct clock_pair stepped = after;
        struct clock_sample sample = {.stratum = 99};
        stepped.wall_ns += steps[i];
        cr_expect_not(phc_window_sample(&window, &before, &stepped, &facts, &sample));
        cr_expect_eq(sample.stratum, 99);
    }
}

Test(phc_window, raw_needs_no_pair)
{
    const struct phc_window window = {.phc_ns = WALL, .system_ns = 10 * NS_PER_S + 7, .raw = true};
    struct clock_pair stepped = after;
    struct clock_sample sample;
    stepped.wall_ns += NS_PER_S;
    cr_assert(phc_window_sample(&window, &before, &stepped, &facts, &sample));
    cr_expect_eq(sample.raw_ns, 10 * NS_PER_S + 7);
    cr_expect_eq(sample.root_dispersion_ns, 12000);
}
