/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server says to a request: parse, negotiate, export the session keys, seal cookies, write
 * the response. Holds the expanded key ring, refreshed from the key board for every response. One
 * thread. Knows the TLS connection only as the source of exported keys; sockets are ke_conn's.
 */
#ifndef NTSD_NTS_KE_KE_ISSUER_H
#define NTSD_NTS_KE_KE_ISSUER_H

#include "common/keys/cookie.h"
#include "nts-ke/ke_negotiate.h"
#include "nts-ke/ke_outcome.h"

#include <openssl/types.h>

struct ke_issuer {
    struct ke_policy policy;
    const char *ntp_server; /* record 6, or NULL; borrowed */
    uint16_t ntp_port;      /* record 7, or 0 */
    const struct board *key_board;
    struct rng *rng;
    struct cookie_ring ring; /* zeroed at first; cookie_ring_wipe() at the end */
};

/* What was said, for the counters. */
struct ke_issued {
    enum ke_count count; /* SERVED, NO_PROTOCOL, NO_AEAD or ERROR_0 to 2 */
    enum ke_request_fault fault;
    bool no_keys; /* Error 2 because the ring is empty */
};

/* Appends the response to `request`, a message whole or cut short, to `out`, which has room for
 * KE_RESPONSE_MAX octets and is empty. There is always a response: if need be, Error 2. */
struct ke_issued ke_issuer_answer(struct ke_issuer *issuer, SSL *ssl, struct span request,
                                  struct wr *out);

/* The same for a request that is refused unread, e.g. KE_REQUEST_TIMEOUT. */
struct ke_issued ke_issuer_refuse(enum ke_request_fault fault, struct wr *out);

#endif
