/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_fleet.h.
 */
#include "ntsd/key_fleet.h"

#include "common/base/secret.h"
#include "ntsd/key_publish.h"
#include "ntsd/key_source.h"

#include <inttypes.h>

/* What a predecessor left in the memory that outlives it. */
static void take_over(struct key_fleet *fleet, const struct role_context *context,
                      struct keydoc *doc)
{
    struct key_status before;
    uint64_t generation = 0;
    if (board_read(context->board[BOARDS_KEY_STATUS], &before, sizeof(before), &generation) ==
            NTS_OK &&
        generation > 0) {
        fleet->status = before.provider;
    }
    enum nts_err err = board_read(fleet->memory, doc, sizeof(*doc), &generation);
    if (err != NTS_OK || generation == 0 || doc->count > KEYDOC_EPOCHS_MAX) {
        keydoc_wipe(doc);
    }
}

bool key_fleet_open(struct key_fleet *fleet, const struct key_fleet_options *options,
                    struct keydoc *doc)
{
    const struct config *config = options->context->config;
    const struct provider_options source = key_source_options(config);
    fleet->config = config;
    fleet->rng = options->rng;
    fleet->memory = options->context->board[BOARDS_KEY_DOC];
    fleet->cache = (struct keycache){.dir = config->state_dir,
                                     .credentials = config->credentials,
                                     .machine_id = KEYCACHE_MACHINE_ID,
                                     .source = source};
    fleet->schedule.interval_ms =
        source.kind == PROVIDER_FILE ? KEY_SCHEDULE_FILE_MS : KEY_SCHEDULE_STORE_MS;
    take_over(fleet, options->context, doc);
    fleet->status.used = 1;
    if (key_fetch_open(&fleet->fetch, options->loop, &source, options->answered, options->ctx) !=
        NTS_OK) {
        log_event(LOG_LEVEL_ERROR, "no keys", "reason", fleet->fetch.fault.text, NULL);
        return false;
    }
    key_fetch_now(&fleet->fetch);
    return true;
}

static void keep_for_successor(struct key_fleet *fleet, const struct keydoc *doc)
{
    key_publish_secret(fleet->memory, doc, sizeof(*doc));
}

/* `what` has to be mended by a human, or may mend itself. */
static void tell_trouble(struct key_fleet *fleet, enum log_level level, const char *what,
                         const char *why)
{
    if (key_told_may(&fleet->trouble, why, mono_now())) {
        log_event(level, what, "provider", key_source_name(fleet->config), "reason", why, NULL);
    }
}

/* An answer that could not be used. */
static void fail(struct key_fleet *fleet)
{
    fleet->status.failing++;
}

/* One that could, whether or not there is news in it. */
static void succeed(struct key_fleet *fleet)
{
    fleet->status.failing = 0;
    fleet->status.from_cache = 0;
    fleet->status.fetched_boot_ns = boot_now().ns;
    if (key_told_over(&fleet->trouble)) {
        log_event(LOG_LEVEL_INFO, "secret store answers again", "provider",
                  key_source_name(fleet->config), NULL);
    }
}

static bool was_revoked(const struct keydoc *doc, uint8_t id)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id == id) {
            return doc->epoch[e].revoked;
        }
    }
    return false;
}

static void tell_taken(const struct key_fleet *fleet, const struct keydoc *held,
                       const struct keydoc *taken)
{
    log_event(LOG_LEVEL_INFO, "secret document taken", "provider", key_source_name(fleet->config),
              "epochs", log_fmt(LOG_BUF, "%zu", taken->count), NULL);
    for (size_t e = 0; e < taken->count; e++) {
        const struct keydoc_epoch *epoch = &taken->epoch[e];
        if (held->count > 0 && epoch->revoked && !was_revoked(held, epoch->id)) {
            log_event(LOG_LEVEL_WARN, "epoch is revoked, its cookies are refused", "id",
                      log_fmt(LOG_BUF, "%u", epoch->id), NULL);
        }
    }
}

static void take(struct key_fleet *fleet, struct keydoc *doc, const struct keydoc *taken)
{
    tell_taken(fleet, doc, taken);
    *doc = *taken;
    keep_for_successor(fleet, doc);
    fleet->uncached = true;
}

/* A document that is well-formed. True when it was taken. */
static bool judge(struct key_fleet *fleet, struct keydoc *doc, const struct keydoc *offered,
                  struct key_moment moment)
{
    struct keydoc_fault why = {{0}};
    enum keychange change = doc->count == 0 ? KEYCHANGE_NEWER
                                            : keychange_judge(doc, offered, moment.now_s,
                                                              fleet->config->lifetime_s, &why);
    fleet->status.change[change]++;
    switch (change) {
    case KEYCHANGE_SAME:
        succeed(fleet);
        return false;
    case KEYCHANGE_NEWER:
        succeed(fleet);
        take(fleet, doc, offered);
        return true;
    case KEYCHANGE_OTHER:
    case KEYCHANGE_MISSING:
    case KEYCHANGE_FORGOTTEN:
    case KEYCHANGE_RESTORED:
    case KEYCHANGES:
        break;
    }
    fail(fleet);
    tell_trouble(fleet, LOG_LEVEL_ERROR, "secret document refused, the keys go on", why.text);
    return false;
}

static bool read_document(struct key_fleet *fleet, struct keydoc *doc, struct key_moment moment)
{
    const struct provider_text *text = &fleet->fetch.text;
    struct keydoc offered;
    struct keydoc_fault why;
    bool taken = false;
    if (keydoc_parse(span_of(text->bytes, text->len), &offered, &why) == NTS_OK) {
        taken = judge(fleet, doc, &offered, moment);
    } else {
        fleet->status.malformed++;
        fail(fleet);
        tell_trouble(fleet, LOG_LEVEL_ERROR,
                     doc->count == 0 ? "secret document cannot be used, no keys yet"
                                     : "secret document cannot be used, the keys go on",
                     why.text);
    }
    keydoc_wipe(&offered);
    return taken;
}

/* There are no keys, and the store has none for now. */
static bool unseal(struct key_fleet *fleet, struct keydoc *doc, struct key_moment moment)
{
    struct keycache_fault why = {{0}};
    int64_t saved_s = 0;
    enum nts_err err = keycache_load(&fleet->cache, doc, &saved_s, &why);
    if (err == NTS_OK) {
        log_event(LOG_LEVEL_WARN, "keys come from the sealed copy until the secret store answers",
                  "age_s", log_fmt(LOG_BUF, "%" PRId64, moment.now_s - saved_s), NULL);
        fleet->status.from_cache = 1;
        keep_for_successor(fleet, doc);
        return true;
    }
    if (key_told_may(&fleet->cache_trouble, err == NTS_ENOTFOUND ? "there is none" : why.text,
                     mono_now())) {
        log_event(LOG_LEVEL_WARN, "no sealed copy to start from", "reason",
                  fleet->cache_trouble.text, NULL);
    }
    return false;
}

static void schedule(struct key_fleet *fleet, bool in_service)
{
    uint8_t bytes[4];
    enum nts_err err = rng_bytes(fleet->rng, bytes, sizeof(bytes));
    struct rd r = rd_init(span_of(bytes, sizeof(bytes)));
    uint32_t random = err == NTS_OK ? rd_u32(&r) : UINT32_MAX / 2; /* without: the middle */
    fleet->schedule.in_service = in_service;
    fleet->schedule.failing = fleet->status.failing;
    key_fetch_after(&fleet->fetch, key_schedule_wait_ms(&fleet->schedule, random));
}

bool key_fleet_answer(struct key_fleet *fleet, struct keydoc *doc, struct key_moment moment)
{
    bool changed = false;
    enum provider_outcome outcome = fleet->fetch.outcome;
    fleet->status.outcome[outcome]++;
    if (outcome == PROVIDER_OK) {
        changed = read_document(fleet, doc, moment);
    } else {
        fail(fleet);
        tell_trouble(fleet, LOG_LEVEL_WARN,
                     doc->count == 0 ? "no keys yet, the secret store is asked again"
                                     : "secret store does not answer, the keys go on",
                     fleet->fetch.fault.text);
    }
    if (doc->count == 0 && fleet->config->keys_cache) {
        changed = unseal(fleet, doc, moment);
    }
    schedule(fleet, doc->count > 0);
    return changed;
}

bool key_fleet_keep_up(struct key_fleet *fleet, struct keydoc *doc, struct key_moment moment)
{
    const struct key_terms terms = {.lifetime_s = fleet->config->lifetime_s};
    bool changed = key_upkeep_of_fleet(doc, moment, &terms);
    if (changed) {
        keep_for_successor(fleet, doc);
        fleet->uncached = true;
    }
    return changed;
}

void key_fleet_seal(struct key_fleet *fleet, const struct keydoc *doc, struct key_moment moment)
{
    struct keycache_fault why = {{0}};
    if (!fleet->config->keys_cache || !fleet->uncached) {
        return;
    }
    enum nts_err err = keycache_save(&fleet->cache, doc, moment.now_s, fleet->rng, &why);
    fleet->uncached = err != NTS_OK;
    fleet->status.cache_failed = err != NTS_OK;
    if (err == NTS_OK && key_told_over(&fleet->cache_trouble)) {
        log_event(LOG_LEVEL_INFO, "sealed copy written", NULL);
    }
    if (err != NTS_OK && key_told_may(&fleet->cache_trouble, why.text, mono_now())) {
        log_event(LOG_LEVEL_ERROR, "sealed copy not written, a start will need the secret store",
                  "reason", why.text, NULL);
    }
}

void key_fleet_close(struct key_fleet *fleet)
{
    key_fetch_close(&fleet->fetch);
}
