/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret document for people and for machines: its epochs, when they begin and what they are for,
 * and the key that issues now, with fingerprints. No secret is shown. `wish` gives the time and the
 * lifetime of cookies.
 */
#ifndef NTSD_TOOLS_KEYS_SHOW_H
#define NTSD_TOOLS_KEYS_SHOW_H

#include "common/keys/keyedit.h"

#include <stdio.h>

void keys_show_table(const struct keydoc *doc, const struct keyedit_wish *wish, FILE *out);

/* One JSON object. NTS_EINTERNAL: no memory. */
NODISCARD enum nts_err keys_show_json(const struct keydoc *doc, const struct keyedit_wish *wish,
                                      FILE *out);

/* "2030-12-31T23:59:59Z" and how far that is: "in 26 h", "31 d ago". */
enum { KEYS_SHOW_WHEN_MAX = 80 };
void keys_show_when(int64_t time_s, int64_t now_s, char text[static KEYS_SHOW_WHEN_MAX]);

/* An epoch's check value as hexadecimal digits. */
enum { KEYS_SHOW_CHECK_MAX = 2 * KEYDOC_CHECK_LEN + 1 };
void keys_show_check(const struct keydoc_epoch *epoch, char text[static KEYS_SHOW_CHECK_MAX]);

#endif
