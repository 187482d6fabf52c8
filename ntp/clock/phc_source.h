/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PTP hardware clock as a source of time: read at its poll interval on a libuv loop, at most 100
 * readings a second. A device that fails or vanishes is a source that is down: it is opened again
 * and again, and nothing else happens. Shell module; all on the loop's thread.
 *
 * Without `phc_error_bound` (a device that is not Amazon's) the error of the device itself is
 * taken for nothing, on the operator's word, and the log says so once. A device that published one
 * and does so no more is down.
 */
#ifndef NTSD_NTP_CLOCK_PHC_SOURCE_H
#define NTSD_NTP_CLOCK_PHC_SOURCE_H

#include "common/base/stats.h"
#include "ntp/clock/phc_read.h"

#include <uv.h>

enum {
    PHC_POLL_MIN = -6, /* log2 seconds: at one reading each still under 100 a second */
    PHC_READS_PER_SECOND = 100,
};

/* Indices of a source's stats block. Every one but the first is a poll without a measurement. */
enum phc_count {
    PHC_COUNT_READ,
    PHC_COUNT_NO_DEVICE, /* cannot be opened */
    PHC_COUNT_FAILED,    /* the driver reports an error */
    PHC_COUNT_SENSELESS, /* what it reports is no reading */
    PHC_COUNT_NO_BOUND,  /* the error bound cannot be read any more */
    PHC_COUNT_STEPPED,   /* the host's clock was stepped in between */
    PHC_COUNTERS
};
const char *phc_count_name(unsigned index); /* snake_case; NULL beyond */

struct phc_source_events {
    void *ctx;
    void (*sample)(void *ctx, size_t index, const struct clock_sample *sample);
    void (*miss)(void *ctx, size_t index);
};

struct phc_source_options {
    uv_loop_t *loop;
    struct stats *stats;
    const char *path; /* outlives the source */
    int8_t poll;      /* log2 seconds, from PHC_POLL_MIN */
    int64_t offset_ns;
    size_t index;
    struct phc_source_events events;
    phc_ioctl call; /* NULL, or a test's */
    void *call_ctx;
};

struct phc_source;

/* NULL: out of memory. The first reading is made with the loop's next turn. */
struct phc_source *phc_source_open(const struct phc_source_options *options);

/* Ends it; the memory goes when the loop has closed the handle (keep running it). */
void phc_source_close(struct phc_source *source);

#endif
