/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a limiter with one or two sets, so that it forgets all the time. The input begins
 * with the options; then five octets are a request: who, how much later, how to scale that, and
 * the random octet. Beside it each client has a bucket of its own, as one would draw it. Demanded:
 *
 *   nobody has had fewer answers than that bucket would have given; nor more, while nothing was
 *   forgotten; exactly the right octets leak; kisses never follow each other without an answer in
 *   between, and are as far apart as was said, while nothing was forgotten; and when time goes
 *   backwards, nobody waits longer than a burst takes to come back.
 */
#include "common/net/ratelimit.h"

#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { CLIENTS = 24, MEMORY = 1024, BACKWARDS = 0x80, REQUESTS_MAX = 4000 };

struct drawn {
    int64_t level_ns;
    int64_t last_ns;
    int64_t ahead; /* answers by the limiter less those by this bucket */
    bool kissed;
    bool answered; /* since the last kiss */
    int64_t kissed_ns;
};

struct run {
    struct ratelimit limit;
    int64_t interval_ns;
    int64_t full_ns;
    int64_t now;
    bool went_back;
    struct drawn client[CLIENTS];
};

static bool drawn_passes(const struct run *run, struct drawn *bucket)
{
    int64_t level = bucket->level_ns + (run->now - bucket->last_ns);
    bucket->level_ns = level < run->full_ns ? level : run->full_ns;
    bucket->last_ns = run->now;
    if (bucket->level_ns < run->interval_ns) {
        return false;
    }
    bucket->level_ns -= run->interval_ns;
    return true;
}

static void check_kiss(const struct run *run, struct drawn *bucket)
{
    int64_t apart = run->interval_ns > NS_PER_S ? run->interval_ns : NS_PER_S;
    bool certain = !run->went_back && run->limit.forgotten == 0;
    CHECK(!bucket->kissed || bucket->answered);
    CHECK(!bucket->kissed || !certain || run->now - bucket->kissed_ns >= apart);
    bucket->kissed = true;
    bucket->answered = false;
    bucket->kissed_ns = run->now;
}

static void ask(struct run *run, size_t who, uint8_t random)
{
    struct drawn *bucket = &run->client[who];
    unsigned leak = run->limit.options.leak;
    enum ratelimit_verdict verdict =
        ratelimit_decide(&run->limit, 1 + who * 3, (struct mono_ns){.ns = run->now}, random);
    bool passed = verdict == RATELIMIT_PASS;
    bool leaks = leak > 0 && (random & ((1U << leak) - 1)) == 0;
    CHECK(passed || (verdict == RATELIMIT_LEAKED) == leaks);
    bucket->answered = bucket->answered || passed;
    if (verdict == RATELIMIT_KISS) {
        check_kiss(run, bucket);
    }
    if (run->went_back) {
        return;
    }
    bool alone = drawn_passes(run, bucket);
    bucket->ahead += (passed ? 1 : 0) - (alone ? 1 : 0);
    CHECK(bucket->ahead >= 0);
    CHECK(run->limit.forgotten > 0 || passed == alone);
}

static void move_time(struct run *run, uint16_t amount, uint8_t scale)
{
    int64_t move = (int64_t)amount << (scale & 0x1f);
    if ((scale & BACKWARDS) != 0) {
        run->went_back = run->went_back || move > 0;
        run->now -= move;
        return;
    }
    run->now += move;
}

/* Whatever the time has done: when as much of it has passed as a burst takes, there is a burst. */
static void check_recovery(struct run *run)
{
    for (uint64_t who = 0; who < CLIENTS; who++) {
        struct mono_ns now = {.ns = run->now > 0 ? run->now : 0};
        (void)ratelimit_decide(&run->limit, 1 + who * 3, now, 1);
        now.ns += run->full_ns;
        run->now = now.ns;
        for (unsigned i = 0; i < run->limit.options.burst; i++) {
            CHECK(ratelimit_decide(&run->limit, 1 + who * 3, now, 1) == RATELIMIT_PASS);
        }
        CHECK(ratelimit_decide(&run->limit, 1 + who * 3, now, 1) != RATELIMIT_PASS);
    }
}

/* Of 2^interval seconds, and not less. */
static int64_t length_of(int interval)
{
    return interval >= 0 ? NS_PER_S << interval : NS_PER_S / (INT64_C(1) << -interval) + 1;
}

static struct ratelimit_options read_options(struct rd *r)
{
    return (struct ratelimit_options){
        .interval = (int)(rd_u8(r) % 32) + RATELIMIT_INTERVAL_MIN,
        .burst = 1U + rd_u8(r) % RATELIMIT_BURST_MAX,
        .leak = rd_u8(r) % (RATELIMIT_LEAK_MAX + 1U),
        .v4_bits = RATELIMIT_V4_BITS,
        .v6_bits = RATELIMIT_V6_BITS,
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _Alignas(64) static uint8_t memory[MEMORY];
    static struct run run;
    struct rd r = rd_init(span_of(data, size));
    struct ratelimit_options options = read_options(&r);
    size_t clients = 1U + rd_u8(&r) % 16;
    run = (struct run){.now = NS_PER_S};
    CHECK(ratelimit_size(clients) <= sizeof(memory));
    CHECK(ratelimit_init(&run.limit, &options, memory, ratelimit_size(clients)) == NTS_OK);
    run.interval_ns = run.limit.interval_ns;
    CHECK(run.interval_ns == length_of(options.interval) ||
          (options.interval < 0 && run.interval_ns << -options.interval == NS_PER_S));
    run.full_ns = run.interval_ns * options.burst;
    for (size_t i = 0; i < CLIENTS; i++) {
        run.client[i] = (struct drawn){.level_ns = run.full_ns, .last_ns = run.now};
    }
    for (int n = 0; n < REQUESTS_MAX && !r.bad && r.left > 0; n++) {
        size_t who = rd_u8(&r) % CLIENTS;
        uint16_t amount = rd_u16(&r);
        uint8_t scale = rd_u8(&r);
        uint8_t random = rd_u8(&r);
        move_time(&run, amount, scale);
        ask(&run, who, random);
    }
    check_recovery(&run);
    return 0;
}
