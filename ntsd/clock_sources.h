/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configured sources of time and the discipline that follows them: opens each on the loop,
 * hands their measurements to clock_discipline.h, and says in the log what becomes of a source.
 * Shell module; all on the loop's thread.
 */
#ifndef NTSD_NTSD_CLOCK_SOURCES_H
#define NTSD_NTSD_CLOCK_SOURCES_H

#include "common/base/board.h"
#include "ntsd/clock_values.h"
#include "ntsd/config.h"

#include <uv.h>

struct clock_sources_options {
    uv_loop_t *loop;
    const struct config *config;
    int8_t precision;
    struct board *report;             /* struct clock_report */
    struct board *memory;             /* struct clock_memory */
    struct stats *stats;              /* [CLOCK_STATS_BLOCKS] */
    const struct clock_model *before; /* what a predecessor published, or NULL */
    bool first; /* no clock process of this daemon has published anything: what the last daemon on
                   this boot left is taken for `before` */
    void *ctx;
    void (*measured)(void *ctx); /* a sample came: the clock may be better now */
};

struct clock_sources;

/* NULL: out of memory or without randomness. */
struct clock_sources *clock_sources_open(const struct clock_sources_options *options);

/* Ends all and notes what the next daemon needs; a helper thread that still works for a source
 * keeps some memory until the process ends. Keep the loop running for a turn. */
void clock_sources_close(struct clock_sources *sources);

/* The model to publish from now on, and the report; each second and after each sample. */
struct clock_update clock_sources_update(struct clock_sources *sources, struct clock_model *model);

/* Name of the source that is followed, or "none". Borrowed until the next update. */
const char *clock_sources_followed(const struct clock_sources *sources);

#endif
