/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet that fleet_compare() has judged, for people and for machines. What hosts said reaches a
 * terminal as printable ASCII only.
 */
#ifndef NTSD_TOOLS_FLEET_TEXT_H
#define NTSD_TOOLS_FLEET_TEXT_H

#include "tools/fleet_compare.h"

#include <stdio.h>

/* A line for each host, and a last one that says whether they agree, or who does not. */
void fleet_text_print(const struct fleet_host *hosts, size_t count, FILE *out);

/* One JSON object. NTS_EINTERNAL: no memory. */
NODISCARD enum nts_err fleet_text_json(const struct fleet_host *hosts, size_t count, FILE *out);

#endif
