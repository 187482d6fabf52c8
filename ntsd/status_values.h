/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values on the boards that the daemon itself adds: what keys and supervisor tell the status
 * process. No secret is in them. (The clock's and the KE service's are in their own folders.)
 */
#ifndef NTSD_NTSD_STATUS_VALUES_H
#define NTSD_NTSD_STATUS_VALUES_H

#include "common/keys/keyring.h"
#include "ntsd/role.h"

/* Written by the keys process. */
struct key_status {
    uint64_t count;       /* keys in the ring */
    uint64_t issuing_id;  /* of the key that seals new cookies */
    int64_t issues_until; /* seconds since 1970 */
    int64_t made_at;      /* the ring was derived for this time */
    int64_t next_change;  /* and will be again at this one */
    uint64_t trusted;     /* 1: made_at came from a trusted clock */
    uint64_t save_failed; /* 1: the state directory does not hold the newest document */
    uint8_t fingerprint[KEYRING_FINGERPRINT_LEN]; /* of the issuing key */
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
