/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a server is asked: a year of it, with restarts, losses and kisses in between; never two
 * requests closer together than the interval allows.
 */
#include "ntp/clock/ntp_poll.h"

#include <criterion/criterion.h>
#include <string.h>

#define START (1000 * NS_PER_S)

static const struct ntp_poll_memory fresh = {0};
static const struct ntp_poll_options amazon = {.minpoll = 4, .maxpoll = 4, .iburst = true};
static const struct ntp_poll_options usual = {.minpoll = 6, .maxpoll = 10};

static struct mono_ns at(int64_t ns)
{
    return (struct mono_ns){.ns = ns};
}

static int64_t seconds(const struct ntp_poll *poll)
{
    return ntp_poll_interval_ns(poll) / NS_PER_S;
}

Test(ntp_poll, the_first_request_is_at_once)
{
    struct ntp_poll poll;
    ntp_poll_init(&poll, &usual, &fresh, at(START));
    cr_expect(ntp_poll_may_send(&poll, at(START)));
    ntp_poll_sent(&poll, at(START));
    cr_expect_not(ntp_poll_may_send(&poll, at(START)));
    cr_expect_not(ntp_poll_may_send(&poll, at(START + 64 * NS_PER_S - 1)));
    cr_expect(ntp_poll_may_send(&poll, at(START + 64 * NS_PER_S)));
}

Test(ntp_poll, intervals)
{
    static const struct {
        int8_t poll;
        int64_t ns;
    } cases[] = {{-7, 7812500},      {-2, 250000000},         {0, NS_PER_S},
                 {4, 16 * NS_PER_S}, {17, 131072 * NS_PER_S}, {24, 16777216 * NS_PER_S}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntp_poll poll;
        const struct ntp_poll_options options = {.minpoll = cases[i].poll,
                                                 .maxpoll = cases[i].poll};
        ntp_poll_init(&poll, &options, &fresh, at(START));
        cr_expect_eq(ntp_poll_interval_ns(&poll), cases[i].ns, "%d", cases[i].poll);
    }
}

/* Requests in the first `for_s` seconds; answered while `answers` lasts. */
static int burst(const struct ntp_poll_options *options, const struct ntp_poll_memory *memory,
                 int answers, int64_t for_s)
{
    struct ntp_poll poll;
    int sent = 0;
    ntp_poll_init(&poll, options, memory, at(START));
    for (int64_t now = START; now < START + for_s * NS_PER_S; now += NS_PER_S / 10) {
        if (!ntp_poll_may_send(&poll, at(now))) {
            continue;
        }
        ntp_poll_sent(&poll, at(now));
        sent++;
        if (sent <= answers) {
            ntp_poll_answered(&poll);
        } else {
            ntp_poll_missed(&poll);
        }
    }
    return sent;
}

Test(ntp_poll, iburst)
{
    const struct ntp_poll_options fast = {.minpoll = 0, .maxpoll = 0, .iburst = true};
    const struct ntp_poll_options plain = {.minpoll = 4, .maxpoll = 4};
    const struct ntp_poll_memory asked = {.asked = 1, .asked_raw_ns = START - NS_PER_S};
    cr_expect_eq(burst(&amazon, &fresh, 100, 10), 4, "four answers, two seconds apart");
    cr_expect_eq(burst(&amazon, &fresh, 0, 31), 9, "eight without an answer, then the interval");
    cr_expect_eq(burst(&amazon, &fresh, 2, 31), 9);
    cr_expect_eq(burst(&amazon, &asked, 100, 14), 0, "started again: no burst, and the rest waits");
    cr_expect_eq(burst(&amazon, &asked, 100, 16), 1);
    cr_expect_eq(burst(&plain, &fresh, 100, 10), 1);
    cr_expect_eq(burst(&fast, &fresh, 100, 4), 4, "never slower than the interval");
}

Test(ntp_poll, the_interval_grows_while_all_is_well_and_falls_when_it_is_not)
{
    struct ntp_poll poll;
    int64_t now = START;
    ntp_poll_init(&poll, &usual, &fresh, at(now));
    for (int i = 0; i < 8 * 4; i++) {
        cr_expect_eq(seconds(&poll), 64 << i / 8, "after %d", i);
        ntp_poll_sent(&poll, at(now));
        ntp_poll_answered(&poll);
        now = poll.next.ns;
    }
    cr_expect_eq(seconds(&poll), 1024);
    for (int i = 0; i < 20; i++) {
        ntp_poll_sent(&poll, at(now));
        ntp_poll_answered(&poll);
        now = poll.next.ns;
    }
    cr_expect_eq(seconds(&poll), 1024, "not beyond maxpoll");
    for (int i = 0; i < 8; i++) {
        cr_expect_eq(seconds(&poll), 1024, "after %d misses", i);
        ntp_poll_sent(&poll, at(now));
        ntp_poll_missed(&poll);
        now = poll.next.ns;
    }
    cr_expect_eq(poll.reach, 0);
    cr_expect_eq(seconds(&poll), 64, "gone: its return shall be seen soon");
}

Test(ntp_poll, unsettled)
{
    struct ntp_poll poll;
    int64_t now = START;
    ntp_poll_init(&poll, &usual, &fresh, at(now));
    for (int i = 0; i < 16; i++) {
        ntp_poll_sent(&poll, at(now));
        ntp_poll_answered(&poll);
        now = poll.next.ns;
    }
    cr_expect_eq(seconds(&poll), 256);
    ntp_poll_unsettled(&poll);
    cr_expect_eq(seconds(&poll), 64);
    cr_expect_eq(poll.next.ns, now, "what was set stays");
}

Test(ntp_poll, reach)
{
    static const char tries[] = "++-+--s+";
    struct ntp_poll poll;
    int64_t now = START;
    ntp_poll_init(&poll, &usual, &fresh, at(now));
    for (const char *t = tries; *t != '\0'; t++) {
        if (*t == 's') {
            ntp_poll_skipped(&poll, at(now));
        } else {
            ntp_poll_sent(&poll, at(now));
            if (*t == '+') {
                ntp_poll_answered(&poll);
            } else {
                ntp_poll_missed(&poll);
            }
        }
        now = poll.next.ns;
    }
    cr_expect_eq(poll.reach, 0xd1);
    cr_expect_eq(poll.memory.asked, 7, "a skipped one was not sent");
}

Test(ntp_poll, rate_kisses_add_up_and_stay)
{
    struct ntp_poll poll;
    struct ntp_poll again;
    int64_t now = START;
    ntp_poll_init(&poll, &amazon, &fresh, at(now));
    for (int i = 0; i < 20; i++) {
        ntp_poll_sent(&poll, at(now));
        ntp_poll_kissed(&poll, NTP_POLL_RATE, at(now));
        int shift = 5 + i < 17 ? 5 + i : 17;
        cr_expect_eq(seconds(&poll), INT64_C(1) << shift, "after %d kisses", i + 1);
        cr_expect_geq(poll.next.ns, now + (NS_PER_S << shift), "also the next one");
        now = poll.next.ns;
    }
    ntp_poll_answered(&poll);
    ntp_poll_init(&again, &amazon, &poll.memory, at(now));
    cr_expect_eq(seconds(&again), 131072, "not forgotten");
}

Test(ntp_poll, a_rate_kiss_ends_a_burst)
{
    struct ntp_poll poll;
    ntp_poll_init(&poll, &amazon, &fresh, at(START));
    ntp_poll_sent(&poll, at(START));
    cr_expect_eq(poll.next.ns, START + 2 * NS_PER_S);
    ntp_poll_kissed(&poll, NTP_POLL_RATE, at(START + NS_PER_MS));
    cr_expect_eq(poll.next.ns, START + 32 * NS_PER_S);
}

Test(ntp_poll, deny_silences_for_an_hour)
{
    struct ntp_poll poll;
    struct ntp_poll again;
    const int64_t hour = 3600 * NS_PER_S;
    ntp_poll_init(&poll, &usual, &fresh, at(START));
    ntp_poll_sent(&poll, at(START));
    ntp_poll_kissed(&poll, NTP_POLL_DENY, at(START));
    cr_expect(ntp_poll_is_silenced(&poll, at(START + hour - 1)));
    cr_expect_not(ntp_poll_may_send(&poll, at(START + hour - 1)));
    cr_expect(ntp_poll_may_send(&poll, at(START + hour)));
    ntp_poll_init(&again, &usual, &poll.memory, at(START + 1));
    cr_expect_not(ntp_poll_may_send(&again, at(START + hour - 1)), "also for a successor");
    cr_expect(ntp_poll_may_send(&again, at(START + hour)));
}

/* Whatever is found in memory, a request leaves some day, and not at once when one just did. */
Test(ntp_poll, memory_that_makes_no_sense)
{
    static const struct ntp_poll_memory cases[] = {
        {.asked = 1, .asked_raw_ns = INT64_MAX},
        {.asked = 1, .asked_raw_ns = START + 1},
        {.silent_until = INT64_MAX, .asked = 5, .asked_raw_ns = START},
        {.asked = 1, .asked_raw_ns = START, .rate_kisses = 1, .rate_floor = INT64_MAX},
        {.asked = 1, .asked_raw_ns = START, .rate_kisses = 1, .rate_floor = INT64_MIN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntp_poll poll;
        ntp_poll_init(&poll, &amazon, &cases[i], at(START));
        cr_expect_not(ntp_poll_may_send(&poll, at(START + 15 * NS_PER_S)), "case %zu", i);
        int64_t latest = START + ntp_poll_interval_ns(&poll) + NTP_POLL_SILENCE_NS;
        cr_expect(ntp_poll_may_send(&poll, at(latest)), "case %zu", i);
    }
}

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* A year in the life of a source whose process dies now and then, in storms too. */
static void live_a_year(const struct ntp_poll_options *options, uint64_t seed)
{
    const int64_t year = 365 * 86400 * NS_PER_S;
    struct ntp_poll poll;
    struct ntp_poll_memory memory = fresh;
    int64_t last = -year;
    int64_t now = START;
    int64_t least =
        options->minpoll < 0 ? NS_PER_S >> -options->minpoll : NS_PER_S << options->minpoll;
    uint64_t sent = 0;
    uint64_t early = 0;
    ntp_poll_init(&poll, options, &memory, at(now));
    while (now < START + year) {
        uint64_t event = draw(&seed) % 100;
        if (ntp_poll_may_send(&poll, at(now))) {
            /* only the burst of the very first start may be faster */
            early += now - last < least ? 1 : 0;
            last = now;
            sent++;
            ntp_poll_sent(&poll, at(now));
            memory = poll.memory;
            if (event == 0) {
                ntp_poll_kissed(&poll, draw(&seed) % 50 == 0 ? NTP_POLL_DENY : NTP_POLL_RATE,
                                at(now));
                memory = poll.memory;
                memory.rate_kisses = 0; /* or it would soon be asked once a day */
                poll.memory.rate_kisses = 0;
            } else if (event < 80) {
                ntp_poll_answered(&poll);
            } else {
                ntp_poll_missed(&poll);
            }
        }
        for (uint64_t storm = event >= 97 ? draw(&seed) % 20 : 0; storm > 0; storm--) {
            ntp_poll_init(&poll, options, &memory, at(now));
            now += (int64_t)(draw(&seed) % 100) * NS_PER_MS;
            cr_assert(now - last >= least || !ntp_poll_may_send(&poll, at(now)));
        }
        int64_t step = (int64_t)(draw(&seed) % 60) * NS_PER_S + NS_PER_S / 3;
        now = poll.next.ns > now && poll.next.ns - now < step ? poll.next.ns : now + step;
    }
    cr_expect_leq(early, options->iburst ? NTP_POLL_BURST_MAX - 1 : 0);
    cr_expect_gt(sent, 10000);
    cr_expect_leq(sent, (uint64_t)(year / least) + NTP_POLL_BURST_MAX);
}

Test(ntp_poll, a_year_with_restarts)
{
    live_a_year(&amazon, 1);
    live_a_year(&usual, 2);
    live_a_year(&(struct ntp_poll_options){.minpoll = 4, .maxpoll = 8, .iburst = true}, 3);
}
