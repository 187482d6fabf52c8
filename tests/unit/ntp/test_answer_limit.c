/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests over the limit: who is one client, and what it is told.
 */
#include "tests/unit/ntp/ntp_sample.h"

#include <stdlib.h>

enum { BURST = 4, ADDRESS_A = 1001, ADDRESS_B = 1002 };

static struct sample s;
static struct ratelimit limit;
static void *memory;

static void set_up(void)
{
    struct ratelimit_options options = {
        .interval = 3, .burst = BURST, .leak = 0, .v4_bits = 32, .v6_bits = 64};
    size_t size = ratelimit_size(64);
    memory = malloc(size);
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
    cr_assert_eq(ratelimit_init(&limit, &options, memory, size), NTS_OK);
    s.env.limit = &limit;
    s.env.now = (struct mono_ns){.ns = 1000 * NS_PER_S};
    s.env.address = ADDRESS_A;
}

static void tear_down(void)
{
    free(memory);
}

TestSuite(answer_limit, .init = set_up, .fini = tear_down);

static enum ntp_verdict ask(const char *fields, struct span *reply)
{
    return sample_ask(&s, sample_request(&s, fields), reply);
}

/* The burst passes, then one kiss is due, then there is silence. */
static void expect_limited(const char *fields, enum ntp_verdict answer)
{
    struct span reply;
    for (int i = 0; i < BURST; i++) {
        cr_expect_eq(ask(fields, &reply), answer, "%s: answer %d", fields, i);
    }
    enum ntp_verdict over = ask(fields, &reply);
    cr_expect(over == NTP_RATE_KISS || over == NTP_DROP_LIMITED, "%s: %d", fields, over);
    for (int i = 0; i < 20; i++) {
        cr_expect_eq(ask(fields, &reply), NTP_DROP_LIMITED, "%s: silence %d", fields, i);
        cr_expect_eq(reply.n, 0);
    }
}

Test(answer_limit, plain_requests_by_address)
{
    struct span reply;
    expect_limited("", NTP_ANSWER_PLAIN);
    s.env.address = ADDRESS_B;
    cr_expect_eq(ask("", &reply), NTP_ANSWER_PLAIN, "another address is another client");
    s.env.address = ADDRESS_A;
    s.env.now.ns += 8 * NS_PER_S;
    cr_expect_eq(ask("", &reply), NTP_ANSWER_PLAIN, "after an interval there is one more");
    cr_expect_neq(ask("", &reply), NTP_ANSWER_PLAIN);
}

Test(answer_limit, the_kiss_says_how_often)
{
    struct span reply;
    for (int i = 0; i < BURST; i++) {
        cr_assert_eq(ask("", &reply), NTP_ANSWER_PLAIN);
    }
    cr_assert_eq(ask("", &reply), NTP_RATE_KISS);
    struct ntp_header h = sample_reply_header(reply);
    cr_expect_eq(h.reference_id, NTP_KISS_RATE);
    cr_expect_eq(h.stratum, 0);
    cr_expect_eq(h.leap, NTP_LEAP_UNKNOWN);
    cr_expect_geq(h.poll, 3);
    cr_expect_eq(h.origin_time, SAMPLE_TRANSMIT);
}

Test(answer_limit, authenticated_requests_by_session_whatever_the_address)
{
    struct span reply;
    for (int i = 0; i < BURST; i++) {
        s.env.address = 5000 + (uint64_t)i;
        cr_expect_eq(ask("UCA", &reply), NTP_ANSWER_NTS);
    }
    cr_expect_neq(ask("UCA", &reply), NTP_ANSWER_NTS, "no address makes it another client");
    s.keys = sample_session(s.keys.alg, 1234);
    sample_make_cookie(&s, &s.ring);
    cr_expect_eq(ask("UCA", &reply), NTP_ANSWER_NTS, "another session behind the same address");
}

Test(answer_limit, a_flood_from_its_address_does_not_concern_a_session)
{
    struct span reply;
    for (int i = 0; i < 1000; i++) {
        (void)ask("", &reply);
        (void)ask("UXA", &reply);
    }
    cr_expect_eq(ask("UCA", &reply), NTP_ANSWER_NTS);
}

Test(answer_limit, naks_by_address_and_no_kiss_in_their_place)
{
    struct span reply;
    struct keyring ring = sample_keyring(8);
    static struct cookie_ring other;
    cr_assert_eq(cookie_ring_prepare(&other, &ring), NTS_OK);
    sample_make_cookie(&s, &other);
    for (int i = 0; i < BURST; i++) {
        cr_expect_eq(ask("UCA", &reply), NTP_NAK_COOKIE_AUTH);
    }
    for (int i = 0; i < 20; i++) {
        cr_expect_eq(ask("UCA", &reply), NTP_DROP_LIMITED);
    }
}

Test(answer_limit, the_kiss_of_a_session_is_authentic_and_brings_a_cookie)
{
    struct span reply;
    struct query_reply judged;
    for (int i = 0; i < BURST; i++) {
        cr_assert_eq(ask("UCA", &reply), NTP_ANSWER_NTS);
    }
    cr_assert_eq(ask("UCA", &reply), NTP_RATE_KISS);
    cr_expect_eq(sample_judge(&s, reply, &judged), QUERY_KISS);
    cr_expect_eq(sample_reply_header(reply).reference_id, NTP_KISS_RATE);
    cr_expect_eq(judged.cookie_count, 1, "it paid with one");
}

Test(answer_limit, what_is_dropped_anyway_costs_nobody_anything)
{
    struct span reply;
    for (int i = 0; i < 100; i++) {
        cr_expect_eq(ask("UUCA", &reply), NTP_DROP_NTS);
    }
    cr_expect_eq(ask("", &reply), NTP_ANSWER_PLAIN);
}

static int no_octets(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return -1;
}

Test(answer_limit, who_leaks_cannot_be_drawn)
{
    struct span reply;
    rng_init_from(&s.rng, no_octets, NULL);
    cr_expect_eq(ask("", &reply), NTP_DROP_NO_RANDOM);
    cr_expect_eq(reply.n, 0);
    s.env.limit = NULL;
    cr_expect_eq(ask("", &reply), NTP_ANSWER_PLAIN, "nothing to be drawn");
}
