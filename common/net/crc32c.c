/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC32C. See crc32c.h.
 */
#include "common/net/crc32c.h"

#define POLYNOMIAL UINT32_C(0x82f63b78) /* 0x1edc6f41, the least significant bit first */

uint32_t crc32c(uint32_t before, struct span bytes)
{
    uint32_t rest = ~before;
    for (size_t i = 0; i < bytes.n; i++) {
        rest ^= bytes.p[i];
        for (int bit = 0; bit < 8; bit++) {
            rest = rest >> 1 ^ ((rest & 1) != 0 ? POLYNOMIAL : 0);
        }
    }
    return ~rest;
}
