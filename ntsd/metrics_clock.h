/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock and its sources as Prometheus text. Core.
 */
#ifndef NTSD_NTSD_METRICS_CLOCK_H
#define NTSD_NTSD_METRICS_CLOCK_H

#include "ntsd/snapshot.h"

/* ntsd_clock_*, and ntsd_source_* when sources are configured. */
void metrics_clock_write(const struct snapshot *snapshot, struct wr *out);

#endif
