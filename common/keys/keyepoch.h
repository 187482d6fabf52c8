/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An epoch's place in time: its periods, when it ends, when nothing of it is accepted any more, and
 * the ratchet that leads from one period's chain value to the next. The arithmetic beneath
 * keyring.h and keychange.h; the rules are in docs/keys.md.
 *
 * A revoked epoch is for the others as if it were not there: it ends nobody, and nobody sees it
 * among those that follow. Of itself everything is said as if it alone were not revoked.
 *
 * Saturating, because a moment may be any number that a broken clock comes up with. Moments and
 * lifetimes are those of keyepoch_moment() and keyepoch_lifetime(); `doc` is one that
 * keydoc_parse() would accept. Core; thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_KEYEPOCH_H
#define NTSD_COMMON_KEYS_KEYEPOCH_H

#include "common/keys/keydoc.h"

int64_t keyepoch_sat_add(int64_t a, int64_t b);
int64_t keyepoch_sat_sub(int64_t a, int64_t b);

/* INT64_MAX means never, so no moment may be it; a negative lifetime is none. */
int64_t keyepoch_moment(int64_t now_s);
int64_t keyepoch_lifetime(int64_t lifetime_s);

/* The first epoch at `e` or behind it that is not revoked: its place, or doc->count. */
size_t keyepoch_from(const struct keydoc *doc, size_t e);

/* The moment epoch `e` stops issuing; INT64_MAX: never. */
int64_t keyepoch_end(const struct keydoc *doc, size_t e);

/* The period that holds `at`, by the epoch's own grid: from 0 to KEYDOC_INDEX_MAX. */
uint32_t keyepoch_period_at(const struct keydoc_epoch *epoch, int64_t at);
uint32_t keyepoch_last_period(const struct keydoc *doc, size_t e);

/* False when the chain value held belongs to a time after the epoch's end. */
bool keyepoch_has_keys(const struct keydoc *doc, size_t e);

/* True when the last key that the epoch can ever have had has expired. */
bool keyepoch_is_past(const struct keydoc *doc, size_t e, int64_t now_s, int64_t lifetime_s);

/*
 * True when the epoch is of no more use: it is past, or has no keys. One that was revoked is of use
 * until it is past, keys or not: an older copy of the document may have them, and has to be known
 * as one.
 */
bool keyepoch_is_over(const struct keydoc *doc, size_t e, int64_t now_s, int64_t lifetime_s);

/* The oldest period of an epoch that is not over, as far as it can be computed, whose key has not
 * expired. */
uint32_t keyepoch_first_alive(const struct keydoc_epoch *epoch, int64_t now_s, int64_t lifetime_s);

/* One step of the ratchet, in place: there is no way back. */
void keyepoch_ratchet(uint8_t chain[static KEYDOC_CHAIN_LEN]);

/* Steps up to period `to`. False when the epoch was there already, or beyond. */
bool keyepoch_advance(struct keydoc_epoch *epoch, uint32_t to);

#endif
