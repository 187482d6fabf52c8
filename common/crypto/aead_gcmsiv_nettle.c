/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AEAD_AES_128_GCM_SIV and _256 (RFC 8452) on nettle 3.9 and newer, and the list of a build that
 * has them. The tag stands behind the ciphertext. AES-128-GCM-SIV comes first because its keys make
 * the shortest cookies and so the shortest packets; 256-bit keys only double them.
 */
#include "common/crypto/aead_backend.h"

#include <assert.h>
#include <nettle/aes.h>
#include <nettle/siv-gcm.h>

static_assert(sizeof(struct aes256_ctx) <= AEAD_STATE_LEN, "expanded keys must fit");
static_assert(SIV_GCM_DIGEST_SIZE == AEAD_TAG_LEN, "one tag length for all");
static_assert(SIV_GCM_NONCE_SIZE <= AEAD_NONCE_LEN, "room for the longest nonce we make");

static void init_128(void *state, const uint8_t *key)
{
    aes128_set_encrypt_key(state, key);
}

static void seal_128(const void *state, struct span nonce, struct span ad, struct span plain,
                     uint8_t *out)
{
    siv_gcm_aes128_encrypt_message(state, nonce.n, nonce.p, ad.n, ad.p, plain.n + AEAD_TAG_LEN, out,
                                   plain.p);
}

static bool unseal_128(const void *state, struct span nonce, struct span ad, struct span sealed,
                       uint8_t *plain)
{
    return siv_gcm_aes128_decrypt_message(state, nonce.n, nonce.p, ad.n, ad.p,
                                          sealed.n - AEAD_TAG_LEN, plain, sealed.p) == 1;
}

static void init_256(void *state, const uint8_t *key)
{
    aes256_set_encrypt_key(state, key);
}

static void seal_256(const void *state, struct span nonce, struct span ad, struct span plain,
                     uint8_t *out)
{
    siv_gcm_aes256_encrypt_message(state, nonce.n, nonce.p, ad.n, ad.p, plain.n + AEAD_TAG_LEN, out,
                                   plain.p);
}

static bool unseal_256(const void *state, struct span nonce, struct span ad, struct span sealed,
                       uint8_t *plain)
{
    return siv_gcm_aes256_decrypt_message(state, nonce.n, nonce.p, ad.n, ad.p,
                                          sealed.n - AEAD_TAG_LEN, plain, sealed.p) == 1;
}

static const struct aead_backend backend_128 = {init_128, seal_128, unseal_128};
static const struct aead_backend backend_256 = {init_256, seal_256, unseal_256};

static const struct aead gcm_siv_128 = {
    .id = AEAD_AES_128_GCM_SIV,
    .name = "AES-128-GCM-SIV",
    .key_len = AES128_KEY_SIZE,
    .nonce_len = SIV_GCM_NONCE_SIZE,
    .nonce_min = SIV_GCM_NONCE_SIZE, /* RFC 8452 §6: exactly 12 octets */
    .nonce_max = SIV_GCM_NONCE_SIZE,
    .backend = &backend_128,
};

static const struct aead gcm_siv_256 = {
    .id = AEAD_AES_256_GCM_SIV,
    .name = "AES-256-GCM-SIV",
    .key_len = AES256_KEY_SIZE,
    .nonce_len = SIV_GCM_NONCE_SIZE,
    .nonce_min = SIV_GCM_NONCE_SIZE, /* RFC 8452 §6: exactly 12 octets */
    .nonce_max = SIV_GCM_NONCE_SIZE,
    .backend = &backend_256,
};

const struct aead *const aead_built[] = {
    &gcm_siv_128,
    &aead_siv_cmac_256,
    &aead_siv_cmac_512,
    &gcm_siv_256,
};
const size_t aead_built_count = sizeof(aead_built) / sizeof(aead_built[0]);
static_assert(sizeof(aead_built) / sizeof(aead_built[0]) <= AEAD_MAX, "AEAD_MAX is room for all");
