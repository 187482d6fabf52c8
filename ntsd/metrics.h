/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot as Prometheus text (exposition format 0.0.4). Core.
 */
#ifndef NTSD_NTSD_METRICS_H
#define NTSD_NTSD_METRICS_H

#include "ntsd/snapshot.h"

enum { METRICS_LEN_MAX = 256 * 1024 };

/* Appends all metrics. A writer without room turns bad; METRICS_LEN_MAX is always enough. */
void metrics_write(const struct snapshot *snapshot, struct wr *out);

#endif
