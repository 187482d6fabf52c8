/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NTP header and NTP time formats. See ntp_packet.h; RFC 5905 sections 6 and 7.3.
 *
 *   | LI (2) VN (3) mode (3) | stratum | poll | precision |   0
 *   |                      root delay                     |   4
 *   |                   root dispersion                   |   8
 *   |                     reference id                    |  12
 *   |                   reference timestamp (8)           |  16
 *   |                     origin timestamp (8)            |  24
 *   |                    receive timestamp (8)            |  32
 *   |                   transmit timestamp (8)            |  40
 */
#include "ntp/ntp_packet.h"

#include "ntp/saturate.h"

#include <assert.h>

enum { LEAP_SHIFT = 6, VERSION_SHIFT = 3, VERSION_MASK = 7, MODE_MASK = 7 };

#define NTP_FRACTION INT64_C(0x100000000) /* units of a timestamp's fraction in a second */
#define SHORT_UNITS  INT64_C(65536)       /* units of the short format in a second */

static_assert(NTP_HEADER_LEN == NTP_TRANSMIT_OFFSET + 8, "the transmit timestamp ends the header");

struct ntp_header ntp_header_read(struct rd *r)
{
    struct ntp_header h = {0};
    uint8_t first = rd_u8(r);
    h.leap = first >> LEAP_SHIFT;
    h.version = first >> VERSION_SHIFT & VERSION_MASK;
    h.mode = first & MODE_MASK;
    h.stratum = rd_u8(r);
    h.poll = (int8_t)rd_u8(r);
    h.precision = (int8_t)rd_u8(r);
    h.root_delay = rd_u32(r);
    h.root_dispersion = rd_u32(r);
    h.reference_id = rd_u32(r);
    h.reference_time = rd_u64(r);
    h.origin_time = rd_u64(r);
    h.receive_time = rd_u64(r);
    h.transmit_time = rd_u64(r);
    return h;
}

void ntp_header_write(struct wr *w, const struct ntp_header *header)
{
    wr_u8(w, (uint8_t)((header->leap & 3) << LEAP_SHIFT |
                       (header->version & VERSION_MASK) << VERSION_SHIFT |
                       (header->mode & MODE_MASK)));
    wr_u8(w, header->stratum);
    wr_u8(w, (uint8_t)header->poll);
    wr_u8(w, (uint8_t)header->precision);
    wr_u32(w, header->root_delay);
    wr_u32(w, header->root_dispersion);
    wr_u32(w, header->reference_id);
    wr_u64(w, header->reference_time);
    wr_u64(w, header->origin_time);
    wr_u64(w, header->receive_time);
    wr_u64(w, header->transmit_time);
}

uint64_t ntp_time_from_wall(struct wall_ns wall)
{
    int64_t s = wall.ns / NS_PER_S;
    int64_t ns = wall.ns % NS_PER_S;
    if (ns < 0) {
        ns += NS_PER_S;
        s -= 1;
    }
    /* A fraction that rounds up to a whole second carries by itself; the era falls off the top. */
    uint64_t fraction = (uint64_t)(ns * NTP_FRACTION + NS_PER_S / 2) / (uint64_t)NS_PER_S;
    return ((uint64_t)(s + NTP_UNIX_OFFSET_S) << 32) + fraction;
}

struct wall_ns ntp_time_to_wall(uint64_t ntp, struct wall_ns pivot)
{
    /* RFC 5905 §6: differences are right modulo 2^64, whatever the eras of both. */
    int64_t diff = (int64_t)(ntp - ntp_time_from_wall(pivot));
    int64_t fraction = (int64_t)((uint64_t)diff & UINT32_MAX);
    int64_t s = (diff - fraction) / NTP_FRACTION;
    int64_t ns = (fraction * NS_PER_S + NTP_FRACTION / 2) / NTP_FRACTION;
    return (struct wall_ns){.ns = sat_add(pivot.ns, s * NS_PER_S + ns)};
}

uint32_t ntp_short_from_ns(int64_t ns)
{
    if (ns <= 0) {
        return 0;
    }
    if (ns >= SHORT_UNITS * NS_PER_S) {
        return UINT32_MAX;
    }
    /* Up, never down: these are bounds on an error. */
    int64_t units = (ns * SHORT_UNITS + NS_PER_S - 1) / NS_PER_S;
    return units > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

int64_t ntp_short_to_ns(uint32_t ntp_short)
{
    return (int64_t)ntp_short * NS_PER_S / SHORT_UNITS;
}
