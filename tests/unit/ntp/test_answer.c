/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers: what is asked, what is said, and that nothing forged gets a cookie. The checks common to
 * all (a reply is never longer than its request) are in sample_ask().
 */
#include "tests/unit/ntp/ntp_sample.h"

static struct sample s;

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
}

TestSuite(answer, .init = setup);

enum { NAK_LEN = NTP_HEADER_LEN + NTP_EF_HEAD_LEN + NTP_UID_LEN_MIN };

static void check_time_header(struct span reply, uint8_t version)
{
    struct ntp_header h = sample_reply_header(reply);
    cr_assert_eq(h.version, version);
    cr_assert_eq(h.mode, NTP_MODE_SERVER);
    cr_assert_eq(h.leap, NTP_LEAP_NONE);
    cr_assert_eq(h.stratum, SAMPLE_STRATUM);
    cr_assert_eq(h.poll, 6);
    cr_assert_eq(h.precision, -24);
    cr_assert_eq(h.root_delay, 5);
    cr_assert_eq(h.root_dispersion, 6);
    cr_assert_eq(h.reference_id, 0x7f7f0101);
    cr_assert_eq(h.reference_time, SAMPLE_RECEIVE - 1);
    cr_assert_eq(h.origin_time, SAMPLE_TRANSMIT);
    cr_assert_eq(h.receive_time, SAMPLE_RECEIVE);
    cr_assert_eq(h.transmit_time, SAMPLE_LEAVES);
}

static void check_nak(struct span reply, uint8_t uid)
{
    cr_assert_eq(reply.n, NAK_LEN);
    struct ntp_header h = sample_reply_header(reply);
    cr_assert_eq(h.version, 4);
    cr_assert_eq(h.mode, NTP_MODE_SERVER);
    cr_assert_eq(h.leap, NTP_LEAP_UNKNOWN);
    cr_assert_eq(h.stratum, NTP_STRATUM_KISS);
    cr_assert_eq(h.reference_id, NTP_KISS_NTSN);
    cr_assert_eq(h.origin_time, SAMPLE_TRANSMIT);
    cr_assert_eq(sample_count_fields(reply, NTP_EF_UNIQUE_IDENTIFIER), 1);
    cr_assert_eq(sample_count_fields(reply, NTP_EF_COOKIE), 0);
    cr_assert_eq(sample_count_fields(reply, NTP_EF_AUTHENTICATOR), 0);
    for (size_t i = NTP_HEADER_LEN + NTP_EF_HEAD_LEN; i < NAK_LEN; i++) {
        cr_assert_eq(reply.p[i], uid);
    }
}

Test(answer, plain_in_the_version_asked)
{
    for (uint8_t version = 1; version <= 4; version++) {
        struct wr w = wr_init(s.request, sizeof(s.request));
        sample_header(&w, version, NTP_MODE_CLIENT);
        struct span reply;
        cr_assert_eq(sample_ask(&s, wr_done(&w), &reply), NTP_ANSWER_PLAIN);
        cr_assert_eq(reply.n, NTP_HEADER_LEN);
        check_time_header(reply, version);
    }
}

Test(answer, only_the_transmit_timestamp_of_a_request_matters)
{
    const uint64_t transmits[] = {0, UINT64_MAX, SAMPLE_RECEIVE, SAMPLE_LEAVES};
    for (size_t i = 0; i < sizeof(transmits) / sizeof(transmits[0]); i++) {
        const struct ntp_header header = {
            .leap = (uint8_t)i,
            .version = 4,
            .mode = NTP_MODE_CLIENT,
            .stratum = (uint8_t)(i * 85),
            .poll = 6,
            .precision = (int8_t)(i - 2),
            .root_delay = UINT32_MAX,
            .root_dispersion = UINT32_MAX,
            .reference_id = NTP_KISS_NTSN,
            .reference_time = UINT64_MAX,
            .origin_time = UINT64_MAX,
            .receive_time = UINT64_MAX,
            .transmit_time = transmits[i],
        };
        struct wr w = wr_init(s.request, sizeof(s.request));
        ntp_header_write(&w, &header);
        struct span reply;
        cr_assert_eq(sample_ask(&s, wr_done(&w), &reply), NTP_ANSWER_PLAIN);
        struct ntp_header h = sample_reply_header(reply);
        cr_assert_eq(h.origin_time, transmits[i]);
        cr_assert_eq(h.receive_time, SAMPLE_RECEIVE);
        cr_assert_eq(h.transmit_time, SAMPLE_LEAVES);
        cr_assert_eq(h.stratum, SAMPLE_STRATUM);
    }
}

Test(answer, plain_echoes_a_uid_and_nothing_else)
{
    struct span reply;
    cr_assert_eq(sample_ask(&s, sample_request(&s, "YUY"), &reply), NTP_ANSWER_PLAIN);
    cr_assert_eq(reply.n, NAK_LEN);
    check_time_header(reply, 4);
    cr_assert_eq(reply.p[NTP_HEADER_LEN + NTP_EF_HEAD_LEN], 0xa1);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "Y"), &reply), NTP_ANSWER_PLAIN);
    cr_assert_eq(reply.n, NTP_HEADER_LEN);
}

Test(answer, nts_only_answers_no_plain_request)
{
    s.env.nts_only = true;
    struct span reply;
    cr_assert_eq(sample_ask(&s, sample_request(&s, ""), &reply), NTP_DROP_UNAUTHENTICATED);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "U"), &reply), NTP_DROP_UNAUTHENTICATED);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_ANSWER_NTS);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UcA"), &reply), NTP_NAK_COOKIE_AUTH);
}

Test(answer, an_unsynchronised_clock_is_authenticated_too)
{
    s.env.clock =
        (struct ntp_clock_fields){.leap = NTP_LEAP_UNKNOWN, .root_dispersion = UINT32_MAX};
    struct span reply;
    struct query_reply judged;
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_ANSWER_NTS);
    cr_assert_eq(sample_judge(&s, reply, &judged), QUERY_UNSYNCHRONISED);
    cr_assert_eq(judged.cookie_count, 1);
    cr_assert_eq(judged.header.stratum, 0);
}

struct verdict_case {
    const char *fields;
    enum ntp_verdict verdict;
};

static const struct verdict_case verdicts[] = {
    {"UCA", NTP_ANSWER_NTS},        {"CUA", NTP_ANSWER_NTS},        {"XUCYA", NTP_ANSWER_NTS},
    {"UCAA", NTP_ANSWER_NTS},       {"UCAZ", NTP_ANSWER_NTS},       {"UCA3", NTP_ANSWER_NTS},
    {"UcA", NTP_NAK_COOKIE_AUTH},   {"UkA", NTP_NAK_COOKIE_KEY},    {"UfA", NTP_NAK_COOKIE_FORMAT},
    {"UeA", NTP_NAK_COOKIE_FORMAT}, {"UsA", NTP_NAK_COOKIE_FORMAT}, {"UlA", NTP_NAK_COOKIE_FORMAT},
    {"UCZ", NTP_NAK_REQUEST_AUTH},  {"UCR", NTP_NAK_REQUEST_AUTH},  {"UCT", NTP_NAK_REQUEST_AUTH},
    {"UCZA", NTP_NAK_REQUEST_AUTH}, {"UUCA", NTP_DROP_NTS},         {"UC", NTP_DROP_NTS},
    {"UcZ", NTP_NAK_COOKIE_AUTH},   {"13", NTP_DROP_FIELD},
};

static void check_verdicts(void)
{
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        struct span reply;
        enum ntp_verdict verdict = sample_ask(&s, sample_request(&s, verdicts[i].fields), &reply);
        cr_assert_eq(verdict, verdicts[i].verdict, "%s: %s", verdicts[i].fields,
                     ntp_verdict_name(verdict));
        cr_assert_eq(reply.n > 0, ntp_verdict_is_answer(verdict));
        if (verdict == NTP_ANSWER_NTS) {
            struct query_reply judged;
            cr_assert_eq(sample_judge(&s, reply, &judged), QUERY_OK, "%s", verdicts[i].fields);
            cr_assert_eq(judged.cookie_count, 1);
            check_time_header(reply, 4);
        }
        if (verdict > NTP_ANSWER_NTS && reply.n > 0) {
            check_nak(reply, 0xa1);
        }
    }
}

Test(answer, verdicts_for_every_aead)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        sample_init(&s, all[i]);
        check_verdicts();
    }
}

Test(answer, a_nak_is_84_octets_and_a_longer_uid_makes_a_longer_one)
{
    struct span reply;
    cr_assert_eq(sample_ask(&s, sample_request(&s, "VcPPPPA"), &reply), NTP_NAK_COOKIE_AUTH);
    check_nak(reply, 0xb2);
    cr_assert_eq(reply.n, 84);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "wcA"), &reply), NTP_NAK_COOKIE_AUTH);
    cr_assert_eq(reply.n, 84 + 32);
}

Test(answer, no_keys_no_answer_but_plain_ones)
{
    cookie_ring_wipe(&s.ring);
    struct span reply;
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_DROP_NO_KEYS);
    cr_assert_eq(sample_ask(&s, sample_request(&s, ""), &reply), NTP_ANSWER_PLAIN);
}

static int no_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return -1;
}

/* Fills once, to fail in the middle of a reply. */
static int random_once(void *ctx, uint8_t *out, size_t n)
{
    int *left = ctx;
    memset(out, 1, n);
    return (*left)-- > 0 ? 0 : -1;
}

Test(answer, no_random_no_authenticated_answer)
{
    struct span reply;
    rng_init_from(&s.rng, no_random, NULL);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_DROP_NO_RANDOM);
    cr_assert_eq(sample_ask(&s, sample_request(&s, ""), &reply), NTP_ANSWER_PLAIN);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UcA"), &reply), NTP_NAK_COOKIE_AUTH);

    int fills = 1;
    size_t answered = 0;
    rng_init_from(&s.rng, random_once, &fills);
    while (sample_ask(&s, sample_request(&s, "UCPPA"), &reply) == NTP_ANSWER_NTS) {
        answered++;
        cr_assert_lt(answered, 1000);
    }
    cr_assert_gt(answered, 0);
    cr_assert_eq(reply.n, 0);
}

/* Anything but NAK or silence for a flipped bit would be a forgery. */
static void flip_every_bit(const char *fields)
{
    struct span request = sample_request(&s, fields);
    for (size_t bit = 0; bit < 8 * request.n; bit++) {
        s.request[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct span reply;
        enum ntp_verdict verdict = sample_ask(&s, request, &reply);
        cr_assert_neq(verdict, NTP_ANSWER_NTS, "bit %zu of octet %zu", bit % 8, bit / 8);
        cr_assert_neq(verdict, NTP_ANSWER_PLAIN, "bit %zu of octet %zu", bit % 8, bit / 8);
        if (reply.n > 0) {
            cr_assert_eq(sample_reply_header(reply).reference_id, NTP_KISS_NTSN);
            cr_assert_eq(sample_count_fields(reply, NTP_EF_AUTHENTICATOR), 0);
            cr_assert_eq(sample_count_fields(reply, NTP_EF_COOKIE), 0);
        }
        s.request[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    struct span reply;
    cr_assert_eq(sample_ask(&s, request, &reply), NTP_ANSWER_NTS);
}

Test(answer, no_flipped_bit_gets_cookies)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    cr_assert_geq(count, 2);
    for (size_t i = 0; i < count; i++) {
        sample_init(&s, all[i]);
        flip_every_bit("UCA");
        flip_every_bit("XwCPPYA");
    }
}

Test(answer, keys_of_another_ring_or_direction_or_aead_are_refused)
{
    struct span reply;
    static struct cookie_ring other;
    struct keyring ring = sample_keyring(8); /* same ids, other keys */
    cr_assert_eq(cookie_ring_prepare(&other, &ring), NTS_OK);
    sample_make_cookie(&s, &other);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_NAK_COOKIE_AUTH);

    sample_make_cookie(&s, &s.ring);
    struct secret_key c2s = s.keys.c2s;
    s.keys.c2s = s.keys.s2c; /* a reply played back as a request */
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_NAK_REQUEST_AUTH);
    s.keys.c2s = c2s;

    struct session_keys wide = sample_session(sample_alg(AEAD_AES_SIV_CMAC_512), 1);
    s.keys = wide; /* cookie says 15, request is sealed with 17 */
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_NAK_REQUEST_AUTH);
}

Test(answer, any_key_of_the_ring_opens_and_its_slot_is_told)
{
    struct keyring ring = sample_keyring(7);
    for (uint32_t i = 0; i < SAMPLE_KEYS; i++) {
        static struct cookie_ring sealing;
        ring.issuing = i;
        cr_assert_eq(cookie_ring_prepare(&sealing, &ring), NTS_OK);
        sample_make_cookie(&s, &sealing);
        struct span reply;
        cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_ANSWER_NTS);
        cr_assert_eq(s.pending.key_slot, i);
    }
}

Test(answer, the_key_is_gone_after_the_reply)
{
    struct span reply;
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCA"), &reply), NTP_ANSWER_NTS);
    struct aead_key nothing;
    memset(&nothing, 0, sizeof(nothing));
    cr_assert_eq(memcmp(&s.pending.key, &nothing, sizeof(nothing)), 0);
}

Test(answer, identical_requests_get_different_nonces_and_cookies)
{
    struct span request = sample_request(&s, "UCA");
    static uint8_t seen[1000][AEAD_NONCE_LEN];
    for (size_t i = 0; i < 1000; i++) {
        struct span reply;
        cr_assert_eq(sample_ask(&s, request, &reply), NTP_ANSWER_NTS);
        memcpy(seen[i], reply.p + NAK_LEN + 8, AEAD_NONCE_LEN);
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(memcmp(seen[i], seen[j], AEAD_NONCE_LEN), 0);
        }
        struct query_reply judged;
        cr_assert_eq(sample_judge(&s, reply, &judged), QUERY_OK);
        cr_assert(!span_is(judged.cookie[0], s.cookie, s.cookie_len));
    }
}
