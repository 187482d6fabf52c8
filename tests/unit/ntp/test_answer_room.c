/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers at the edges of their lengths: placeholders, nonces, ciphertexts, encrypted fields and
 * whatever fills 0 to 1500 octets.
 */
#include "tests/unit/ntp/ntp_sample.h"

static struct sample s;

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
}

TestSuite(answer_room, .init = setup);

static void check_cookies(struct span reply, size_t count)
{
    struct query_reply judged;
    cr_assert_eq(sample_judge(&s, reply, &judged), QUERY_OK);
    cr_assert_eq(judged.cookie_count, count, "%zu cookies", judged.cookie_count);
    cr_assert_eq(s.pending.cookie_count, count);
    for (size_t i = 0; i < count; i++) {
        struct session_keys keys;
        size_t slot;
        cr_assert_eq(judged.cookie[i].n, s.cookie_len);
        cr_assert_eq(cookie_unseal(&s.ring, judged.cookie[i], &keys, &slot), NTS_OK);
        cr_assert_eq(slot, SAMPLE_ISSUING);
        cr_assert(ct_equal(keys.c2s.bytes, s.keys.c2s.bytes, keys.c2s.len));
        for (size_t j = 0; j < i; j++) {
            cr_assert(!span_is(judged.cookie[j], judged.cookie[i].p, judged.cookie[i].n));
        }
    }
}

Test(answer_room, one_cookie_and_one_for_each_placeholder_up_to_eight)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t a = 0; a < count; a++) {
        sample_init(&s, all[a]);
        for (size_t n = 0; n <= 20; n++) {
            char fields[32] = "UC";
            memset(fields + 2, 'P', n);
            fields[2 + n] = 'A';
            size_t len = 48 + 36 + (n + 1) * (4 + s.cookie_len) + 80;
            if (len > NTP_DATAGRAM_MAX) {
                break;
            }
            struct span reply;
            struct span request = sample_request(&s, fields);
            cr_assert_eq(sample_ask(&s, request, &reply), NTP_ANSWER_NTS);
            check_cookies(reply, n < 8 ? n + 1 : 8);
            if (n < 8) {
                cr_assert_eq(reply.n, request.n, "full answers are as long as their question");
            }
        }
    }
}

Test(answer_room, placeholders_of_another_length_buy_nothing)
{
    struct span reply;
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCppppppppA"), &reply), NTP_ANSWER_NTS);
    check_cookies(reply, 1);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCqqqqA"), &reply), NTP_ANSWER_NTS);
    check_cookies(reply, 1);
    cr_assert_eq(sample_ask(&s, sample_request(&s, "UCqPpPA"), &reply), NTP_ANSWER_NTS);
    check_cookies(reply, 3);
}

Test(answer_room, as_many_tiny_placeholders_as_fit)
{
    struct wr w = wr_init(s.request, NTP_DATAGRAM_MAX);
    sample_header(&w, 4, NTP_MODE_CLIENT);
    sample_field(&s, &w, 'U');
    sample_field(&s, &w, 'C');
    while (w.cap - w.n >= 16 + 40) {
        sample_field(&s, &w, 'p');
    }
    sample_auth_normal(&s, &w);
    struct span reply;
    cr_assert_eq(sample_ask(&s, wr_done(&w), &reply), NTP_ANSWER_NTS);
    check_cookies(reply, 1);
}

/* UID, cookie and an authenticator with this nonce, padding and plaintext. */
static enum ntp_verdict ask_with(size_t nonce_len, size_t padding, struct span plain,
                                 struct span *reply)
{
    struct wr w = wr_init(s.request, sizeof(s.request));
    sample_header(&w, 4, NTP_MODE_CLIENT);
    sample_field(&s, &w, 'U');
    sample_field(&s, &w, 'C');
    sample_auth(&s, &w, nonce_len, plain, padding);
    return sample_ask(&s, wr_done(&w), reply);
}

Test(answer_room, nonce_lengths_and_their_padding)
{
    const struct {
        size_t nonce;
        size_t padding;
        enum ntp_verdict verdict;
    } cases[] = {
        {16, 0, NTP_ANSWER_NTS}, {16, 4, NTP_ANSWER_NTS}, {16, 400, NTP_ANSWER_NTS},
        {17, 0, NTP_ANSWER_NTS}, {64, 0, NTP_ANSWER_NTS}, {15, 0, NTP_ANSWER_NTS},
        {13, 0, NTP_ANSWER_NTS}, {12, 0, NTP_DROP_NONCE}, {12, 4, NTP_ANSWER_NTS},
        {1, 0, NTP_DROP_NONCE},  {1, 8, NTP_DROP_NONCE},  {1, 12, NTP_ANSWER_NTS},
        {8, 4, NTP_DROP_NONCE},  {8, 8, NTP_ANSWER_NTS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span reply;
        enum ntp_verdict verdict =
            ask_with(cases[i].nonce, cases[i].padding, span_of(NULL, 0), &reply);
        cr_assert_eq(verdict, cases[i].verdict, "nonce %zu padding %zu: %s", cases[i].nonce,
                     cases[i].padding, ntp_verdict_name(verdict));
        if (verdict == NTP_ANSWER_NTS) {
            check_cookies(reply, 1);
        }
    }
}

/* An authenticator body of our own making: lengths as given, `rest` octets of 0x11 behind them. */
static enum ntp_verdict ask_raw(uint16_t nonce_len, uint16_t ciphertext_len, size_t rest)
{
    uint8_t body[NTP_DATAGRAM_MAX];
    struct wr b = wr_init(body, sizeof(body));
    wr_u16(&b, nonce_len);
    wr_u16(&b, ciphertext_len);
    memset(wr_room(&b, rest), 0x11, rest);
    struct wr w = wr_init(s.request, sizeof(s.request));
    sample_header(&w, 4, NTP_MODE_CLIENT);
    sample_field(&s, &w, 'U');
    sample_field(&s, &w, 'C');
    ntp_ef_write(&w, NTP_EF_AUTHENTICATOR, wr_done(&b), 0);
    struct span reply;
    return sample_ask(&s, wr_done(&w), &reply);
}

Test(answer_room, authenticators_with_lengths_out_of_this_world)
{
    cr_assert_eq(ask_raw(0, 16, 32), NTP_DROP_NONCE); /* a library would assert on this one */
    cr_assert_eq(ask_raw(0, 0, 32), NTP_DROP_NONCE);
    cr_assert_eq(ask_raw(0xffff, 16, 32), NTP_DROP_FIELD);
    cr_assert_eq(ask_raw(16, 0xffff, 32), NTP_DROP_FIELD);
    cr_assert_eq(ask_raw(16, 17, 32), NTP_DROP_FIELD);
    cr_assert_eq(ask_raw(16, 16, 8), NTP_DROP_FIELD);
    for (uint16_t n = 0; n <= AEAD_TAG_LEN; n++) {
        cr_assert_eq(ask_raw(16, n, 32), NTP_NAK_REQUEST_AUTH, "ciphertext of %u", n);
    }
}

Test(answer_room, a_zero_or_any_other_tag_over_nothing_is_a_nak)
{
    for (unsigned fill = 0; fill < 256; fill++) {
        struct wr w = wr_init(s.request, sizeof(s.request));
        sample_header(&w, 4, NTP_MODE_CLIENT);
        sample_field(&s, &w, 'U');
        sample_field(&s, &w, 'C');
        sample_auth_forged(&w, (uint8_t)fill, AEAD_TAG_LEN);
        struct span reply;
        cr_assert_eq(sample_ask(&s, wr_done(&w), &reply), NTP_NAK_REQUEST_AUTH);
    }
}

Test(answer_room, encrypted_fields_are_checked_and_ignored)
{
    const struct {
        const char *plain;
        size_t n;
        enum ntp_verdict verdict;
    } cases[] = {
        {"", 0, NTP_ANSWER_NTS},
        {"\x43\x21\x00\x04", 4, NTP_ANSWER_NTS}, /* arbitrarily short is allowed in here */
        {"\x43\x21\x00\x08....\x01\x04\x00\x08....", 16, NTP_ANSWER_NTS},
        {"\x02\x04\x00\x10............", 16, NTP_ANSWER_NTS}, /* a cookie */
        {"\x03\x04\x00\x10............", 16, NTP_ANSWER_NTS}, /* a placeholder */
        {"\x04\x04\x00\x10............", 16, NTP_ANSWER_NTS}, /* an authenticator */
        {"\x43\x21\x00\x00", 4, NTP_DROP_FIELD},
        {"\x43\x21\x00\x03", 4, NTP_DROP_FIELD},
        {"\x43\x21\x00\x06..", 6, NTP_DROP_FIELD},
        {"\x43\x21\x00\x08...", 7, NTP_DROP_FIELD},
        {"\x43\x21\xff\xfc....", 8, NTP_DROP_FIELD},
        {"\x43", 1, NTP_DROP_FIELD},
        {"\x43\x21\x00\x04\x00", 5, NTP_DROP_FIELD},
        {"\x43\x21\x00\x04\x00\x00\x00", 7, NTP_DROP_FIELD},
        {"rubbish!", 8, NTP_DROP_FIELD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span reply;
        enum ntp_verdict verdict = ask_with(16, 0, span_of(cases[i].plain, cases[i].n), &reply);
        cr_assert_eq(verdict, cases[i].verdict, "case %zu: %s", i, ntp_verdict_name(verdict));
        if (verdict == NTP_ANSWER_NTS) {
            check_cookies(reply, 1);
        }
    }
}

Test(answer_room, placeholders_inside_the_ciphertext_do_not_count)
{
    uint8_t plain[4 * (NTP_EF_HEAD_LEN + COOKIE_LEN_MAX)];
    struct wr w = wr_init(plain, sizeof(plain));
    for (int i = 0; i < 4; i++) {
        sample_field(&s, &w, 'P');
    }
    struct span reply;
    cr_assert_eq(ask_with(16, 0, wr_done(&w), &reply), NTP_ANSWER_NTS);
    check_cookies(reply, 1);
}

/* A request as long as a request may be, and one octet more. */
Test(answer_room, the_longest_request_is_answered_and_a_longer_one_is_not)
{
    struct span request = sample_request(&s, "UCA");
    size_t padding = NTP_DATAGRAM_MAX - request.n;
    struct span reply;
    cr_assert_eq(ask_with(16, padding, span_of(NULL, 0), &reply), NTP_ANSWER_NTS);
    cr_assert_eq(ask_with(16, padding + 4, span_of(NULL, 0), &reply), NTP_DROP_LONG);
}

Test(answer_room, random_tails_of_every_size)
{
    static const char *const prefixes[] = {"", "U", "UC", "UCA", "UCP", "XY"};
    uint64_t seed = 3;
    for (size_t p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
        for (size_t n = 0; n <= 1500; n++) {
            struct span request = sample_request(&s, prefixes[p]);
            size_t total = n < request.n ? n : request.n;
            while (total < n) {
                s.request[total++] = (uint8_t)sample_random(&seed);
            }
            struct span reply;
            enum ntp_verdict verdict = sample_ask(&s, span_of(s.request, n), &reply);
            cr_assert_eq(reply.n > 0, ntp_verdict_is_answer(verdict));
            bool whole = strcmp(prefixes[p], "UCA") == 0 && n >= request.n;
            cr_assert(verdict != NTP_ANSWER_NTS || whole);
            cr_assert(n > 0 || verdict == NTP_DROP_SHORT);
        }
    }
}
