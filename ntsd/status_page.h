/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which page answers which path. Core.
 *
 *   /healthz     200 when every process runs
 *   /readyz      200 when every configured service may be given clients; /readyz/ntp, /readyz/ke
 *   /metrics     Prometheus text
 *
 * A page that says no is a 503 with the reason as one line.
 */
#ifndef NTSD_NTSD_STATUS_PAGE_H
#define NTSD_NTSD_STATUS_PAGE_H

#include "ntsd/metrics.h"

enum { STATUS_PAGE_MAX = METRICS_LEN_MAX };

/* Appends the page to `body` and returns the status code: 200, 404 or 503. `type` receives the
 * media type, static. */
unsigned status_page_write(const struct snapshot *snapshot, struct span path, struct wr *body,
                           const char **type);

#endif
