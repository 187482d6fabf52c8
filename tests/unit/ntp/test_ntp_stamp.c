/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which receive stamps are believed, and where they end up on the served clock.
 */
#include "ntp/ntp_stamp.h"

#include <criterion/criterion.h>

#define RAW    (INT64_C(5000) * NS_PER_S)
#define WALL   (INT64_C(1782864000) * NS_PER_S)
#define SERVED (WALL + 37 * NS_PER_S)
#define US     INT64_C(1000)
#define AGE    NTP_STAMP_AGE_MAX_NS

/* Microseconds: of the look after the one before, and what the wall clock gained meanwhile. */
struct step {
    int64_t after;
    int64_t gained;
    int64_t window;
    bool believed;
};

static void follow(struct ntp_stamp_watch *watch, const struct step *step, size_t n)
{
    struct clock_pair look = {.raw_ns = RAW, .wall_ns = WALL, .window_ns = 100};
    cr_assert(ntp_stamp_look(watch, &look), "the first is believed");
    for (size_t i = 0; i < n && step[i].after != 0; i++) {
        look.raw_ns += step[i].after * US;
        look.wall_ns += (step[i].after + step[i].gained) * US;
        look.window_ns = step[i].window * US;
        cr_expect_eq(ntp_stamp_look(watch, &look), step[i].believed, "look %zu after %lld us", i,
                     (long long)step[i].after);
    }
}

Test(ntp_stamp, a_step_of_the_wall_clock_is_seen)
{
    static const struct step walks[][5] = {
        /* Nothing moves; the clock turns as fast as NTP turns it, either way. */
        {{1, 0, 1, true}, {1000000, 0, 1, true}},
        {{1000000, 500, 1, true}, {1000000, -500, 1, true}, {60000000, 30000, 1, true}},
        /* At the limit of 100 us and 500 ppm, and beyond. */
        {{1, 100, 1, true}, {1, -100, 1, true}},
        {{1, 102, 1, false}},
        {{1, -102, 1, false}},
        {{1000000, 600, 1, true}},
        {{1000000, 601, 1, false}},
        {{1000000, -600, 1, true}},
        {{1000000, -601, 1, false}},
        /* What waited since before the step is older than any stamp believed, 5 s later. */
        {{1000, 1000000, 1, false}, {4999999, 0, 1, false}, {1, 0, 1, true}, {1, 0, 1, true}},
        {{1000, -1000000, 1, false}, {4999999, 0, 1, false}, {1, 0, 1, true}},
        {{1000, 1000, 1, false},
         {4000000, 3000, 1, false},
         {4999999, 0, 1, false},
         {1, 0, 1, true}},
        /* Back again is a second step. */
        {{1000, 500000, 1, false}, {1000, -500000, 1, false}, {5000000, 0, 1, true}},
        /* An interrupted look tells nothing, and the next is compared with the one before it. */
        {{1000, 0, 101, false}, {1000, 0, 100, true}},
        {{1000, 5000, 101, false}, {1000, 0, 1, false}},
        {{1000, 5000, 101, false}, {1000, -5000, 1, true}},
        {{-1000, 0, 1, false}},
    };
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        struct ntp_stamp_watch watch = {.known = false};
        follow(&watch, walks[i], sizeof(walks[i]) / sizeof(walks[i][0]));
    }
}

Test(ntp_stamp, an_interrupted_first_look_is_none)
{
    struct ntp_stamp_watch watch = {.known = false};
    struct clock_pair look = {.raw_ns = RAW, .wall_ns = WALL, .window_ns = INT64_MAX};
    cr_expect_not(ntp_stamp_look(&watch, &look));
    cr_expect_not(watch.known);
}

Test(ntp_stamp, no_look_overflows)
{
    static const int64_t ends[] = {INT64_MIN, 0, INT64_MAX};
    struct ntp_stamp_watch watch = {.known = false};
    for (size_t i = 0; i < 81; i++) {
        struct clock_pair look = {.raw_ns = ends[i % 3], .wall_ns = ends[i / 3 % 3]};
        (void)ntp_stamp_look(&watch, &look);
        watch.last = (struct clock_pair){.raw_ns = ends[i / 9 % 3], .wall_ns = ends[i / 27]};
        (void)ntp_stamp_look(&watch, &look);
    }
}

Test(ntp_stamp, a_stamp_is_moved_by_its_age)
{
    static const struct {
        bool stamped;
        bool believed;
        int64_t stamp_ns;
        bool used;
        int64_t received_ns;
    } cases[] = {
        {true, true, WALL, true, SERVED},
        {true, true, WALL - 1, true, SERVED - 1},
        {true, true, WALL - 300 * NS_PER_MS, true, SERVED - 300 * NS_PER_MS},
        {true, true, WALL - AGE, true, SERVED - AGE},
        /* Too old, or from the future. */
        {true, true, WALL - AGE - 1, false, SERVED},
        {true, true, WALL + 1, false, SERVED},
        {true, true, INT64_MIN, false, SERVED},
        {true, true, INT64_MAX, false, SERVED},
        /* None, or none to be believed. */
        {false, true, WALL - 1, false, SERVED},
        {true, false, WALL - 1, false, SERVED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntp_stamp_moment now = {
            .real = {WALL}, .served = {SERVED}, .believed = cases[i].believed};
        struct wall_ns stamp = {.ns = cases[i].stamp_ns};
        struct wall_ns received = {.ns = 1};
        cr_expect_eq(ntp_stamp_received(&now, cases[i].stamped ? &stamp : NULL, &received),
                     cases[i].used, "case %zu", i);
        cr_expect_eq(received.ns, cases[i].received_ns, "case %zu: %lld", i,
                     (long long)(received.ns - SERVED));
    }
}

Test(ntp_stamp, a_reply_never_leaves_before_its_request_came)
{
    static const int64_t cases[][3] = {
        {SERVED, SERVED - 1, SERVED},
        {SERVED, SERVED, SERVED},
        {SERVED, SERVED + 1, SERVED + 1},
        {SERVED, SERVED + NS_PER_S, SERVED + NS_PER_S},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wall_ns leaves = ntp_stamp_transmit((struct wall_ns){.ns = cases[i][0]},
                                                   (struct wall_ns){.ns = cases[i][1]});
        cr_expect_eq(leaves.ns, cases[i][2], "case %zu", i);
    }
}
