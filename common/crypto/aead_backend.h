/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a library's implementation of an AEAD offers to aead.c. Internal to common/crypto: nobody
 * else calls these, because they trust the lengths they are given. aead.c has checked the nonce,
 * that `sealed` holds at least a tag, and that no pointer is NULL.
 *
 * aead_built is the list of this build in order of preference. The Makefile picks the one file that
 * defines it: aead_gcmsiv_nettle.c or, where the library has no GCM-SIV, aead_gcmsiv_none.c.
 */
#ifndef NTSD_COMMON_CRYPTO_AEAD_BACKEND_H
#define NTSD_COMMON_CRYPTO_AEAD_BACKEND_H

#include "common/crypto/aead.h"

struct aead_backend {
    /* Expands alg->key_len octets into at most AEAD_STATE_LEN octets at `state`. */
    void (*init)(void *state, const uint8_t *key);
    /* Writes plain.n + AEAD_TAG_LEN octets. */
    void (*seal)(const void *state, struct span nonce, struct span ad, struct span plain,
                 uint8_t *out);
    /* Writes sealed.n - AEAD_TAG_LEN octets, of no use when it returns false. */
    bool (*unseal)(const void *state, struct span nonce, struct span ad, struct span sealed,
                   uint8_t *plain);
};

extern const struct aead *const aead_built[];
extern const size_t aead_built_count;

/* aead_siv_cmac.c */
extern const struct aead aead_siv_cmac_256;
extern const struct aead aead_siv_cmac_512;

#endif
