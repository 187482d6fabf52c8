/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the clock leaves to a daemon that is started later on the same boot: when each source was
 * asked and what it demanded, and the line that was served. A record of fixed length. Core; what is
 * found in a file is believed no further than here.
 *
 *   | magic (4) | version (4) | boot (8)                |  0
 *   | sources (8)             | written (8)             | 16
 *   | asleep (8)              | line: 7 x 8, 4, 4 x 1   | 32
 *   | 16 sources: id (8), struct ntp_poll_memory (7 x 8)| 104
 *   | checksum of all before (8)                        | 1128
 *
 * Big-endian, the fields of line and memory in the order of their structs; what is not there is
 * zero. The checksum finds every octet that was changed, by accident: whoever can write the file
 * on purpose is this process.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_RECORD_H
#define NTSD_NTP_CLOCK_CLOCK_RECORD_H

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "ntp/clock/clock_model.h"
#include "ntp/clock/clock_sample.h"
#include "ntp/clock/ntp_poll.h"

enum { CLOCK_RECORD_VERSION = 1, CLOCK_RECORD_LEN = 1136 };

/* A source that is asked more than once a second is noted so far in advance. */
#define CLOCK_RECORD_AHEAD_NS NS_PER_S

/* Where and when a record is written or read. */
struct clock_record_moment {
    uint64_t boot;     /* names the boot; times of another one mean nothing here */
    uint64_t sources;  /* names the set of sources and whatever else a line of theirs rests on */
    int64_t raw_ns;    /* CLOCK_MONOTONIC_RAW */
    int64_t asleep_ns; /* how long the host has slept since it was booted */
};

struct clock_record_source {
    uint64_t id; /* 0: none */
    struct ntp_poll_memory memory;
};

struct clock_record {
    struct clock_record_moment moment; /* when it was written */
    struct clock_model line;           /* CLOCK_STARTING: there was none */
    struct clock_record_source source[CLOCK_SOURCES_MAX];
};

/* NTS_ELIMIT: of another version. NTS_ESHORT, NTS_EFORMAT: damaged, or values that nobody writes.
 * All zero then. */
NODISCARD enum nts_err clock_record_parse(struct span file, struct clock_record *record);

/* What would not be read again is left out (the line) or brought within its limits. */
void clock_record_write(const struct clock_record *record, uint8_t file[static CLOCK_RECORD_LEN]);

/* Was it written earlier on this boot? Otherwise nothing in it may be used. */
bool clock_record_is_of(const struct clock_record *record, const struct clock_record_moment *now);

/* True: the line may be gone on with. It is of this boot and of the same sources, the host has not
 * slept since, it may still be served, and no leap second has passed it. */
bool clock_record_line(const struct clock_record *record, const struct clock_record_moment *now,
                       struct clock_model *line);

/* What is noted of a source; all zero when nothing is, or on another boot. */
struct ntp_poll_memory clock_record_memory(const struct clock_record *record,
                                           const struct clock_record_moment *now, uint64_t id);

/* Does what is noted promise all that `memory` does? Then it need not be written again. */
bool clock_record_covers(const struct ntp_poll_memory *noted, const struct ntp_poll_memory *memory);

/* FNV-1a, going on from `hash`: for the checksum, and for names of boots and sources. */
#define CLOCK_RECORD_HASH UINT64_C(0xcbf29ce484222325)
uint64_t clock_record_hash(uint64_t hash, struct span bytes);

#endif
