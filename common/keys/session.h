/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TLS handshake established and a cookie carries: an AEAD algorithm and one key for each
 * direction (RFC 8915 §5.1).
 */
#ifndef NTSD_COMMON_KEYS_SESSION_H
#define NTSD_COMMON_KEYS_SESSION_H

#include "common/crypto/aead.h"

struct session_keys {
    const struct aead *alg;
    struct secret_key c2s; /* client to server: verifies requests */
    struct secret_key s2c; /* server to client: seals replies */
};

static inline void session_keys_wipe(struct session_keys *keys)
{
    wipe(keys, sizeof(*keys));
}

#endif
