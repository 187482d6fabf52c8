/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's receive stamps to the times of an exchange on the served clock. Core.
 *
 * Stamps are of CLOCK_REALTIME, and what is served rides on CLOCK_MONOTONIC_RAW: a stamp is moved
 * by its age, which is right only when nobody set the host's clock between stamp and look. So the
 * looks are compared, and after a step stamps are not believed. The moment of the look then stands
 * for the arrival: late by the time in the queue, which the client sees in its delay, while a step
 * in the stamp would be an error that nobody sees.
 */
#ifndef NTSD_NTP_NTP_STAMP_H
#define NTSD_NTP_NTP_STAMP_H

#include "ntp/clock/clock_pair.h"

#include <stdbool.h>
#include <stddef.h>

/* An older stamp is not believed. */
#define NTP_STAMP_AGE_MAX_NS (5 * NS_PER_S)

/* A look with a wider bracket tells nothing. */
#define NTP_STAMP_WINDOW_MAX_NS INT64_C(100000)

/* What the wall clock may gain or lose on the raw one between two looks and not have been set: the
 * error of the looks, and the fastest that NTP turns a clock. */
#define NTP_STAMP_MOVE_NS  INT64_C(100000)
#define NTP_STAMP_RATE_PPB INT64_C(500000)

/* What one worker remembers of its looks at the clocks. All zero before the first. */
struct ntp_stamp_watch {
    bool known; /* there was a look */
    struct clock_pair last;
    int64_t doubt_until_raw_ns; /* after a step: until then its queue may hold older stamps */
};

/* A look taken after a batch was read: true when the stamps in that batch may be believed. Of what
 * was before the first look nothing is known, and it is believed. */
bool ntp_stamp_look(struct ntp_stamp_watch *watch, const struct clock_pair *look);

/* The moment of a look. */
struct ntp_stamp_moment {
    struct wall_ns real;   /* CLOCK_REALTIME, which the kernel stamps with */
    struct wall_ns served; /* the same moment on the served clock */
    bool believed;         /* what ntp_stamp_look() said */
};

/* When a datagram read before `now` came, on the served clock. `stamp` NULL: it has none. False:
 * there is no stamp that may be believed, and `*received` is now. */
bool ntp_stamp_received(const struct ntp_stamp_moment *now, const struct wall_ns *stamp,
                        struct wall_ns *received);

/* What a reply that leaves at `now` says: never earlier than its request came, whatever the clocks
 * do. */
struct wall_ns ntp_stamp_transmit(struct wall_ns now, struct wall_ns received);

#endif
