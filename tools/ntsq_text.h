/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report for people: one block per step as it ends, aligned, and the verdict last. Writes to
 * the stream it is given and does nothing else. What peers wrote is made printable first. Core.
 */
#ifndef NTSD_TOOLS_NTSQ_TEXT_H
#define NTSD_TOOLS_NTSQ_TEXT_H

#include "tools/ntsq_verdict.h"

struct ntsq_text {
    FILE *out;
    bool colour;
};

void ntsq_text_resolved(const struct ntsq_text *text, const struct ntsq_facts *facts);

/* The last key establishment: as much as there was of it. */
void ntsq_text_keys(const struct ntsq_text *text, const struct ntsq_facts *facts);

/* The last query: in full when only one is asked for, otherwise as a line of a list. */
void ntsq_text_sample(const struct ntsq_text *text, const struct ntsq_facts *facts);

void ntsq_text_dates(const struct ntsq_text *text, const struct ntsq_facts *facts);

/* The summary of several queries, and the final line. */
void ntsq_text_verdict(const struct ntsq_text *text, const struct ntsq_facts *facts,
                       const struct ntsq_summary *summary, const struct ntsq_verdict *verdict);

#endif
