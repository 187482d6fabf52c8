/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of the PROXY protocol, version 2: what a load balancer puts before the octets of a
 * connection to say whose they are. After HAProxy's specification, section 2.2. Core.
 *
 *    0                         12        13        14         16
 *   +-------------------------+---------+---------+----------+-----------------------------------+
 *   | signature (12)          | 2 | cmd | fam     | length   | source, destination, ports | TLVs |
 *   +-------------------------+---------+---------+----------+-----------------------------------+
 *
 * Only to be used on connections from configured networks, and there the header is a must: whether
 * one is there is never guessed. Version 1, which is text, is refused.
 */
#ifndef NTSD_COMMON_NET_PROXY2_H
#define NTSD_COMMON_NET_PROXY2_H

#include "common/base/cursor.h"
#include "common/net/addr.h"

enum {
    PROXY2_FIXED_LEN = 16,
    /*
     * The length field goes up to 65535, and whoever has to wait for that is easily kept waiting.
     * A header "is always smaller than an MSS"; 1220 is the smallest MSS of IPv6. AWS sends 100
     * octets. All the TLVs of the specification together, with names of the usual length, take
     * less than this.
     */
    PROXY2_HEADER_MAX = PROXY2_FIXED_LEN + 1024,
};

enum proxy2_verdict {
    PROXY2_MORE, /* good so far, and not all of it */
    PROXY2_DONE,
    PROXY2_BAD, /* drop the connection: no more octets will mend it */
};

/* Why a header is bad. Every member is a counter. */
enum proxy2_fault {
    PROXY2_FAULT_NONE,
    PROXY2_FAULT_SIGNATURE, /* no such header: the peer is no proxy, or not told to send it */
    PROXY2_FAULT_TEXT,      /* a header of version 1 */
    PROXY2_FAULT_VERSION,
    PROXY2_FAULT_COMMAND,
    PROXY2_FAULT_FAMILY,   /* of addresses, or of transports */
    PROXY2_FAULT_LONG,     /* over PROXY2_HEADER_MAX */
    PROXY2_FAULT_SHORT,    /* too short for the addresses of its family */
    PROXY2_FAULT_TLV,      /* these do not end where the header does, or CRC32C is malformed */
    PROXY2_FAULT_CHECKSUM, /* CRC32C does not fit */
    PROXY2_FAULTS
};
const char *proxy2_fault_name(enum proxy2_fault fault); /* snake_case, static; NULL beyond */

struct proxy2_header {
    size_t len;     /* DONE: octets of the header; what follows is the client's */
    size_t missing; /* MORE: at least so many octets more; all of them belong to the header */
    enum proxy2_fault fault;
    bool local;      /* the proxy speaks for itself: a health check */
    bool has_source; /* the client's address is known. Not when local, nor for AF_UNIX and
                        AF_UNSPEC: then there is only the connection's own address to go by */
    struct net_addr source;
};

/*
 * Judges the octets that have come so far, from the first one on; to be asked again with more. The
 * verdict does not depend on how they were cut. What is wrong with the first sixteen octets shows
 * as soon as they are there, so that nobody waits for a length that will be refused; the rest is
 * looked at when all of it is there. Fields of `header` that the verdict does not speak of are
 * zero.
 */
enum proxy2_verdict proxy2_parse(struct span bytes, struct proxy2_header *header);

#endif
