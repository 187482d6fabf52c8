/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a connection to the KE service ended, or what else the service counts. The indices of its
 * stats block: KE_COUNT_* first, then one per enum ke_request_fault, and behind those with names
 * one for each authority of clients.
 */
#ifndef NTSD_NTS_KE_KE_OUTCOME_H
#define NTSD_NTS_KE_KE_OUTCOME_H

#include "certs/client_ca.h"
#include "common/net/proxy2.h"
#include "nts-ke/ke_message.h"
#include "nts-ke/ke_state.h"

enum ke_count {
    KE_COUNT_ACCEPTED,    /* connections taken from the listen queue */
    KE_COUNT_SERVED,      /* response with cookies sent */
    KE_COUNT_NO_PROTOCOL, /* response without NTPv4: not asked for */
    KE_COUNT_NO_AEAD,     /* response with an empty AEAD list */
    KE_COUNT_ERROR_0,     /* Error records sent, by code */
    KE_COUNT_ERROR_1,
    KE_COUNT_ERROR_2,
    KE_COUNT_POOL_FULL,     /* refused: no free connection */
    KE_COUNT_DENIED,        /* refused by the access list */
    KE_COUNT_LIMITED,       /* refused: its address is over the rate limit */
    KE_COUNT_CROWDED,       /* refused: too many from the same address or network */
    KE_COUNT_DISPLACED,     /* closed before its request was complete, to make room for another */
    KE_COUNT_ACCEPT_FAILED, /* accept(2) failed: descriptors, memory, aborted */
    KE_COUNT_TLS_FAILED,    /* handshake failed: version, ALPN, garbage, alert */
    KE_COUNT_TLS_TIMEOUT,   /* deadline during the handshake */
    KE_COUNT_PEER_CLOSED,   /* the peer left before its request was complete */
    KE_COUNT_CLOSE_TIMEOUT, /* answered, but the peer did not read or close in time */
    KE_COUNT_IO_ERROR,      /* reset, unreachable, ... */
    KE_COUNT_NO_KEYS,       /* Error 2: key ring empty */
    KE_COUNT_RELOADS,
    KE_COUNT_RELOAD_FAILED,         /* new certificate refused, old one kept */
    KE_COUNT_CLIENT_NO_CERTIFICATE, /* refused in the handshake: enum client_refusal says more */
    KE_COUNT_CLIENT_UNKNOWN_CA,
    KE_COUNT_CLIENT_EXPIRED,
    KE_COUNT_CLIENT_NOT_YET_VALID,
    KE_COUNT_CLIENT_REVOKED,
    KE_COUNT_CLIENT_NO_CRL,
    KE_COUNT_CLIENT_PURPOSE,
    KE_COUNT_CLIENT_INVALID,
    KE_COUNT_PROXY_LOCAL,   /* a proxy's own connection, such as a health check */
    KE_COUNT_PROXY_FAULT_0, /* + enum proxy2_fault; but for the first, refused: the header is bad */
    KE_COUNT_REQUEST_FAULT_0 = KE_COUNT_PROXY_FAULT_0 + PROXY2_FAULTS, /* + ke_request_fault */
    KE_COUNTERS = KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_FAULTS,
    /* Clients let in with a certificate, by the place of its authority: no end of a connection. */
    KE_COUNT_CLIENT_CA_0 = KE_COUNTERS,
    KE_COUNT_END = KE_COUNT_CLIENT_CA_0 + CLIENT_CA_MAX
};

/* snake_case names for metrics; NULL beyond the last. */
const char *ke_count_name(unsigned index);

/* What it counts as when `event` ends a connection that is in `state` (ke_next() says KE_DO_CLOSE).
 * KE_COUNTERS: nothing, the connection was counted when it was answered. */
enum ke_count ke_count_of_close(enum ke_state state, enum ke_event event);

/* What a refusal counts as; KE_COUNTERS for none. */
enum ke_count ke_count_of_refusal(enum client_refusal refusal);

#endif
