/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See clock_record.h.
 */
#include "ntp/clock/clock_record.h"

#include "ntp/clock/clock_leap.h"
#include "ntp/clock/clock_system.h"
#include "ntp/ntp_proto.h"
#include "ntp/saturate.h"

#define MAGIC UINT32_C(0x6e747364) /* "ntsd" */

enum {
    CHECKSUM_LEN = 8,
    CHECKED_LEN = CLOCK_RECORD_LEN - CHECKSUM_LEN,
    PRECISION_MIN = -64, /* log2 seconds */
};

#define HASH_PRIME   UINT64_C(0x100000001b3)
#define RAW_MAX_NS   (INT64_MAX / 2)                  /* 146 years after the boot */
#define WALL_MIN_NS  (INT64_C(1735689600) * NS_PER_S) /* 2025-01-01: what a sample may say, */
#define WALL_MAX_NS  (INT64_C(7258118400) * NS_PER_S) /* 2200-01-01: a line may say */
#define ERROR_MAX_NS (INT64_C(65536) * NS_PER_S)      /* more than a packet can carry */
#define RATE_MAX_PPB INT64_C(500000)                  /* clock_model.h */
#define WAIT_MAX_NS  NTP_POLL_SILENCE_NS /* after DENY; also of key establishments that fail */
#define SLEEP_MIN_NS NS_PER_S

_Static_assert(sizeof(struct ntp_poll_memory) == 7 * sizeof(uint64_t), "as drawn, without gaps");
_Static_assert(sizeof(struct clock_model) == 8 * sizeof(uint64_t), "as drawn");
_Static_assert(CHECKED_LEN == 104 + CLOCK_SOURCES_MAX * 64, "as drawn");

static const struct clock_model no_line;
static const struct ntp_poll_memory no_memory;

uint64_t clock_record_hash(uint64_t hash, struct span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        hash = (hash ^ bytes.p[i]) * HASH_PRIME;
    }
    return hash;
}

/* --- What makes sense --- */

static bool is_within(int64_t v, int64_t least, int64_t most)
{
    return v >= least && v <= most;
}

static int64_t limited(int64_t v, int64_t least, int64_t most)
{
    if (v < least) {
        return least;
    }
    return v > most ? most : v;
}

static bool is_sane_moment(const struct clock_record_moment *moment)
{
    return is_within(moment->raw_ns, 0, RAW_MAX_NS);
}

/* Only one that was served, and by the word of sources. */
static bool is_sane_line(const struct clock_model *line, int64_t raw_ns)
{
    return (line->state == CLOCK_SYNCHRONISED || line->state == CLOCK_HOLDOVER) &&
           !clock_model_is_local(line) && is_within(line->anchor_raw_ns, 0, raw_ns) &&
           is_within(line->anchor_wall_ns, WALL_MIN_NS, WALL_MAX_NS) &&
           is_within(line->rate_ppb, -RATE_MAX_PPB, RATE_MAX_PPB) &&
           is_within(line->root_delay_ns, 0, ERROR_MAX_NS) &&
           is_within(line->root_dispersion_ns, 0, ERROR_MAX_NS) &&
           is_within(line->drift_ppb, 0, NS_PER_S) &&
           is_within(line->reference_wall_ns, 0, WALL_MAX_NS) && line->leap < NTP_LEAP_UNKNOWN &&
           is_within(line->stratum, 1, NTP_STRATUM_MAX) &&
           is_within(line->precision, PRECISION_MIN, 0);
}

static struct ntp_poll_memory sane_memory(const struct ntp_poll_memory *memory, int64_t raw_ns)
{
    struct ntp_poll_memory m = *memory;
    m.asked_raw_ns = limited(m.asked_raw_ns, 0, sat_add(raw_ns, CLOCK_RECORD_AHEAD_NS));
    m.silent_until = limited(m.silent_until, 0, sat_add(raw_ns, WAIT_MAX_NS));
    m.rate_floor = limited(m.rate_floor, NTP_POLL_MIN, NTP_POLL_MAX);
    m.key_retry_next = limited(m.key_retry_next, 0, sat_add(raw_ns, WAIT_MAX_NS));
    return m;
}

static bool is_sane_source(const struct clock_record_source *source, int64_t raw_ns)
{
    struct ntp_poll_memory sane = sane_memory(&source->memory, raw_ns);
    return memcmp(&sane, &source->memory, sizeof(sane)) == 0 &&
           (source->id != 0 || memcmp(&no_memory, &source->memory, sizeof(no_memory)) == 0);
}

/* --- Octets --- */

static int64_t read_i64(struct rd *r)
{
    return (int64_t)rd_u64(r);
}

static void write_i64(struct wr *w, int64_t v)
{
    wr_u64(w, (uint64_t)v);
}

static struct clock_model read_line(struct rd *r)
{
    struct clock_model line = {.anchor_raw_ns = read_i64(r)};
    line.anchor_wall_ns = read_i64(r);
    line.rate_ppb = read_i64(r);
    line.root_delay_ns = read_i64(r);
    line.root_dispersion_ns = read_i64(r);
    line.drift_ppb = read_i64(r);
    line.reference_wall_ns = read_i64(r);
    line.reference_id = rd_u32(r);
    line.state = rd_u8(r);
    line.leap = rd_u8(r);
    line.stratum = rd_u8(r);
    line.precision = (int8_t)rd_u8(r);
    return line;
}

static void write_line(struct wr *w, const struct clock_model *line)
{
    write_i64(w, line->anchor_raw_ns);
    write_i64(w, line->anchor_wall_ns);
    write_i64(w, line->rate_ppb);
    write_i64(w, line->root_delay_ns);
    write_i64(w, line->root_dispersion_ns);
    write_i64(w, line->drift_ppb);
    write_i64(w, line->reference_wall_ns);
    wr_u32(w, line->reference_id);
    wr_u8(w, line->state);
    wr_u8(w, line->leap);
    wr_u8(w, line->stratum);
    wr_u8(w, (uint8_t)line->precision);
}

static struct clock_record_source read_source(struct rd *r)
{
    struct clock_record_source source = {.id = rd_u64(r)};
    source.memory.asked = rd_u64(r);
    source.memory.asked_raw_ns = read_i64(r);
    source.memory.silent_until = read_i64(r);
    source.memory.rate_kisses = rd_u64(r);
    source.memory.rate_floor = read_i64(r);
    source.memory.key_failures = rd_u64(r);
    source.memory.key_retry_next = read_i64(r);
    return source;
}

static void write_source(struct wr *w, const struct clock_record_source *source)
{
    wr_u64(w, source->id);
    wr_u64(w, source->memory.asked);
    write_i64(w, source->memory.asked_raw_ns);
    write_i64(w, source->memory.silent_until);
    wr_u64(w, source->memory.rate_kisses);
    write_i64(w, source->memory.rate_floor);
    wr_u64(w, source->memory.key_failures);
    write_i64(w, source->memory.key_retry_next);
}

/* --- The record --- */

static bool is_sane(const struct clock_record *record)
{
    int64_t raw_ns = record->moment.raw_ns;
    bool sane =
        is_sane_moment(&record->moment) && (memcmp(&no_line, &record->line, sizeof(no_line)) == 0 ||
                                            is_sane_line(&record->line, raw_ns));
    for (size_t i = 0; i < CLOCK_SOURCES_MAX; i++) {
        sane = sane && is_sane_source(&record->source[i], raw_ns);
    }
    return sane;
}

NODISCARD enum nts_err clock_record_parse(struct span file, struct clock_record *record)
{
    struct rd r = rd_init(file);
    memset(record, 0, sizeof(*record));
    uint32_t magic = rd_u32(&r);
    uint32_t version = rd_u32(&r);
    if (!r.bad && magic == MAGIC && version != CLOCK_RECORD_VERSION) {
        return NTS_ELIMIT;
    }
    if (file.n < CLOCK_RECORD_LEN) {
        return NTS_ESHORT;
    }
    struct clock_record read = {.moment.boot = rd_u64(&r)};
    read.moment.sources = rd_u64(&r);
    read.moment.raw_ns = read_i64(&r);
    read.moment.asleep_ns = read_i64(&r);
    read.line = read_line(&r);
    for (size_t i = 0; i < CLOCK_SOURCES_MAX; i++) {
        read.source[i] = read_source(&r);
    }
    uint64_t checksum = clock_record_hash(CLOCK_RECORD_HASH, span_of(file.p, CHECKED_LEN));
    bool good = magic == MAGIC && rd_u64(&r) == checksum && rd_end(&r) && is_sane(&read);
    if (!good) {
        return NTS_EFORMAT;
    }
    *record = read;
    return NTS_OK;
}

void clock_record_write(const struct clock_record *record, uint8_t file[static CLOCK_RECORD_LEN])
{
    struct wr w = wr_init(file, CLOCK_RECORD_LEN);
    int64_t raw_ns = limited(record->moment.raw_ns, 0, RAW_MAX_NS);
    wr_u32(&w, MAGIC);
    wr_u32(&w, CLOCK_RECORD_VERSION);
    wr_u64(&w, record->moment.boot);
    wr_u64(&w, record->moment.sources);
    write_i64(&w, raw_ns);
    write_i64(&w, record->moment.asleep_ns);
    write_line(&w, is_sane_line(&record->line, raw_ns) ? &record->line : &no_line);
    for (size_t i = 0; i < CLOCK_SOURCES_MAX; i++) {
        struct clock_record_source source = record->source[i];
        struct ntp_poll_memory memory = sane_memory(&source.memory, raw_ns);
        source.memory = source.id == 0 ? no_memory : memory;
        write_source(&w, &source);
    }
    wr_u64(&w, clock_record_hash(CLOCK_RECORD_HASH, wr_done(&w)));
}

/* --- What follows from it --- */

bool clock_record_is_of(const struct clock_record *record, const struct clock_record_moment *now)
{
    return record->moment.boot == now->boot && record->moment.raw_ns <= now->raw_ns;
}

/* The line knows nothing of the second that was inserted or left out at its end. */
static bool leap_has_passed(const struct clock_model *line, struct mono_ns raw)
{
    struct clock_leap leap =
        clock_leap_announced(line->leap, (struct wall_ns){.ns = line->anchor_wall_ns});
    return leap.due_wall_ns != 0 && clock_model_at(line, raw).ns >= leap.due_wall_ns;
}

bool clock_record_line(const struct clock_record *record, const struct clock_record_moment *now,
                       struct clock_model *line)
{
    const struct mono_ns raw = {.ns = now->raw_ns};
    int64_t slept = sat_sub(now->asleep_ns, record->moment.asleep_ns);
    if (!clock_record_is_of(record, now) || record->moment.sources != now->sources ||
        sat_abs(slept) > SLEEP_MIN_NS || !clock_model_is_trusted(&record->line, raw) ||
        leap_has_passed(&record->line, raw)) {
        return false;
    }
    *line = record->line;
    return true;
}

struct ntp_poll_memory clock_record_memory(const struct clock_record *record,
                                           const struct clock_record_moment *now, uint64_t id)
{
    bool useful = id != 0 && clock_record_is_of(record, now);
    for (size_t i = 0; useful && i < CLOCK_SOURCES_MAX; i++) {
        if (record->source[i].id == id) {
            return record->source[i].memory;
        }
    }
    return no_memory;
}

bool clock_record_covers(const struct ntp_poll_memory *noted, const struct ntp_poll_memory *memory)
{
    struct ntp_poll_memory m = *memory;
    if (m.asked > 0 && noted->asked > 0 && noted->asked_raw_ns >= m.asked_raw_ns) {
        m.asked = noted->asked;
        m.asked_raw_ns = noted->asked_raw_ns;
    }
    return memcmp(&m, noted, sizeof(m)) == 0;
}
