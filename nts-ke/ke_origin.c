/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ke_origin.h.
 */
#include "nts-ke/ke_origin.h"

#include "common/net/prefix.h"

enum { V4_ADDRESS = 32, V4_NETWORK = 24, V6_ADDRESS = 64, V6_NETWORK = 48, MESSAGE_LEN = 18 };

static uint64_t place(const uint8_t *key, const struct net_addr *peer, unsigned v4_bits,
                      unsigned v6_bits)
{
    struct net_prefix prefix;
    uint8_t message[MESSAGE_LEN];
    struct wr w = wr_init(message, sizeof(message));
    if (net_prefix_of(peer, v4_bits, v6_bits, &prefix) != NTS_OK) {
        return 0;
    }
    wr_u64(&w, prefix.high);
    wr_u64(&w, prefix.low);
    wr_u8(&w, prefix.bits); /* tells a network from an address, */
    wr_u8(&w, prefix.v6);   /* and one family from the other */
    return siphash(key, wr_done(&w));
}

struct ke_origin ke_origin_of(const uint8_t key[static SIPHASH_KEY_LEN],
                              const struct net_addr *peer)
{
    return (struct ke_origin){.address = place(key, peer, V4_ADDRESS, V6_ADDRESS),
                              .network = place(key, peer, V4_NETWORK, V6_NETWORK)};
}
