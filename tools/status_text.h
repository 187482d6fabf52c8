/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock's state and its sources as a table for people, much as `chronyc sources` has it.
 */
#ifndef NTSD_TOOLS_STATUS_TEXT_H
#define NTSD_TOOLS_STATUS_TEXT_H

#include "tools/status_parse.h"

#include <stdio.h>

void status_text_print(const struct status *status, FILE *out);

/* "57.3us", "-2.60ms", "1.2s": three digits and a unit. */
enum { STATUS_SPAN_TEXT_MAX = 16 };
void status_text_seconds(double s, char text[static STATUS_SPAN_TEXT_MAX]);

/* "16s", "17m", "4h", "3d"; "-" for less than nothing. */
void status_text_age(double s, char text[static STATUS_SPAN_TEXT_MAX]);

/* A reference id: the letters of one of stratum 1, otherwise as an address. */
void status_text_reference(const char *hex, unsigned stratum,
                           char text[static STATUS_SPAN_TEXT_MAX]);

#endif
