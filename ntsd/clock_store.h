/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `clock.state` in the state directory: what the clock leaves to a daemon that is started
 * later on the same boot, see clock_record.h. Shell module.
 *
 * One record at the file's beginning, written over by one pwrite(2) without fsync: it is good for
 * this boot only, so there is no loss of power that it would have to survive. A kill does not tear
 * a write of less than a page apart, and half a record would not pass its checksum. In place
 * because a rename would make the file system write out each record at once, and could fail on a
 * full disk where this one has its room already. The file stays open and locked: a second daemon
 * in the same directory neither reads nor writes it.
 *
 * Nothing here is fatal: without the file the clock runs on, and the next daemon knows nothing.
 */
#ifndef NTSD_NTSD_CLOCK_STORE_H
#define NTSD_NTSD_CLOCK_STORE_H

#include "common/base/log.h"
#include "ntp/clock/clock_record.h"
#include "ntsd/clock_values.h"
#include "ntsd/config.h"

#define CLOCK_STORE_FILE "clock.state"

struct clock_store {
    int fd; /* -1: nothing is kept */
    const struct config *config;
    struct stats *stats;
    uint64_t boot; /* see clock_record.h */
    uint64_t sources;
    struct clock_record
        record; /* as noted in the file, sources in the order of the configuration */
    struct log_limit failures;
};

/* What is noted: of all sources, and the line served (CLOCK_STARTING: none). */
struct clock_kept {
    const struct clock_memory *memory;
    const struct clock_model *line;
    int64_t asleep_ns; /* how long the host has slept since it was booted */
};

/* Reads what is there; a file of no use is named in the log and then as if it were not there. */
void clock_store_open(struct clock_store *store, const struct config *config, struct stats *stats);

/* What a daemon before this one left. False, all zero: nothing of use. */
bool clock_store_line(const struct clock_store *store, int64_t asleep_ns, struct clock_model *line);
void clock_store_memory(const struct clock_store *store, struct clock_memory *memory);

/* Notes what is new of source `index`, unless the file already says as much: then of a source that
 * is asked without end, one write a second is enough. Before each request leaves. */
void clock_store_note(struct clock_store *store, size_t index, const struct clock_kept *kept);

/* The line changed in a way that matters. True: it is noted. False: a record was written less than
 * a second ago, try again later. */
bool clock_store_note_line(struct clock_store *store, const struct clock_kept *kept);

/* The last word: exact. */
void clock_store_close(struct clock_store *store, const struct clock_kept *kept);

#endif
