/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret document: the epochs a fleet shares, as JSON (format in docs/keys.md).
 *
 *   { "ntsd_keys": 1, "epochs": [ { "id": 1, "not_before": 1767225600, "rotate": 86400,
 *     "index": 0, "secret": "<64 hex digits>", "check": "<16 hex digits>" } ] }
 *
 * `secret` is the chain value of period `index` of its epoch; older ones cannot be computed from
 * it. `check` is a truncated hash over all other members of the epoch: it finds a damaged document
 * (one flipped digit would otherwise be a different key) and serves as the epoch's fingerprint. A
 * member `"revoked": true` withdraws the epoch.
 *
 * Parses and writes; does no I/O. The JSON library allocates; every block it frees is wiped
 * (jsonwipe.h). Thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_KEYDOC_H
#define NTSD_COMMON_KEYS_KEYDOC_H

#include "common/base/cursor.h"
#include "common/base/err.h"

enum {
    KEYDOC_EPOCHS_MAX = 16,
    KEYDOC_CHAIN_LEN = 32,
    KEYDOC_CHECK_LEN = 8,
    KEYDOC_TEXT_MAX = 64 * 1024, /* what Secrets Manager stores at most */
    KEYDOC_WRITTEN_MAX = 8192,   /* more than keydoc_write() ever makes */
    KEYDOC_ROTATE_MIN_S = 60,
    KEYDOC_ROTATE_MAX_S = 366 * 86400,
    KEYDOC_INDEX_MAX = 0xffff, /* the key id has 16 bits for it; keyring.h */
};
#define KEYDOC_NOT_BEFORE_MAX INT64_C(253402300799) /* the last second of the year 9999 */

struct keydoc_epoch {
    uint8_t id;         /* 1..255, unique in the document; part of every key id */
    int64_t not_before; /* seconds since 1970: the epoch issues from here on */
    uint32_t rotate_s;  /* length of a period */
    uint32_t index;     /* period that `chain` belongs to: the oldest one still computable */
    bool revoked;       /* withdrawn on purpose: for the ring as if it were not there */
    uint8_t chain[KEYDOC_CHAIN_LEN];
};

/* Ordered by not_before, oldest first, at least one that is not revoked. Secret: wipe with
 * keydoc_wipe(). */
struct keydoc {
    size_t count;
    struct keydoc_epoch epoch[KEYDOC_EPOCHS_MAX];
};

/* Why a document was refused: one sentence for the log, naming the member at fault. */
struct keydoc_fault {
    char text[160];
};

/* NTS_EFORMAT: `fault` says what is wrong. NTS_EINTERNAL: memory ran out, `fault` says so. `doc` is
 * then wiped. No octet of a secret reaches `fault`. */
NODISCARD enum nts_err keydoc_parse(struct span text, struct keydoc *doc,
                                    struct keydoc_fault *fault);

/* Appends the document as text with a final newline. NTS_ESPACE: no room. */
NODISCARD enum nts_err keydoc_write(const struct keydoc *doc, struct wr *out);

/* The epoch's check value and public fingerprint. */
void keydoc_check(const struct keydoc_epoch *epoch, uint8_t check[static KEYDOC_CHECK_LEN]);

/* An id that no epoch of the document has, revoked or not: with `draw` random, each of them about
 * equally likely, so that an epoch hardly ever gets the id of one that was forgotten. */
uint8_t keydoc_free_id(const struct keydoc *doc, uint8_t draw);

void keydoc_wipe(struct keydoc *doc);

#endif
