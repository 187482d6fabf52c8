/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: PROXY protocol headers. The first octet says what the rest is:
 *
 *   even  octets as they come
 *   odd   what follows the signature: the signature is put before it, the length is set to what is
 *         there and, as bit 1 says, the first CRC32C is made right. Most mutations are good headers
 *         then, or nearly so.
 *
 * The verdict on every beginning fits the one on the whole, what is said to be missing is missing,
 * a second reading of the specification agrees, and a right checksum protects what it should.
 */
#include "common/net/proxy2.h"

#include "common/net/crc32c.h"

#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum {
    SIGNATURE_LEN = 12,
    LENGTH_OFFSET = 14,
    MODE_BUILD = 1,
    MODE_SUM = 2,
    ROOM = PROXY2_HEADER_MAX + 64,
    AFTER = 40, /* octets of the client's */
    SUM_LEN = 4,
};

static enum proxy2_verdict parse(const uint8_t *p, size_t n, struct proxy2_header *header)
{
    /* Of exactly this size, so that reading too far is seen. */
    uint8_t *copy = malloc(n > 0 ? n : 1);
    CHECK(copy != NULL);
    if (n > 0) {
        memcpy(copy, p, n);
    }
    memset(header, 0x5a, sizeof(*header));
    enum proxy2_verdict verdict = proxy2_parse(span_of(copy, n), header);
    free(copy);
    return verdict;
}

static void check_header(enum proxy2_verdict verdict, const struct proxy2_header *header, size_t n)
{
    int family = header->source.sa.sa_family;
    CHECK((verdict == PROXY2_BAD) == (header->fault != PROXY2_FAULT_NONE));
    CHECK((verdict == PROXY2_MORE) == (header->missing > 0));
    CHECK((verdict == PROXY2_DONE) == (header->len > 0));
    CHECK(proxy2_fault_name(header->fault) != NULL);
    CHECK(header->len <= n && header->len <= PROXY2_HEADER_MAX);
    CHECK(n >= PROXY2_HEADER_MAX ? verdict != PROXY2_MORE
                                 : n + header->missing <= PROXY2_HEADER_MAX);
    CHECK(header->has_source == (family == AF_INET || family == AF_INET6));
    CHECK(header->has_source || family == AF_UNSPEC);
    CHECK(verdict == PROXY2_DONE || (!header->has_source && !header->local));
    CHECK(!header->local || !header->has_source);
}

static bool is_same(const struct proxy2_header *a, const struct proxy2_header *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Of every beginning: it asks for more, until it has said its last word. */
static void check_beginnings(const uint8_t *p, size_t n)
{
    struct proxy2_header last;
    enum proxy2_verdict verdict = parse(p, n, &last);
    size_t wanted = 0; /* no verdict before so many octets, unless the header is bad */
    for (size_t cut = 0; cut <= n; cut++) {
        struct proxy2_header header;
        enum proxy2_verdict early = parse(p, cut, &header);
        check_header(early, &header, cut);
        CHECK(early == PROXY2_MORE || (early == verdict && header.fault == last.fault));
        CHECK(early != PROXY2_DONE || (cut >= wanted && cut >= last.len));
        CHECK(early == PROXY2_DONE || verdict != PROXY2_DONE || cut < last.len);
        if (early == PROXY2_DONE) {
            CHECK(is_same(&header, &last));
        }
        wanted = early == PROXY2_MORE ? cut + header.missing : wanted;
    }
}

/* Where the TLVs begin, for the families that have any; 0 for the others. */
static size_t tlvs_at(const uint8_t *p)
{
    if (p[12] != 0x21 || (p[13] & 0x0f) == 0 || (p[13] & 0x0f) > 2) {
        return 0;
    }
    switch (p[13] >> 4) {
    case 1:
        return 28;
    case 2:
        return 52;
    case 3:
        return 232;
    default:
        return 0;
    }
}

/* Makes the first checksum right and says where it stands; 0: there is none. */
static size_t set_sum(uint8_t *p, size_t n)
{
    size_t at = tlvs_at(p);
    while (at > 0 && at + 3 <= n) {
        size_t len = (size_t)p[at + 1] << 8 | p[at + 2];
        if (p[at] == 0x03 && len == SUM_LEN && at + 3 + SUM_LEN <= n) {
            memset(p + at + 3, 0, SUM_LEN);
            struct wr w = wr_init(p + at + 3, SUM_LEN);
            wr_u32(&w, crc32c(0, span_of(p, n)));
            return at + 3;
        }
        at += 3 + len;
    }
    return 0;
}

static bool sum_is_right(const uint8_t *p, size_t n, size_t sum_at)
{
    uint8_t copy[ROOM];
    uint8_t sum[SUM_LEN];
    CHECK(n <= sizeof(copy));
    memcpy(copy, p, n);
    memset(copy + sum_at, 0, SUM_LEN);
    struct wr w = wr_init(sum, sizeof(sum));
    wr_u32(&w, crc32c(0, span_of(copy, n)));
    return memcmp(sum, p + sum_at, SUM_LEN) == 0;
}

static bool tlvs_are_good(const uint8_t *p, size_t n, size_t at)
{
    size_t sum_at = 0;
    while (at < n) {
        size_t left = n - at;
        size_t len = left >= 3 ? (size_t)p[at + 1] << 8 | p[at + 2] : 0;
        if (left < 3 || len > left - 3) {
            return false;
        }
        if (p[at] == 0x03 && (len != SUM_LEN || sum_at > 0)) {
            return false;
        }
        sum_at = p[at] == 0x03 ? at + 3 : sum_at;
        at += 3 + len;
    }
    return sum_at == 0 || sum_is_right(p, n, sum_at);
}

/* The specification, read a second time: of a whole header with a signature and a true length. */
static bool is_good(const uint8_t *p, size_t n)
{
    if (n > PROXY2_HEADER_MAX || (p[12] != 0x20 && p[12] != 0x21)) {
        return false;
    }
    if (p[12] == 0x20) {
        return true;
    }
    if (p[13] >> 4 > 3 || (p[13] & 0x0f) > 2) {
        return false;
    }
    size_t at = tlvs_at(p);
    return at <= n && (at == 0 || tlvs_are_good(p, n, at));
}

static void check_source(const uint8_t *p, const struct proxy2_header *header)
{
    bool v4 = p[13] == 0x11 || p[13] == 0x12;
    bool v6 = p[13] == 0x21 || p[13] == 0x22;
    const struct net_addr *source = &header->source;
    CHECK(header->local == (p[12] == 0x20));
    CHECK(header->has_source == (p[12] == 0x21 && (v4 || v6)));
    if (header->has_source) {
        const void *octets = v4 ? (const void *)&source->v4.sin_addr : &source->v6.sin6_addr;
        const uint8_t *port = p + (v4 ? 24 : 48);
        CHECK(source->sa.sa_family == (v4 ? AF_INET : AF_INET6));
        CHECK(memcmp(octets, p + PROXY2_FIXED_LEN, v4 ? 4 : 16) == 0);
        CHECK(net_addr_port(source) == (port[0] << 8 | port[1]));
    }
}

/* A whole header, and one octet too few. */
static void check_verdict(const uint8_t *p, size_t n)
{
    struct proxy2_header header;
    enum proxy2_verdict verdict = parse(p, n, &header);
    CHECK(verdict == (is_good(p, n) ? PROXY2_DONE : PROXY2_BAD));
    if (verdict == PROXY2_DONE) {
        CHECK(header.len == n);
        check_source(p, &header);
        CHECK(parse(p, n - 1, &header) == PROXY2_MORE && header.missing == 1);
        CHECK(parse(p, PROXY2_FIXED_LEN - 1, &header) == PROXY2_MORE && header.missing == 1);
        CHECK(n == PROXY2_FIXED_LEN || (parse(p, PROXY2_FIXED_LEN, &header) == PROXY2_MORE &&
                                        header.missing == n - PROXY2_FIXED_LEN));
    }
}

/* With a right checksum no octet of the addresses may be another one, nor one of the checksum or of
 * what comes after it. Before it there may be a length that, changed, makes it part of a value. */
static void check_protection(uint8_t *p, size_t n, size_t sum_at)
{
    struct proxy2_header header;
    if (sum_at == 0 || parse(p, n, &header) != PROXY2_DONE) {
        return;
    }
    for (size_t at = PROXY2_FIXED_LEN; at < n; at++) {
        bool is_protected = at < tlvs_at(p) || at >= sum_at;
        p[at] ^= 0x41;
        CHECK(!is_protected || parse(p, n, &header) == PROXY2_BAD);
        p[at] ^= 0x41;
    }
}

static void check_built(uint8_t mode, struct span rest)
{
    static const uint8_t signature[SIGNATURE_LEN] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                     0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    uint8_t octets[ROOM + AFTER];
    struct wr w = wr_init(octets, ROOM);
    size_t used = rest.n < ROOM - SIGNATURE_LEN - 2 ? rest.n : ROOM - SIGNATURE_LEN - 2;
    if (used < 2) {
        return;
    }
    wr_bytes(&w, span_of(signature, sizeof(signature)));
    wr_bytes(&w, span_of(rest.p, 2));
    wr_u16(&w, (uint16_t)(used - 2));
    wr_bytes(&w, span_of(rest.p + 2, used - 2));
    CHECK(!w.bad && w.n == PROXY2_FIXED_LEN + used - 2);
    size_t sum_at = (mode & MODE_SUM) != 0 ? set_sum(octets, w.n) : 0;
    memset(octets + w.n, 0x16, AFTER);
    check_beginnings(octets, w.n + AFTER);
    check_protection(octets, w.n, sum_at);
    check_verdict(octets, w.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct span rest = span_of(data + 1, size - 1);
    if ((data[0] & MODE_BUILD) != 0) {
        check_built(data[0], rest);
    } else {
        check_beginnings(rest.p, rest.n < ROOM ? rest.n : ROOM);
    }
    return 0;
}
