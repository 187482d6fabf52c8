/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run comes to: the counts and medians of its queries, and one sentence. Core.
 */
#ifndef NTSD_TOOLS_NTSQ_VERDICT_H
#define NTSD_TOOLS_NTSQ_VERDICT_H

#include "tools/ntsq_facts.h"

/* `sent` is the sum of the five outcomes. Delays and offsets are of the NTSQ_ANSWERED ones, and all
 * zero when there is none. Of an even number, a median is the mean of the middle two. */
struct ntsq_summary {
    size_t sent;
    size_t outcome[NTSQ_OUTCOMES];
    size_t late;
    size_t foreign;
    int64_t delay_min_ns;
    int64_t delay_median_ns;
    int64_t delay_max_ns;
    int64_t offset_min_ns;
    int64_t offset_median_ns;
    int64_t offset_max_ns;
};

/* `scratch` has room for facts->sample_count numbers. */
struct ntsq_summary ntsq_summarise(const struct ntsq_facts *facts, int64_t *scratch);

/*
 * `ok`: every query asked for got a good answer and nothing failed; the exit status is made of it.
 * `authenticated`: at least one authenticated answer came, and nothing speaks against the server's
 * certificate. The text is one line, clean for a terminal.
 */
struct ntsq_verdict {
    bool ok;
    bool authenticated;
    const char *hint; /* static, or NULL */
    char text[1000];
};
struct ntsq_verdict ntsq_judge(const struct ntsq_facts *facts, const struct ntsq_summary *summary);

#endif
