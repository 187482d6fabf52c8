/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets in a table: who is over the limit is limited, and nobody else, whatever others do.
 */
#include "common/net/ratelimit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_US INT64_C(1000)

enum { NEVER_LEAKS = 1, ONE_SET = 1, ANYWHERE = 64 * 1024 };

static const struct ratelimit_options defaults = {
    .interval = RATELIMIT_INTERVAL,
    .burst = RATELIMIT_BURST,
    .leak = RATELIMIT_LEAK,
    .v4_bits = RATELIMIT_V4_BITS,
    .v6_bits = RATELIMIT_V6_BITS,
    .hash_key = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
};

static struct ratelimit_options options_of(int interval, unsigned burst, unsigned leak)
{
    struct ratelimit_options options = defaults;
    options.interval = interval;
    options.burst = burst;
    options.leak = leak;
    return options;
}

/* A limiter and its memory. */
struct table {
    struct ratelimit limit;
    void *memory;
};

static struct table table_of(const struct ratelimit_options *options, size_t clients)
{
    struct table table;
    size_t len = ratelimit_size(clients);
    table.memory = malloc(len);
    cr_assert_not_null(table.memory);
    memset(table.memory, 0x5a, len);
    cr_assert_eq(ratelimit_init(&table.limit, options, table.memory, len), NTS_OK);
    return table;
}

static enum ratelimit_verdict ask(struct table *table, uint64_t client, int64_t now_ns,
                                  uint8_t random)
{
    return ratelimit_decide(&table->limit, client, (struct mono_ns){.ns = now_ns}, random);
}

static bool passes(struct table *table, uint64_t client, int64_t now_ns)
{
    return ask(table, client, now_ns, NEVER_LEAKS) == RATELIMIT_PASS;
}

static unsigned passed_at_once(struct table *table, uint64_t client, int64_t now_ns)
{
    unsigned passed = 0;
    while (passes(table, client, now_ns)) {
        passed++;
    }
    return passed;
}

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* --- Setting up --- */

Test(ratelimit, options_out_of_range_are_refused)
{
    static const struct ratelimit_options good = {
        .interval = RATELIMIT_INTERVAL_MIN, .burst = 1, .v4_bits = 1, .v6_bits = 1};
    struct ratelimit_options bad[12];
    for (size_t i = 0; i < 12; i++) {
        bad[i] = good;
    }
    bad[0].interval = RATELIMIT_INTERVAL_MIN - 1;
    bad[1].interval = RATELIMIT_INTERVAL_MAX + 1;
    bad[2].burst = 0;
    bad[3].burst = RATELIMIT_BURST_MAX + 1;
    bad[4].leak = RATELIMIT_LEAK_MAX + 1;
    bad[5].v4_bits = 0;
    bad[6].v4_bits = 33;
    bad[7].v6_bits = 0;
    bad[8].v6_bits = 129;
    bad[9].interval = INT32_MAX;
    bad[10].interval = INT32_MIN;
    bad[11].leak = UINT32_MAX;
    static uint8_t memory[4096];
    struct ratelimit limit;
    cr_assert_eq(ratelimit_init(&limit, &good, memory, sizeof(memory)), NTS_OK);
    for (size_t i = 0; i < 12; i++) {
        cr_assert_eq(ratelimit_init(&limit, &bad[i], memory, sizeof(memory)), NTS_EFORMAT, "%zu",
                     i);
        cr_assert_null(limit.set);
    }
}

Test(ratelimit, memory_is_what_was_said)
{
    cr_assert_eq(ratelimit_size(0), ratelimit_size(1));
    cr_assert_eq(ratelimit_size(8), ratelimit_size(1));
    cr_assert_gt(ratelimit_size(9), ratelimit_size(8));
    cr_assert_leq(ratelimit_size(RATELIMIT_CLIENTS), 1536 * 1024 + 64);
    cr_assert_eq(ratelimit_size(SIZE_MAX), ratelimit_size(RATELIMIT_CLIENTS_MAX));
    cr_assert_leq(ratelimit_size(SIZE_MAX), 384 * 1024 * 1024 + 64);

    struct ratelimit limit;
    static uint8_t memory[8192];
    cr_assert_eq(ratelimit_init(&limit, &defaults, memory, 0), NTS_ESPACE);
    cr_assert_eq(ratelimit_init(&limit, &defaults, memory, 191), NTS_ESPACE);
    for (size_t clients = 1; clients <= 100; clients++) {
        for (size_t shift = 0; shift < 65; shift++) { /* wherever it begins */
            size_t len = ratelimit_size(clients);
            cr_assert_eq(ratelimit_init(&limit, &defaults, memory + shift, len), NTS_OK);
            cr_assert_geq(limit.set_count * 8, clients);
        }
    }
}

/* --- Who asks --- */

static uint64_t key_of(const struct table *table, const char *text, uint16_t port)
{
    struct net_addr addr;
    cr_assert_eq(net_addr_parse(text, port, &addr), NTS_OK, "%s", text);
    return ratelimit_key_of_address(&table->limit, &addr);
}

Test(ratelimit, a_client_is_a_network)
{
    static const struct {
        const char *a;
        const char *b;
        unsigned v4_bits;
        unsigned v6_bits;
        bool same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", 32, 64, true},
        {"192.0.2.1", "192.0.2.2", 32, 64, false},
        {"192.0.2.1", "192.0.2.2", 24, 64, true},
        {"192.0.2.1", "192.0.3.1", 24, 64, false},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", 32, 64, true},
        {"2001:db8::1", "2001:db8:0:1::1", 32, 64, false},
        {"2001:db8::1", "2001:db8::2", 32, 128, false},
        {"2001:db8::1", "2001:db8:0:ff::", 32, 56, true},
        {"2001:db8::1", "2001:db8:0:100::", 32, 56, false},
        {"::ffff:192.0.2.1", "192.0.2.1", 32, 64, true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", 32, 64, false},
        {"c000:201::", "192.0.2.1", 32, 64, false},
        {"::", "0.0.0.0", 32, 64, false},
        {"::", "0.0.0.0", 32, 128, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ratelimit_options options = defaults;
        options.v4_bits = cases[i].v4_bits;
        options.v6_bits = cases[i].v6_bits;
        struct table table = table_of(&options, ONE_SET);
        bool same = key_of(&table, cases[i].a, 123) == key_of(&table, cases[i].b, 40000);
        cr_assert_eq(same, cases[i].same, "%s %s", cases[i].a, cases[i].b);
        free(table.memory);
    }
}

Test(ratelimit, addresses_of_one_network_share)
{
    struct table table = table_of(&defaults, ANYWHERE);
    for (int i = 0; i < 4; i++) {
        cr_assert(passes(&table, key_of(&table, "2001:db8::1", 1000), NS_PER_S));
        cr_assert(passes(&table, key_of(&table, "2001:db8::2", 2000), NS_PER_S));
    }
    cr_assert_not(passes(&table, key_of(&table, "2001:db8::3", 3000), NS_PER_S));
    cr_assert(passes(&table, key_of(&table, "2001:db8:0:1::1", 1000), NS_PER_S));
    free(table.memory);
}

Test(ratelimit, sessions_are_clients_of_their_own)
{
    struct table table = table_of(&defaults, ANYWHERE);
    uint8_t c2s[64] = {1};
    uint64_t first = ratelimit_key_of_session(&table.limit, span_of(c2s, 32));
    cr_assert_eq(ratelimit_key_of_session(&table.limit, span_of(c2s, 32)), first);
    cr_assert_neq(ratelimit_key_of_session(&table.limit, span_of(c2s, 64)), first);
    c2s[31] = 1;
    uint64_t second = ratelimit_key_of_session(&table.limit, span_of(c2s, 32));
    cr_assert_neq(second, first);

    /* Many devices behind one address: none pays for another one. */
    uint64_t address = key_of(&table, "192.0.2.1", 123);
    cr_assert_eq(passed_at_once(&table, first, NS_PER_S), RATELIMIT_BURST);
    cr_assert_eq(passed_at_once(&table, address, NS_PER_S), RATELIMIT_BURST);
    cr_assert_eq(passed_at_once(&table, second, NS_PER_S), RATELIMIT_BURST);
    free(table.memory);
}

Test(ratelimit, keys_depend_on_the_secret)
{
    struct ratelimit_options options = defaults;
    options.hash_key[15] ^= 1;
    struct table a = table_of(&defaults, ONE_SET);
    struct table b = table_of(&options, ONE_SET);
    uint8_t c2s[32] = {0};
    struct net_addr other = net_addr_any(AF_UNSPEC, 0);
    cr_assert_neq(key_of(&a, "192.0.2.1", 123), key_of(&b, "192.0.2.1", 123));
    cr_assert_neq(ratelimit_key_of_session(&a.limit, span_of(c2s, 32)),
                  ratelimit_key_of_session(&b.limit, span_of(c2s, 32)));
    cr_assert_neq(ratelimit_key_of_address(&a.limit, &other), 0);
    free(a.memory);
    free(b.memory);
}

/* --- One client --- */

Test(ratelimit, a_burst_and_then_one_an_interval)
{
    static const struct {
        int interval;
        int64_t interval_ns;
        unsigned burst;
    } cases[] = {
        {-19, 1908, 1},           {-19, 1908, 255},           {-1, NS_PER_S / 2, 8},
        {0, NS_PER_S, 1},         {3, 8 * NS_PER_S, 8},       {6, 64 * NS_PER_S, 16},
        {12, 4096 * NS_PER_S, 1}, {12, 4096 * NS_PER_S, 255},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ratelimit_options options = options_of(cases[i].interval, cases[i].burst, 2);
        struct table table = table_of(&options, ANYWHERE);
        int64_t now = 12345;
        cr_assert_eq(passed_at_once(&table, 7, now), cases[i].burst);
        for (int n = 0; n < 5; n++) {
            cr_assert_not(passes(&table, 7, now + cases[i].interval_ns - 1));
            now += cases[i].interval_ns;
            cr_assert(passes(&table, 7, now));
            cr_assert_not(passes(&table, 7, now));
        }
        now += 3 * cases[i].interval_ns;
        unsigned saved = cases[i].burst < 3 ? cases[i].burst : 3;
        cr_assert_eq(passed_at_once(&table, 7, now), saved);
        now += 1000 * cases[i].interval_ns;
        cr_assert_eq(passed_at_once(&table, 7, now), cases[i].burst, "and no more than that");
        free(table.memory);
    }
}

/* Asked at random moments, in bursts and pauses: in any window, between any two answers. */
Test(ratelimit, no_window_holds_more_than_was_said)
{
    enum { ANSWERS = 1500 };
    static int64_t answered[ANSWERS];
    const struct ratelimit_options options = options_of(0, 5, 2);
    struct table table = table_of(&options, ANYWHERE);
    random_state = 99;
    size_t n = 0;
    for (int64_t now = 0; n < ANSWERS; now += (int64_t)(next_random() % 100) * NS_PER_MS) {
        now += next_random() % 64 == 0 ? (int64_t)(next_random() % 10) * NS_PER_S : 0;
        if (passes(&table, 42, now)) {
            answered[n++] = now;
        }
    }
    for (size_t i = 0; i < ANSWERS; i++) {
        for (size_t j = i; j < ANSWERS; j++) {
            cr_assert_leq((int64_t)(j - i) + 1, 5 + (answered[j] - answered[i]) / NS_PER_S);
        }
    }
    free(table.memory);
}

Test(ratelimit, a_known_share_leaks)
{
    for (unsigned leak = 0; leak <= RATELIMIT_LEAK_MAX; leak++) {
        struct ratelimit_options options = options_of(3, 1, leak);
        struct table table = table_of(&options, ONE_SET);
        cr_assert(passes(&table, 7, 0));
        unsigned leaked = 0;
        for (unsigned octet = 0; octet < 256; octet++) {
            leaked += ask(&table, 7, 0, (uint8_t)octet) == RATELIMIT_LEAKED ? 1 : 0;
        }
        cr_assert_eq(leaked, leak == 0 ? 0U : 256U >> leak);
        cr_assert_not(passes(&table, 7, 8 * NS_PER_S - 1), "leaks cost nothing");
        cr_assert(passes(&table, 7, 8 * NS_PER_S), "and give nothing");
        free(table.memory);
    }
}

Test(ratelimit, kisses_are_rare)
{
    static const struct {
        int interval;
        int64_t apart_ns;
    } cases[] = {{-19, NS_PER_S}, {-4, NS_PER_S}, {0, NS_PER_S}, {3, 8 * NS_PER_S}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ratelimit_options options = options_of(cases[i].interval, 4, 1);
        struct table table = table_of(&options, ONE_SET);
        random_state = 3;
        int64_t last_kiss = -cases[i].apart_ns;
        int64_t now = 0;
        unsigned answers = 0;
        unsigned kisses = 0;
        for (int n = 0; n < 20000; n++) {
            now += (int64_t)(next_random() % (cases[i].interval == -19 ? 500 : 5000000));
            enum ratelimit_verdict verdict = ask(&table, 7, now, (uint8_t)next_random());
            answers += verdict == RATELIMIT_PASS ? 1 : 0;
            if (verdict != RATELIMIT_KISS) {
                continue;
            }
            cr_assert_geq(now - last_kiss, cases[i].apart_ns);
            cr_assert_gt(answers, 0, "none without an answer since the last one");
            last_kiss = now;
            answers = 0;
            kisses++;
        }
        cr_assert_gt(kisses, 0);
        free(table.memory);
    }
}

Test(ratelimit, the_first_request_over_the_limit_may_be_told)
{
    struct table table = table_of(&defaults, ONE_SET);
    for (int i = 0; i < RATELIMIT_BURST; i++) {
        cr_assert_eq(ask(&table, 7, 0, NEVER_LEAKS), RATELIMIT_PASS);
    }
    cr_assert_eq(ask(&table, 7, 0, NEVER_LEAKS), RATELIMIT_KISS);
    cr_assert_eq(ask(&table, 7, 1, NEVER_LEAKS), RATELIMIT_LIMITED);
    cr_assert_eq(ask(&table, 7, 2, 4), RATELIMIT_LEAKED);
    free(table.memory);
}

/* --- Time --- */

Test(ratelimit, time_that_goes_backwards_costs_at_most_a_burst)
{
    const int64_t refill = RATELIMIT_BURST * 8 * NS_PER_S;
    struct table table = table_of(&defaults, ONE_SET);
    const int64_t late = INT64_C(1000000) * NS_PER_S;
    cr_assert_eq(passed_at_once(&table, 7, late), RATELIMIT_BURST);
    cr_assert_eq(ask(&table, 7, 5 * NS_PER_S, NEVER_LEAKS), RATELIMIT_LIMITED);
    cr_assert(passes(&table, 7, 13 * NS_PER_S), "an interval later, by the new time");
    cr_assert_eq(ask(&table, 7, 13 * NS_PER_S, NEVER_LEAKS), RATELIMIT_KISS, "kisses, too");
    cr_assert_eq(passed_at_once(&table, 7, 13 * NS_PER_S + refill), RATELIMIT_BURST);
    free(table.memory);
}

/* To and fro, nothing is gained. */
Test(ratelimit, time_that_trembles_gives_nothing)
{
    struct table table = table_of(&defaults, ONE_SET);
    const int64_t now = 100 * NS_PER_S;
    cr_assert_eq(passed_at_once(&table, 7, now), RATELIMIT_BURST);
    for (int i = 0; i < 1000; i++) {
        cr_assert_not(passes(&table, 7, now - i * NS_PER_US));
        cr_assert_not(passes(&table, 7, now + i * NS_PER_US));
    }
    free(table.memory);
}

Test(ratelimit, no_time_is_too_strange)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
    enum { TIMES = sizeof(times) / sizeof(times[0]) };
    const struct ratelimit_options options = options_of(12, 255, 1);
    struct table table = table_of(&options, ONE_SET);
    for (size_t i = 0; i < TIMES * TIMES * 300; i++) {
        (void)ask(&table, i % 11, times[(i / TIMES + i * i) % TIMES], (uint8_t)i);
    }
    cr_assert_eq(passed_at_once(&table, 99, INT64_MAX), 255);
    free(table.memory);
}

/* --- Others --- */

/* One set: the ninth client takes the place of the one whose bucket is fullest. */
Test(ratelimit, who_is_over_the_limit_is_forgotten_last)
{
    struct table table = table_of(&defaults, ONE_SET);
    cr_assert_eq(table.limit.set_count, 1);
    cr_assert_eq(passed_at_once(&table, 100, NS_PER_S), RATELIMIT_BURST);
    for (uint64_t stranger = 200; stranger < 10000; stranger++) {
        cr_assert(passes(&table, stranger, NS_PER_S));
    }
    cr_assert_eq(table.limit.forgotten, 10000 - 200 - 7);
    cr_assert_not(passes(&table, 100, NS_PER_S), "known after all of them");
    cr_assert_eq(passed_at_once(&table, 200, NS_PER_S), RATELIMIT_BURST, "forgotten: as if new");
    free(table.memory);
}

Test(ratelimit, nothing_is_lost_with_a_full_bucket)
{
    struct table table = table_of(&defaults, ONE_SET);
    for (uint64_t client = 1; client <= 80; client++) {
        cr_assert(passes(&table, client, (int64_t)client * NS_PER_S));
    }
    cr_assert_eq(table.limit.forgotten, 0, "each had been full again for a moment");
    free(table.memory);
}

/* Its bucket is full again, but it was told less than a second ago and will be told anew. */
Test(ratelimit, a_kiss_is_forgotten_with_its_client)
{
    const struct ratelimit_options options = options_of(-4, 8, 2);
    struct table table = table_of(&options, ONE_SET);
    cr_assert_eq(passed_at_once(&table, 100, 0), 8);
    for (uint64_t stranger = 1; stranger <= 8; stranger++) {
        cr_assert(passes(&table, stranger, NS_PER_S - 1));
    }
    cr_assert_eq(table.limit.forgotten, 1);
    free(table.memory);
}

/* A bucket as one would draw it: tokens come drop by drop and are taken one by one. */
struct drawn {
    int64_t level_ns;
    int64_t last_ns;
};

static bool drawn_passes(struct drawn *bucket, int64_t now_ns, int64_t interval_ns, int64_t burst)
{
    int64_t full = burst * interval_ns;
    int64_t level = bucket->level_ns + (now_ns - bucket->last_ns);
    bucket->level_ns = level < full ? level : full;
    bucket->last_ns = now_ns;
    if (bucket->level_ns < interval_ns) {
        return false;
    }
    bucket->level_ns -= interval_ns;
    return true;
}

/* However crowded the table is, nobody has had fewer answers than a bucket of his own would have
 * given; so who asks no more than he may is always answered. Not crowded, the table is exact. */
static void compare_with_drawn(size_t clients, size_t places, bool exact)
{
    enum { CLIENTS_MAX = 64 };
    struct drawn bucket[CLIENTS_MAX];
    int64_t ahead[CLIENTS_MAX] = {0}; /* answers by the table less those by the drawn bucket */
    const struct ratelimit_options options = options_of(0, 4, 2);
    struct table table = table_of(&options, places);
    random_state = 17;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        bucket[i] = (struct drawn){.level_ns = 4 * NS_PER_S};
    }
    int64_t now = 0;
    for (int n = 0; n < 100000; n++) {
        now += (int64_t)(next_random() % 60) * NS_PER_MS;
        size_t r = next_random() % clients;
        size_t client = next_random() % (r + 1); /* some ask far more often than others */
        bool alone = drawn_passes(&bucket[client], now, NS_PER_S, 4);
        bool passed = passes(&table, client + 1, now);
        ahead[client] += (passed ? 1 : 0) - (alone ? 1 : 0);
        cr_assert_geq(ahead[client], 0, "denied for what others did");
        cr_assert(!exact || passed == alone);
    }
    cr_assert_eq(exact, table.limit.forgotten == 0);
    free(table.memory);
}

Test(ratelimit, others_never_cost_anything)
{
    compare_with_drawn(8, 8, true);
    compare_with_drawn(64, ANYWHERE, true);
    compare_with_drawn(20, 8, false);
    compare_with_drawn(64, 16, false);
}

static uint64_t key_of_v4(const struct table *table, uint32_t address)
{
    struct net_addr addr = net_addr_any(AF_INET, 123);
    addr.v4.sin_addr.s_addr = htonl(address);
    return ratelimit_key_of_address(&table->limit, &addr);
}

/* A million strangers a second for ten seconds, each once (what their addresses are hashed to is
 * random, and so is this); 200 honest clients that ask each second, as they may, and one that asks
 * a thousand times. */
Test(ratelimit, a_flood_of_ten_million_addresses)
{
    enum { STRANGERS = 10000000, HONEST = 200, RUDE = 1000, PER_SECOND = 1000000 };
    const struct ratelimit_options options = options_of(0, 8, 2);
    struct table table = table_of(&options, RATELIMIT_CLIENTS);
    random_state = 4711;
    unsigned rude_passed = 0;
    for (int64_t i = 0; i < STRANGERS; i++) {
        int64_t now = NS_PER_S + i * (NS_PER_S / PER_SECOND);
        (void)passes(&table, next_random(), now);
        if (i % (PER_SECOND / HONEST) == 0) {
            uint32_t who = (uint32_t)(i / (PER_SECOND / HONEST) % HONEST);
            cr_assert(passes(&table, key_of_v4(&table, 0x0a000000 + who), now));
        }
        if (i % (PER_SECOND / RUDE) == 0) {
            rude_passed += passes(&table, key_of_v4(&table, 0x0b000000), now) ? 1 : 0;
        }
    }
    cr_assert_leq(rude_passed, 8 + 10);
    cr_assert_gt(table.limit.forgotten, STRANGERS / 2);
    free(table.memory);
}
