/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client refuses: replies without UID, authenticator or echo first of all.
 */
#include "tests/unit/ntp/ntp_sample.h"

static struct sample s;
static uint8_t packet[2048];

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
}

TestSuite(query_judge, .init = setup);

/* A reply as some server might make it: one letter a field, as in sample_field(), and
 *   S an authenticator of the server over a cookie     E one over nothing
 *   9 one over nine tiny ones                           B one over broken fields
 *   N one with the client's own key                    W one with an empty nonce */
static void reply_field(struct wr *w, char letter)
{
    static uint8_t plain[9 * (NTP_EF_HEAD_LEN + COOKIE_LEN_MAX)];
    struct wr p = wr_init(plain, sizeof(plain));
    size_t cookies = letter == '9' ? 9 : letter == 'S' ? 1 : 0;
    for (size_t i = 0; i < cookies; i++) {
        sample_field(&s, &p, letter == '9' ? 'e' : 'C');
    }
    if (letter == 'B') {
        wr_u32(&p, 0x02040003);
    }
    if (letter == 'W') {
        const uint8_t body[36] = {0, 0, 0, 16};
        ntp_ef_write(w, NTP_EF_AUTHENTICATOR, span_of(body, sizeof(body)), 0);
        return;
    }
    if (strchr("S9EBN", letter) == NULL) {
        sample_field(&s, w, letter);
        return;
    }
    const struct secret_key *secret = letter == 'N' ? &s.keys.c2s : &s.keys.s2c;
    struct aead_key key;
    cr_assert_eq(aead_key_init(&key, s.keys.alg, secret_key_span(secret)), NTS_OK);
    const uint8_t nonce[16] = {1};
    cr_assert_eq(ntp_auth_seal(&key, span_of(nonce, s.keys.alg->nonce_len), wr_done(&p), w),
                 NTS_OK);
}

static struct span make_reply(const struct ntp_header *header, const char *fields)
{
    struct wr w = wr_init(packet, sizeof(packet));
    ntp_header_write(&w, header);
    for (const char *f = fields; *f != '\0'; f++) {
        reply_field(&w, *f);
    }
    cr_assert(!w.bad);
    return wr_done(&w);
}

static struct ntp_header good_header(void)
{
    return (struct ntp_header){.version = 4,
                               .mode = NTP_MODE_SERVER,
                               .stratum = 2,
                               .origin_time = SAMPLE_TRANSMIT,
                               .receive_time = 1,
                               .transmit_time = 2};
}

struct judge_case {
    const char *fields;
    enum query_verdict verdict;
    size_t cookies;
};

static const struct judge_case cases[] = {
    {"US", QUERY_OK, 1},
    {"UE", QUERY_OK, 0},
    {"U9", QUERY_OK, 8},
    {"XUXS", QUERY_OK, 1},
    {"USX1", QUERY_OK, 1}, /* nothing after the authenticator counts */
    {"UCE", QUERY_OK, 0},  /* a cookie in the clear is none */
    {"UES", QUERY_OK, 0},
    {"S", QUERY_NO_UID, 0},
    {"", QUERY_NO_UID, 0},
    {"SU", QUERY_NO_UID, 0}, /* nobody vouches for what follows */
    {"VS", QUERY_WRONG_UID, 0},
    {"uS", QUERY_WRONG_UID, 0},
    {"wS", QUERY_WRONG_UID, 0},
    {"UUS", QUERY_WRONG_UID, 0},
    {"UVS", QUERY_WRONG_UID, 0},
    {"U", QUERY_NO_AUTHENTICATOR, 0},
    {"UC", QUERY_NO_AUTHENTICATOR, 0},
    {"UZ", QUERY_NOT_AUTHENTIC, 0},
    {"UR", QUERY_NOT_AUTHENTIC, 0},
    {"UT", QUERY_NOT_AUTHENTIC, 0},
    {"UN", QUERY_NOT_AUTHENTIC, 0},
    {"UW", QUERY_NOT_AUTHENTIC, 0},
    {"UZS", QUERY_NOT_AUTHENTIC, 0},
    {"UB", QUERY_BAD_FIELD, 0},
    {"U1", QUERY_BAD_FIELD, 0},
    {"1US", QUERY_BAD_FIELD, 0},
};

Test(query_judge, fields)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t a = 0; a < count; a++) {
        sample_init(&s, all[a]);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            const struct ntp_header header = good_header();
            struct query_reply judged;
            enum query_verdict verdict =
                sample_judge(&s, make_reply(&header, cases[i].fields), &judged);
            cr_assert_eq(verdict, cases[i].verdict, "%s: %s", cases[i].fields,
                         query_verdict_text(verdict));
            cr_assert_eq(judged.cookie_count, cases[i].cookies, "%s", cases[i].fields);
        }
    }
}

/* Headers, in a reply that is otherwise in order ("US"), unauthenticated ("U"), and plain. */
struct header_case {
    const char *name;
    uint8_t leap;
    uint8_t version;
    uint8_t mode;
    uint8_t stratum;
    uint32_t reference_id;
    uint64_t origin_time;
    enum query_verdict authentic;
    enum query_verdict unauthenticated;
    enum query_verdict plain;
};

#define T SAMPLE_TRANSMIT

static const struct header_case headers[] = {
    {"good", 0, 4, 4, 2, 1, T, QUERY_OK, QUERY_NO_AUTHENTICATOR, QUERY_OK},
    {"leap second", 1, 4, 4, 15, 1, T, QUERY_OK, QUERY_NO_AUTHENTICATOR, QUERY_OK},
    {"version 3", 0, 3, 4, 2, 1, T, QUERY_NOT_A_REPLY, QUERY_NOT_A_REPLY, QUERY_NOT_A_REPLY},
    {"request", 0, 4, 3, 2, 1, T, QUERY_NOT_A_REPLY, QUERY_NOT_A_REPLY, QUERY_NOT_A_REPLY},
    {"broadcast", 0, 4, 5, 2, 1, T, QUERY_NOT_A_REPLY, QUERY_NOT_A_REPLY, QUERY_NOT_A_REPLY},
    {"no echo", 0, 4, 4, 2, 1, 0, QUERY_ORIGIN, QUERY_ORIGIN, QUERY_ORIGIN},
    {"other echo", 0, 4, 4, 2, 1, T + 1, QUERY_ORIGIN, QUERY_ORIGIN, QUERY_ORIGIN},
    {"nak", 3, 4, 4, 0, NTP_KISS_NTSN, T, QUERY_KISS, QUERY_NAK, QUERY_KISS},
    {"nak, no echo", 3, 4, 4, 0, NTP_KISS_NTSN, 7, QUERY_ORIGIN, QUERY_ORIGIN, QUERY_ORIGIN},
    {"rate", 3, 4, 4, 0, NTP_KISS_RATE, T, QUERY_KISS, QUERY_KISS, QUERY_KISS},
    {"deny", 0, 4, 4, 0, NTP_KISS_DENY, T, QUERY_KISS, QUERY_KISS, QUERY_KISS},
    {"leap 3", 3, 4, 4, 2, 1, T, QUERY_UNSYNCHRONISED, QUERY_NO_AUTHENTICATOR,
     QUERY_UNSYNCHRONISED},
    {"stratum 0", 0, 4, 4, 0, 0, T, QUERY_UNSYNCHRONISED, QUERY_NO_AUTHENTICATOR,
     QUERY_UNSYNCHRONISED},
    {"stratum 16", 0, 4, 4, 16, 1, T, QUERY_UNSYNCHRONISED, QUERY_NO_AUTHENTICATOR,
     QUERY_UNSYNCHRONISED},
};

Test(query_judge, header_values)
{
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const struct header_case *c = &headers[i];
        struct ntp_header header = good_header();
        header.leap = c->leap;
        header.version = c->version;
        header.mode = c->mode;
        header.stratum = c->stratum;
        header.reference_id = c->reference_id;
        header.origin_time = c->origin_time;
        struct query_reply judged;
        cr_assert_eq(sample_judge(&s, make_reply(&header, "US"), &judged), c->authentic, "%s",
                     c->name);
        cr_assert_eq(sample_judge(&s, make_reply(&header, "U"), &judged), c->unauthenticated, "%s",
                     c->name);
        const struct query plain = {.transmit_time = SAMPLE_TRANSMIT};
        cr_assert_eq(query_judge(&plain, NULL, make_reply(&header, ""), &judged), c->plain, "%s",
                     c->name);
        cr_assert_eq(judged.header.reference_id, c->reference_id);
    }
}

Test(query_judge, a_nak_needs_our_uid)
{
    struct ntp_header header = good_header();
    header.stratum = 0;
    header.reference_id = NTP_KISS_NTSN;
    struct query_reply judged;
    cr_assert_eq(sample_judge(&s, make_reply(&header, "V"), &judged), QUERY_WRONG_UID);
    cr_assert_eq(sample_judge(&s, make_reply(&header, ""), &judged), QUERY_NO_UID);
}

Test(query_judge, every_truncation_and_every_flipped_bit_is_refused)
{
    const struct ntp_header header = good_header();
    struct span reply = make_reply(&header, "US");
    struct query_reply judged;
    for (size_t n = 0; n < reply.n; n++) {
        enum query_verdict verdict = sample_judge(&s, span_of(reply.p, n), &judged);
        cr_assert_neq(verdict, QUERY_OK, "%zu octets", n);
        cr_assert(n >= NTP_HEADER_LEN || verdict == QUERY_SHORT);
    }
    for (size_t bit = 0; bit < 8 * reply.n; bit++) {
        packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
        cr_assert_neq(sample_judge(&s, reply, &judged), QUERY_OK, "bit %zu", bit);
        cr_assert_eq(judged.cookie_count, 0);
        packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    cr_assert_eq(sample_judge(&s, reply, &judged), QUERY_OK);
}

Test(query_judge, verdicts_have_texts)
{
    for (int i = 0; i < QUERY_VERDICTS; i++) {
        cr_assert_gt(strlen(query_verdict_text((enum query_verdict)i)), 10);
    }
    cr_assert_not_null(query_verdict_text(QUERY_VERDICTS));
}
