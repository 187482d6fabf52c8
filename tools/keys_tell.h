/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ntsctl keys` says when it has changed a document, need not, or cannot: to standard output,
 * refusals and warnings to standard error. No secret is told. Shell module.
 */
#ifndef NTSD_TOOLS_KEYS_TELL_H
#define NTSD_TOOLS_KEYS_TELL_H

#include "tools/keys_options.h"

/* Of an edit that has been stored, or need not be. Returns the program's exit status; telling that
 * fails is a failure. */
int keys_tell(const struct keys_options *options, const struct keydoc *doc, enum keyedit outcome,
              const struct keyedit_report *report);

/* One line about an epoch: its id, `what` became of it, when it begins, its check value. */
void keys_tell_epoch(const struct keydoc *doc, uint8_t id, int64_t now_s, const char *what);

/* "ntsctl keys COMMAND: WHY" to standard error; returns the exit status of a failure. */
int keys_tell_failure(const struct keys_options *options, const char *why);

/* Flushes what was told. */
int keys_tell_end(void);

#endif
