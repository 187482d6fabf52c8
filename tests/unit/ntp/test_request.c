/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of requests: each field missing, doubled, misplaced, short and long.
 */
#include "ntp/request.h"
#include "tests/unit/ntp/ntp_sample.h"

static struct sample s;

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
}

TestSuite(request, .init = setup);

struct request_case {
    const char *fields;
    enum ntp_verdict verdict;
    size_t placeholders;
};

static const struct request_case cases[] = {
    /* plain */
    {"", NTP_ANSWER_PLAIN, 0},
    {"Y", NTP_ANSWER_PLAIN, 0},
    {"XY", NTP_ANSWER_PLAIN, 0},
    {"X", NTP_DROP_FIELD, 0}, /* the last one is short of 28 */
    {"YX", NTP_DROP_FIELD, 0},
    {"U", NTP_ANSWER_PLAIN, 0},
    {"UY", NTP_ANSWER_PLAIN, 0},
    {"w", NTP_ANSWER_PLAIN, 0},
    {"u", NTP_DROP_NTS, 0},
    {"UU", NTP_DROP_NTS, 0},
    {"UV", NTP_DROP_NTS, 0},
    /* authenticated */
    {"UCA", NTP_ANSWER_NTS, 0},
    {"CUA", NTP_ANSWER_NTS, 0},
    {"wCA", NTP_ANSWER_NTS, 0},
    {"XUXCXA", NTP_ANSWER_NTS, 0},
    {"UCPA", NTP_ANSWER_NTS, 1},
    {"UPCA", NTP_ANSWER_NTS, 1},
    {"PPUPCPA", NTP_ANSWER_NTS, 4},
    {"UCPPPPPPPA", NTP_ANSWER_NTS, 7},
    {"UCpA", NTP_ANSWER_NTS, 0},
    {"UCqA", NTP_ANSWER_NTS, 0},
    {"UCpPqA", NTP_ANSWER_NTS, 1},
    {"UeA", NTP_ANSWER_NTS, 0},
    {"UepA", NTP_ANSWER_NTS, 1},
    /* incomplete */
    {"CA", NTP_DROP_NTS, 0},
    {"UA", NTP_DROP_NTS, 0},
    {"UC", NTP_DROP_NTS, 0},
    {"C", NTP_DROP_NTS, 0},
    {"A", NTP_DROP_NTS, 0},
    {"UP", NTP_DROP_NTS, 0},
    {"P", NTP_DROP_NTS, 0},
    {"UPA", NTP_DROP_NTS, 0},
    /* too short, doubled */
    {"uCA", NTP_DROP_NTS, 0},
    {"UUCA", NTP_DROP_NTS, 0},
    {"UVCA", NTP_DROP_NTS, 0},
    {"UuCA", NTP_DROP_NTS, 0},
    {"UCCA", NTP_DROP_NTS, 0},
    {"UCcA", NTP_DROP_NTS, 0},
    /* after the authenticator nothing counts, not even what is missing or malformed */
    {"UCAA", NTP_ANSWER_NTS, 0},
    {"UCAUCP", NTP_ANSWER_NTS, 0},
    {"UCAX", NTP_ANSWER_NTS, 0},
    {"UCA1", NTP_ANSWER_NTS, 0},
    {"UCA3", NTP_ANSWER_NTS, 0},
    {"UAC", NTP_DROP_NTS, 0},
    {"CAU", NTP_DROP_NTS, 0},
    {"AUC", NTP_DROP_NTS, 0},
    /* octets that are no field */
    {"1", NTP_DROP_FIELD, 0},
    {"3", NTP_DROP_FIELD, 0},
    {"13", NTP_DROP_FIELD, 0}, /* a crypto-NAK */
    {"UC2A", NTP_DROP_FIELD, 0},
    {"U1", NTP_DROP_FIELD, 0},
};

Test(request, structures)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntp_request request;
        enum ntp_verdict verdict = ntp_request_parse(sample_request(&s, cases[i].fields), &request);
        cr_assert_eq(verdict, cases[i].verdict, "%s: %s", cases[i].fields,
                     ntp_verdict_name(verdict));
        if (verdict == NTP_ANSWER_NTS) {
            cr_assert_eq(request.placeholders, cases[i].placeholders, "%s", cases[i].fields);
        }
    }
}

Test(request, borrows_the_right_octets)
{
    struct span bytes = sample_request(&s, "XUCPA");
    struct ntp_request request;
    cr_assert_eq(ntp_request_parse(bytes, &request), NTP_ANSWER_NTS);
    cr_assert_eq(request.header.transmit_time, SAMPLE_TRANSMIT);
    cr_assert_eq(request.uid.p, bytes.p + 48 + 16 + 4);
    cr_assert_eq(request.uid.n, 32);
    cr_assert(span_is(request.cookie, s.cookie, s.cookie_len));
    cr_assert_eq(request.authenticated.p, bytes.p);
    cr_assert_eq(request.authenticated.n, 48 + 16 + 36 + 2 * (4 + s.cookie_len));
    cr_assert_eq(request.auth.nonce.n, 16);
    cr_assert_eq(request.auth.ciphertext.n, AEAD_TAG_LEN);
}

Test(request, all_versions_and_modes)
{
    for (uint8_t version = 0; version < 8; version++) {
        for (uint8_t mode = 0; mode < 8; mode++) {
            struct wr w = wr_init(s.request, sizeof(s.request));
            sample_header(&w, version, mode);
            enum ntp_verdict expected = NTP_ANSWER_PLAIN;
            if (mode != NTP_MODE_CLIENT) {
                expected = NTP_DROP_MODE;
            }
            if (version < 1 || version > 4) {
                expected = NTP_DROP_VERSION;
            }
            struct ntp_request request;
            cr_assert_eq(ntp_request_parse(wr_done(&w), &request), expected, "version %u mode %u",
                         version, mode);
        }
    }
}

Test(request, fields_belong_to_version_4)
{
    for (uint8_t version = 1; version <= 4; version++) {
        struct span bytes = sample_request(&s, "UY");
        s.request[0] = (uint8_t)(version << 3 | NTP_MODE_CLIENT);
        struct ntp_request request;
        cr_assert_eq(ntp_request_parse(bytes, &request),
                     version == 4 ? NTP_ANSWER_PLAIN : NTP_DROP_FIELD);
    }
}

/* Zeros after a header are no field at any length: every size has its one verdict. */
Test(request, all_sizes)
{
    struct span bytes = sample_request(&s, "");
    memset(s.request + bytes.n, 0, sizeof(s.request) - bytes.n);
    for (size_t n = 0; n <= SAMPLE_PACKET_MAX; n++) {
        enum ntp_verdict expected = NTP_DROP_FIELD;
        if (n < NTP_HEADER_LEN) {
            expected = NTP_DROP_SHORT;
        }
        if (n == NTP_HEADER_LEN) {
            expected = NTP_ANSWER_PLAIN;
        }
        if (n > NTP_DATAGRAM_MAX) {
            expected = NTP_DROP_LONG;
        }
        struct ntp_request request;
        cr_assert_eq(ntp_request_parse(span_of(s.request, n), &request), expected, "size %zu", n);
    }
}

/* MACs of symmetric keys: 16, 20, 32 and 64 octet digests after a key id, and a crypto-NAK. */
Test(request, macs_are_dropped_whatever_the_key_id)
{
    const size_t lens[] = {4, 20, 24};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        for (uint32_t id = 0; id < 0x20000; id++) {
            struct wr w = wr_init(s.request, sizeof(s.request));
            sample_header(&w, 4, NTP_MODE_CLIENT);
            wr_u32(&w, id);
            wr_zero(&w, lens[i] - 4);
            struct ntp_request request;
            cr_assert_eq(ntp_request_parse(wr_done(&w), &request), NTP_DROP_FIELD,
                         "key id %u, %zu octets", id, lens[i]);
        }
    }
}

Test(request, every_truncation_of_an_authenticated_request_is_dropped)
{
    struct span bytes = sample_request(&s, "UCPPA");
    for (size_t n = 0; n < bytes.n; n++) {
        struct ntp_request request;
        enum ntp_verdict verdict = ntp_request_parse(span_of(bytes.p, n), &request);
        bool plain = n == NTP_HEADER_LEN || n == NTP_HEADER_LEN + 36;
        cr_assert_eq(ntp_verdict_is_answer(verdict), plain, "%zu octets", n);
    }
}
