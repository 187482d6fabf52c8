/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC32C (Castagnoli), as RFC 3720 section 12.1 and RFC 9260 appendix A define it. Finds accidents,
 * not forgers. Made for some hundred octets a connection: short, and without a table. Pure;
 * thread-safe.
 */
#ifndef NTSD_COMMON_NET_CRC32C_H
#define NTSD_COMMON_NET_CRC32C_H

#include "common/base/cursor.h"

/* The checksum of `before` and what follows it in `bytes`; 0 for nothing. So octets in pieces are
 * summed one after the other, beginning with 0. */
uint32_t crc32c(uint32_t before, struct span bytes);

#endif
