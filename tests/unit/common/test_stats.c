/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters and the latency histogram.
 */
#include "common/base/stats.h"

#include <criterion/criterion.h>
#include <pthread.h>

static struct stats fresh(void)
{
    return (struct stats){0};
}

static uint64_t bucket(const struct stats *stats, unsigned i)
{
    return atomic_load(&stats->bucket[i]);
}

Test(stats, counters_count_and_know_their_bounds)
{
    struct stats stats = fresh();
    for (unsigned i = 0; i < STATS_COUNTERS; i++) {
        stats_add(&stats, i, i);
        stats_add(&stats, i, 1);
    }
    stats_add(&stats, STATS_COUNTERS, 5); /* beyond the table: nowhere */
    stats_add(&stats, UINT32_MAX, 5);
    for (unsigned i = 0; i < STATS_COUNTERS; i++) {
        cr_assert_eq(stats_get(&stats, i), i + 1);
    }
    cr_assert_eq(stats_get(&stats, STATS_COUNTERS), 0);
    cr_assert_eq(bucket(&stats, 0), 0);
    cr_assert_eq(atomic_load(&stats.duration_sum_ns), 0);
}

Test(stats, each_duration_has_one_bucket)
{
    static const struct {
        uint64_t ns;
        unsigned bucket;
    } cases[] = {
        {0, 0},
        {1, 0},
        {127, 0},
        {128, 1},
        {255, 1},
        {256, 2},
        {511, 2},
        {512, 3},
        {1000000, 13},
        {(UINT64_C(128) << 30) - 1, 30},
        {UINT64_C(128) << 30, 31},
        {UINT64_C(128) << 31, 31},
        {UINT64_MAX, 31},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stats stats = fresh();
        stats_duration(&stats, cases[i].ns);
        for (unsigned b = 0; b < STATS_BUCKETS; b++) {
            cr_assert_eq(bucket(&stats, b), b == cases[i].bucket, "%zu: bucket %u", i, b);
        }
        cr_assert_eq(atomic_load(&stats.duration_sum_ns), cases[i].ns);
    }
}

Test(stats, bounds_and_buckets_agree)
{
    for (unsigned i = 0; i < STATS_BUCKETS - 1; i++) {
        struct stats stats = fresh();
        stats_duration(&stats, stats_bucket_ns(i) - 1);
        stats_duration(&stats, stats_bucket_ns(i));
        cr_assert_eq(bucket(&stats, i), 1, "the bound of bucket %u is exclusive", i);
        cr_assert_eq(bucket(&stats, i + 1), 1);
    }
}

Test(stats, writers_do_not_share_a_cache_line)
{
    cr_assert_eq(sizeof(struct stats) % 128, 0);
    cr_assert_eq(_Alignof(struct stats), 128);
}

enum { TIMES = 100000 };

static void *count_up(void *arg)
{
    struct stats *stats = arg;
    for (unsigned i = 0; i < TIMES; i++) {
        stats_add(stats, 0, 1);
        stats_duration(stats, i);
    }
    return NULL;
}

Test(stats, a_reader_never_sees_a_counter_fall)
{
    struct stats stats = fresh();
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, count_up, &stats), 0);
    uint64_t last = 0;
    while (last < TIMES) {
        uint64_t now = stats_get(&stats, 0);
        cr_assert_geq(now, last);
        last = now;
    }
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(stats_get(&stats, 0), TIMES);
}
