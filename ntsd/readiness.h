/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May a load balancer send clients here? Core.
 */
#ifndef NTSD_NTSD_READINESS_H
#define NTSD_NTSD_READINESS_H

#include "ntsd/snapshot.h"

/* The first reason that holds, in this order. Every member but the first is a sentence. */
enum readiness {
    READY,
    READY_DRAINING,
    READY_NOT_CONFIGURED, /* port 0, ntsport 0 */
    READY_NTP_DOWN,
    READY_KE_DOWN,
    READY_NO_KEYS,
    READY_CLOCK_STARTING,
    READY_CLOCK_LOST,
    READY_CLOCK_OLD,      /* the clock process says nothing any more */
    READY_NO_CERTIFICATE, /* the KE service has not begun to listen */
    READY_CERTIFICATE_EXPIRED,
    READY_CERTIFICATE_EARLY,
    READY_REASONS
};

enum readiness_service { READINESS_ALL, READINESS_NTP, READINESS_KE };

/*
 * NTP needs its process, the keys and a trusted clock; KE its process, the keys and a certificate
 * that is valid, of which the first, the default, counts: an expired one beside it fails its own
 * clients, and taking the host out for that would fail all. READINESS_ALL: every configured one.
 */
enum readiness readiness_of(const struct snapshot *snapshot, enum readiness_service service);

/* Every child that the configuration asks for runs. Otherwise `missing` is the role of one. */
bool readiness_is_healthy(const struct snapshot *snapshot, enum role *missing);

const char *readiness_text(enum readiness readiness); /* one line, static */

#endif
