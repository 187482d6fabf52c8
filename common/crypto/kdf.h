/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HKDF-SHA256 (RFC 5869) and SHA-256, on nettle. Pure; thread-safe.
 */
#ifndef NTSD_COMMON_CRYPTO_KDF_H
#define NTSD_COMMON_CRYPTO_KDF_H

#include "common/base/cursor.h"

enum { KDF_HASH_LEN = 32, KDF_OUT_MAX = 255 * 32 };

/* Extract and expand in one call; `out_len` at most KDF_OUT_MAX (RFC 5869 §2.3), asserted. */
void hkdf_sha256(struct span salt, struct span secret, struct span info, uint8_t *out,
                 size_t out_len);

void sha256_digest(struct span bytes, uint8_t out[static KDF_HASH_LEN]);

#endif
