/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference id that names a server above stratum 1: its IPv4 address, or the first four octets
 * of the MD5 of its IPv6 address (RFC 5905 section 7.3). MD5 is a label here and protects nothing.
 * Core.
 */
#ifndef NTSD_NTP_CLOCK_REFERENCE_ID_H
#define NTSD_NTP_CLOCK_REFERENCE_ID_H

#include "common/net/addr.h"

/* 0 for an address that is of neither family. An IPv4-mapped IPv6 address counts as IPv4. */
uint32_t reference_id_of(const struct net_addr *addr);

#endif
