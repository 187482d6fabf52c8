/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AEAD algorithms of this build, by their IANA numbers, one interface for all.
 *
 * Every length is checked here before the library sees it: nettle's SIV-CMAC asserts a nonce of at
 * least one octet and subtracts the tag length from whatever ciphertext length it is given.
 * Pure; a prepared key may be used from several threads at once (it is only read).
 * RFC 5297 (SIV-CMAC), RFC 8452 (GCM-SIV), RFC 5116.
 */
#ifndef NTSD_COMMON_CRYPTO_AEAD_H
#define NTSD_COMMON_CRYPTO_AEAD_H

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "common/base/secret.h"

/* IANA AEAD Algorithms registry */
enum {
    AEAD_AES_SIV_CMAC_256 = 15,
    AEAD_AES_SIV_CMAC_384 = 16, /* never built: nettle has no AES-192 SIV */
    AEAD_AES_SIV_CMAC_512 = 17,
    AEAD_AES_128_GCM_SIV = 30,
    AEAD_AES_256_GCM_SIV = 31,
};

enum {
    AEAD_TAG_LEN = 16,   /* of every algorithm here */
    AEAD_NONCE_LEN = 16, /* the longest nonce we make */
    AEAD_MAX = 8,        /* room for a list of all algorithms */
    AEAD_STATE_LEN = 1024,
};

struct aead_backend; /* the library's functions; aead_backend.h */

struct aead {
    uint16_t id;
    const char *name;
    size_t key_len;
    size_t nonce_len; /* what we make: 16 for SIV-CMAC, 12 for GCM-SIV */
    size_t nonce_min; /* what we accept */
    size_t nonce_max;
    const struct aead_backend *backend;
};

/* A key expanded for use. Wipe it with aead_key_wipe() when it is no longer needed. */
struct aead_key {
    const struct aead *alg; /* NULL: not prepared */
    _Alignas(16) uint8_t state[AEAD_STATE_LEN];
};

/* The algorithm with this number, or NULL when this build does not have it. */
const struct aead *aead_find(uint16_t id);

/* All algorithms of this build, in our order of preference; static storage. */
const struct aead *const *aead_all(size_t *count);

/* NTS_EFORMAT when `bytes` is not exactly alg->key_len long; `key` is then untouched. */
NODISCARD enum nts_err aead_key_init(struct aead_key *key, const struct aead *alg,
                                     struct span bytes);
void aead_key_wipe(struct aead_key *key);

/*
 * Encrypts `plain` (may be empty) under `nonce` with `ad` authenticated, appending
 * plain.n + AEAD_TAG_LEN octets to `out`. `plain` may not overlap the room written.
 * NTS_EFORMAT: nonce length not nonce_min..nonce_max. NTS_ESPACE: no room; nothing written.
 */
NODISCARD enum nts_err aead_seal(const struct aead_key *key, struct span nonce, struct span ad,
                                 struct span plain, struct wr *out);

/*
 * Verifies and decrypts `sealed` (tag included) into `plain`, which has room for
 * sealed.n - AEAD_TAG_LEN octets and does not overlap it. NTS_ESHORT: shorter than a tag.
 * NTS_EFORMAT: nonce length. NTS_EAUTH: does not verify; `plain` then holds zeros.
 */
NODISCARD enum nts_err aead_unseal(const struct aead_key *key, struct span nonce, struct span ad,
                                   struct span sealed, uint8_t *plain);

#endif
