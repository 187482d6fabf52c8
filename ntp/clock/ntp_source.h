/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One NTP server as a source of time: asks when ntp_poll.h allows it, on a libuv loop, and hands
 * over what comes of it. Names are resolved in libuv's helper threads. Shell module; all on the
 * loop's thread.
 *
 * With NTS the caller makes the key establishments (this folder knows nothing of TLS): it is asked
 * for one by the event `establish` and answers by ntp_source_established() or
 * ntp_source_not_established().
 */
#ifndef NTSD_NTP_CLOCK_NTP_SOURCE_H
#define NTSD_NTP_CLOCK_NTP_SOURCE_H

#include "ntp/clock/ntp_inquiry.h"
#include "ntp/clock/ntp_poll.h"

/* Indices of a source's stats block: the verdicts on datagrams, ntp_inquiry.h's, then these. */
enum ntp_source_count {
    NTP_SOURCE_TIMEOUT = NTP_INQUIRY_COUNTERS, /* no usable answer in time */
    NTP_SOURCE_SEND_FAILED,                    /* the kernel did not take the request */
    NTP_SOURCE_NO_ADDRESS,                     /* not asked: the name does not resolve */
    NTP_SOURCE_NO_KEYS,                        /* not asked: no cookie, no key establishment */
    NTP_SOURCE_SILENCED,                       /* not asked: the server forbade it */
    NTP_SOURCE_ESTABLISHED,                    /* key establishments */
    NTP_SOURCE_KEYS_REFUSED,                   /* ... that failed */
    NTP_SOURCE_COUNTERS
};
_Static_assert((int)NTP_SOURCE_COUNTERS <= (int)STATS_COUNTERS, "a stats block holds them all");
const char *ntp_source_count_name(unsigned index); /* all of the above; NULL beyond */

/* All on the loop's thread, none may close the source. */
struct ntp_source_events {
    void *ctx;
    void (*sample)(void *ctx, size_t index, const struct clock_sample *sample);
    void (*miss)(void *ctx, size_t index); /* a poll without a usable answer */
    /* Before a request leaves, and whenever else it changes: to be kept for a successor. */
    void (*memory)(void *ctx, size_t index, const struct ntp_poll_memory *memory);
    void (*establish)(void *ctx, size_t index); /* NTS only */
};

struct ntp_source_options {
    uv_loop_t *loop;
    struct rng *rng;
    struct stats *stats;
    const char *host; /* a name or a numeric address; outlives the source */
    uint16_t port;
    bool nts;
    size_t index; /* handed to the events */
    struct ntp_poll_options poll;
    struct ntp_poll_memory memory; /* what a predecessor left */
    struct ntp_source_events events;
};

struct ntp_source;

/* NULL: out of memory. Begins with the loop's next turn. */
struct ntp_source *ntp_source_open(const struct ntp_source_options *options);

/* Ends it; the memory goes when the loop has closed the handles (keep running it). */
void ntp_source_close(struct ntp_source *source);

/* Answers to `establish`. The session is copied; the caller wipes its own. */
void ntp_source_established(struct ntp_source *source, const struct ntp_session *session);
void ntp_source_not_established(struct ntp_source *source);

/* The clock was stepped or lost. */
void ntp_source_unsettled(struct ntp_source *source);

int64_t ntp_source_interval_ns(const struct ntp_source *source);

#endif
