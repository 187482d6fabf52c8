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
    struct config config;
    struct stats clock[CLOCK_STATS_BLOCKS];
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
    n->config = &s->config;
    n->clock_stats = s->clock;
}

/* Three sources beside it: one followed, one that lies, a hardware clock that is not there. */
static inline void sample_add_sources(struct sample *s)
{
    static const char *const names[] = {"169.254.169.123", "ntp.example", "/dev/ptp_ena"};
    s->snapshot.has_report = true;
    s->snapshot.report.count = 3;
    s->config.source_count = 3;
    for (size_t i = 0; i < 3; i++) {
        struct clock_source_report *r = &s->snapshot.report.source[i];
        s->config.source[i] =
            (struct config_source){.name = names[i], .phc = i == 2, .nts = i == 1};
        (void)strcpy(r->name, names[i]);
        r->poll_ns = 16 * NS_PER_S;
        r->verdict = i == 0   ? CLOCK_SOURCE_SELECTED
                     : i == 1 ? CLOCK_SOURCE_FALSETICKER
                              : CLOCK_SOURCE_SILENT;
    }
    s->snapshot.report.source[0].offset_ns = -2500;
    s->snapshot.report.source[0].reach = 0xff;
    s->snapshot.report.source[0].last_raw_ns = 97 * NS_PER_S;
    s->snapshot.report.source[1].offset_ns = 10 * NS_PER_S;
    s->snapshot.report.source[1].last_raw_ns = 90 * NS_PER_S;
}

#endif
