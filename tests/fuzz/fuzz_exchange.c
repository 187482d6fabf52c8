/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's answer to a plain request, from the datagram to the measurement: any octets behind an
 * origin timestamp that is right. What is believed lies between the moments of the exchange and
 * within the limits of ntp_exchange.h.
 *
 *   | away in us (4) | datagram ... |
 */
#include "ntp/clock/ntp_exchange.h"

#include <stdio.h>
#include <stdlib.h>

#define DEMAND(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            (void)fprintf(stderr, "demanded: %s\n", #x);                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define SENT_RAW (1000 * NS_PER_S)

enum { ORIGIN_OFFSET = 24, PACKET_MAX = 1500, OWN_ID = 0x7f000001 };

static struct query_reply reply;
static uint8_t packet[PACKET_MAX];

static void check_sample(const struct clock_sample *s, const struct ntp_exchange_frame *f)
{
    DEMAND(s->raw_ns >= f->sent.ns && s->raw_ns <= f->received.ns);
    DEMAND(s->delay_ns >= 0 && s->delay_ns <= NTP_EXCHANGE_DELAY_MAX_NS);
    DEMAND(s->root_delay_ns >= 0 && s->root_dispersion_ns > 0);
    DEMAND(s->root_delay_ns / 2 + s->root_dispersion_ns <= NTP_EXCHANGE_DISTANCE_MAX_NS);
    DEMAND(s->stratum >= 1 && s->stratum <= NTP_STRATUM_MAX);
    DEMAND(s->leap != NTP_LEAP_UNKNOWN);
    DEMAND(s->reference_id == f->server_id);
    DEMAND(s->wall_ns > 600000000 * NS_PER_S && s->wall_ns < 5000000000 * NS_PER_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t origin[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct query query = {.transmit_time = UINT64_C(0x0102030405060708)};
    struct rd r = rd_init(span_of(data, size));
    int64_t away_us = rd_u32(&r);
    struct span body = rd_rest(&r);
    if (r.bad || body.n > sizeof(packet)) {
        return 0;
    }
    if (body.n > 0) {
        memcpy(packet, body.p, body.n);
    }
    if (body.n >= ORIGIN_OFFSET + sizeof(origin)) {
        memcpy(packet + ORIGIN_OFFSET, origin, sizeof(origin));
    }
    const struct ntp_exchange_frame frame = {
        .sent = {.ns = SENT_RAW},
        .received = {.ns = SENT_RAW + away_us * 1000},
        .server_id = 0xa9fea97b,
        .own_id = OWN_ID,
    };
    enum ntp_exchange_verdict verdict =
        ntp_exchange_judge(&query, NULL, span_of(packet, body.n), &reply);
    DEMAND(verdict != NTP_EXCHANGE_ORIGIN && verdict != NTP_EXCHANGE_NAK);
    DEMAND((verdict == NTP_EXCHANGE_SHORT) == (body.n < NTP_HEADER_LEN));
    struct clock_sample sample = {.stratum = 99};
    if (verdict == NTP_EXCHANGE_OK) {
        verdict = ntp_exchange_sample(&reply.header, &frame, &sample);
    }
    if (verdict == NTP_EXCHANGE_OK) {
        check_sample(&sample, &frame);
    } else {
        DEMAND(sample.stratum == 99);
    }
    return 0;
}
