/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks: the first bits of an IPv4 or IPv6 address. Here, and nowhere else, an IPv4 address
 * written as IPv6 (::ffff:a.b.c.d) turns into the IPv4 address it is, so that rules and limits for
 * it cannot be got around. Ports and scopes of addresses play no part. Pure; thread-safe.
 */
#ifndef NTSD_COMMON_NET_PREFIX_H
#define NTSD_COMMON_NET_PREFIX_H

#include "common/base/err.h"
#include "common/net/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NET_PREFIX_V4_BITS = 32,
    NET_PREFIX_V6_BITS = 128,
};

/* An address is a number of 128 bits in two halves; one of IPv4 is its first 32 bits. */
struct net_prefix {
    uint64_t high;
    uint64_t low;
    uint8_t bits; /* how many count, from the top; the rest is zero */
    bool v6;
};

/*
 * The network of an address: its first `v4_bits` (at most 32) or `v6_bits` (at most 128) bits.
 * NTS_EFORMAT: neither IPv4 nor IPv6; `prefix` is then zeroed.
 */
NODISCARD enum nts_err net_prefix_of(const struct net_addr *addr, unsigned v4_bits,
                                     unsigned v6_bits, struct net_prefix *prefix);

/*
 * "192.0.2.1" (a single address), "192.0.2.0/24", "2001:db8::/32". Bits of the address beyond the
 * prefix are dropped, as chrony does. ::ffff:192.0.2.0/120 is 192.0.2.0/24; a shorter prefix than
 * ::ffff:0:0/96 is one of IPv6 and holds no IPv4 address. NTS_EFORMAT: anything else, also brackets
 * and a %scope; `prefix` is then untouched.
 */
NODISCARD enum nts_err net_prefix_parse(const char *text, struct net_prefix *prefix);

/* Is all of `inner` in `outer`? */
bool net_prefix_holds(const struct net_prefix *outer, const struct net_prefix *inner);

#endif
