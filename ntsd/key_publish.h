/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keys process shows to the others: the ring of the moment, and the status of it that is
 * no secret. Shell module; the one writer of both boards.
 */
#ifndef NTSD_NTSD_KEY_PUBLISH_H
#define NTSD_NTSD_KEY_PUBLISH_H

#include "common/base/board.h"
#include "ntsd/key_time.h"
#include "ntsd/status_values.h"

struct key_publish {
    struct board *keys;
    struct board *status;
    int64_t lifetime_s;
    struct keyring ring; /* as published; count 0: nothing yet */
    int64_t next_change; /* of it; INT64_MAX: nothing to wait for */
    bool is_left_out_told;
};

/* `publish` is zeroed. */
void key_publish_init(struct key_publish *publish, const struct role_context *context);

/* The ring for this moment, unless the one that is out still is that one and `doc` is the one it
 * was made from (`stale` false). */
void key_publish_ring(struct key_publish *publish, const struct keydoc *doc,
                      struct key_moment moment, bool stale);

/* `save_failed`: of provider `auto`. `provider`: all zero for that. */
void key_publish_status(const struct key_publish *publish, struct key_moment moment,
                        bool save_failed, const struct key_provider_status *provider);

/* Writes a secret to both slots of its board: what it takes the place of would stay in the other
 * one until the next change. */
void key_publish_secret(struct board *board, const void *value, size_t size);

#endif
