/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See metrics_clients.h.
 */
#include "ntsd/metrics_clients.h"

#include "nts-ke/ke_outcome.h"
#include "ntsd/metrics_text.h"

#include <inttypes.h>

static uint64_t sum(const struct snapshot *s, unsigned index)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->ke_count; i++) {
        n += stats_get(s->ke_stats[i], index);
    }
    return n;
}

/* name{ca="1",subject="CN=fleet"} 5 */
static void put(struct wr *out, const char *name, const struct client_ca_info *clients, unsigned i,
                int64_t value)
{
    char label[METRICS_LABEL_MAX];
    metrics_put(out, "%s{ca=\"%u\",subject=\"%s\"} %" PRId64 "\n", name, i + 1,
                metrics_label(clients->ca[i].subject, label), value);
}

static void write_lists(const struct snapshot *s, struct wr *out)
{
    const struct client_ca_info *clients = &s->ke.clients;
    metrics_gauge(out, "ntsd_client_crl_revoked", "Client certificates on the lists in use.",
                  (double)clients->revoked);
    if (clients->crl_until != INT64_MAX) {
        const char *name = "ntsd_client_crl_due_seconds";
        metrics_head(out, name, "gauge",
                     "When the first list is to be replaced, seconds since 1970.");
        metrics_put(out, "%s %" PRId64 "\n", name, clients->crl_until);
    }
    metrics_gauge(out, "ntsd_client_crl_overdue",
                  "1: a list is past its date, and goes on being used.",
                  clients->crl_until < s->now_s ? 1 : 0);
}

void metrics_clients_write(const struct snapshot *s, struct wr *out)
{
    const struct client_ca_info *clients = &s->ke.clients;
    unsigned count = clients->count < CLIENT_CA_MAX ? (unsigned)clients->count : CLIENT_CA_MAX;
    if (!s->has_ke || count == 0) {
        return;
    }
    const char *name = "ntsd_client_ca_accepted_total";
    metrics_head(out, name, "counter",
                 "Clients let in by their certificate, by its authority's place in the file.");
    for (unsigned i = 0; i < count; i++) {
        put(out, name, clients, i, (int64_t)sum(s, KE_COUNT_CLIENT_CA_0 + i));
    }
    name = "ntsd_client_ca_expires_seconds";
    metrics_head(out, name, "gauge",
                 "End of validity of an authority of clients, seconds since 1970.");
    for (unsigned i = 0; i < count; i++) {
        put(out, name, clients, i, clients->ca[i].not_after);
    }
    if (clients->crl_count > 0) {
        write_lists(s, out);
    }
}
