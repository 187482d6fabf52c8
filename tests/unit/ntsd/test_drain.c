/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to the end, from every phase.
 */
#include "ntsd/drain.h"

#include <criterion/criterion.h>

Test(drain, every_step)
{
    static const struct {
        enum drain_phase from;
        struct drain_facts facts; /* signals, elapsed, services, others */
        enum drain_phase to;
    } cases[] = {
        {DRAIN_RUNNING, {0, 0, 2, 3}, DRAIN_RUNNING},
        {DRAIN_RUNNING, {0, 99999, 0, 0}, DRAIN_RUNNING},
        {DRAIN_RUNNING, {1, 0, 2, 3}, DRAIN_SERVICES},
        {DRAIN_RUNNING, {2, 0, 2, 3}, DRAIN_SERVICES},
        {DRAIN_SERVICES, {1, 0, 2, 3}, DRAIN_SERVICES},
        {DRAIN_SERVICES, {1, 3999, 1, 3}, DRAIN_SERVICES},
        {DRAIN_SERVICES, {1, 4000, 1, 3}, DRAIN_REST},
        {DRAIN_SERVICES, {1, 10, 0, 3}, DRAIN_REST},
        {DRAIN_SERVICES, {2, 10, 1, 3}, DRAIN_KILL},
        {DRAIN_SERVICES, {1, 4700, 1, 3}, DRAIN_KILL},
        {DRAIN_SERVICES, {2, 4700, 0, 0}, DRAIN_REST},
        {DRAIN_REST, {1, 10, 0, 3}, DRAIN_REST},
        {DRAIN_REST, {1, 10, 0, 0}, DRAIN_DONE},
        {DRAIN_REST, {1, 4100, 1, 0}, DRAIN_REST},
        {DRAIN_REST, {1, 4700, 1, 0}, DRAIN_KILL},
        {DRAIN_REST, {3, 10, 0, 1}, DRAIN_KILL},
        {DRAIN_REST, {3, 9999, 0, 0}, DRAIN_DONE},
        {DRAIN_KILL, {1, 4700, 1, 1}, DRAIN_KILL},
        {DRAIN_KILL, {1, 4700, 0, 0}, DRAIN_DONE},
        {DRAIN_DONE, {2, 9999, 1, 1}, DRAIN_DONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(drain_next(cases[i].from, &cases[i].facts), cases[i].to, "case %zu", i);
    }
}

/* Whatever children do, five seconds after the signal all have been told to die. */
Test(drain, five_seconds_are_enough)
{
    for (unsigned stubborn = 0; stubborn < 4; stubborn++) {
        enum drain_phase phase = DRAIN_RUNNING;
        struct drain_facts facts = {.signals = 1, .services_alive = 2, .others_alive = 3};
        while (facts.elapsed_ms < 5000) {
            phase = drain_next(phase, &facts);
            facts.services_alive = (stubborn & 1) == 0 || phase == DRAIN_KILL ? 0 : 2;
            bool others_told = phase == DRAIN_REST || phase == DRAIN_KILL;
            bool others_stay = (stubborn & 2) != 0 && phase != DRAIN_KILL;
            facts.others_alive = others_told && !others_stay ? 0 : 3;
            facts.elapsed_ms += 100;
        }
        cr_expect_eq(phase, DRAIN_DONE, "stubborn %u", stubborn);
        cr_expect_leq(drain_deadline_ms(DRAIN_SERVICES), drain_deadline_ms(DRAIN_REST));
        cr_expect_lt(drain_deadline_ms(DRAIN_REST), 5000);
    }
}
