/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See reference_id.h.
 */
#include "ntp/clock/reference_id.h"

#include "common/base/cursor.h"

#include <nettle/md5.h>

enum { V4_IN_V6 = 12 }; /* where the IPv4 address stands in a mapped one */

static uint32_t first_word(const uint8_t *p)
{
    struct rd r = rd_init(span_of(p, sizeof(uint32_t)));
    return rd_u32(&r);
}

uint32_t reference_id_of(const struct net_addr *addr)
{
    if (addr->sa.sa_family == AF_INET) {
        return ntohl(addr->v4.sin_addr.s_addr);
    }
    if (addr->sa.sa_family != AF_INET6) {
        return 0;
    }
    const uint8_t *octets = addr->v6.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&addr->v6.sin6_addr)) {
        return first_word(octets + V4_IN_V6);
    }
    uint8_t digest[MD5_DIGEST_SIZE];
    struct md5_ctx md5;
    md5_init(&md5);
    md5_update(&md5, sizeof(addr->v6.sin6_addr.s6_addr), octets);
    md5_digest(&md5, sizeof(digest), digest);
    return first_word(digest);
}
