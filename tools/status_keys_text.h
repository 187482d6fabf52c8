/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of one host for people: what issues, where the document comes from, and which cookies
 * were opened and refused.
 */
#ifndef NTSD_TOOLS_STATUS_KEYS_TEXT_H
#define NTSD_TOOLS_STATUS_KEYS_TEXT_H

#include "tools/fleet_parse.h"

#include <stdio.h>

void status_keys_print(const struct fleet_facts *facts, FILE *out);

#endif
