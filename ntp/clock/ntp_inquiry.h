/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to an NTP server and the wait for its answer, on a libuv loop, over a socket that
 * lives no longer: a copy of the answer, or one that is late, finds a closed port. How long to wait
 * is the caller's business. Shell module; all on the loop's thread.
 */
#ifndef NTSD_NTP_CLOCK_NTP_INQUIRY_H
#define NTSD_NTP_CLOCK_NTP_INQUIRY_H

#include "common/base/stats.h"
#include "ntp/clock/ntp_exchange.h"
#include "ntp/clock/ntp_session.h"
#include "ntp/clock/ntp_udp.h"

#include <uv.h>

/* Indices of a source's stats block: the verdicts on datagrams, then these; ntp_source.h goes on
 * from the last one. */
enum ntp_inquiry_count {
    NTP_INQUIRY_SENT = NTP_EXCHANGE_VERDICTS,
    NTP_INQUIRY_ERROR,    /* the network reported an error, e.g. a closed port */
    NTP_INQUIRY_NO_STAMP, /* an exchange without a kernel stamp at one end */
    NTP_INQUIRY_COUNTERS
};

struct ntp_inquiry {
    /* Set by the caller before the first use. */
    uv_loop_t *loop;
    struct rng *rng;
    struct stats *stats;
    struct ntp_session *session; /* NULL: plain; otherwise new cookies are put into it */
    void *ctx;
    /* The answer came: NTP_EXCHANGE_OK and a sample, or why it is of no use. The inquiry is over
     * before it is called. */
    void (*over)(void *ctx, enum ntp_exchange_verdict verdict, const struct clock_sample *sample);
    void (*released)(void *ctx); /* the loop has let go of it: it may be used again, or freed */

    /* Its own. */
    uv_poll_t poll;
    bool open;    /* a request is under way */
    bool polling; /* the loop has the handle */
    bool nak;
    struct ntp_udp udp;
    uint32_t server_id;
    struct query query;
    struct query_reply reply;
};

/*
 * Sends a request. Not while ntp_inquiry_is_held(). On failure nothing is under way, and a cookie
 * may be gone. NTS_ESYSTEM: errno. NTS_ENOTFOUND: no cookie left.
 */
NODISCARD enum nts_err ntp_inquiry_begin(struct ntp_inquiry *inquiry, const struct net_addr *to);

/* Waits no longer. Returns true when the server refused our cookie meanwhile (RFC 8915 §5.7: to be
 * believed when no better answer came). Safe to call at any time. */
bool ntp_inquiry_abandon(struct ntp_inquiry *inquiry);

/* True until `released` was called for the last one begun. */
bool ntp_inquiry_is_held(const struct ntp_inquiry *inquiry);

#endif
