/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as our client writes them, and the arithmetic of offset and delay.
 */
#include "ntp/request.h"
#include "tests/unit/ntp/ntp_sample.h"

static struct sample s;

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
}

TestSuite(query, .init = setup);

Test(query, plain_requests_say_nothing_but_random_bits)
{
    uint64_t last = 0;
    for (int i = 0; i < 100; i++) {
        struct query query;
        struct wr w = wr_init(s.request, sizeof(s.request));
        cr_assert_eq(query_write_plain(&s.rng, &query, &w), NTS_OK);
        cr_assert_eq(w.n, NTP_HEADER_LEN);
        cr_assert_eq(s.request[0], 0x23);
        for (size_t j = 1; j < NTP_TRANSMIT_OFFSET; j++) {
            cr_assert_eq(s.request[j], 0);
        }
        cr_assert_not(query.nts);
        cr_assert_neq(query.transmit_time, last);
        last = query.transmit_time;
    }
}

Test(query, authenticated_requests_are_what_the_server_wants)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        sample_init(&s, all[i]);
        for (size_t n = 0; n <= 5; n++) {
            struct query query;
            struct wr w = wr_init(s.request, sizeof(s.request));
            struct span cookie = span_of(s.cookie, s.cookie_len);
            cr_assert_eq(query_write_nts(&s.rng, &s.keys, cookie, n, &query, &w), NTS_OK);
            struct ntp_request request;
            cr_assert_eq(ntp_request_parse(wr_done(&w), &request), NTP_ANSWER_NTS);
            cr_assert_eq(request.placeholders, n);
            cr_assert(span_is(request.uid, query.uid, sizeof(query.uid)));
            cr_assert(ntp_authenticator_has_room(&request.auth, all[i]->nonce_max));
            struct span reply;
            struct query_reply judged;
            cr_assert_eq(sample_ask(&s, wr_done(&w), &reply), NTP_ANSWER_NTS);
            cr_assert_eq(query_judge(&query, &s.keys, reply, &judged), QUERY_OK);
            cr_assert_eq(judged.cookie_count, n + 1);
        }
    }
}

Test(query, a_cookie_of_any_length_is_carried)
{
    for (size_t n = 0; n < 300; n++) {
        uint8_t cookie[300];
        memset(cookie, 0x99, sizeof(cookie));
        struct query query;
        struct wr w = wr_init(s.request, sizeof(s.request));
        cr_assert_eq(query_write_nts(&s.rng, &s.keys, span_of(cookie, n), 1, &query, &w), NTS_OK);
        struct ntp_request request;
        cr_assert_eq(ntp_request_parse(wr_done(&w), &request), NTP_ANSWER_NTS, "%zu", n);
        cr_assert_eq(request.placeholders, 1);
        cr_assert(span_is(span_of(request.cookie.p, n), cookie, n));
    }
}

Test(query, no_room_and_no_randomness_are_told)
{
    struct query query;
    struct wr whole = wr_init(s.request, sizeof(s.request));
    struct span cookie = span_of(s.cookie, s.cookie_len);
    cr_assert_eq(query_write_nts(&s.rng, &s.keys, cookie, 1, &query, &whole), NTS_OK);
    for (size_t cap = 0; cap < whole.n; cap++) {
        struct wr w = wr_init(s.request, cap);
        cr_assert_eq(query_write_nts(&s.rng, &s.keys, cookie, 1, &query, &w), NTS_ESPACE);
        cr_assert_eq(wr_done(&w).n, 0);
    }
    struct wr w = wr_init(s.request, NTP_HEADER_LEN - 1);
    cr_assert_eq(query_write_plain(&s.rng, &query, &w), NTS_ESPACE);
    w = wr_init(s.request, sizeof(s.request));
    cr_assert_eq(query_write_nts(&s.rng, &s.keys, span_of(s.request, 65530), 0, &query, &w),
                 NTS_ESPACE);
}

static int no_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return -1;
}

Test(query, nothing_is_written_without_randomness)
{
    struct query query;
    rng_init_from(&s.rng, no_random, NULL);
    struct wr w = wr_init(s.request, sizeof(s.request));
    cr_assert_eq(query_write_plain(&s.rng, &query, &w), NTS_ESYSTEM);
    struct span cookie = span_of(s.cookie, s.cookie_len);
    cr_assert_eq(query_write_nts(&s.rng, &s.keys, cookie, 0, &query, &w), NTS_ESYSTEM);
}

static struct query_times times(int64_t t1, int64_t t2, int64_t t3, int64_t t4)
{
    const struct ntp_header header = {
        .receive_time = ntp_time_from_wall((struct wall_ns){.ns = t2}),
        .transmit_time = ntp_time_from_wall((struct wall_ns){.ns = t3}),
    };
    return query_times(&header, (struct wall_ns){.ns = t1}, (struct wall_ns){.ns = t4});
}

Test(query, offset_and_delay)
{
    const int64_t now = INT64_C(1767225600) * NS_PER_S;
    const int64_t era = INT64_C(2085978496) * NS_PER_S; /* 2036-02-07, where the seconds wrap */
    const struct {
        int64_t t[4];
        int64_t offset;
        int64_t delay;
    } cases[] = {
        {{0, 10, 20, 30}, 0, 20}, {{0, 1010, 1020, 30}, 1000, 20}, {{0, -990, -980, 30}, -1000, 20},
        {{0, 5, 6, 10}, 0, 9},    {{0, 7, 7, 10}, 2, 10},          {{-100, 50, 60, 100}, 55, 190},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int64_t *t = cases[i].t;
        for (int e = 0; e < 2; e++) {
            int64_t base = e == 0 ? now : era;
            struct query_times q = times(base + t[0], base + t[1], base + t[2], base + t[3]);
            cr_assert_eq(q.offset_ns, cases[i].offset, "case %zu: %ld", i, (long)q.offset_ns);
            cr_assert_eq(q.delay_ns, cases[i].delay, "case %zu", i);
        }
    }
}

Test(query, absurd_times_do_not_overflow)
{
    const int64_t walls[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    const uint64_t ntps[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < 5 * 5 * 4 * 4; i++) {
        const struct ntp_header header = {.receive_time = ntps[i % 4],
                                          .transmit_time = ntps[i / 4 % 4]};
        (void)query_times(&header, (struct wall_ns){.ns = walls[i / 16 % 5]},
                          (struct wall_ns){.ns = walls[i / 80]});
    }
}
