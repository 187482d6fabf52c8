/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A discipline whose sources show and omit what the input says, in any order: served time goes on
 * without a jump that was not told, at a rate that was promised, with a bound that is allowed, and
 * each change of state is told once. What is held for its verdict has no part in what is served.
 */
#include "common/base/cursor.h"
#include "ntp/clock/clock_discipline.h"

#include <stdlib.h>
#include <string.h>

enum { SOURCES = 4, RATE_MAX_PPB = 500000, JOIN_NS = 2 };

#define RAW_START  (INT64_C(5000) * NS_PER_S)
#define WALL_START (INT64_C(1782863000) * NS_PER_S) /* not far from the end of a month */
#define MAX_ERROR  (50 * NS_PER_MS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct clock_discipline_options options;
    struct clock_discipline clock;
    struct clock_discipline without; /* the newest sample */
    struct clock_model model;
    struct clock_report report;
    int64_t raw_ns;
} life;

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void live_on(void)
{
    const struct mono_ns raw = {.ns = life.raw_ns};
    struct clock_model before = life.model;
    struct clock_update u = clock_discipline_update(&life.clock, raw, &life.model);
    const struct clock_model *now = &life.model;
    check(u.changed == (before.state != now->state));
    check((u.changed || u.step_ns != 0) == (u.reason != CLOCK_REASON_NONE));
    check(now->state != CLOCK_STARTING || before.state == CLOCK_STARTING);
    if (!clock_model_is_trusted(now, raw)) {
        check(now->state == CLOCK_STARTING || now->state == CLOCK_LOST);
        check(now->leap == NTP_LEAP_UNKNOWN && now->stratum == 0);
        return;
    }
    check(llabs(now->rate_ppb) <= RATE_MAX_PPB);
    check(now->drift_ppb >= 50000);
    check(clock_model_bound_ns(now, raw) <= MAX_ERROR + 100);
    check(now->reference_wall_ns <= clock_model_at(now, raw).ns + NS_PER_MS);
    if (clock_model_is_trusted(&before, raw)) {
        int64_t jump = clock_model_at(now, raw).ns - clock_model_at(&before, raw).ns;
        check(llabs(jump - u.step_ns) <= JOIN_NS);
    }
}

static void take(size_t source, const struct clock_sample *sample)
{
    uint64_t held = 0;
    uint64_t breaks = 0;
    life.without = life.clock;
    clock_discipline_sample(&life.clock, source, sample);
    for (size_t i = 0; i < SOURCES; i++) {
        const struct clock_filter_counts *before = &life.without.filter[i].counts;
        held += life.clock.filter[i].counts.outliers - before->outliers;
        breaks += life.clock.filter[i].counts.breaks - before->breaks;
    }
    if (held == 0 || breaks > 0) {
        return;
    }
    struct clock_discipline with = life.clock;
    struct clock_model model[2];
    const struct mono_ns raw = {.ns = life.raw_ns};
    /* A leap second is served when the time has come, whoever called. */
    clock_discipline_miss(&life.without, source, raw);
    (void)clock_discipline_update(&with, raw, &model[0]);
    (void)clock_discipline_update(&life.without, raw, &model[1]);
    check(memcmp(&model[0], &model[1], sizeof(model[0])) == 0);
}

/* Near the truth, shifted by up to 2^31 x 1 ns, 1 us or 1 ms. */
static void sample_near(struct rd *r)
{
    static const int64_t units[] = {0, 1, 1000, NS_PER_MS};
    uint8_t source = rd_u8(r);
    int64_t shift = (int32_t)rd_u32(r) * units[source >> 6];
    uint8_t other = rd_u8(r);
    const struct clock_sample sample = {
        .raw_ns = life.raw_ns,
        .wall_ns = WALL_START + (life.raw_ns - RAW_START) + shift,
        .delay_ns = rd_u16(r) * 1000,
        .root_delay_ns = 1000 * 1000,
        .root_dispersion_ns = (other >> 4) * NS_PER_MS,
        .reference_id = source,
        .stratum = 3,
        .leap = other & 3,
    };
    take(source & 7, &sample);
}

static void sample_any(struct rd *r)
{
    uint8_t source = rd_u8(r);
    const struct clock_sample sample = {
        .raw_ns = (int64_t)rd_u64(r),
        .wall_ns = (int64_t)rd_u64(r),
        .delay_ns = (int64_t)rd_u64(r),
        .root_delay_ns = (int64_t)rd_u64(r),
        .root_dispersion_ns = (int64_t)rd_u64(r),
        .stratum = rd_u8(r),
        .leap = rd_u8(r),
    };
    /* A raw clock that is days ahead is beyond what a client can be made to say. */
    if (sample.raw_ns <= life.raw_ns) {
        clock_discipline_sample(&life.clock, source & 7, &sample);
    }
}

static void act(struct rd *r)
{
    const struct mono_ns raw = {.ns = life.raw_ns};
    switch (rd_u8(r) & 7) {
    case 0:
    case 1:
        sample_near(r);
        break;
    case 2:
        sample_any(r);
        break;
    case 3:
        clock_discipline_miss(&life.clock, rd_u8(r) & 7, raw);
        break;
    case 4:
        clock_discipline_poll_ns(&life.clock, rd_u8(r) & 7, (int64_t)rd_u64(r));
        break;
    case 5:
        clock_discipline_suspended(&life.clock, raw);
        break;
    case 6:
        clock_discipline_init(&life.clock, &life.options, &life.model, raw);
        life.model = life.clock.model; /* too old a line is lost already */
        break;
    case 7:
        clock_discipline_report(&life.clock, raw, &life.report);
        break;
    }
    live_on();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_init((struct span){.p = data, .n = size});
    uint8_t traits = rd_u8(&r);
    life.options = (struct clock_discipline_options){
        .source_count = SOURCES, .max_error_ns = MAX_ERROR, .precision = -25};
    for (size_t i = 0; i < SOURCES; i++) {
        life.options.source[i].poll_ns = 16 * NS_PER_S;
        life.options.source[i].prefer = (traits >> i & 1) != 0;
        life.options.source[i].smeared = (traits & 0x80) != 0;
    }
    life.raw_ns = RAW_START;
    life.model = (struct clock_model){0};
    clock_discipline_init(&life.clock, &life.options, NULL, (struct mono_ns){.ns = life.raw_ns});
    while (!r.bad && r.left > 0) {
        life.raw_ns += (int64_t)rd_u8(&r) * 250 * NS_PER_MS;
        act(&r);
    }
    return 0;
}
