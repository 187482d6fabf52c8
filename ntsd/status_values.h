/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values on the boards that the daemon itself adds: what keys and supervisor tell the status
 * process. No secret is in them. (The clock's and the KE service's are in their own folders.)
 */
#ifndef NTSD_NTSD_STATUS_VALUES_H
#define NTSD_NTSD_STATUS_VALUES_H

#include "common/keys/keychange.h"
#include "common/keys/keyring.h"
#include "common/keys/provider.h"
#include "ntsd/role.h"

/* What the provider of a fleet's document did, since the daemon's start. */
struct key_provider_status {
    uint64_t used;           /* 1: the document comes from one; 0: provider `auto` */
    uint64_t from_cache;     /* 1: the document in service is the sealed copy of an earlier run's */
    int64_t fetched_boot_ns; /* CLOCK_BOOTTIME of its last good answer; 0: none yet */
    uint64_t failing;        /* fetches in a row that brought no document that could be taken */
    uint64_t outcome[PROVIDER_OUTCOMES]; /* counters of fetches */
    uint64_t change[KEYCHANGES];         /* of documents that were well-formed */
    uint64_t malformed;                  /* and of those that were not */
    uint64_t cache_failed;               /* 1: the sealed copy could not be written */
};

/* A key in the ring, for comparing hosts. */
struct key_held {
    uint32_t id;
    uint32_t reserved;
    uint8_t fingerprint[KEYRING_FINGERPRINT_LEN];
};

/* Written by the keys process. */
struct key_status {
    uint64_t count;      /* keys in the ring */
    uint64_t issuing_id; /* of the key that seals new cookies */
    int64_t issues_from; /* seconds since 1970 */
    int64_t issues_until;
    int64_t made_at;      /* the ring was derived for this time */
    int64_t next_change;  /* and will be again at this one */
    uint64_t trusted;     /* 1: made_at came from a trusted clock */
    uint64_t save_failed; /* 1: the state directory does not hold the newest document */
    uint8_t fingerprint[KEYRING_FINGERPRINT_LEN]; /* of the issuing key */
    struct key_held held[KEYRING_MAX];            /* [count], oldest first */
    struct key_provider_status provider;
};
_Static_assert(sizeof(struct key_status) % 8 == 0, "board values are whole words");

/* One child as the supervisor sees it. */
struct child_status {
    uint32_t role; /* enum role */
    uint32_t index;
    int64_t pid; /* 0: not running */
    uint64_t restarts;
};

/* Written by the supervisor. */
struct supervisor_status {
    uint64_t draining; /* 1: SIGTERM came; out of the load balancer at once */
    int64_t started_s; /* wall time of the start */
    uint64_t count;
    struct child_status child[ROLE_CHILDREN_MAX];
};
_Static_assert(sizeof(struct supervisor_status) % 8 == 0, "board values are whole words");

#endif
