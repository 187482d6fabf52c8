/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See metrics_keys.h.
 */
#include "ntsd/metrics_keys.h"

#include "ntsd/key_source.h"
#include "ntsd/metrics_text.h"

#include <inttypes.h>

/* name{id="010203",fingerprint="deadbeef01020304"} 1 */
static void put_key(struct wr *out, const char *name, uint64_t id, const uint8_t *f)
{
    metrics_put(out,
                "%s{id=\"%06" PRIx64 "\",fingerprint=\"%02x%02x%02x%02x%02x%02x%02x%02x\"} 1\n",
                name, id, f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]);
}

static void write_ring(const struct snapshot *s, struct wr *out)
{
    const struct key_status *keys = &s->keys;
    size_t count = keys->count < KEYRING_MAX ? keys->count : KEYRING_MAX;
    metrics_head(out, "ntsd_key_issuing", "gauge",
                 "The key that seals new cookies; equal on all hosts.");
    put_key(out, "ntsd_key_issuing", keys->issuing_id, keys->fingerprint);
    metrics_head(out, "ntsd_key_held", "gauge", "The keys in the ring, oldest first.");
    for (size_t i = 0; i < count; i++) {
        put_key(out, "ntsd_key_held", keys->held[i].id, keys->held[i].fingerprint);
    }
    metrics_gauge(out, "ntsd_keys_issuing_age_seconds", "Since the issuing key was due to issue.",
                  (double)s->now_s - (double)keys->issues_from);
    metrics_gauge(out, "ntsd_keys_next_change_seconds", "Until the ring changes.",
                  (double)(keys->next_change - s->now_s));
    metrics_gauge(out, "ntsd_keys_save_failed", "1: the state directory lacks the newest document.",
                  (double)keys->save_failed);
}

static void write_answers(const struct key_provider_status *provider, struct wr *out)
{
    const char *name = "ntsd_keys_fetches_total";
    metrics_head(out, name, "counter", "Fetches of the secret document by how they ended.");
    for (int i = 0; i < PROVIDER_OUTCOMES; i++) {
        metrics_put(out, "%s{outcome=\"%s\"} %" PRIu64 "\n", name,
                    provider_outcome_name((enum provider_outcome)i), provider->outcome[i]);
    }
    name = "ntsd_keys_documents_total";
    metrics_head(out, name, "counter",
                 "Documents fetched, by what they are to the one in service: all but \"same\" and "
                 "\"newer\" are refused.");
    for (int i = 0; i < KEYCHANGES; i++) {
        metrics_put(out, "%s{change=\"%s\"} %" PRIu64 "\n", name, keychange_name((enum keychange)i),
                    provider->change[i]);
    }
    metrics_put(out, "%s{change=\"malformed\"} %" PRIu64 "\n", name, provider->malformed);
}

static void write_provider(const struct snapshot *s, struct wr *out)
{
    const struct key_provider_status *provider = &s->keys.provider;
    const char *name = "ntsd_keys_provider_info";
    metrics_head(out, name, "gauge", "1, labelled with where the secret document comes from.");
    metrics_put(out, "%s{provider=\"%s\"} 1\n", name, key_source_name(s->config));
    if (provider->used == 0) {
        return;
    }
    if (provider->fetched_boot_ns != 0) {
        metrics_gauge(out, "ntsd_keys_provider_age_seconds",
                      "Since the secret store's last good answer.",
                      metrics_seconds(s->boot.ns - provider->fetched_boot_ns));
    }
    metrics_gauge(out, "ntsd_keys_provider_failing",
                  "Fetches in a row that brought no document that could be taken.",
                  (double)provider->failing);
    metrics_gauge(out, "ntsd_keys_from_cache",
                  "1: the keys come from the sealed copy of an earlier run's document.",
                  (double)provider->from_cache);
    metrics_gauge(out, "ntsd_keys_cache_failed", "1: the sealed copy could not be written.",
                  (double)provider->cache_failed);
    write_answers(provider, out);
}

void metrics_keys_write(const struct snapshot *s, struct wr *out)
{
    metrics_gauge(out, "ntsd_keys", "Keys in the ring.", s->has_keys ? (double)s->keys.count : 0);
    if (s->has_keys && s->keys.count > 0) {
        write_ring(s, out);
    }
    if (s->has_keys) {
        write_provider(s, out);
    }
}
