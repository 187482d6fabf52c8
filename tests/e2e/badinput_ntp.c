/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad datagrams against a running ntsd, row by row: what is sent, what must come back, which
 * counter must move; after each row an honest authenticated exchange. `badinput_ntp --table` prints
 * the rows as the table of docs/bad-input.md, so the document cannot drift from what is tested.
 *
 * Whether the server stayed silent is seen without waiting: after each bad datagram a plain request
 * leaves on the same socket, which the same worker answers next.
 */
#include "ntp/ntp_auth.h"
#include "ntp/ntp_service.h"
#include "tests/support/shape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROW_COUNTERS = 3 };
enum answer { SILENT = 1, PLAIN = 2, NAK = 4, AUTHENTIC = 8 };

static const char *const answer_names[] = {[SILENT] = "silence",
                                           [PLAIN] = "plain time",
                                           [NAK] = "NTSN",
                                           [AUTHENTIC] = "authenticated time"};

typedef size_t builder(struct bench *bench, unsigned variant);

struct row {
    const char *id;
    const char *input;
    unsigned answers; /* enum answer, any of */
    enum ntp_verdict counter[ROW_COUNTERS];
    size_t counters;
    unsigned variants;
    builder *build;
};

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

static size_t a2_good(struct bench *bench, unsigned variant)
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

static const struct row rows[] = {
    {"A1", "0 to 47 octets", SILENT, ONE(NTP_DROP_SHORT), 48, a1_short},
    {"A1", "a header and 1 to 15 octets that are no field", SILENT, ONE(NTP_DROP_FIELD), 15,
     a1_trailing},
    {"A1", "more than 1472 octets, up to 65507", SILENT, ONE(NTP_DROP_LONG), 4, a1_long},
    {"A2", "versions 1 to 4 in every mode but 3", SILENT, ONE(NTP_DROP_MODE), 28, a2_mode},
    {"A2", "versions 0 and 5 to 7", SILENT, ONE(NTP_DROP_VERSION), 4, a2_version},
    {"A2", "versions 1 to 4, mode 3, 48 octets", PLAIN, ONE(NTP_ANSWER_PLAIN), 4, a2_good},
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
    {"B5", "a bit of the cookie field's body flipped", NAK,
     THREE(NTP_NAK_COOKIE_FORMAT, NTP_NAK_COOKIE_KEY, NTP_NAK_COOKIE_AUTH), 800, b12_body},
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

/* What a reply carries, found by walking its fields. */
struct found {
    struct span uid;
    bool authentic;
    bool other; /* a field that has no business in a reply */
};

static struct found walk_reply(const struct bench *bench, struct span packet)
{
    static uint8_t plain[NTP_DATAGRAM_MAX];
    struct found found = {0};
    struct rd r = rd_init(packet);
    struct ntp_ef ef;
    struct ntp_authenticator auth;
    const struct session_keys *keys = &bench->probe.keys;
    rd_skip(&r, NTP_HEADER_LEN);
    while (ntp_ef_next(&r, packet.n, &ef) == NTS_OK) {
        if (ef.type == NTP_EF_UNIQUE_IDENTIFIER) {
            found.uid = ef.body;
        } else if (ef.type == NTP_EF_AUTHENTICATOR &&
                   ntp_authenticator_parse(ef.body, &auth) == NTS_OK) {
            struct span ad = span_of(packet.p, ef.offset);
            found.authentic =
                ntp_auth_open(keys->alg, &keys->s2c, &auth, ad, plain) == NTS_OK && r.left == 0;
        } else {
            found.other = true;
        }
    }
    found.other = found.other || r.left > 0;
    return found;
}

/* 0: a reply that must not be, whatever was asked. */
static enum answer classify(const struct bench *bench, size_t sent, size_t got)
{
    struct span packet = span_of(bench->reply, got);
    struct rd r = rd_init(packet);
    struct ntp_header header = ntp_header_read(&r);
    uint8_t version = bench->packet[0] >> 3 & 7;
    struct found found = walk_reply(bench, packet);
    if (got > sent || header.mode != NTP_MODE_SERVER || header.version != version || found.other ||
        memcmp(bench->reply + 24, bench->packet + NTP_TRANSMIT_OFFSET, 8) != 0) {
        return 0;
    }
    bool echoed = found.uid.n > 0 && memcmp(found.uid.p, bench->uid, found.uid.n) == 0;
    if (header.stratum == NTP_STRATUM_KISS) {
        bool nak = header.reference_id == NTP_KISS_NTSN && echoed && !found.authentic;
        return nak ? NAK : 0;
    }
    if (found.authentic) {
        return echoed ? AUTHENTIC : 0;
    }
    return got == NTP_HEADER_LEN ? PLAIN : 0;
}

/* Sends the bad datagram, then a marker; what arrives before the marker's reply is its answer. */
static enum answer exchange(struct bench *bench, int fd, size_t len)
{
    uint8_t marker[NTP_HEADER_LEN] = {0x23};
    if (rng_bytes(bench->probe.rng, marker + NTP_TRANSMIT_OFFSET, 8) != NTS_OK) {
        exit(1);
    }
    if (send(fd, bench->packet, len, 0) != (ssize_t)len ||
        send(fd, marker, sizeof(marker), 0) != sizeof(marker)) {
        return 0;
    }
    enum answer answer = SILENT;
    for (;;) {
        ssize_t got = recv(fd, bench->reply, sizeof(bench->reply), 0);
        if (got < NTP_HEADER_LEN) {
            return 0;
        }
        if (memcmp(bench->reply + 24, marker + NTP_TRANSMIT_OFFSET, 8) == 0) {
            return answer;
        }
        answer = classify(bench, len, (size_t)got);
    }
}

static uint64_t verdict_counter(const struct probe *probe, unsigned verdict)
{
    char label[128];
    (void)snprintf(label, sizeof(label), "ntsd_ntp_datagrams_total{verdict=\"%s\"}",
                   ntp_count_name(verdict));
    return probe_counter(probe, label);
}

static uint64_t row_counters(const struct bench *bench, const struct row *row)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < row->counters; i++) {
        if (row->counter[i] < NTP_VERDICTS) {
            sum += verdict_counter(&bench->probe, row->counter[i]);
        }
    }
    return sum;
}

/* Plain answers the row causes besides its own: one marker each. */
static uint64_t markers_in(const struct row *row, unsigned sent)
{
    for (size_t i = 0; i < row->counters; i++) {
        if (row->counter[i] == NTP_ANSWER_PLAIN) {
            return sent;
        }
    }
    return 0;
}

static void run_row(struct bench *bench, const struct row *row)
{
    char name[160];
    (void)snprintf(name, sizeof(name), "%s %s", row->id, row->input);
    bench->cookie = probe_cookie(&bench->probe);
    struct shape good = shape_default();
    unsigned variants = row->variants > 0 ? row->variants : (unsigned)shape_write(bench, &good) * 8;
    if (row->build == b12_body) {
        variants = (unsigned)bench->cookie.len - COOKIE_HEAD_LEN;
    }
    uint64_t before = row_counters(bench, row);
    int fd = probe_udp(&bench->probe);
    for (unsigned v = 0; v < variants; v++) {
        size_t len = row->build(bench, v);
        enum answer answer = exchange(bench, fd, len);
        if ((answer & row->answers) == 0) {
            probe_result(&bench->probe, false, name, "variant %u: %s", v,
                         answer == 0 ? "a reply that must not be" : answer_names[answer]);
            (void)close(fd);
            return;
        }
    }
    (void)close(fd);
    uint64_t expected = variants + markers_in(row, variants);
    uint64_t moved = row_counters(bench, row) - before;
    for (int i = 0; moved < expected && i < 50; i++) { /* counted after the reply has left */
        (void)usleep(10000);
        moved = row_counters(bench, row) - before;
    }
    if (row->counter[0] != NTP_VERDICTS && moved != expected) {
        probe_result(&bench->probe, false, name, "counters moved by %llu, not %llu",
                     (unsigned long long)moved, (unsigned long long)expected);
        return;
    }
    probe_result(&bench->probe, probe_honest_ntp(&bench->probe), name,
                 "no honest exchange afterwards");
}

/* Source ports: any is answered, but 0, which needs a raw socket to send. */
static void source_ports(struct bench *bench)
{
    static const uint16_t port[] = {7, 19, 53, 69, 123};
    const char *name = "A7 source ports 7, 19, 53, 69 and 123 are answered";
    if (geteuid() != 0 || bench->probe.ntp.sa.sa_family != AF_INET) {
        printf("skip - %s: needs root and IPv4\n", name);
        return;
    }
    bool good = true;
    for (size_t i = 0; i < sizeof(port) / sizeof(port[0]); i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in from = {.sin_family = AF_INET,
                                   .sin_port = htons(port[i]),
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK + 76)}};
        if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
            connect(fd, &bench->probe.ntp.sa, sizeof(from)) != 0) {
            printf("# port %u: %s\n", port[i], strerror(errno));
            (void)close(fd);
            continue;
        }
        good = good && exchange(bench, fd, a2_good(bench, 3)) == PLAIN;
        (void)close(fd);
    }
    probe_result(&bench->probe, good, name, "one was not");
}

static void source_port_zero(struct bench *bench)
{
    const char *name = "A7 source port 0 is dropped";
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0 || bench->probe.ntp.sa.sa_family != AF_INET) {
        printf("skip - %s: needs root and IPv4\n", name);
        return;
    }
    uint64_t before = verdict_counter(&bench->probe, NTP_DROP_PORT);
    uint8_t datagram[8 + NTP_HEADER_LEN] = {0};
    struct wr w = wr_init(datagram, sizeof(datagram));
    wr_u16(&w, 0);
    wr_u16(&w, net_addr_port(&bench->probe.ntp));
    wr_u16(&w, sizeof(datagram));
    wr_u16(&w, 0); /* no checksum */
    wr_u8(&w, 0x23);
    bool sent = sendto(fd, datagram, sizeof(datagram), 0, &bench->probe.ntp.sa,
                       net_addr_len(&bench->probe.ntp)) == sizeof(datagram);
    (void)close(fd);
    uint64_t after = before;
    for (int i = 0; sent && after == before && i < 100; i++) {
        (void)usleep(10000);
        after = verdict_counter(&bench->probe, NTP_DROP_PORT);
    }
    probe_result(&bench->probe, after == before + 1, name, "counter moved by %llu",
                 (unsigned long long)(after - before));
}

/* All verdicts together are all datagrams received: nothing goes uncounted. */
static void counters_add_up(struct bench *bench)
{
    uint64_t sum = 0;
    (void)usleep(100000); /* the last reply may have overtaken its counter */
    for (unsigned v = 0; v < NTP_VERDICTS; v++) {
        sum += verdict_counter(&bench->probe, v);
    }
    uint64_t received = probe_counter(&bench->probe, "ntsd_ntp_received_total");
    probe_result(&bench->probe, sum == received, "verdicts add up to datagrams received",
                 "%llu of %llu", (unsigned long long)sum, (unsigned long long)received);
}

static void print_table(void)
{
    printf("| row | datagram | answer | counter |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        printf("| %s | %s | ", rows[i].id, rows[i].input);
        const char *separator = "";
        for (unsigned a = SILENT; a <= AUTHENTIC; a <<= 1) {
            if ((rows[i].answers & a) != 0) {
                printf("%s%s", separator, answer_names[a]);
                separator = " or ";
            }
        }
        separator = " | ";
        for (size_t c = 0; c < rows[i].counters; c++) {
            printf("%s%s", separator,
                   rows[i].counter[c] == NTP_VERDICTS ? "by its kind"
                                                      : ntp_verdict_name(rows[i].counter[c]));
            separator = ", ";
        }
        printf(" |\n");
    }
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc == 2 && strcmp(argv[1], "--table") == 0) {
        print_table();
        return 0;
    }
    probe_init(&bench.probe, argc, argv);
    probe_result(&bench.probe, probe_honest_ntp(&bench.probe), "an honest exchange first",
                 "no answer");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_row(&bench, &rows[i]);
    }
    source_ports(&bench);
    source_port_zero(&bench);
    counters_add_up(&bench);
    return probe_finish(&bench.probe);
}
