/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a peer comes from, as two numbers: its address (of IPv6 the /64 that one subscriber has)
 * and its network (IPv4 /24, IPv6 /48). An IPv4 address mapped into IPv6 is the IPv4 address. Core.
 */
#ifndef NTSD_NTS_KE_KE_ORIGIN_H
#define NTSD_NTS_KE_KE_ORIGIN_H

#include "common/crypto/siphash.h"
#include "common/net/addr.h"

struct ke_origin {
    uint64_t address;
    uint64_t network;
};

/* `key`: random, so that nobody can choose addresses that fall together in a table. An address of
 * another family is from nowhere in particular. */
struct ke_origin ke_origin_of(const uint8_t key[static SIPHASH_KEY_LEN],
                              const struct net_addr *peer);

#endif
