/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets in a set-associative table. See ratelimit.h.
 *
 * A bucket is one number: the moment at which it will be full if nothing more is taken from it. It
 * is full when that has passed; a token moves it an interval further; it is empty when it lies a
 * whole burst ahead. Nothing has to be topped up, and the fullest bucket has the smallest number.
 */
#include "common/net/ratelimit.h"

#include "common/net/prefix.h"

#include <string.h>

enum {
    WAYS = 8,
    SET_ALIGN = 64, /* a cache line: the keys of a set are one */
    KIND_V4 = 4,    /* what is hashed begins with what it is */
    KIND_V6 = 6,
    KIND_OTHER = 0,
};

#define KISS_INTERVAL_MIN_NS NS_PER_S
#define TIME_MAX_NS          (INT64_MAX / 2) /* so that no sum of times overflows */

struct ratelimit_set {
    uint64_t client[WAYS]; /* 0: free */
    int64_t full_at_ns[WAYS];
    int64_t kiss_at_ns[WAYS]; /* none before that */
};

_Static_assert(sizeof(struct ratelimit_set) % SET_ALIGN == 0, "sets stay aligned");
_Static_assert(RATELIMIT_CLIENTS_MAX % WAYS == 0, "whole sets");

/* --- Setting up --- */

/* The largest power of two in `n`, which is not 0. */
static size_t power_of_two_in(size_t n)
{
    size_t power = 1;
    while (power <= n / 2) {
        power *= 2;
    }
    return power;
}

size_t ratelimit_size(size_t clients)
{
    size_t most = clients < RATELIMIT_CLIENTS_MAX ? clients : RATELIMIT_CLIENTS_MAX;
    size_t wanted = (most + WAYS - 1) / WAYS;
    size_t sets = wanted > 1 ? 2 * power_of_two_in(wanted - 1) : 1;
    return sets * sizeof(struct ratelimit_set) + SET_ALIGN - 1;
}

static bool options_are_sound(const struct ratelimit_options *options)
{
    return options->interval >= RATELIMIT_INTERVAL_MIN &&
           options->interval <= RATELIMIT_INTERVAL_MAX && options->burst >= 1 &&
           options->burst <= RATELIMIT_BURST_MAX && options->leak <= RATELIMIT_LEAK_MAX &&
           options->v4_bits >= 1 && options->v4_bits <= NET_PREFIX_V4_BITS &&
           options->v6_bits >= 1 && options->v6_bits <= NET_PREFIX_V6_BITS;
}

/* Rounded up: a client never gets more than was said. */
static int64_t interval_ns(int interval)
{
    if (interval >= 0) {
        return NS_PER_S << interval;
    }
    int64_t per_second = INT64_C(1) << -interval;
    return (NS_PER_S + per_second - 1) / per_second;
}

NODISCARD enum nts_err ratelimit_init(struct ratelimit *limit,
                                      const struct ratelimit_options *options, void *memory,
                                      size_t len)
{
    memset(limit, 0, sizeof(*limit));
    if (!options_are_sound(options)) {
        return NTS_EFORMAT;
    }
    size_t skip = (SET_ALIGN - (uintptr_t)memory % SET_ALIGN) % SET_ALIGN;
    size_t room = len > skip ? (len - skip) / sizeof(struct ratelimit_set) : 0;
    if (room == 0) {
        return NTS_ESPACE;
    }
    limit->options = *options;
    limit->interval_ns = interval_ns(options->interval);
    limit->depth_ns = limit->interval_ns * (int64_t)options->burst;
    limit->set_count = power_of_two_in(room);
    limit->set = (struct ratelimit_set *)(void *)((uint8_t *)memory + skip);
    memset(limit->set, 0, limit->set_count * sizeof(*limit->set));
    return NTS_OK;
}

/* --- Who asks --- */

/* 0 is a free place's. */
static uint64_t key_of(const struct ratelimit *limit, struct span message)
{
    uint64_t key = siphash(limit->options.hash_key, message);
    return key != 0 ? key : 1;
}

uint64_t ratelimit_key_of_address(const struct ratelimit *limit, const struct net_addr *addr)
{
    const struct ratelimit_options *options = &limit->options;
    struct net_prefix prefix;
    if (net_prefix_of(addr, options->v4_bits, options->v6_bits, &prefix) != NTS_OK) {
        const uint64_t other = KIND_OTHER;
        return key_of(limit, span_of(&other, sizeof(other)));
    }
    const uint64_t words[] = {prefix.v6 ? KIND_V6 : KIND_V4, prefix.high, prefix.low};
    size_t used = prefix.low != 0 ? 3 : 2;
    return key_of(limit, span_of(words, used * sizeof(words[0])));
}

uint64_t ratelimit_key_of_session(const struct ratelimit *limit, struct span c2s)
{
    /* A session's key is random, and no party to it can choose it: it needs no mark to differ from
     * an address. Where its hash leads may be seen in the timing of caches; that is worth nothing
     * without the hash key. */
    return key_of(limit, c2s);
}

/* --- Deciding --- */

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    if (value < low) {
        return low;
    }
    return value < high ? value : high;
}

/* The place of `client`; WAYS: it has none. */
static size_t find(const struct ratelimit_set *set, uint64_t client)
{
    size_t way = 0;
    while (way < WAYS && set->client[way] != client) {
        way++;
    }
    return way;
}

/* The place whose bucket is fullest, and has been for longest; those that are free come first. */
static size_t fullest(const struct ratelimit_set *set)
{
    size_t best = 0;
    for (size_t way = 1; way < WAYS; way++) {
        best = set->full_at_ns[way] < set->full_at_ns[best] ? way : best;
    }
    return best;
}

static size_t take_place(struct ratelimit *limit, struct ratelimit_set *set, uint64_t client,
                         int64_t now)
{
    size_t way = fullest(set);
    bool matters = set->full_at_ns[way] > now || set->kiss_at_ns[way] > now;
    limit->forgotten += matters ? 1 : 0;
    set->client[way] = client;
    set->full_at_ns[way] = now;
    set->kiss_at_ns[way] = now;
    return way;
}

/* Over the limit: what comes of it. */
static enum ratelimit_verdict refuse(const struct ratelimit *limit, int64_t *kiss_at, int64_t now,
                                     uint8_t random)
{
    unsigned leak = limit->options.leak;
    if (leak > 0 && random % (1U << leak) == 0) {
        return RATELIMIT_LEAKED;
    }
    int64_t wait =
        limit->interval_ns > KISS_INTERVAL_MIN_NS ? limit->interval_ns : KISS_INTERVAL_MIN_NS;
    *kiss_at = clamp(*kiss_at, 0, now + wait); /* time may have gone backwards */
    if (*kiss_at > now) {
        return RATELIMIT_LIMITED;
    }
    *kiss_at = now + wait;
    return RATELIMIT_KISS;
}

enum ratelimit_verdict ratelimit_decide(struct ratelimit *limit, uint64_t client,
                                        struct mono_ns now, uint8_t random)
{
    struct ratelimit_set *set = &limit->set[client & (limit->set_count - 1)];
    int64_t time = clamp(now.ns, 0, TIME_MAX_NS);
    size_t way = find(set, client);
    if (way == WAYS) {
        way = take_place(limit, set, client, time);
    }
    /* Full since long, or (should time have gone backwards) emptier than empty: made sane. */
    int64_t full_at = clamp(set->full_at_ns[way], time, time + limit->depth_ns);
    bool has_token = full_at + limit->interval_ns <= time + limit->depth_ns;
    set->full_at_ns[way] = has_token ? full_at + limit->interval_ns : full_at;
    return has_token ? RATELIMIT_PASS : refuse(limit, &set->kiss_at_ns[way], time, random);
}
