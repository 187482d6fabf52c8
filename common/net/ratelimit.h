/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits requests per client: a token bucket each, in a table of fixed size. Core: time and
 * randomness are arguments, memory is the caller's, a decision is O(1). One thread.
 *
 * A client is a number: the keyed hash of an address's network, or of the key of an authenticated
 * session. It may have `burst` answers at once and one more for each interval, in any window of
 * time. Beyond that one request in 2^leak is answered all the same, as in chrony: who floods us in
 * a client's name then delays that client and does not silence it. A kiss is never due twice
 * without an answer in between, so there are no more kisses than answers; nor, as long as the
 * client is not forgotten, more than one per interval or one a second.
 *
 * The table has sets of eight; the secret hash says which one is a client's. A client that is not
 * in its set is a new one with a full bucket, and takes the place of the one whose bucket is
 * fullest. So the table can forget, which is in the client's favour, and nothing that others do can
 * make it deny: nobody gets fewer answers than a table without an end would have given. Who floods
 * us from 2^32 addresses makes it forget those that ask less often than their set of eight is
 * overrun: with F strangers a second and N clients in the table, those slower than one request in
 * N/F seconds. Who asks faster has an emptier bucket than the strangers and outlives them.
 * `forgotten` shows it.
 *
 * Should time go backwards, a bucket is never emptier than empty: at worst a client waits once for
 * what a burst takes to come back.
 */
#ifndef NTSD_COMMON_NET_RATELIMIT_H
#define NTSD_COMMON_NET_RATELIMIT_H

#include "common/base/cursor.h"
#include "common/base/time.h"
#include "common/crypto/siphash.h"
#include "common/net/addr.h"

enum {
    RATELIMIT_INTERVAL_MIN = -19, /* log2 of seconds, and chrony's limits and defaults throughout */
    RATELIMIT_INTERVAL_MAX = 12,
    RATELIMIT_INTERVAL = 3,
    RATELIMIT_BURST_MAX = 255,
    RATELIMIT_BURST = 8,
    RATELIMIT_LEAK_MAX = 4,
    RATELIMIT_LEAK = 2,
    RATELIMIT_V4_BITS = 32,
    RATELIMIT_V6_BITS = 64,          /* what one client is given; it may use any address of it */
    RATELIMIT_CLIENTS = 65536,       /* 1.5 MiB */
    RATELIMIT_CLIENTS_MAX = 1 << 24, /* 384 MiB */
};

struct ratelimit_options {
    int interval;                      /* log2 of seconds */
    unsigned burst;                    /* 1 to RATELIMIT_BURST_MAX */
    unsigned leak;                     /* one in 2^leak; 0: none, where sources cannot be forged */
    unsigned v4_bits;                  /* 1 to 32: one client's network */
    unsigned v6_bits;                  /* 1 to 128 */
    uint8_t hash_key[SIPHASH_KEY_LEN]; /* random at each start, secret */
};

struct ratelimit_set;

struct ratelimit {
    struct ratelimit_options options;
    int64_t interval_ns;
    int64_t depth_ns; /* what it takes an empty bucket to be full */
    size_t set_count; /* a power of two */
    struct ratelimit_set *set;
    uint64_t forgotten; /* clients given up that were not as good as new: a counter */
};

enum ratelimit_verdict {
    RATELIMIT_PASS,
    RATELIMIT_LEAKED,  /* over the limit, and answered */
    RATELIMIT_KISS,    /* over the limit; the client may be told so. Or else as: */
    RATELIMIT_LIMITED, /* over the limit: silence */
};

/* Octets of memory for at least `clients` of them, at most RATELIMIT_CLIENTS_MAX. */
size_t ratelimit_size(size_t clients);

/* An empty table in `memory`, which the caller releases when the limiter is of no more use. Writes
 * all that it uses, so what it costs is known from the start. NTS_EFORMAT: options out of range.
 * NTS_ESPACE: less memory than ratelimit_size(1). `limit` is then zeroed. */
NODISCARD enum nts_err ratelimit_init(struct ratelimit *limit,
                                      const struct ratelimit_options *options, void *memory,
                                      size_t len);

/* Who asks. All addresses that are neither IPv4 nor IPv6 are one client. */
uint64_t ratelimit_key_of_address(const struct ratelimit *limit, const struct net_addr *addr);

/* The same for the key that authenticated a request (client to server): it stays with the session
 * while cookies and addresses change. Never equal to an address's but by chance, 1 in 2^64. */
uint64_t ratelimit_key_of_session(const struct ratelimit *limit, struct span c2s);

/* Counts one request. `random`: a fresh random octet, which says who leaks. */
enum ratelimit_verdict ratelimit_decide(struct ratelimit *limit, uint64_t client,
                                        struct mono_ns now, uint8_t random);

#endif
