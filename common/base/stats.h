/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One block of counters and a latency histogram for one writer (a UDP worker, a KE process, the
 * clock, the keys process), read by the status process without locks. The meaning of an index is
 * the writer's: an enum in its module, with a table of names beside it. A block has one writer;
 * readers may see counters of slightly different moments, never a torn one. Counters only grow,
 * also across a restart of the writer, because the memory outlives it.
 */
#ifndef NTSD_COMMON_BASE_STATS_H
#define NTSD_COMMON_BASE_STATS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
    STATS_COUNTERS = 64,
    STATS_BUCKETS = 32, /* bucket i counts durations below 2^i x 128 ns; the last one all others */
};

struct stats {
    alignas(128) _Atomic uint64_t counter[STATS_COUNTERS];
    _Atomic uint64_t bucket[STATS_BUCKETS];
    _Atomic uint64_t duration_sum_ns;
};

/* Adds with one writer: a plain load and store, no locked instruction on the packet path. */
static inline void stats_bump(_Atomic uint64_t *cell, uint64_t n)
{
    uint64_t old = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, old + n, memory_order_relaxed);
}

static inline void stats_add(struct stats *stats, unsigned index, uint64_t n)
{
    if (index < STATS_COUNTERS) {
        stats_bump(&stats->counter[index], n);
    }
}

static inline uint64_t stats_get(const struct stats *stats, unsigned index)
{
    return index < STATS_COUNTERS
               ? atomic_load_explicit(&stats->counter[index], memory_order_relaxed)
               : 0;
}

/* Upper bound of bucket `i` in nanoseconds, exclusive. */
static inline uint64_t stats_bucket_ns(unsigned i)
{
    return UINT64_C(128) << i;
}

static inline void stats_duration(struct stats *stats, uint64_t ns)
{
    unsigned i = ns < 128 ? 0 : (unsigned)(64 - __builtin_clzll(ns >> 7));
    stats_bump(&stats->bucket[i < STATS_BUCKETS ? i : STATS_BUCKETS - 1], 1);
    stats_bump(&stats->duration_sum_ns, ns);
}

#endif
