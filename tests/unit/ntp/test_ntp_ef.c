/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extension fields and authenticator bodies: every length one short and one long.
 */
#include "ntp/ntp_ef.h"

#include <criterion/criterion.h>

enum { ROOM = 256 };

/* A head with this length, followed by `body` octets. */
static enum nts_err parse_one(uint16_t len, size_t body, bool encrypted, struct ntp_ef *ef)
{
    static uint8_t bytes[70000];
    struct wr w = wr_init(bytes, sizeof(bytes));
    wr_u16(&w, 0x1234);
    wr_u16(&w, len);
    struct span whole = span_of(bytes, NTP_EF_HEAD_LEN + body);
    struct rd r = rd_init(whole);
    return encrypted ? ntp_ef_next_encrypted(&r, whole.n, ef) : ntp_ef_next(&r, whole.n, ef);
}

Test(ntp_ef, lengths)
{
    const struct {
        uint16_t len;
        size_t body;
        enum nts_err outside;
        enum nts_err encrypted;
    } cases[] = {
        {0, 252, NTS_EFORMAT, NTS_EFORMAT},
        {2, 252, NTS_EFORMAT, NTS_EFORMAT},
        {3, 252, NTS_EFORMAT, NTS_EFORMAT},
        {4, 252, NTS_EFORMAT, NTS_OK},
        {4, 0, NTS_EFORMAT, NTS_OK},
        {12, 252, NTS_EFORMAT, NTS_OK},
        {15, 252, NTS_EFORMAT, NTS_EFORMAT},
        {16, 12, NTS_OK, NTS_OK},
        {16, 11, NTS_EFORMAT, NTS_EFORMAT},
        {16, 13, NTS_OK, NTS_OK},
        {17, 252, NTS_EFORMAT, NTS_EFORMAT},
        {18, 252, NTS_EFORMAT, NTS_EFORMAT},
        {20, 16, NTS_OK, NTS_OK},
        {256, 252, NTS_OK, NTS_OK},
        {260, 252, NTS_EFORMAT, NTS_EFORMAT},
        {0xfffc, 252, NTS_EFORMAT, NTS_EFORMAT},
        {0xffff, 252, NTS_EFORMAT, NTS_EFORMAT},
        {0xffff, 69000, NTS_EFORMAT, NTS_EFORMAT},
        {0xfffc, 69000, NTS_OK, NTS_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntp_ef ef;
        cr_assert_eq(parse_one(cases[i].len, cases[i].body, false, &ef), cases[i].outside,
                     "case %zu", i);
        cr_assert_eq(ef.body.n, cases[i].outside == NTS_OK ? cases[i].len - 4U : 0);
        cr_assert_eq(parse_one(cases[i].len, cases[i].body, true, &ef), cases[i].encrypted,
                     "case %zu", i);
    }
}

Test(ntp_ef, a_head_that_is_cut_is_malformed)
{
    const uint8_t head[] = {0x01, 0x04, 0x00};
    for (size_t n = 0; n <= sizeof(head); n++) {
        struct rd r = rd_init(span_of(head, n));
        struct ntp_ef ef;
        cr_assert_eq(ntp_ef_next(&r, n, &ef), n == 0 ? NTS_ENOTFOUND : NTS_EFORMAT);
        cr_assert_eq(r.bad, n != 0);
        cr_assert_eq(ntp_ef_next(&r, n, &ef), n == 0 ? NTS_ENOTFOUND : NTS_EFORMAT);
    }
}

Test(ntp_ef, written_then_parsed_is_identity)
{
    uint8_t body[64];
    memset(body, 0xab, sizeof(body));
    for (size_t n = 0; n <= sizeof(body); n++) {
        uint8_t wire[ROOM];
        struct wr w = wr_init(wire, sizeof(wire));
        wr_zero(&w, 48);
        ntp_ef_write(&w, 0x0104, span_of(body, n), NTP_EF_LEN_MIN);
        ntp_ef_write(&w, 0x0204, span_of(body, 16), 0);
        struct span whole = wr_done(&w);
        cr_assert_eq(whole.n % 4, 0);

        struct rd r = rd_init(whole);
        rd_skip(&r, 48);
        struct ntp_ef ef;
        cr_assert_eq(ntp_ef_next(&r, whole.n, &ef), NTS_OK);
        cr_assert_eq(ef.type, 0x0104);
        cr_assert_eq(ef.offset, 48);
        cr_assert_eq(ef.body.n, n <= 12 ? 12 : ntp_ef_padded(n));
        cr_assert(span_is(span_of(ef.body.p, n), body, n));
        for (size_t i = n; i < ef.body.n; i++) {
            cr_assert_eq(ef.body.p[i], 0);
        }
        cr_assert_eq(ntp_ef_next(&r, whole.n, &ef), NTS_OK);
        cr_assert_eq(ef.offset, whole.n - 20);
        cr_assert_eq(ntp_ef_next(&r, whole.n, &ef), NTS_ENOTFOUND);
    }
}

Test(ntp_ef, writing_keeps_to_the_minimum_and_the_room)
{
    uint8_t wire[32];
    struct wr w = wr_init(wire, sizeof(wire));
    ntp_ef_write(&w, 1, span_of(NULL, 0), NTP_EF_LAST_LEN_MIN);
    cr_assert_eq(w.n, NTP_EF_LAST_LEN_MIN);
    ntp_ef_write(&w, 1, span_of(NULL, 0), 8);
    cr_assert(w.bad);
}

Test(ntp_ef, a_field_longer_than_its_length_can_say_is_not_written)
{
    static uint8_t body[70000];
    static uint8_t wire[80000];
    struct wr w = wr_init(wire, sizeof(wire));
    ntp_ef_write(&w, 1, span_of(body, 65528), 0);
    cr_assert(!w.bad);
    ntp_ef_write(&w, 1, span_of(body, 65532), 0);
    cr_assert(w.bad);
}

struct auth_case {
    uint16_t nonce_len;
    uint16_t ciphertext_len;
    size_t rest; /* octets after the two lengths */
    enum nts_err err;
    size_t padding;
};

static const struct auth_case auth_cases[] = {
    {0, 0, 0, NTS_OK, 0},
    {16, 16, 32, NTS_OK, 0},
    {16, 16, 31, NTS_EFORMAT, 0},
    {16, 16, 36, NTS_OK, 4},
    {16, 0, 16, NTS_OK, 0},
    {0, 16, 16, NTS_OK, 0},
    {1, 16, 20, NTS_OK, 0},
    {1, 16, 19, NTS_EFORMAT, 0},
    {13, 15, 32, NTS_OK, 0},
    {13, 15, 31, NTS_EFORMAT, 0},
    {12, 16, 32, NTS_OK, 4},
    {0xffff, 16, 60, NTS_EFORMAT, 0},
    {16, 0xffff, 60, NTS_EFORMAT, 0},
    {0xffff, 0xffff, 60, NTS_EFORMAT, 0},
    {16, 44, 60, NTS_OK, 0},
    {16, 45, 60, NTS_EFORMAT, 0},
};

Test(ntp_ef, authenticator_layouts)
{
    for (size_t i = 0; i < sizeof(auth_cases) / sizeof(auth_cases[0]); i++) {
        const struct auth_case *c = &auth_cases[i];
        uint8_t body[ROOM] = {0};
        struct wr w = wr_init(body, sizeof(body));
        wr_u16(&w, c->nonce_len);
        wr_u16(&w, c->ciphertext_len);
        struct ntp_authenticator auth;
        cr_assert_eq(ntp_authenticator_parse(span_of(body, 4 + c->rest), &auth), c->err, "case %zu",
                     i);
        if (c->err == NTS_OK) {
            cr_assert_eq(auth.nonce.n, c->nonce_len);
            cr_assert_eq(auth.ciphertext.n, c->ciphertext_len);
            cr_assert_eq(auth.padding, c->padding, "case %zu", i);
        }
    }
    struct ntp_authenticator auth;
    const uint8_t cut[3] = {0};
    cr_assert_eq(ntp_authenticator_parse(span_of(cut, 3), &auth), NTS_EFORMAT);
}

Test(ntp_ef, room_for_the_longest_nonce)
{
    const struct {
        size_t nonce;
        size_t padding;
        size_t nonce_max;
        bool enough;
    } cases[] = {
        {16, 0, 1000, true}, {13, 0, 1000, true}, {12, 0, 1000, false}, {12, 3, 1000, false},
        {12, 4, 1000, true}, {1, 12, 1000, true}, {1, 11, 1000, false}, {0, 16, 1000, true},
        {12, 0, 12, true},   {8, 0, 12, false},   {8, 4, 12, true},     {9, 0, 10, true},
        {64, 0, 1000, true}, {12, 0, 13, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ntp_authenticator auth = {.nonce = {.n = cases[i].nonce},
                                               .padding = cases[i].padding};
        cr_assert_eq(ntp_authenticator_has_room(&auth, cases[i].nonce_max), cases[i].enough,
                     "case %zu", i);
    }
}
