/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of ntsq: resolve, establish keys, ask, and fill in the facts step by step. Shell module.
 *
 * Cookies are used once each and kept at eight by placeholders; new ones come with the replies. A
 * NAK, or a stock run dry, makes one new key establishment; a NAK that follows it ends the run.
 */
#ifndef NTSD_TOOLS_NTSQ_RUN_H
#define NTSD_TOOLS_NTSQ_RUN_H

#include "tools/ntsq_facts.h"

/* Told of each step as it ends, with the facts as they are then. */
struct ntsq_observer {
    void (*step)(void *ctx, enum ntsq_step step, const struct ntsq_facts *facts);
    void *ctx;
};

/*
 * `facts` comes zeroed but for `options` and `sample` (room for options->count). What it points to
 * lives until ntsq_run_free(), also after a failure, which is in facts->failure. NULL: out of
 * memory.
 */
struct ntsq_run;
struct ntsq_run *ntsq_run_new(struct ntsq_facts *facts, const struct ntsq_observer *observer);
void ntsq_run_all(struct ntsq_run *run);
void ntsq_run_free(struct ntsq_run *run);

#endif
