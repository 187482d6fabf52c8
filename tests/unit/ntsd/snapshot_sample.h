/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot of a daemon that is well, to be spoilt by tests.
 */
#ifndef NTSD_TESTS_UNIT_NTSD_SNAPSHOT_SAMPLE_H
#define NTSD_TESTS_UNIT_NTSD_SNAPSHOT_SAMPLE_H

#include "ntsd/snapshot.h"

struct sample {
    struct snapshot snapshot;
    struct stats worker[2];
    struct stats ke[2];
    struct http_counts http;
};

static inline void sample_make(struct sample *s)
{
    struct snapshot *n = &s->snapshot;
    memset(s, 0, sizeof(*s));
    n->ntp_wanted = true;
    n->ke_wanted = true;
    n->has_clock = true;
    n->has_keys = true;
    n->has_ke = true;
    n->raw = (struct mono_ns){.ns = 100 * NS_PER_S};
    n->now_s = 1800000000;
    n->supervisor.started_s = 1799999000;
    n->supervisor.count = ROLE_COUNT;
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        n->supervisor.child[i].role = i;
        n->supervisor.child[i].pid = 1000 + (int64_t)i;
    }
    n->clock = (struct clock_model){.anchor_raw_ns = 99 * NS_PER_S,
                                    .anchor_wall_ns = 1799999999 * NS_PER_S,
                                    .root_dispersion_ns = 1000000,
                                    .drift_ppb = 15000,
                                    .state = CLOCK_SYNCHRONISED,
                                    .stratum = 2};
    n->keys = (struct key_status){.count = 3,
                                  .issuing_id = 0x010203,
                                  .next_change = 1800003600,
                                  .made_at = 1800000000,
                                  .fingerprint = {0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4}};
    n->ke.ready = 1;
    n->ke.pair_count = 2;
    n->ke.not_before[0] = 1790000000;
    n->ke.not_after[0] = 1810000000;
    n->ke.not_before[1] = 1790000000;
    n->ke.not_after[1] = 1811000000;
    n->worker_count = 2;
    n->worker = s->worker;
    n->ke_count = 2;
    n->ke_stats[0] = &s->ke[0];
    n->ke_stats[1] = &s->ke[1];
    n->http = &s->http;
}

#endif
