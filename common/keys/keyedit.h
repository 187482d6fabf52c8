/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators do to a fleet's secret document: a new one, one more epoch, a withdrawal, and the
 * forgetting of what has expired. Rules only, written down in docs/keys.md, because programs that
 * are not ours follow them as well. Nothing here ever takes out an epoch that issues, waits to
 * issue, or has keys that still open cookies. Core; thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_KEYEDIT_H
#define NTSD_COMMON_KEYS_KEYEDIT_H

#include "common/crypto/rng.h"
#include "common/keys/keydoc.h"

enum {
    KEYEDIT_ROTATE_S = 86400,     /* periods of a new document */
    KEYEDIT_AHEAD_S = 86400,      /* from the adding of an epoch until it begins */
    KEYEDIT_AHEAD_MIN_S = 900,    /* below that, hosts may begin to use it that others lack */
    KEYEDIT_EVERY_S = 30 * 86400, /* the age at which an epoch is replaced */
    KEYEDIT_LIFETIME_S = 691200,  /* ntslifetime's default */
    KEYEDIT_SLACK_S = 3600,       /* forgetting leaves hosts whose clocks are behind so much */
};

struct keyedit_wish {
    int64_t now_s;
    int64_t ahead_s;    /* add, rotate: the epoch begins so much later than now */
    int64_t every_s;    /* rotate */
    int64_t lifetime_s; /* prune, rotate: ntslifetime of the fleet */
    uint32_t rotate_s;  /* add: length of its periods; 0: as those of the newest epoch */
    bool again;         /* add: also while another epoch waits */
};

enum keyedit {
    KEYEDIT_DONE, /* the document changed */
    /* It did not, and need not: */
    KEYEDIT_WAITS,   /* the newest epoch has not begun yet */
    KEYEDIT_YOUNG,   /* it has not been in use for long enough */
    KEYEDIT_NOTHING, /* revoked already; nothing to forget */
    /* It did not, and cannot: */
    KEYEDIT_FULL,      /* KEYDOC_EPOCHS_MAX epochs */
    KEYEDIT_EARLY,     /* the new epoch would not begin after the newest one */
    KEYEDIT_UNKNOWN,   /* no epoch has this id */
    KEYEDIT_BEYOND,    /* a time that a document cannot say */
    KEYEDIT_NO_RANDOM, /* the kernel gives no random octets */
};

struct keyedit_report {
    uint8_t about;   /* WAITS, YOUNG, EARLY: the newest epoch's id */
    uint8_t added;   /* id of the epoch that was added; 0: none */
    size_t dropped;  /* epochs that were taken out */
    size_t advanced; /* epochs of which expired chain values were forgotten */
};

/* Where a new document's first epoch begins by default: at the last multiple of its periods, so
 * that it issues at once. */
int64_t keyedit_begin(int64_t now_s, uint32_t rotate_s);

/* A document of one epoch. DONE, BEYOND or NO_RANDOM; `doc` is wiped unless it is DONE. */
enum keyedit keyedit_init(int64_t not_before, uint32_t rotate_s, struct rng *rng,
                          struct keydoc *doc);

/* These change `doc` when they are DONE, and leave it as it was when not. */
enum keyedit keyedit_add(struct keydoc *doc, const struct keyedit_wish *wish, struct rng *rng,
                         struct keyedit_report *report);
enum keyedit keyedit_rotate(struct keydoc *doc, const struct keyedit_wish *wish, struct rng *rng,
                            struct keyedit_report *report);
enum keyedit keyedit_prune(struct keydoc *doc, const struct keyedit_wish *wish,
                           struct keyedit_report *report);

/* When no epoch that has begun would be left, one that issues at once is added. */
enum keyedit keyedit_revoke(struct keydoc *doc, uint8_t id, int64_t now_s, struct rng *rng,
                            struct keyedit_report *report);

/* What an epoch is for at `now_s`. */
enum keyedit_state {
    KEYEDIT_REVOKED,
    KEYEDIT_EXPIRED, /* opens nothing any more: may be pruned */
    KEYEDIT_PAST,    /* opens cookies */
    KEYEDIT_ISSUING,
    KEYEDIT_WAITING,
};
const char *keyedit_state_name(enum keyedit_state state); /* a word; static */

/* `opens_until` of one that is past or expired: the end of the last cookie's lifetime; INT64_MAX of
 * others. */
enum keyedit_state keyedit_state_of(const struct keydoc *doc, size_t e,
                                    const struct keyedit_wish *wish, int64_t *opens_until);

/* The newest epoch that is not revoked: the place among the epochs. */
size_t keyedit_newest(const struct keydoc *doc);

#endif
