/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A first look at what a connection opens with, before any TLS state is made for it: a handshake
 * record, or several, that begin a ClientHello of a sane length. Everything else about it is the
 * TLS library's to judge. Core; thread-safe.
 *
 * Two gains. A connection that never says anything sensible costs no TLS object. And a library that
 * allocates what a handshake header claims (OpenSSL before 3.0.21 does, 128 KiB for nine octets)
 * never sees a claim beyond KE_HELLO_MAX.
 */
#ifndef NTSD_NTS_KE_KE_HELLO_H
#define NTSD_NTS_KE_KE_HELLO_H

#include "common/base/cursor.h"

enum {
    KE_HELLO_MAX = 16384, /* one TLS record; post-quantum hellos are a tenth of it */
    KE_HELLO_PREFIX = 24, /* octets that decide at the latest: four records of one octet each */
};

enum ke_hello {
    KE_HELLO_MORE,   /* cannot tell yet; fewer than KE_HELLO_PREFIX octets were given */
    KE_HELLO_OK,     /* may be handed to the TLS library, with all that follows */
    KE_HELLO_REFUSE, /* not TLS, not a ClientHello, or too long */
};

enum ke_hello ke_hello_check(struct span bytes);

#endif
