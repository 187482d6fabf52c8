/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NTP header (RFC 5905 §7.3) and NTP time formats. Core; thread-safe.
 */
#ifndef NTSD_NTP_NTP_PACKET_H
#define NTSD_NTP_NTP_PACKET_H

#include "common/base/cursor.h"
#include "common/base/time.h"
#include "ntp/ntp_proto.h"

struct ntp_header {
    uint8_t leap;
    uint8_t version;
    uint8_t mode;
    uint8_t stratum;
    int8_t poll;
    int8_t precision;
    uint32_t root_delay;      /* NTP short format: 16.16 seconds */
    uint32_t root_dispersion; /* NTP short format */
    uint32_t reference_id;
    uint64_t reference_time; /* NTP timestamps: 32.32 seconds since 1900, era implied */
    uint64_t origin_time;
    uint64_t receive_time;
    uint64_t transmit_time;
};

enum { NTP_TRANSMIT_OFFSET = 40 }; /* where the transmit timestamp stands in the header */

/* Reads 48 octets; `r` turns bad when they are not there. */
struct ntp_header ntp_header_read(struct rd *r);
void ntp_header_write(struct wr *w, const struct ntp_header *header);

/* Wall time to an NTP timestamp (its era is dropped) and back: to the moment nearest `pivot`, so
 * that 2036 is survived. Rounds to nearest; 233 ps of resolution. */
uint64_t ntp_time_from_wall(struct wall_ns wall);
struct wall_ns ntp_time_to_wall(uint64_t ntp, struct wall_ns pivot);

/* Nanoseconds to NTP short format, rounded up, saturating; and back. */
uint32_t ntp_short_from_ns(int64_t ns);
int64_t ntp_short_to_ns(uint32_t ntp_short);

#endif
