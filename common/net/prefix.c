/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks. See prefix.h.
 */
#include "common/net/prefix.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum {
    MAPPED_BITS = 96,
    HALF_BITS = 64,
    V4_SHIFT = 32, /* from the last 32 bits of a half to its first */
    BITS_DIGITS_MAX = 3,
};

#define MAPPED UINT64_C(0x0000ffff00000000) /* low half of ::ffff:0:0, RFC 4291 §2.5.5.2 */

/* The first `bits` of a half; none for a negative number, all of them from 64 on. */
static uint64_t mask_of(int bits)
{
    if (bits >= HALF_BITS) {
        return UINT64_MAX;
    }
    return bits > 0 ? ~(UINT64_MAX >> bits) : 0;
}

static struct net_prefix v4_prefix(uint32_t address, unsigned bits)
{
    return (struct net_prefix){
        .high = (uint64_t)address << V4_SHIFT & mask_of((int)bits),
        .low = 0,
        .bits = (uint8_t)bits,
        .v6 = false,
    };
}

static struct net_prefix v6_prefix(uint64_t high, uint64_t low, unsigned bits)
{
    return (struct net_prefix){
        .high = high & mask_of((int)bits),
        .low = low & mask_of((int)bits - HALF_BITS),
        .bits = (uint8_t)bits,
        .v6 = true,
    };
}

static bool is_mapped(uint64_t high, uint64_t low)
{
    return high == 0 && (low & ~(uint64_t)UINT32_MAX) == MAPPED;
}

/* The half that begins at octet `at`. */
static uint64_t half_of(const struct in6_addr *address, size_t at)
{
    uint64_t half;
    memcpy(&half, address->s6_addr + at, sizeof(half));
    return be64toh(half);
}

NODISCARD enum nts_err net_prefix_of(const struct net_addr *addr, unsigned v4_bits,
                                     unsigned v6_bits, struct net_prefix *prefix)
{
    assert(v4_bits <= NET_PREFIX_V4_BITS && v6_bits <= NET_PREFIX_V6_BITS);
    if (addr->sa.sa_family == AF_INET) {
        *prefix = v4_prefix(be32toh(addr->v4.sin_addr.s_addr), v4_bits);
        return NTS_OK;
    }
    if (addr->sa.sa_family != AF_INET6) {
        *prefix = (struct net_prefix){0};
        return NTS_EFORMAT;
    }
    uint64_t high = half_of(&addr->v6.sin6_addr, 0);
    uint64_t low = half_of(&addr->v6.sin6_addr, sizeof(high));
    *prefix =
        is_mapped(high, low) ? v4_prefix((uint32_t)low, v4_bits) : v6_prefix(high, low, v6_bits);
    return NTS_OK;
}

/* Decimal digits and nothing else. */
static bool bits_parse(const char *text, unsigned max, unsigned *bits)
{
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > BITS_DIGITS_MAX || text[len] != '\0') {
        return false;
    }
    *bits = 0;
    for (size_t i = 0; i < len; i++) {
        *bits = *bits * 10 + (unsigned)(text[i] - '0');
    }
    return *bits <= max;
}

/* A prefix that is wider than all of the mapped addresses is one of IPv6. */
static struct net_prefix prefix_of_v6(const struct in6_addr *address, unsigned bits)
{
    uint64_t high = half_of(address, 0);
    uint64_t low = half_of(address, sizeof(high));
    bool mapped = bits >= MAPPED_BITS && is_mapped(high, low);
    return mapped ? v4_prefix((uint32_t)low, bits - MAPPED_BITS) : v6_prefix(high, low, bits);
}

NODISCARD enum nts_err net_prefix_parse(const char *text, struct net_prefix *prefix)
{
    char host[NET_ADDR_TEXT_MAX];
    struct net_addr addr;
    size_t len = strcspn(text, "/");
    if (len >= sizeof(host)) {
        return NTS_EFORMAT;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (strpbrk(host, "[]%") != NULL || net_addr_parse(host, 0, &addr) != NTS_OK) {
        return NTS_EFORMAT;
    }
    bool v6 = addr.sa.sa_family == AF_INET6;
    unsigned bits = v6 ? NET_PREFIX_V6_BITS : NET_PREFIX_V4_BITS;
    if (text[len] == '/' && !bits_parse(text + len + 1, bits, &bits)) {
        return NTS_EFORMAT;
    }
    *prefix = v6 ? prefix_of_v6(&addr.v6.sin6_addr, bits)
                 : v4_prefix(be32toh(addr.v4.sin_addr.s_addr), bits);
    return NTS_OK;
}

bool net_prefix_holds(const struct net_prefix *outer, const struct net_prefix *inner)
{
    return outer->v6 == inner->v6 && outer->bits <= inner->bits &&
           outer->high == (inner->high & mask_of(outer->bits)) &&
           outer->low == (inner->low & mask_of(outer->bits - HALF_BITS));
}
