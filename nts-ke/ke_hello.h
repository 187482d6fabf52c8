/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A first look at what a connection opens with, before any TLS state is made for it: is there a
 * whole ClientHello, in as many handshake records as the peer likes? Everything else about it is
 * the TLS library's to judge. A second ClientHello, asked for by a HelloRetryRequest, is looked at
 * in the same way. Core; thread-safe.
 *
 * Two gains. A connection that never says anything sensible costs no TLS object. And a library that
 * allocates what a handshake header claims (OpenSSL before 3.0.21 does, 128 KiB for nine octets)
 * never sees a claim without the octets that make it good.
 */
#ifndef NTSD_NTS_KE_KE_HELLO_H
#define NTSD_NTS_KE_KE_HELLO_H

#include "common/base/cursor.h"

enum { KE_HELLO_MAX = 12 * 1024 }; /* with its record heads; post-quantum hellos take 2 KiB */

/* How far the look went; zeroed at first. */
struct ke_hello {
    bool second;   /* the answer to a HelloRetryRequest: one change_cipher_spec may precede it */
    size_t at;     /* the first record not looked at */
    size_t seen;   /* octets of the message in the records before it */
    uint32_t head; /* the message's first four octets, as far as seen */
};

enum ke_hello_verdict {
    KE_HELLO_MORE,   /* not all there yet; there are fewer than KE_HELLO_MAX octets */
    KE_HELLO_OK,     /* the first `at` octets may be handed to the TLS library */
    KE_HELLO_REFUSE, /* not TLS, not a ClientHello, too long, or with more in its last record */
};

/* Looks at all that came so far, always from its first octet; linear over a connection. */
enum ke_hello_verdict ke_hello_scan(struct ke_hello *hello, struct span bytes);

/* Is this the beginning of a HelloRetryRequest (RFC 8446 section 4.1.3)? */
bool ke_hello_is_retry(struct span answer);

#endif
