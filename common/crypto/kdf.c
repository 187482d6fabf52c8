/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HKDF-SHA256 and SHA-256 on nettle. See kdf.h.
 */
#include "common/crypto/kdf.h"

#include "common/base/secret.h"

#include <assert.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>

/* The library has a macro of this name; its function is called by its real one below. */
#undef sha256_digest

static_assert(KDF_HASH_LEN == SHA256_DIGEST_SIZE, "SHA-256");

/* An empty span may carry NULL, which the library would hand to memcpy(). */
static const uint8_t *pointer_of(struct span s)
{
    static const uint8_t nothing[1] = {0};
    return s.n > 0 ? s.p : nothing;
}

/* The library's callbacks take any context: functions of exactly that type, not casts. */
static void mac_update(void *ctx, size_t n, const uint8_t *bytes)
{
    hmac_sha256_update(ctx, n, bytes);
}

static void mac_digest(void *ctx, size_t n, uint8_t *out)
{
    hmac_sha256_digest(ctx, n, out);
}

void hkdf_sha256(struct span salt, struct span secret, struct span info, uint8_t *out,
                 size_t out_len)
{
    assert(out_len <= KDF_OUT_MAX);
    struct hmac_sha256_ctx ctx;
    uint8_t prk[KDF_HASH_LEN];
    /* RFC 5869 §2.2: no salt means 32 zero octets, which is the same HMAC key as an empty one. */
    hmac_sha256_set_key(&ctx, salt.n, pointer_of(salt));
    hkdf_extract(&ctx, mac_update, mac_digest, KDF_HASH_LEN, secret.n, pointer_of(secret), prk);
    hmac_sha256_set_key(&ctx, sizeof(prk), prk);
    hkdf_expand(&ctx, mac_update, mac_digest, KDF_HASH_LEN, info.n, pointer_of(info), out_len, out);
    wipe(prk, sizeof(prk));
    wipe(&ctx, sizeof(ctx));
}

void sha256_digest(struct span bytes, uint8_t out[static KDF_HASH_LEN])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, bytes.n, pointer_of(bytes));
    nettle_sha256_digest(&ctx, KDF_HASH_LEN, out);
    wipe(&ctx, sizeof(ctx)); /* it may have been a secret */
}
