/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key ring as a pure function of (secret document, now): same document, same hour, same keys on
 * every host of a fleet, without a word between them.
 *
 * Time is cut into periods of `rotate_s` from an epoch's not_before. A one-way ratchet gives each
 * period its chain value, chain[i+1] = HKDF(chain[i], "ntsd ratchet"), and its cookie key,
 * key[i] = HKDF(chain[i], "ntsd cookie"). The newest epoch that has begun issues, with the key of
 * the period that holds `now`. The ring holds that key, the next one (the next period's, or the
 * first of an epoch about to begin, because clocks differ; a key whose period the epoch's end cuts
 * short does not count, and the one after it is held as well), and past ones until `lifetime_s`
 * after the moment they stopped issuing.
 *
 * An epoch has KEYDOC_INDEX_MAX + 1 periods; the last one does not end before its epoch does. This
 * bounds the work: at most KEYDOC_INDEX_MAX steps of the ratchet an epoch.
 *
 * A revoked epoch is for all of this as if it were not in the document: from the next ring on its
 * cookies do not open, and the epoch before it does not end with its beginning.
 *
 * A clock that is behind the oldest chain value held, or before the first epoch, is answered with
 * the oldest key there is: the ring is never empty. Any `now_s` and `lifetime_s` will do (a
 * negative lifetime is none); `doc` is one that keydoc_parse() would accept. No I/O, no clock;
 * thread-safe. RFC 8915 section 6.
 */
#ifndef NTSD_COMMON_KEYS_KEYRING_H
#define NTSD_COMMON_KEYS_KEYRING_H

#include "common/keys/keydoc.h"

enum {
    KEYRING_MAX = 64,
    KEYRING_KEY_LEN = 32, /* AEAD_AES_SIV_CMAC_256 seals cookies */
    KEYRING_FINGERPRINT_LEN = 8,
};

/*
 * The id in a cookie names one key for good: | epoch id (8) | period index (16) |
 */
struct keyring_key {
    uint32_t id; /* 24 bits used */
    uint32_t reserved;
    int64_t issues_from;  /* seconds since 1970 */
    int64_t issues_until; /* end of its period, or of its epoch; INT64_MAX: never */
    uint8_t bytes[KEYRING_KEY_LEN];
};

/* The value on the key board: fixed size, a multiple of eight. Secret. */
struct keyring {
    uint32_t count;
    uint32_t issuing;                    /* index of the key that seals new cookies */
    int64_t made_at;                     /* the `now` it was made for */
    uint64_t left_out;                   /* keys not expired, but older than there is room for */
    struct keyring_key key[KEYRING_MAX]; /* oldest first */
};

/*
 * True when the ring always has room for the keys of this rotation and lifetime, however many
 * epochs of that rotation follow each other. The configuration checks this at start.
 */
bool keyring_fits(uint32_t rotate_s, int64_t lifetime_s);

/* When lifetime_s asks for more keys than KEYRING_MAX (the epochs rotated faster, or the lifetime
 * is for longer ones), the oldest are left out and counted: a ring there always is. */
void keyring_derive(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s,
                    struct keyring *ring);

/* The key that issues at `now_s`: its epoch, and since or from when it is meant to. */
struct keyring_place {
    size_t epoch;
    int64_t issues_from;
};
struct keyring_place keyring_place_at(const struct keydoc *doc, int64_t now_s);

/* When the ring made for `now_s` has to be made again: the next change of its members (or of those
 * left out) or of the issuing key, in seconds since 1970; later than `now_s`. INT64_MAX: never. */
int64_t keyring_next_change(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s);

/*
 * Advances the chain values so that no key that expired before `now_s` can be computed any more,
 * and drops epochs of which nothing is left (never the last one that is not revoked). A revoked one
 * is treated as if it alone were not revoked: the withdrawal is known for as long as an older copy
 * of the document could bring keys back. True when `doc` changed and has to be stored. Destroys:
 * call it only with a `now_s` from a clock that was trusted for a while.
 */
bool keydoc_advance(struct keydoc *doc, int64_t now_s, int64_t lifetime_s);

/* A truncated hash of the key, made for showing: equal on two hosts when their keys are. */
void keyring_fingerprint(const struct keyring_key *key,
                         uint8_t out[static KEYRING_FINGERPRINT_LEN]);

void keyring_wipe(struct keyring *ring);

#endif
