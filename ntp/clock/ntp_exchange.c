/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging a server's answer. See ntp_exchange.h.
 */
#include "ntp/clock/ntp_exchange.h"

#include "ntp/saturate.h"

/* Middle of the years that NTP timestamps are taken to be in: 2058-01-01. Not the host's clock,
 * which may be decades off before there is any time at all. */
#define PIVOT_WALL_NS (INT64_C(2777068800) * NS_PER_S)

enum { PRECISION_LEAST = -32 }; /* log2 seconds; finer than the wire's own fraction */

static const char *const names[NTP_EXCHANGE_VERDICTS] = {
    [NTP_EXCHANGE_OK] = "ok",
    [NTP_EXCHANGE_SHORT] = "short",
    [NTP_EXCHANGE_MODE] = "mode",
    [NTP_EXCHANGE_ORIGIN] = "origin",
    [NTP_EXCHANGE_UNPROVEN] = "unproven",
    [NTP_EXCHANGE_NAK] = "nak",
    [NTP_EXCHANGE_RATE] = "rate",
    [NTP_EXCHANGE_DENY] = "deny",
    [NTP_EXCHANGE_KISS] = "kiss",
    [NTP_EXCHANGE_UNSYNCHRONISED] = "unsynchronised",
    [NTP_EXCHANGE_LOOP] = "loop",
    [NTP_EXCHANGE_DISTANCE] = "distance",
    [NTP_EXCHANGE_STAMPS] = "stamps",
    [NTP_EXCHANGE_DELAY] = "delay",
};

const char *ntp_exchange_verdict_name(enum ntp_exchange_verdict verdict)
{
    return (unsigned)verdict < NTP_EXCHANGE_VERDICTS ? names[verdict] : "unknown";
}

bool ntp_exchange_goes_on(enum ntp_exchange_verdict verdict)
{
    return verdict >= NTP_EXCHANGE_SHORT && verdict <= NTP_EXCHANGE_NAK;
}

static enum ntp_exchange_verdict judge_kiss(uint32_t code)
{
    switch (code) {
    case NTP_KISS_RATE:
        return NTP_EXCHANGE_RATE;
    case NTP_KISS_DENY:
    case NTP_KISS_RSTR:
        return NTP_EXCHANGE_DENY; /* RFC 5905 §7.4: both end the association */
    default:
        return NTP_EXCHANGE_KISS;
    }
}

enum ntp_exchange_verdict ntp_exchange_judge(const struct query *query,
                                             const struct session_keys *keys, struct span packet,
                                             struct query_reply *reply)
{
    switch (query_judge(query, keys, packet, reply)) {
    case QUERY_OK:
        return NTP_EXCHANGE_OK;
    case QUERY_SHORT:
        return NTP_EXCHANGE_SHORT;
    case QUERY_NOT_A_REPLY:
        return NTP_EXCHANGE_MODE;
    case QUERY_ORIGIN:
        return NTP_EXCHANGE_ORIGIN;
    case QUERY_NO_UID:
    case QUERY_WRONG_UID:
    case QUERY_NO_AUTHENTICATOR:
    case QUERY_BAD_FIELD:
    case QUERY_NOT_AUTHENTIC:
        return NTP_EXCHANGE_UNPROVEN;
    case QUERY_NAK:
        return NTP_EXCHANGE_NAK;
    case QUERY_KISS:
        /* Anyone who saw the request could forge one, and silence us for an hour. */
        return keys == NULL || reply->authentic ? judge_kiss(reply->header.reference_id)
                                                : NTP_EXCHANGE_UNPROVEN;
    case QUERY_UNSYNCHRONISED:
        return NTP_EXCHANGE_UNSYNCHRONISED;
    case QUERY_VERDICTS:
        break;
    }
    return NTP_EXCHANGE_UNPROVEN;
}

static int64_t precision_ns(int8_t precision)
{
    if (precision >= 0) {
        return NS_PER_S;
    }
    return precision < PRECISION_LEAST ? 1 : (NS_PER_S >> -precision) + 1;
}

/* RFC 5905 §9.2: a server's stamps are set, in order, and not older than its own setting. */
static bool stamps_make_sense(const struct ntp_header *header)
{
    int64_t residence = (int64_t)(header->transmit_time - header->receive_time);
    int64_t set_before = (int64_t)(header->transmit_time - header->reference_time);
    return header->receive_time != 0 && header->transmit_time != 0 && residence >= 0 &&
           (header->reference_time == 0 || set_before >= 0);
}

enum ntp_exchange_verdict ntp_exchange_sample(const struct ntp_header *header,
                                              const struct ntp_exchange_frame *frame,
                                              struct clock_sample *sample)
{
    const struct wall_ns pivot = {.ns = PIVOT_WALL_NS};
    int64_t root_delay = ntp_short_to_ns(header->root_delay);
    int64_t dispersion = ntp_short_to_ns(header->root_dispersion) + precision_ns(header->precision);
    /* At stratum 1 the field holds a name, which may look like any address. */
    if (header->stratum > 1 && frame->own_id != 0 && header->reference_id == frame->own_id) {
        return NTP_EXCHANGE_LOOP;
    }
    if (root_delay / 2 + dispersion > NTP_EXCHANGE_DISTANCE_MAX_NS) {
        return NTP_EXCHANGE_DISTANCE;
    }
    if (!stamps_make_sense(header)) {
        return NTP_EXCHANGE_STAMPS;
    }
    /* RFC 5905 §8: T1 and T4 are ours, T2 and T3 the server's. */
    int64_t t2 = ntp_time_to_wall(header->receive_time, pivot).ns;
    int64_t t3 = ntp_time_to_wall(header->transmit_time, pivot).ns;
    int64_t away = sat_sub(frame->received.ns, frame->sent.ns);
    int64_t delay = sat_sub(away, sat_sub(t3, t2));
    if (away < 0 || delay > NTP_EXCHANGE_DELAY_MAX_NS || delay < -NTP_EXCHANGE_DELAY_SLACK_NS) {
        return NTP_EXCHANGE_DELAY;
    }
    *sample = (struct clock_sample){
        .raw_ns = frame->sent.ns + away / 2,
        .wall_ns = sat_add(t2, sat_sub(t3, t2) / 2),
        .delay_ns = delay < 0 ? 0 : delay,
        .root_delay_ns = root_delay,
        .root_dispersion_ns = dispersion,
        .reference_id = frame->server_id,
        .stratum = header->stratum,
        .leap = header->leap,
    };
    return NTP_EXCHANGE_OK;
}
