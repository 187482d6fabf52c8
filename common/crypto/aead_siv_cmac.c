/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AEAD_AES_SIV_CMAC_256 and _512 (RFC 5297 section 6) on nettle. The synthetic IV, which is the
 * tag, stands in front of the ciphertext.
 */
#include "common/crypto/aead_backend.h"

#include <assert.h>
#include <nettle/siv-cmac.h>

/*
 * RFC 5297 §6 puts no upper limit on the nonce; nettle needs one octet. What a peer can send is
 * limited by the 16-bit length in the authenticator (RFC 8915 §5.6).
 */
enum { NONCE_MIN = SIV_MIN_NONCE_SIZE, NONCE_MAX = UINT16_MAX };

static_assert(sizeof(struct siv_cmac_aes256_ctx) <= AEAD_STATE_LEN, "expanded keys must fit");
static_assert(SIV_DIGEST_SIZE == AEAD_TAG_LEN, "one tag length for all");
static_assert(SIV_CMAC_AES256_KEY_SIZE <= SECRET_KEY_MAX, "keys must fit secret_key");

static void init_256(void *state, const uint8_t *key)
{
    siv_cmac_aes128_set_key(state, key);
}

static void seal_256(const void *state, struct span nonce, struct span ad, struct span plain,
                     uint8_t *out)
{
    siv_cmac_aes128_encrypt_message(state, nonce.n, nonce.p, ad.n, ad.p, plain.n + AEAD_TAG_LEN,
                                    out, plain.p);
}

static bool unseal_256(const void *state, struct span nonce, struct span ad, struct span sealed,
                       uint8_t *plain)
{
    return siv_cmac_aes128_decrypt_message(state, nonce.n, nonce.p, ad.n, ad.p,
                                           sealed.n - AEAD_TAG_LEN, plain, sealed.p) == 1;
}

static void init_512(void *state, const uint8_t *key)
{
    siv_cmac_aes256_set_key(state, key);
}

static void seal_512(const void *state, struct span nonce, struct span ad, struct span plain,
                     uint8_t *out)
{
    siv_cmac_aes256_encrypt_message(state, nonce.n, nonce.p, ad.n, ad.p, plain.n + AEAD_TAG_LEN,
                                    out, plain.p);
}

static bool unseal_512(const void *state, struct span nonce, struct span ad, struct span sealed,
                       uint8_t *plain)
{
    return siv_cmac_aes256_decrypt_message(state, nonce.n, nonce.p, ad.n, ad.p,
                                           sealed.n - AEAD_TAG_LEN, plain, sealed.p) == 1;
}

static const struct aead_backend backend_256 = {init_256, seal_256, unseal_256};
static const struct aead_backend backend_512 = {init_512, seal_512, unseal_512};

const struct aead aead_siv_cmac_256 = {
    .id = AEAD_AES_SIV_CMAC_256,
    .name = "AES-SIV-CMAC-256",
    .key_len = SIV_CMAC_AES128_KEY_SIZE,
    .nonce_len = 16,
    .nonce_min = NONCE_MIN,
    .nonce_max = NONCE_MAX,
    .backend = &backend_256,
};

const struct aead aead_siv_cmac_512 = {
    .id = AEAD_AES_SIV_CMAC_512,
    .name = "AES-SIV-CMAC-512",
    .key_len = SIV_CMAC_AES256_KEY_SIZE,
    .nonce_len = 16,
    .nonce_min = NONCE_MIN,
    .nonce_max = NONCE_MAX,
    .backend = &backend_512,
};
