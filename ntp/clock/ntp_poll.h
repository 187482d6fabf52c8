/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an NTP server may be asked: poll interval, burst at the first start, reach, and what a kiss
 * changes (RFC 5905 section 7.4 and 13). Core; times are CLOCK_MONOTONIC_RAW.
 *
 * A request is never sent sooner after the one before than the interval says, also when the process
 * or the whole daemon was started again in between: what that takes is `struct ntp_poll_memory`,
 * which the caller keeps where it outlives both and writes before each request leaves. The
 * exception is the burst of `iburst`, which happens once, before anything is in that memory.
 */
#ifndef NTSD_NTP_CLOCK_NTP_POLL_H
#define NTSD_NTP_CLOCK_NTP_POLL_H

#include "common/base/time.h"
#include "ntp/clock/retry.h"

#include <stdbool.h>

enum {
    NTP_POLL_MIN = -7, /* log2 seconds, as chrony has them */
    NTP_POLL_MAX = 24,
    NTP_POLL_BURST_ANSWERS = 4, /* a burst is over after so many answers */
    NTP_POLL_BURST_MAX = 8,     /* or so many requests */
};
#define NTP_POLL_BURST_SPACE_NS (2 * NS_PER_S)    /* between requests of a burst, at most */
#define NTP_POLL_SILENCE_NS     (3600 * NS_PER_S) /* after DENY or RSTR */

struct ntp_poll_options {
    int8_t minpoll; /* log2 seconds */
    int8_t maxpoll;
    bool iburst;
};

/* Whole words, so that it can be a board value; all zero: the source was never asked. */
struct ntp_poll_memory {
    uint64_t asked;         /* requests sent */
    int64_t asked_raw_ns;   /* the last one */
    int64_t silent_until;   /* DENY, RSTR: nothing is sent before; 0: not silenced */
    uint64_t rate_kisses;   /* how often RATE came */
    int64_t rate_floor;     /* with that: the shortest interval since, log2 seconds */
    uint64_t key_failures;  /* NTS: key establishments that failed in a row */
    int64_t key_retry_next; /* ... and when the next one may be tried */
};

struct ntp_poll {
    struct ntp_poll_options options;
    struct ntp_poll_memory memory;
    struct mono_ns next;  /* moment of the next try */
    int8_t poll;          /* log2 seconds, before what RATE demands */
    uint8_t reach;        /* of the last eight tries, newest in bit 0: answered */
    uint8_t settled;      /* answers in a row at this interval */
    uint8_t burst_left;   /* requests and */
    uint8_t burst_wanted; /* answers */
};

enum ntp_poll_kiss {
    NTP_POLL_RATE, /* ask less often */
    NTP_POLL_DENY, /* DENY, RSTR: do not ask */
};

/* `memory` is what a predecessor left, or all zero. The first try is at once, or when the
 * interval since the predecessor's last request is over. */
void ntp_poll_init(struct ntp_poll *poll, const struct ntp_poll_options *options,
                   const struct ntp_poll_memory *memory, struct mono_ns raw);

/* May a request leave now? False before poll->next and while a server wants to be left alone. */
bool ntp_poll_may_send(const struct ntp_poll *poll, struct mono_ns raw);
bool ntp_poll_is_silenced(const struct ntp_poll *poll, struct mono_ns raw);

/* One try, each shifting `reach`: a request is about to leave; or it is time for one, but none can
 * be sent. Both set poll->next. */
void ntp_poll_sent(struct ntp_poll *poll, struct mono_ns raw);
void ntp_poll_skipped(struct ntp_poll *poll, struct mono_ns raw);

/* What became of the request. A usable answer; none, or one of no use; a kiss. */
void ntp_poll_answered(struct ntp_poll *poll);
void ntp_poll_missed(struct ntp_poll *poll);
void ntp_poll_kissed(struct ntp_poll *poll, enum ntp_poll_kiss kiss, struct mono_ns raw);

/* The clock was stepped or lost: back to the shortest interval. */
void ntp_poll_unsettled(struct ntp_poll *poll);

/* The interval now, without the burst. */
int64_t ntp_poll_interval_ns(const struct ntp_poll *poll);

#endif
