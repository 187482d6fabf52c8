/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key material: how it is held, compared and erased. Pure; thread-safe.
 */
#ifndef NTSD_COMMON_BASE_SECRET_H
#define NTSD_COMMON_BASE_SECRET_H

#include "common/base/cursor.h"

enum { SECRET_KEY_MAX = 64 }; /* AEAD_AES_SIV_CMAC_512 has the longest key we hold */

/* A key and its length. Never copied without a matching secret_key_wipe(). */
struct secret_key {
    size_t len;
    uint8_t bytes[SECRET_KEY_MAX];
};

/* Overwrites `n` bytes at `p` with zeros; the compiler may not drop it. */
void wipe(void *p, size_t n);

/* Compares in a time that depends on `n` alone. */
bool ct_equal(const void *a, const void *b, size_t n);

static inline struct span secret_key_span(const struct secret_key *key)
{
    return span_of(key->bytes, key->len);
}

static inline void secret_key_wipe(struct secret_key *key)
{
    wipe(key, sizeof(*key));
}

#endif
