/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fleet_text.h.
 */
#include "tools/fleet_text.h"

#include "tools/ntsq_words.h"
#include "tools/status_text.h"

#include <jansson.h>

enum { NAME_SHOWN_MAX = 64, WHY_SHOWN_MAX = FLEET_WHY_MAX };

/* Names come from the command line, reasons in part from a peer. */
static const char *shown(const char *text, char out[static WHY_SHOWN_MAX])
{
    ntsq_clean(text, out, WHY_SHOWN_MAX);
    return out;
}

static const char *or_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

static void print_verdict(const struct fleet_host *hosts, size_t i, FILE *out)
{
    const struct fleet_host *host = &hosts[i];
    char key[FLEET_ID_TEXT];
    char other[WHY_SHOWN_MAX];
    fleet_id_text(host->key, key);
    (void)shown(hosts[host->against].name, other);
    switch (host->verdict) {
    case FLEET_AGREES:
        (void)fprintf(out, "agrees");
        break;
    case FLEET_OTHER_SECRET:
        (void)fprintf(out, "DISAGREES: its key %s is not that of %s", key, other);
        break;
    case FLEET_NOT_HELD:
        (void)fprintf(out, "DISAGREES: %s does not hold its key %s", other, key);
        break;
    case FLEET_NOT_HOLDING:
        (void)fprintf(out, "DISAGREES: lacks key %s, with which %s issues", key, other);
        break;
    case FLEET_NO_KEYS:
        (void)fprintf(out, "HAS NO KEYS");
        break;
    case FLEET_NOT_REACHED:
        (void)fprintf(out, "NOT REACHED: %s", shown(host->why, other));
        break;
    case FLEET_STALE:
        (void)fprintf(out, "agrees, but its provider is SILENT");
        break;
    case FLEET_VERDICTS:
        break;
    }
    if (fleet_verdict_is_dissent(host->verdict) && strcmp(host->facts.provider, "auto") == 0) {
        (void)fprintf(out, " (`ntskeys auto`: it makes its own)");
    }
}

static void print_host(const struct fleet_host *hosts, size_t i, int width, FILE *out)
{
    static const struct fleet_facts none = {.provider_age_s = -1};
    const struct fleet_host *host = &hosts[i];
    const struct fleet_facts *facts = host->reached ? &host->facts : &none;
    char name[WHY_SHOWN_MAX];
    char id[FLEET_ID_TEXT] = "-";
    char fingerprint[FLEET_FINGERPRINT_TEXT] = "-";
    char age[STATUS_SPAN_TEXT_MAX];
    status_text_age(facts->provider_age_s, age);
    if (facts->has_keys) {
        fleet_id_text(facts->issuing.id, id);
        fleet_fingerprint_text(&facts->issuing, fingerprint);
    }
    (void)fprintf(out, "%-*s %-8s %-12s %-6s %-16s %4zu %-18s %5s %-5s  ", width,
                  shown(host->name, name), or_dash(facts->version), or_dash(facts->state), id,
                  fingerprint, facts->held_count, or_dash(facts->provider), age,
                  facts->from_cache ? "yes" : "no");
    print_verdict(hosts, i, out);
    (void)fprintf(out, "\n");
}

static int name_width(const struct fleet_host *hosts, size_t count)
{
    size_t width = 4;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(hosts[i].name);
        width = n > width && n <= NAME_SHOWN_MAX ? n : width;
    }
    return (int)width;
}

/* "WORDS: a, b; " when there are such hosts. True: there are. */
static bool print_group(const struct fleet_host *hosts, size_t count,
                        bool (*belongs)(enum fleet_verdict), const char *words, FILE *out)
{
    char name[WHY_SHOWN_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (belongs(hosts[i].verdict)) {
            (void)fprintf(out, "%s%s", n == 0 ? words : ", ", shown(hosts[i].name, name));
            n++;
        }
    }
    (void)fprintf(out, n > 0 ? "\n" : "");
    return n > 0;
}

static bool is_keyless(enum fleet_verdict verdict)
{
    return verdict == FLEET_NO_KEYS;
}

static bool is_missing(enum fleet_verdict verdict)
{
    return verdict == FLEET_NOT_REACHED;
}

static bool is_stale(enum fleet_verdict verdict)
{
    return verdict == FLEET_STALE;
}

void fleet_text_print(const struct fleet_host *hosts, size_t count, FILE *out)
{
    int width = name_width(hosts, count);
    (void)fprintf(out, "%-*s %-8s %-12s %-6s %-16s %4s %-18s %5s %-5s  %s\n", width, "Host",
                  "Version", "Clock", "Issues", "Fingerprint", "Keys", "Provider", "Age", "Cache",
                  "Verdict");
    for (size_t i = 0; i < count; i++) {
        print_host(hosts, i, width, out);
    }
    (void)fprintf(out, "\n");
    bool trouble = print_group(hosts, count, is_missing, "not reached: ", out);
    trouble = print_group(hosts, count, is_keyless, "without keys: ", out) || trouble;
    trouble = print_group(hosts, count, is_stale, "provider silent: ", out) || trouble;
    trouble = print_group(hosts, count, fleet_verdict_is_dissent, "disagree: ", out) || trouble;
    if (!trouble && count == 1) {
        (void)fprintf(out, "1 host, and nothing to compare it with\n");
    } else if (!trouble) {
        (void)fprintf(out, "%zu hosts agree\n", count);
    }
}

/* The library takes NULL for a failure everywhere, so the end is tested alone. */
static json_t *json_text(const char *text)
{
    char clean[WHY_SHOWN_MAX];
    return text[0] != '\0' ? json_string(shown(text, clean)) : json_null();
}

static json_t *json_key(const struct fleet_key *key)
{
    char id[FLEET_ID_TEXT];
    char fingerprint[FLEET_FINGERPRINT_TEXT];
    fleet_id_text(key->id, id);
    fleet_fingerprint_text(key, fingerprint);
    return json_pack("{s:s, s:s}", "id", id, "fingerprint", fingerprint);
}

static json_t *json_held(const struct fleet_facts *facts)
{
    json_t *held = json_array();
    for (size_t i = 0; i < facts->held_count; i++) {
        if (json_array_append_new(held, json_key(&facts->held[i])) != 0) {
            json_decref(held);
            return NULL;
        }
    }
    return held;
}

static json_t *json_age(double age_s)
{
    return age_s < 0 ? json_null() : json_real(age_s);
}

static json_t *json_facts(const struct fleet_facts *facts)
{
    return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:f, s:b, s:b}", "version",
                     json_text(facts->version), "clock", json_text(facts->state), "ready",
                     facts->ready, "issuing",
                     facts->has_keys ? json_key(&facts->issuing) : json_null(), "held",
                     json_held(facts), "provider", json_text(facts->provider), "provider_age",
                     json_age(facts->provider_age_s), "provider_failing", facts->provider_failing,
                     "from_cache", facts->from_cache, "cache_failed", facts->cache_failed);
}

static json_t *json_host(const struct fleet_host *hosts, size_t i)
{
    const struct fleet_host *host = &hosts[i];
    bool dissent = fleet_verdict_is_dissent(host->verdict);
    char key[FLEET_ID_TEXT];
    fleet_id_text(host->key, key);
    return json_pack(
        "{s:o, s:b, s:o, s:s, s:o, s:o, s:o}", "host", json_text(host->name), "reached",
        host->reached, "error", host->reached ? json_null() : json_text(host->why), "verdict",
        fleet_verdict_name(host->verdict), "key", dissent ? json_string(key) : json_null(),
        "against", dissent ? json_text(hosts[host->against].name) : json_null(), "facts",
        host->reached ? json_facts(&host->facts) : json_null());
}

NODISCARD enum nts_err fleet_text_json(const struct fleet_host *hosts, size_t count, FILE *out)
{
    bool agree = true;
    json_t *list = json_array();
    bool bad = list == NULL;
    for (size_t i = 0; i < count; i++) {
        bad = json_array_append_new(list, json_host(hosts, i)) != 0 || bad;
        agree = agree && hosts[i].verdict == FLEET_AGREES;
    }
    json_t *root = json_pack("{s:b, s:o}", "agree", agree, "hosts", list);
    bad = bad || root == NULL || json_dumpf(root, out, JSON_INDENT(2)) != 0;
    json_decref(root);
    (void)fprintf(out, bad ? "" : "\n");
    return bad ? NTS_EINTERNAL : NTS_OK;
}
