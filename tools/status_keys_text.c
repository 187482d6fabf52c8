/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See status_keys_text.h.
 */
#include "tools/status_keys_text.h"

#include "tools/status_text.h"

static void print_ring(const struct fleet_facts *facts, FILE *out)
{
    char id[FLEET_ID_TEXT];
    char fingerprint[FLEET_FINGERPRINT_TEXT];
    char age[STATUS_SPAN_TEXT_MAX];
    if (!facts->has_keys) {
        (void)fprintf(out, "Keys         none\n");
        return;
    }
    fleet_id_text(facts->issuing.id, id);
    fleet_fingerprint_text(&facts->issuing, fingerprint);
    status_text_age(facts->issuing_age_s, age);
    (void)fprintf(out, "Keys         %s issues, fingerprint %s", id, fingerprint);
    if (facts->issuing_age_s >= 0) {
        (void)fprintf(out, ", since %s", age);
    }
    (void)fprintf(out, "; %zu held\n", facts->held_count);
}

static void print_provider(const struct fleet_facts *facts, FILE *out)
{
    char age[STATUS_SPAN_TEXT_MAX];
    if (facts->provider[0] == '\0') {
        return;
    }
    (void)fprintf(out, "Provider     %s", facts->provider);
    if (facts->provider_age_s >= 0) {
        status_text_age(facts->provider_age_s, age);
        (void)fprintf(out, ", answered %s ago", age);
    } else if (fleet_is_stale(facts)) {
        (void)fprintf(out, ", has not answered yet");
    }
    if (facts->provider_failing > 0) {
        (void)fprintf(out, ", %.0f fetches in a row failed", facts->provider_failing);
    }
    (void)fprintf(out, "%s%s%s\n",
                  fleet_is_stale(facts) && facts->provider_age_s >= 0 ? "; SILENT for too long"
                                                                      : "",
                  facts->from_cache ? "; the keys are from the sealed copy" : "",
                  facts->cache_failed ? "; the sealed copy cannot be written" : "");
}

static void print_counts(const char *title, const char *(*name)(size_t), const double *counts,
                         size_t n, FILE *out)
{
    (void)fprintf(out, "%s", title);
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(out, "%s%s %.0f", i > 0 ? ", " : "", name(i), counts[i]);
    }
    (void)fprintf(out, "\n");
}

void status_keys_print(const struct fleet_facts *facts, FILE *out)
{
    print_ring(facts, out);
    print_provider(facts, out);
    print_counts("Opened       cookies by the age of their key: ", fleet_age_name, facts->opened,
                 FLEET_AGES, out);
    print_counts("Refused      ", fleet_nak_name, facts->naks, FLEET_NAKS, out);
}
