/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the discipline share: sources (what happens to them), follow (whom to follow)
 * and discipline (what to serve). Nobody else includes this.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_DISCIPLINE_PARTS_H
#define NTSD_NTP_CLOCK_CLOCK_DISCIPLINE_PARTS_H

#include "ntp/clock/clock_discipline.h"
#include "ntp/saturate.h"

enum { CLOCK_POLLS_SILENT = 8 }; /* polls without news after which a source is silent */

static inline bool clock_discipline_is_serving(const struct clock_discipline *d)
{
    return d->model.state == CLOCK_SYNCHRONISED || d->model.state == CLOCK_HOLDOVER;
}

/* Served time less raw time. */
static inline int64_t clock_discipline_offset_ns(const struct clock_discipline *d, int64_t raw_ns)
{
    return sat_sub(clock_model_at(&d->model, (struct mono_ns){.ns = raw_ns}).ns, raw_ns);
}

/* Half a poll more than eight, for polls are not punctual. */
static inline bool clock_discipline_is_silent(int64_t heard_raw_ns, int64_t poll_ns, int64_t raw_ns)
{
    return sat_sub(raw_ns, heard_raw_ns) > CLOCK_POLLS_SILENT * poll_ns + poll_ns / 2;
}

/* Serves the announced leap second if it has come by `raw_ns`. */
void clock_discipline_pass_leap(struct clock_discipline *d, int64_t raw_ns);

/* Selects sources as things stand at `raw_ns`; when that could be decided, the target and the leap
 * second announced are what the followed ones say, otherwise they stay. */
void clock_discipline_follow(struct clock_discipline *d, int64_t raw_ns);

#endif
