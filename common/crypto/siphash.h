/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4 with a 64-bit result (Aumasson and Bernstein, 2012): a keyed hash for tables that
 * strangers fill. Without the key nobody can choose inputs that fall together, nor learn an input
 * from its hash. Not a message authentication code for anything that leaves the process: 64 bits
 * are too few. Pure; thread-safe.
 */
#ifndef NTSD_COMMON_CRYPTO_SIPHASH_H
#define NTSD_COMMON_CRYPTO_SIPHASH_H

#include "common/base/cursor.h"

enum { SIPHASH_KEY_LEN = 16 };

/* The authors' vectors print the result as eight octets, the least significant one first. */
uint64_t siphash(const uint8_t key[static SIPHASH_KEY_LEN], struct span message);

#endif
