/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_publish.h.
 */
#include "ntsd/key_publish.h"

#include "common/base/log.h"
#include "common/base/secret.h"

#include <inttypes.h>

void key_publish_init(struct key_publish *publish, const struct role_context *context)
{
    publish->keys = context->board[BOARDS_KEYS];
    publish->status = context->board[BOARDS_KEY_STATUS];
    publish->lifetime_s = context->config->lifetime_s;
    publish->next_change = INT64_MAX;
}

void key_publish_secret(struct board *board, const void *value, size_t size)
{
    board_write(board, value, size);
    board_write(board, value, size);
}

static void tell_left_out(struct key_publish *publish)
{
    bool left_out = publish->ring.left_out > 0;
    if (left_out && !publish->is_left_out_told) {
        log_event(LOG_LEVEL_WARN, "more keys than there is room for, the oldest are refused",
                  "left_out", log_fmt(LOG_BUF, "%" PRIu64, publish->ring.left_out), NULL);
    }
    publish->is_left_out_told = left_out;
}

void key_publish_ring(struct key_publish *publish, const struct keydoc *doc,
                      struct key_moment moment, bool stale)
{
    struct keyring *ring = &publish->ring;
    bool current = ring->count > 0 && !stale && moment.now_s >= ring->made_at &&
                   moment.now_s < publish->next_change;
    if (current) {
        return;
    }
    uint32_t before = ring->count == 0 ? UINT32_MAX : ring->key[ring->issuing].id;
    keyring_wipe(ring);
    keyring_derive(doc, moment.now_s, publish->lifetime_s, ring);
    tell_left_out(publish);
    publish->next_change = keyring_next_change(doc, moment.now_s, publish->lifetime_s);
    key_publish_secret(publish->keys, ring, sizeof(*ring));
    const struct keyring_key *issuing = &ring->key[ring->issuing];
    if (issuing->id != before) {
        log_event(LOG_LEVEL_INFO, "key issues", "id", log_fmt(LOG_BUF, "%06" PRIx32, issuing->id),
                  "keys", log_fmt(LOG_BUF, "%" PRIu32, ring->count), "next_change_s",
                  log_fmt(LOG_BUF, "%" PRId64, publish->next_change - moment.now_s), NULL);
    }
}

void key_publish_status(const struct key_publish *publish, struct key_moment moment,
                        bool save_failed, const struct key_provider_status *provider)
{
    const struct keyring *ring = &publish->ring;
    struct key_status status = {.count = ring->count,
                                .made_at = ring->made_at,
                                .next_change = publish->next_change,
                                .trusted = moment.trusted,
                                .save_failed = save_failed,
                                .provider = *provider};
    for (size_t i = 0; i < ring->count; i++) {
        status.held[i].id = ring->key[i].id;
        keyring_fingerprint(&ring->key[i], status.held[i].fingerprint);
    }
    if (ring->count > 0) {
        const struct keyring_key *issuing = &ring->key[ring->issuing];
        status.issuing_id = issuing->id;
        status.issues_from = issuing->issues_from;
        status.issues_until = issuing->issues_until;
        keyring_fingerprint(issuing, status.fingerprint);
    }
    board_write(publish->status, &status, sizeof(status));
}
