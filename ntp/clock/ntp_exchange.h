/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange with an NTP server, from the client's side: whether a datagram is the answer to our
 * request and of use, and what follows from its four timestamps. The request is query.h's. RFC 5905
 * sections 7.4, 8 and 9.2; RFC 8915 section 5.7. Core; thread-safe.
 */
#ifndef NTSD_NTP_CLOCK_NTP_EXCHANGE_H
#define NTSD_NTP_CLOCK_NTP_EXCHANGE_H

#include "ntp/clock/clock_sample.h"
#include "ntp/query.h"

/* What became of a datagram. Every member is a counter. */
enum ntp_exchange_verdict {
    NTP_EXCHANGE_OK,
    /* Not the answer to this request: a copy, a late one, a stranger's. The wait goes on. */
    NTP_EXCHANGE_SHORT,    /* no whole header, or longer than anything we take */
    NTP_EXCHANGE_MODE,     /* not a server's reply of version 4 */
    NTP_EXCHANGE_ORIGIN,   /* does not echo our transmit timestamp */
    NTP_EXCHANGE_UNPROVEN, /* NTS: not authentic, or a kiss that is not */
    NTP_EXCHANGE_NAK,      /* NTSN, which cannot be authentic: believed if nothing better comes */
    /* The server's word, and of no use. The exchange is over. */
    NTP_EXCHANGE_RATE,           /* kiss: ask less often */
    NTP_EXCHANGE_DENY,           /* kiss DENY or RSTR: do not ask */
    NTP_EXCHANGE_KISS,           /* another kiss code */
    NTP_EXCHANGE_UNSYNCHRONISED, /* leap 3, stratum 0 or above 15 */
    NTP_EXCHANGE_LOOP,           /* it takes its time from us */
    NTP_EXCHANGE_DISTANCE,       /* its own distance to the reference is too large */
    NTP_EXCHANGE_STAMPS,         /* its timestamps are not set, or contradict each other */
    NTP_EXCHANGE_DELAY,          /* too long under way, or shorter than can be */
    NTP_EXCHANGE_VERDICTS
};
const char *ntp_exchange_verdict_name(enum ntp_exchange_verdict verdict); /* snake_case, static */

/* True while the answer may still come. */
bool ntp_exchange_goes_on(enum ntp_exchange_verdict verdict);

#define NTP_EXCHANGE_DISTANCE_MAX_NS (3 * NS_PER_S / 2) /* root delay / 2 + root dispersion */
#define NTP_EXCHANGE_DELAY_MAX_NS    NS_PER_S

/* Clocks that tick differently make a delay of nothing come out below zero: so much is taken for
 * zero, more is a lie. */
#define NTP_EXCHANGE_DELAY_SLACK_NS NS_PER_MS

/*
 * Is this datagram the answer, and does the server claim to know the time? `keys` NULL for a plain
 * request. Only with NTP_EXCHANGE_OK may reply->header be believed, and `reply` have cookies.
 */
enum ntp_exchange_verdict ntp_exchange_judge(const struct query *query,
                                             const struct session_keys *keys, struct span packet,
                                             struct query_reply *reply);

/* Our half of the four timestamps, on the raw clock, and who the ends are. */
struct ntp_exchange_frame {
    struct mono_ns sent;
    struct mono_ns received;
    uint32_t server_id; /* reference ids, see reference_id.h */
    uint32_t own_id;
};

/*
 * The measurement. NTP_EXCHANGE_OK, or _LOOP, _DISTANCE, _STAMPS, _DELAY; `sample` is then
 * untouched. The server's precision is an error of its stamps and goes into the dispersion. Dates
 * are right from 1990 to 2126 whatever the host's clock says.
 */
enum ntp_exchange_verdict ntp_exchange_sample(const struct ntp_header *header,
                                              const struct ntp_exchange_frame *frame,
                                              struct clock_sample *sample);

#endif
