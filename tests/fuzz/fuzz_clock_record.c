/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock's file: any octets, as they are and with a checksum that fits, or nothing behind it
 * would ever be tried. What is read is written the same way, keeps no source silent for ever and
 * none from its rest, and a line that is gone on with has a bound that only grows.
 */
#include "ntp/clock/clock_discipline.h"
#include "ntp/clock/clock_record.h"
#include "ntp/ntp_proto.h"

#include <stdio.h>
#include <stdlib.h>

#define DEMAND(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            (void)fprintf(stderr, "demanded: %s\n", #x);                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void follow_memory(const struct clock_record *record, const struct clock_record_moment *now)
{
    const struct ntp_poll_options options = {.minpoll = 4, .maxpoll = 6, .iburst = true};
    const struct mono_ns raw = {.ns = now->raw_ns};
    for (size_t i = 0; i < CLOCK_SOURCES_MAX; i++) {
        struct ntp_poll poll;
        struct ntp_poll_memory m = clock_record_memory(record, now, record->source[i].id);
        ntp_poll_init(&poll, &options, &m, raw);
        int64_t interval = ntp_poll_interval_ns(&poll);
        int64_t rested = poll.memory.asked_raw_ns + interval;
        DEMAND(interval >= 16 * NS_PER_S);
        DEMAND(m.asked == 0 || rested <= raw.ns || !ntp_poll_may_send(&poll, raw));
        DEMAND(ntp_poll_may_send(&poll,
                                 (struct mono_ns){.ns = raw.ns + interval + NTP_POLL_SILENCE_NS}));
        DEMAND(m.key_retry_next <= raw.ns + NTP_POLL_SILENCE_NS);
    }
}

static void follow_line(const struct clock_model *line, struct mono_ns raw)
{
    static struct clock_discipline discipline;
    const struct clock_discipline_options options = {
        .source_count = 1,
        .source = {{.poll_ns = 16 * NS_PER_S}},
        .max_error_ns = 50 * NS_PER_MS,
        .precision = -25,
    };
    struct clock_model model;
    int64_t bound = clock_model_bound_ns(line, raw);
    int64_t served = clock_model_at(line, raw).ns;
    DEMAND(bound >= 0 && bound < INT64_MAX);
    clock_discipline_init(&discipline, &options, line, raw);
    for (int i = 0; i < 3; i++, raw.ns += NS_PER_S) {
        (void)clock_discipline_update(&discipline, raw, &model);
        if (model.state == CLOCK_SYNCHRONISED || model.state == CLOCK_HOLDOVER) {
            int64_t now = clock_model_bound_ns(&model, raw);
            DEMAND(now >= bound);
            DEMAND(model.leap != NTP_LEAP_NONE || i > 0 || model.anchor_wall_ns == served);
            bound = now;
        }
    }
}

static void follow(const struct clock_record *record)
{
    struct clock_record_moment now = record->moment;
    struct clock_model line;
    for (int64_t age = 0; age <= 64 && now.raw_ns < INT64_MAX / 2 - 64 * NS_PER_S; age += 8) {
        now.raw_ns = record->moment.raw_ns + age * NS_PER_S;
        follow_memory(record, &now);
        if (clock_record_line(record, &now, &line)) {
            follow_line(&line, (struct mono_ns){.ns = now.raw_ns});
        }
    }
    now.boot++;
    DEMAND(!clock_record_line(record, &now, &line));
    DEMAND(clock_record_memory(record, &now, record->source[0].id).asked == 0);
}

static void try(const uint8_t *data, size_t size)
{
    struct clock_record record;
    uint8_t again[CLOCK_RECORD_LEN];
    if (clock_record_parse(span_of(data, size), &record) != NTS_OK) {
        return;
    }
    DEMAND(size == CLOCK_RECORD_LEN);
    clock_record_write(&record, again);
    DEMAND(memcmp(again, data, size) == 0);
    follow(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t sealed[CLOCK_RECORD_LEN];
    const size_t checked = sizeof(sealed) - sizeof(uint64_t);
    try(data, size);
    if (size != sizeof(sealed)) {
        return 0;
    }
    memcpy(sealed, data, checked);
    struct wr w = wr_init(sealed + checked, sizeof(uint64_t));
    wr_u64(&w, clock_record_hash(CLOCK_RECORD_HASH, span_of(sealed, checked)));
    try(sealed, sizeof(sealed));
    return 0;
}
