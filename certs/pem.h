/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the blocks of a PEM text (RFC 7468) and nothing more: what is inside is decoded by others.
 *
 * The TLS library skips a block whose BEGIN line is damaged and takes a file that ends early for
 * one that ends. Here every block that was begun has to end, so that a file half copied is a fault
 * and never a shorter chain. Text between the blocks is allowed. Pure; thread-safe.
 */
#ifndef NTSD_CERTS_PEM_H
#define NTSD_CERTS_PEM_H

#include "common/base/cursor.h"
#include "common/base/err.h"

/* Both borrow from the text read. */
struct pem_block {
    struct span label; /* "CERTIFICATE" */
    struct span text;  /* from the BEGIN line to the end of the END line */
};

/*
 * The next block from `r`. NTS_ENOTFOUND: there is none, the rest is other text. NTS_ESHORT: the
 * text ends within a block or within its first line. NTS_EFORMAT: an END without its BEGIN, a
 * BEGIN within a block, or a damaged BEGIN or END line.
 */
NODISCARD enum nts_err pem_next(struct rd *r, struct pem_block *block);

/* True when `label` is exactly this word. */
bool pem_label_is(struct span label, const char *word);

#endif
