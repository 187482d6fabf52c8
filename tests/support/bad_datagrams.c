/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See bad_datagrams.h.
 */
#include "tests/support/bad_datagrams.h"

/* ---- A: the header ---- */

static size_t a1_short(struct bench *bench, unsigned variant)
{
    (void)shape_header(bench, 0x23);
    return variant;
}

static size_t a1_trailing(struct bench *bench, unsigned variant)
{
    struct wr w = shape_header(bench, 0x23);
    wr_zero(&w, variant + 1); /* 49..67: no field, no MAC with a key of ours */
    return w.n;
}

static size_t a1_long(struct bench *bench, unsigned variant)
{
    static const size_t size[] = {NTP_DATAGRAM_MAX + 1, 1500, 9000, 65507};
    struct wr w = shape_header(bench, 0x23);
    wr_zero(&w, size[variant] - w.n);
    return w.n;
}

static size_t a2_mode(struct bench *bench, unsigned variant)
{
    unsigned version = 1 + variant / 7;
    unsigned mode = variant % 7 < 3 ? variant % 7 : variant % 7 + 1; /* all but 3 */
    return shape_header(bench, (uint8_t)(version << 3 | mode)).n;
}

static size_t a2_version(struct bench *bench, unsigned variant)
{
    static const uint8_t version[] = {0, 5, 6, 7};
    return shape_header(bench, (uint8_t)(version[variant] << 3 | 3)).n;
}

size_t bad_datagram_none(struct bench *bench, unsigned variant)
{
    return shape_header(bench, (uint8_t)((variant + 1) << 3 | 3)).n;
}

static size_t a3_fields(struct bench *bench, unsigned variant)
{
    size_t n = shape_header(bench, (uint8_t)((variant % 4) << 6 | 4 << 3 | 3)).n;
    memset(bench->packet + 1, variant % 2 == 0 ? 0xff : 0x80, NTP_TRANSMIT_OFFSET - 1);
    return n;
}

static size_t a4_transmit(struct bench *bench, unsigned variant)
{
    size_t n = shape_header(bench, 0x23).n;
    memset(bench->packet + NTP_TRANSMIT_OFFSET, variant == 0 ? 0 : 0xff, 8);
    return n;
}

static size_t a6_mac(struct bench *bench, unsigned variant)
{
    static const size_t len[] = {4, 20, 24, 36, 52, 68};
    struct wr w = shape_header(bench, 0x23);
    wr_u32(&w, 1); /* key id */
    uint8_t *mac = wr_room(&w, len[variant] - 4);
    if (mac != NULL) {
        memset(mac, 0xa5, len[variant] - 4);
    }
    return w.n;
}

/* ---- B: extension fields ---- */

static size_t b1_length(struct bench *bench, unsigned variant)
{
    static const uint16_t stated[] = {0, 2, 3, 4, 12, 15, 17, 18, 36 + 4, 36 + 400, 0xfffc, 0xffff};
    struct wr w = shape_header(bench, 0x23);
    wr_u16(&w, NTP_EF_UNIQUE_IDENTIFIER);
    wr_u16(&w, stated[variant]);
    wr_zero(&w, 32);
    return w.n;
}

static size_t b2_last_short(struct bench *bench, unsigned variant)
{
    struct wr w = shape_header(bench, 0x23);
    ntp_ef_write(&w, 0x7fff, span_of("", 0), 16 + 4 * variant);
    return w.n;
}

static size_t b3_uid_short(struct bench *bench, unsigned variant)
{
    static const int len[] = {-1, 0, 1, 12, 16, 28};
    struct shape shape = shape_default();
    shape.uid_len = len[variant];
    return shape_write(bench, &shape);
}

static size_t b3_uid_twice(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.uid_copies = 2;
    shape.uid_copies_differ = variant == 1;
    return shape_write(bench, &shape);
}

static size_t b3_uid_long(struct bench *bench, unsigned variant)
{
    static const int len[] = {64, 256};
    struct shape shape = shape_default();
    shape.uid_len = len[variant];
    return shape_write(bench, &shape);
}

static size_t b4_cookies(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.cookies = variant == 0 ? 0 : 2;
    return shape_write(bench, &shape);
}

static size_t b4_cookie_first(struct bench *bench, unsigned variant)
{
    (void)variant;
    struct shape shape = shape_default();
    shape.cookie_first = true;
    return shape_write(bench, &shape);
}

static size_t b4_cookie_length(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    int len = (int)(4 * variant); /* 0, 4, ... 300, the right one left out */
    shape.cookie_delta = len - (int)bench->cookie.len;
    if (shape.cookie_delta == 0) {
        shape.cookie_delta = 204;
    }
    return shape_write(bench, &shape);
}

static size_t b4_unauthenticated(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.authenticators = 0;
    shape.cookies = variant == 1 ? 0 : 1;
    shape.placeholders = variant == 1 ? 1 : 0;
    return shape_write(bench, &shape);
}

/* Every bit of a good request, one at a time; variant counts bits. */
static size_t b5_flip(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    size_t n = shape_write(bench, &shape);
    bench->packet[variant / 8 % n] ^= (uint8_t)(1u << variant % 8);
    if (variant / 8 >= 48 + 4 && variant / 8 < 48 + 36) {
        bench->uid[variant / 8 - 52] ^= (uint8_t)(1u << variant % 8);
    }
    return n;
}

static size_t b6_two_authenticators(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.authenticators = 2 + (int)variant;
    return shape_write(bench, &shape);
}

static size_t b6_not_last(struct bench *bench, unsigned variant)
{
    static const size_t junk[] = {1, 4, 16, 28, 36, 100};
    struct shape shape = shape_default();
    shape.junk_after = junk[variant];
    return shape_write(bench, &shape);
}

static size_t b6_nonce_none(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.nonce_len = 0;
    shape.extra_padding = variant == 0 ? 0 : 16;
    return shape_write(bench, &shape);
}

static size_t b6_nonce_uncovered(struct bench *bench, unsigned variant)
{
    static const size_t len[] = {1, 4, 8, 12};
    struct shape shape = shape_default();
    shape.nonce_len = len[variant];
    return shape_write(bench, &shape);
}

static size_t b6_nonce_covered(struct bench *bench, unsigned variant)
{
    static const size_t len[] = {1, 12, 15, 16, 17, 32, 64};
    struct shape shape = shape_default();
    shape.nonce_len = len[variant];
    shape.extra_padding = 16;
    return shape_write(bench, &shape);
}

static size_t b6_stated(struct bench *bench, unsigned variant)
{
    static const int stated[] = {17, 64, 1000, 0x7fff, 0xfffc, 0xffff};
    struct shape shape = shape_default();
    *(variant % 2 == 0 ? &shape.stated_nonce : &shape.stated_ciphertext) = stated[variant / 2];
    return shape_write(bench, &shape);
}

static size_t b6_ciphertext_short(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.ciphertext_len = (int)variant; /* 0..15: no room for a tag */
    return shape_write(bench, &shape);
}

static size_t b6_forged_tag(struct bench *bench, unsigned variant)
{
    static const uint8_t filler[] = {0, 0xff, 0x5a};
    struct shape shape = shape_default();
    shape.ciphertext_len = AEAD_TAG_LEN;
    shape.filler = filler[variant];
    return shape_write(bench, &shape);
}

static size_t b6_padding(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.extra_padding = 4 * (size_t)(variant + 1);
    size_t n = shape_write(bench, &shape);
    bench->packet[n - 1] = 0xff; /* padding that is not zero is authenticated by nobody: ignored */
    return n;
}

static size_t b7_placeholders(struct bench *bench, unsigned variant)
{
    static const int count[] = {1, 7, 8, 9};
    struct shape shape = shape_default();
    shape.placeholders = count[variant];
    return shape_write(bench, &shape);
}

static size_t b7_placeholder_length(struct bench *bench, unsigned variant)
{
    static const int delta[] = {-88, -4, 4, 100};
    struct shape shape = shape_default();
    shape.placeholders = 3;
    shape.placeholder_delta = delta[variant];
    return shape_write(bench, &shape);
}

static size_t b7_placeholders_many(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.placeholders = variant == 0 ? 77 : 60; /* tiny ones, up to the datagram limit */
    shape.placeholder_delta = 12 - (int)bench->cookie.len;
    return shape_write(bench, &shape);
}

static size_t b8_inner_good(struct bench *bench, unsigned variant)
{
    static uint8_t fields[128];
    struct wr w = wr_init(fields, sizeof(fields));
    ntp_ef_write(&w, variant == 0 ? NTP_EF_COOKIE : 0x7fff, span_of("inside", 6), 28);
    ntp_ef_write(&w, variant == 2 ? NTP_EF_AUTHENTICATOR : NTP_EF_COOKIE_PLACEHOLDER,
                 span_of("inside", 6), 28);
    struct shape shape = shape_default();
    shape.inner = wr_done(&w);
    return shape_write(bench, &shape);
}

static size_t b8_inner_junk(struct bench *bench, unsigned variant)
{
    static const uint8_t junk[40] = {0x02, 0x04, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff};
    static const size_t len[] = {1, 2, 3, 4, 8, 16, 40};
    struct shape shape = shape_default();
    shape.inner = span_of(junk, len[variant]);
    return shape_write(bench, &shape);
}

static size_t b9_unknown(struct bench *bench, unsigned variant)
{
    (void)variant;
    struct shape shape = shape_default();
    shape.unknown_before = true;
    return shape_write(bench, &shape);
}

static size_t b9_unknown_plain(struct bench *bench, unsigned variant)
{
    struct wr w = shape_header(bench, 0x23);
    for (unsigned i = 0; i <= variant; i++) {
        ntp_ef_write(&w, (uint16_t)(0x7f00 + i), span_of("unknown field", 13), 28);
    }
    return w.n;
}

static size_t b10_replay(struct bench *bench, unsigned variant)
{
    static size_t n;
    struct shape shape = shape_default();
    if (variant == 0) {
        n = shape_write(bench, &shape);
    }
    return n;
}

static size_t b11_swapped(struct bench *bench, unsigned variant)
{
    (void)variant;
    struct shape shape = shape_default();
    shape.seal_with_s2c = true;
    return shape_write(bench, &shape);
}

/* Offsets of the cookie in a composed request: header, unique identifier field, field head. */
enum { COOKIE_AT = NTP_HEADER_LEN + 36 + 4 };

static size_t b12_key_id(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    size_t n = shape_write(bench, &shape);
    bench->packet[COOKIE_AT + 1 + variant] ^= 0x40;
    return n;
}

static size_t b12_version(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    size_t n = shape_write(bench, &shape);
    bench->packet[COOKIE_AT] ^= (uint8_t)(0x20u << variant % 3);
    return n;
}

static size_t b12_body(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    size_t n = shape_write(bench, &shape);
    bench->packet[COOKIE_AT + 4 + variant] ^= 0x01;
    return n;
}

static size_t b13_other_aead(struct bench *bench, unsigned variant)
{
    static const uint8_t aead[] = {0, 14, 16, 31};
    struct shape shape = shape_default();
    size_t n = shape_write(bench, &shape);
    bench->packet[COOKIE_AT] = (uint8_t)(COOKIE_VERSION << 5 | aead[variant]);
    return n;
}

static size_t version3_fields(struct bench *bench, unsigned variant)
{
    struct shape shape = shape_default();
    shape.first = (uint8_t)((variant + 1) << 3 | 3);
    return shape_write(bench, &shape);
}

#define ONE(v)         {v}, 1
#define TWO(v, w)      {v, w}, 2
#define THREE(v, w, x) {v, w, x}, 3

const struct bad_datagram bad_datagrams[] = {
    {"A1", "0 to 47 octets", SILENT, ONE(NTP_DROP_SHORT), 48, a1_short},
    {"A1", "a header and 1 to 15 octets that are no field", SILENT, ONE(NTP_DROP_FIELD), 15,
     a1_trailing},
    {"A1", "more than 1472 octets, up to 65507", SILENT, ONE(NTP_DROP_LONG), 4, a1_long},
    {"A2", "versions 1 to 4 in every mode but 3", SILENT, ONE(NTP_DROP_MODE), 28, a2_mode},
    {"A2", "versions 0 and 5 to 7", SILENT, ONE(NTP_DROP_VERSION), 4, a2_version},
    {"A2", "versions 1 to 4, mode 3, 48 octets", PLAIN, ONE(NTP_ANSWER_PLAIN), 4,
     bad_datagram_none},
    {"A3", "extreme leap, stratum, poll, precision and times", PLAIN, ONE(NTP_ANSWER_PLAIN), 8,
     a3_fields},
    {"A4", "transmit timestamp of zeros or ones: echoed", PLAIN, ONE(NTP_ANSWER_PLAIN), 2,
     a4_transmit},
    {"A6", "a symmetric-key MAC or crypto-NAK of 4 to 68 octets", SILENT, ONE(NTP_DROP_FIELD), 6,
     a6_mac},
    {"B1", "field lengths 0, 2, 3, odd, beyond the packet", SILENT, ONE(NTP_DROP_FIELD), 12,
     b1_length},
    {"B2", "a last field of 16 to 24 octets (RFC 7822: 28)", SILENT, ONE(NTP_DROP_FIELD), 3,
     b2_last_short},
    {"B3", "no unique identifier, or one under 32 octets", SILENT,
     TWO(NTP_DROP_NTS, NTP_DROP_FIELD), 6, b3_uid_short},
    {"B3", "two unique identifiers, equal or different", SILENT, ONE(NTP_DROP_NTS), 2,
     b3_uid_twice},
    {"B3", "unique identifiers of 64 and 256 octets", AUTHENTIC, ONE(NTP_ANSWER_NTS), 2,
     b3_uid_long},
    {"B4", "no cookie, or two", SILENT, ONE(NTP_DROP_NTS), 2, b4_cookies},
    {"B4", "the cookie before the unique identifier", AUTHENTIC, ONE(NTP_ANSWER_NTS), 1,
     b4_cookie_first},
    {"B4", "cookie lengths 0 to 300 but the right one", SILENT | NAK,
     TWO(NTP_NAK_COOKIE_FORMAT, NTP_DROP_FIELD), 76, b4_cookie_length},
    {"B4", "cookie or placeholder without an authenticator", SILENT, ONE(NTP_DROP_NTS), 2,
     b4_unauthenticated},
    {"B5", "an octet of the cookie behind its head changed", NAK, ONE(NTP_NAK_COOKIE_AUTH), 96,
     b12_body},
    {"B6", "two or three authenticators: all after the first is ignored", AUTHENTIC,
     ONE(NTP_ANSWER_NTS), 2, b6_two_authenticators},
    {"B6", "anything behind the authenticator: ignored", AUTHENTIC, ONE(NTP_ANSWER_NTS), 6,
     b6_not_last},
    {"B6", "a nonce of no octets", SILENT, TWO(NTP_DROP_NONCE, NTP_DROP_FIELD), 2, b6_nonce_none},
    {"B6", "a nonce of 1 to 12 octets without the padding of RFC 8915 5.6", SILENT,
     ONE(NTP_DROP_NONCE), 4, b6_nonce_uncovered},
    {"B6", "nonces of 1 to 64 octets with padding", AUTHENTIC, ONE(NTP_ANSWER_NTS), 7,
     b6_nonce_covered},
    {"B6", "nonce or ciphertext length beyond the field", SILENT | NAK,
     TWO(NTP_DROP_FIELD, NTP_NAK_REQUEST_AUTH), 12, b6_stated},
    {"B6", "a ciphertext of 0 to 15 octets", SILENT | NAK,
     THREE(NTP_NAK_REQUEST_AUTH, NTP_DROP_FIELD, NTP_DROP_NTS), 16, b6_ciphertext_short},
    {"B6", "a forged tag over an empty ciphertext", NAK, ONE(NTP_NAK_REQUEST_AUTH), 3,
     b6_forged_tag},
    {"B6", "additional padding that is not zero", AUTHENTIC, ONE(NTP_ANSWER_NTS), 4, b6_padding},
    {"B7", "1 to 9 placeholders: eight cookies at most", AUTHENTIC, ONE(NTP_ANSWER_NTS), 4,
     b7_placeholders},
    {"B7", "placeholders of another length than the cookie: not counted", AUTHENTIC,
     ONE(NTP_ANSWER_NTS), 4, b7_placeholder_length},
    {"B7", "60 and 77 tiny placeholders", AUTHENTIC, ONE(NTP_ANSWER_NTS), 2, b7_placeholders_many},
    {"B8", "encrypted fields of any type: ignored", AUTHENTIC, ONE(NTP_ANSWER_NTS), 3,
     b8_inner_good},
    {"B8", "encrypted octets that are no fields", SILENT, ONE(NTP_DROP_FIELD), 7, b8_inner_junk},
    {"B9", "an unknown field before the authenticator", AUTHENTIC, ONE(NTP_ANSWER_NTS), 1,
     b9_unknown},
    {"B9", "a plain request with unknown fields", PLAIN, ONE(NTP_ANSWER_PLAIN), 3,
     b9_unknown_plain},
    {"B10", "the same request 20,000 times", AUTHENTIC, ONE(NTP_ANSWER_NTS), 20000, b10_replay},
    {"B11", "sealed with the key of the other direction", NAK, ONE(NTP_NAK_REQUEST_AUTH), 1,
     b11_swapped},
    {"B12", "a cookie of a key that is not in the ring", NAK, ONE(NTP_NAK_COOKIE_KEY), 3,
     b12_key_id},
    {"B12", "a cookie of another version or product", NAK, ONE(NTP_NAK_COOKIE_FORMAT), 3,
     b12_version},
    {"B13", "a cookie whose algorithm number was changed", NAK,
     TWO(NTP_NAK_COOKIE_FORMAT, NTP_NAK_COOKIE_AUTH), 4, b13_other_aead},
    {"B5", "every bit of an authenticated request flipped, one at a time", SILENT | NAK,
     ONE(NTP_VERDICTS), 0, b5_flip},
    {"-", "NTS fields in versions 1 to 3", SILENT, ONE(NTP_DROP_FIELD), 3, version3_fields},
};

const size_t bad_datagram_count = sizeof(bad_datagrams) / sizeof(bad_datagrams[0]);
