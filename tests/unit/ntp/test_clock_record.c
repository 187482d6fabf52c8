/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon leaves to the next one: the record octet by octet, what is refused, when the line
 * may be gone on with, and that what is noted never lets a source be asked too soon.
 */
#include "ntp/clock/clock_record.h"

#include "ntp/clock/clock_system.h"
#include "tests/unit/ntp/clock_world.h"

#include <string.h>

enum { LEN = CLOCK_RECORD_LEN, CHECKED = LEN - 8, LINE_AT = 40, SOURCES_AT = 104, EACH = 64 };

#define RAW (INT64_C(9000) * NS_PER_S)

static struct clock_record record;
static uint8_t file[LEN + 8];

static const struct clock_record_moment written = {
    .boot = 0xb007, .sources = 0x50, .raw_ns = RAW, .asleep_ns = 77};

static void make(void)
{
    record = (struct clock_record){
        .moment = written,
        .line = {.anchor_raw_ns = RAW - NS_PER_S,
                 .anchor_wall_ns = WORLD_WALL,
                 .rate_ppb = -20000,
                 .root_delay_ns = 400 * US,
                 .root_dispersion_ns = 300 * US,
                 .drift_ppb = 50000,
                 .reference_wall_ns = WORLD_WALL - 9 * NS_PER_S,
                 .reference_id = 0xa9fea97b,
                 .state = CLOCK_SYNCHRONISED,
                 .leap = NTP_LEAP_NONE,
                 .stratum = 4,
                 .precision = -25},
    };
    record.source[0] = (struct clock_record_source){
        .id = 11, .memory = {.asked = 5, .asked_raw_ns = RAW - 3 * NS_PER_S}};
    record.source[2] =
        (struct clock_record_source){.id = 13,
                                     .memory = {.asked = 1,
                                                .asked_raw_ns = RAW,
                                                .silent_until = RAW + 5 * NS_PER_S,
                                                .rate_kisses = 2,
                                                .rate_floor = 6,
                                                .key_failures = 3,
                                                .key_retry_next = RAW + 7 * NS_PER_S}};
    clock_record_write(&record, file);
}

static void put_u64(size_t at, uint64_t v)
{
    struct wr w = wr_init(file + at, 8);
    wr_u64(&w, v);
}

static void seal(void)
{
    put_u64(CHECKED, clock_record_hash(CLOCK_RECORD_HASH, span_of(file, CHECKED)));
}

static enum nts_err parse(struct clock_record *r, size_t n)
{
    return clock_record_parse(span_of(file, n), r);
}

static struct clock_record_moment later(int64_t ns)
{
    struct clock_record_moment now = written;
    now.raw_ns += ns;
    return now;
}

TestSuite(clock_record, .init = make);

Test(clock_record, what_is_written_is_read)
{
    struct clock_record r;
    uint8_t again[LEN];
    cr_assert_eq(parse(&r, LEN), NTS_OK);
    cr_expect_eq(memcmp(&r, &record, sizeof(r)), 0);
    clock_record_write(&r, again);
    cr_expect_eq(memcmp(again, file, LEN), 0);
}

Test(clock_record, layout)
{
    static const uint8_t head[] = {'n', 't', 's', 'd', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xb0, 0x07};
    static const uint8_t tail_of_line[] = {0xa9, 0xfe, 0xa9, 0x7b, 1, 0, 4, 0xe7};
    cr_expect_eq(memcmp(file, head, sizeof(head)), 0);
    cr_expect_eq(file[23], 0x50);
    cr_expect_eq(file[39], 77);
    cr_expect_eq(memcmp(file + LINE_AT + 56, tail_of_line, sizeof(tail_of_line)), 0);
    cr_expect_eq(file[SOURCES_AT + 7], 11);
    cr_expect_eq(file[SOURCES_AT + 15], 5);
    cr_expect_eq(file[SOURCES_AT + 2 * EACH + 7], 13);
}

Test(clock_record, cut_short_or_longer)
{
    struct clock_record r;
    for (size_t n = 0; n < LEN; n++) {
        cr_expect_eq(parse(&r, n), NTS_ESHORT, "%zu", n);
    }
    cr_expect_eq(parse(&r, LEN + 1), NTS_EFORMAT);
}

Test(clock_record, each_octet_counts)
{
    static const struct clock_record none;
    struct clock_record r;
    for (size_t i = 0; i < LEN; i++) {
        for (int bit = 0; bit < 8; bit++) {
            file[i] ^= (uint8_t)(1 << bit);
            enum nts_err err = parse(&r, LEN);
            cr_expect_eq(err, i >= 4 && i < 8 ? NTS_ELIMIT : NTS_EFORMAT, "%zu", i);
            cr_expect_eq(memcmp(&r, &none, sizeof(r)), 0, "%zu", i);
            file[i] ^= (uint8_t)(1 << bit);
        }
    }
    cr_expect_eq(parse(&r, LEN), NTS_OK);
}

Test(clock_record, values_that_nobody_writes)
{
    static const struct {
        size_t at;
        int64_t value;
    } cases[] = {
        {24, -1},                                     /* written before the boot */
        {24, INT64_MAX},                              /* or at its end */
        {24, RAW - 2 * NS_PER_S},                     /* or before its line began */
        {LINE_AT, RAW + 1},                           /* a line of the future */
        {LINE_AT, -1},                                /* or of before the boot */
        {LINE_AT + 8, 0},                             /* 1970 */
        {LINE_AT + 8, INT64_MAX},                     /* 2262 */
        {LINE_AT + 16, 500001},                       /* a clock that runs away */
        {LINE_AT + 16, -500001},                      /* or back */
        {LINE_AT + 16, INT64_MIN},                    /* what a double that is none becomes */
        {LINE_AT + 24, -1},                           /* a negative delay */
        {LINE_AT + 24, INT64_MAX},                    /* an endless one */
        {LINE_AT + 32, -1},                           /* a negative bound */
        {LINE_AT + 32, INT64_MAX},                    /* an endless one */
        {LINE_AT + 40, -1},                           /* that shrinks */
        {LINE_AT + 40, INT64_MAX},                    /* or explodes */
        {LINE_AT + 48, -1},                           /* set before 1970 */
        {LINE_AT + 56, INT64_C(0x01020304000004e7)},  /* a clock that is starting */
        {LINE_AT + 56, INT64_C(0x01020304030004e7)},  /* lost */
        {LINE_AT + 56, INT64_C(0x01020304040004e7)},  /* of no known state */
        {LINE_AT + 56, INT64_C(0x01020304010304e7)},  /* leap unknown */
        {LINE_AT + 56, INT64_C(0x01020304010000e7)},  /* stratum 0 */
        {LINE_AT + 56, INT64_C(0x01020304010010e7)},  /* stratum 16 */
        {LINE_AT + 56, INT64_C(0x0102030401000401)},  /* read to two seconds */
        {LINE_AT + 56, INT64_C(0x7f7f0101010004e7)},  /* on the operator's word */
        {SOURCES_AT, 0},                              /* nobody's memory */
        {SOURCES_AT + 16, RAW + NS_PER_S + 1},        /* asked in the future */
        {SOURCES_AT + 16, -1},                        /* or before the boot */
        {SOURCES_AT + 24, RAW + 3600 * NS_PER_S + 1}, /* silent for more than an hour */
        {SOURCES_AT + 24, -1},                        /* ... */
        {SOURCES_AT + 40, 25},                        /* an interval of a year */
        {SOURCES_AT + 40, -8},                        /* of a few milliseconds */
        {SOURCES_AT + 56, RAW + 3600 * NS_PER_S + 1}, /* keys not in an hour */
        {SOURCES_AT + 56, INT64_MIN},                 /* ... */
        {SOURCES_AT + 15 * EACH + 16, RAW},           /* an empty place that is not */
        {SOURCES_AT + 15 * EACH + 32, 1},             /* ... */
    };
    struct clock_record r;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make();
        put_u64(cases[i].at, (uint64_t)cases[i].value);
        seal();
        cr_expect_eq(parse(&r, LEN), NTS_EFORMAT, "case %zu", i);
    }
}

/* Whatever was in memory, what is written can be read, and says nothing that is not so. */
Test(clock_record, nonsense_is_not_written)
{
    struct clock_record r;
    record.line.stratum = 0;
    record.source[0].memory = (struct ntp_poll_memory){.asked = 1,
                                                       .asked_raw_ns = INT64_MAX,
                                                       .silent_until = INT64_MAX,
                                                       .rate_floor = INT64_MIN,
                                                       .key_retry_next = INT64_MAX};
    record.source[1].memory.asked = 5;
    clock_record_write(&record, file);
    cr_assert_eq(parse(&r, LEN), NTS_OK);
    cr_expect_eq(r.line.state, CLOCK_STARTING);
    cr_expect_eq(r.source[0].memory.asked_raw_ns, RAW + CLOCK_RECORD_AHEAD_NS);
    cr_expect_eq(r.source[0].memory.silent_until, RAW + NTP_POLL_SILENCE_NS);
    cr_expect_eq(r.source[0].memory.rate_floor, NTP_POLL_MIN);
    cr_expect_eq(r.source[1].memory.asked, 0, "nobody's");
    cr_expect_eq(r.source[2].memory.asked, 1);
    record.moment.raw_ns = -1;
    clock_record_write(&record, file);
    cr_expect_eq(parse(&r, LEN), NTS_OK);
}

Test(clock_record, another_version_of_any_length)
{
    struct clock_record r;
    file[7] = 2;
    cr_expect_eq(parse(&r, LEN), NTS_ELIMIT);
    cr_expect_eq(parse(&r, LEN + 8), NTS_ELIMIT);
    cr_expect_eq(parse(&r, 8), NTS_ELIMIT);
}

/* --- The line --- */

Test(clock_record, the_line_is_gone_on_with)
{
    struct clock_model line;
    struct clock_record_moment now = later(20 * NS_PER_S);
    now.asleep_ns += NS_PER_MS; /* read from two clocks, one after the other */
    cr_assert(clock_record_line(&record, &now, &line));
    cr_expect_eq(memcmp(&line, &record.line, sizeof(line)), 0);
    struct mono_ns raw = {.ns = now.raw_ns};
    cr_expect_eq(clock_model_bound_ns(&line, raw), 500 * US + 21 * 50 * US, "older by 21 s");
    record.line.state = CLOCK_HOLDOVER;
    cr_expect(clock_record_line(&record, &now, &line));
}

Test(clock_record, the_line_is_of_no_use)
{
    static const struct clock_record_moment moments[] = {
        {.boot = 0xb008, .sources = 0x50, .raw_ns = RAW + 1, .asleep_ns = 77},
        {.boot = 0xb007, .sources = 0x51, .raw_ns = RAW + 1, .asleep_ns = 77},
        {.boot = 0xb007, .sources = 0x50, .raw_ns = RAW - 1, .asleep_ns = 77},
        {.boot = 0xb007, .sources = 0x50, .raw_ns = RAW + 1, .asleep_ns = 78 + NS_PER_S},
        {.boot = 0xb007, .sources = 0x50, .raw_ns = RAW + 1, .asleep_ns = 76 - NS_PER_S},
        {.boot = 0xb007, .sources = 0x50, .raw_ns = RAW + 1, .asleep_ns = INT64_MIN},
        {.boot = 0xb007, .sources = 0x50, .raw_ns = RAW + 59 * NS_PER_S + 1, .asleep_ns = 77},
        {.boot = 0xb007, .sources = 0x50, .raw_ns = INT64_MAX, .asleep_ns = 77},
    };
    struct clock_model line;
    struct clock_record_moment now = later(1);
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        cr_expect_not(clock_record_line(&record, &moments[i], &line), "case %zu", i);
    }
    record.line = (struct clock_model){.state = CLOCK_STARTING};
    cr_expect_not(clock_record_line(&record, &now, &line));
    record.line.state = CLOCK_LOST;
    cr_expect_not(clock_record_line(&record, &now, &line));
}

Test(clock_record, a_leap_second_ends_a_line)
{
    static const struct {
        uint8_t leap;
        int64_t from_ns; /* before the end of the month */
        int64_t for_ns;
        bool good;
    } cases[] = {
        {NTP_LEAP_INSERT, 20 * NS_PER_S, 19 * NS_PER_S, true},
        {NTP_LEAP_INSERT, 20 * NS_PER_S, 20 * NS_PER_S, false},
        {NTP_LEAP_DELETE, 20 * NS_PER_S, 18 * NS_PER_S, true},
        {NTP_LEAP_DELETE, 20 * NS_PER_S, 19 * NS_PER_S, false},
        {NTP_LEAP_NONE, 20 * NS_PER_S, 20 * NS_PER_S, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clock_model line;
        make();
        record.line.leap = cases[i].leap;
        record.line.rate_ppb = 0;
        record.line.anchor_raw_ns = RAW;
        record.line.anchor_wall_ns = WORLD_WALL - cases[i].from_ns; /* the first of a July */
        struct clock_record_moment now = later(cases[i].for_ns);
        cr_expect_eq(clock_record_line(&record, &now, &line), cases[i].good, "case %zu", i);
    }
}

static void world_go_on(struct world *w, const struct clock_model *before, int64_t now_s)
{
    world_start(w, 3, NULL);
    w->now_s = now_s;
    w->model = *before;
    clock_discipline_init(&w->clock, &w->options, before, world_raw(w));
}

/* Through the file or from the board: what is served is the same. */
Test(clock_record, served_as_by_a_process_that_was_started_again)
{
    static struct world before;
    static struct world by_board;
    static struct world by_file;
    struct clock_record r;
    struct clock_model line;
    world_start(&before, 3, NULL);
    world_pass(&before, 600);
    record.line = before.model;
    record.moment.raw_ns = world_raw(&before).ns;
    clock_record_write(&record, file);
    cr_assert_eq(parse(&r, LEN), NTS_OK);
    struct clock_record_moment now = record.moment;
    now.raw_ns += 5 * NS_PER_S;
    cr_assert(clock_record_line(&r, &now, &line));
    world_go_on(&by_board, &before.model, 605);
    world_go_on(&by_file, &line, 605);
    for (int64_t s = 605; s < 700; s++) {
        by_board.now_s = s;
        by_file.now_s = s;
        (void)world_update(&by_board);
        (void)world_update(&by_file);
        cr_assert_eq(memcmp(&by_board.model, &by_file.model, sizeof(by_file.model)), 0);
        cr_assert_eq(by_file.model.state, CLOCK_SYNCHRONISED);
    }
    cr_expect_geq(clock_model_bound_ns(&by_file.model, world_raw(&by_file)),
                  clock_model_bound_ns(&before.model, world_raw(&before)) + 95 * 50 * US);
}

/* --- The memory --- */

Test(clock_record, memory_is_found_by_name)
{
    struct clock_record_moment now = later(3600 * NS_PER_S);
    now.sources = 1;                /* others were added */
    now.asleep_ns += NS_PER_S * 60; /* only the waits get longer */
    cr_expect_eq(clock_record_memory(&record, &now, 11).asked, 5);
    cr_expect_eq(clock_record_memory(&record, &now, 13).key_failures, 3);
    cr_expect_eq(clock_record_memory(&record, &now, 12).asked, 0);
    cr_expect_eq(clock_record_memory(&record, &now, 0).asked, 0);
    now.boot++;
    cr_expect_eq(clock_record_memory(&record, &now, 11).asked, 0, "another boot");
    now = later(-1);
    cr_expect_eq(clock_record_memory(&record, &now, 11).asked, 0, "of the future");
}

Test(clock_record, what_needs_not_be_written_again)
{
    const struct ntp_poll_memory noted = record.source[2].memory;
    static const struct ntp_poll_memory none;
    struct ntp_poll_memory m = noted;
    cr_expect(clock_record_covers(&noted, &m));
    cr_expect(clock_record_covers(&none, &none));
    cr_expect_not(clock_record_covers(&none, &m));
    m.asked = 2;
    m.asked_raw_ns = RAW - 1;
    cr_expect(clock_record_covers(&noted, &m), "noted in advance");
    m.asked_raw_ns = RAW + 1;
    cr_expect_not(clock_record_covers(&noted, &m));
    int64_t *const fields[] = {&m.silent_until, &m.rate_floor, &m.key_retry_next};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        m = noted;
        ++*fields[i];
        cr_expect_not(clock_record_covers(&noted, &m), "field %zu", i);
    }
    m = noted;
    m.rate_kisses++;
    cr_expect_not(clock_record_covers(&noted, &m));
    m = noted;
    m.key_failures = 0;
    cr_expect_not(clock_record_covers(&noted, &m));
}
