/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report for machines: one JSON object with everything a run learned; times in seconds, numbers
 * as numbers, what is not known left out. Writes to the stream it is given. The members are listed
 * in ntsq(1). Core but for the allocations of the JSON library.
 */
#ifndef NTSD_TOOLS_NTSQ_JSON_H
#define NTSD_TOOLS_NTSQ_JSON_H

#include "tools/ntsq_verdict.h"

/* NTS_EINTERNAL: out of memory; nothing of use was written. NTS_ESYSTEM: the stream failed. */
NODISCARD enum nts_err ntsq_json_write(FILE *out, const struct ntsq_facts *facts,
                                       const struct ntsq_summary *summary,
                                       const struct ntsq_verdict *verdict);

#endif
