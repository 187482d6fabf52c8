/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that the status process sees, taken at one moment: what readiness and metrics are made of.
 */
#ifndef NTSD_NTSD_SNAPSHOT_H
#define NTSD_NTSD_SNAPSHOT_H

#include "common/base/stats.h"
#include "nts-ke/ke_service.h"
#include "ntsd/clock_values.h"
#include "ntsd/http_request.h"
#include "ntsd/status_values.h"

struct snapshot {
    bool ntp_wanted; /* by the configuration */
    bool ke_wanted;
    bool has_clock; /* something was published */
    bool has_keys;
    bool has_ke;
    struct mono_ns raw;  /* now */
    struct mono_ns boot; /* now, by CLOCK_BOOTTIME */
    int64_t now_s;       /* served time where trusted, the host's otherwise */
    struct supervisor_status supervisor;
    struct clock_model clock;
    bool has_report;
    struct clock_report report;      /* of the configured sources */
    const struct config *config;     /* what the sources are */
    const struct stats *clock_stats; /* [CLOCK_STATS_BLOCKS] */
    struct key_status keys;
    struct ke_status ke;
    size_t worker_count;
    const struct stats *worker; /* [worker_count] */
    size_t ke_count;
    const struct stats *ke_stats[CONFIG_KE_PROCESSES_MAX];
    const struct http_counts *http; /* the status process's own, since its start */
};

#endif
