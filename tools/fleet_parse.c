/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fleet_parse.h.
 */
#include "tools/fleet_parse.h"

#include "tools/metric_line.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum { ID_DIGITS = 6 };

static const char *const ages[FLEET_AGES] = {"next", "0", "1", "2", "3", "4-7", "8+"};
static const char *const naks[FLEET_NAKS] = {"nak_cookie_key", "nak_cookie_auth",
                                             "nak_cookie_format", "nak_request_auth"};

const char *fleet_age_name(size_t i)
{
    return i < FLEET_AGES ? ages[i] : "?";
}

const char *fleet_nak_name(size_t i)
{
    return i < FLEET_NAKS ? naks[i] : "?";
}

static void keep(char to[static FLEET_WORD_MAX], struct span from)
{
    size_t n = from.n < FLEET_WORD_MAX - 1 ? from.n : FLEET_WORD_MAX - 1;
    for (size_t i = 0; i < n; i++) {
        to[i] = (char)(from.p[i] > ' ' && from.p[i] <= '~' ? from.p[i] : '?');
    }
    to[n] = '\0';
}

/* Exactly `n` hexadecimal digits. */
static bool read_hex(struct span text, size_t n, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.n && text.n == n; i++) {
        unsigned digit = (unsigned)text.p[i] - '0';
        unsigned letter = ((unsigned)text.p[i] | 0x20) - 'a';
        if (digit > 9 && letter > 5) {
            return false;
        }
        *value = *value << 4 | (digit <= 9 ? digit : letter + 10);
    }
    return text.n == n;
}

static bool read_key(const struct metric_line *line, struct fleet_key *key)
{
    uint64_t id;
    uint64_t fingerprint;
    if (!read_hex(metric_line_label(line, "id"), ID_DIGITS, &id) ||
        !read_hex(metric_line_label(line, "fingerprint"), sizeof(fingerprint) * 2, &fingerprint)) {
        return false;
    }
    struct wr out = wr_init(key->fingerprint, sizeof(key->fingerprint));
    wr_u64(&out, fingerprint);
    key->id = (uint32_t)id;
    return true;
}

/* The first of two with one id counts, and nothing beyond the room. */
static void hold(struct fleet_facts *facts, const struct fleet_key *key)
{
    for (size_t i = 0; i < facts->held_count; i++) {
        if (facts->held[i].id == key->id) {
            return;
        }
    }
    if (facts->held_count < KEYRING_MAX) {
        facts->held[facts->held_count++] = *key;
    }
}

static void take_key(struct fleet_facts *facts, const struct metric_line *line)
{
    struct fleet_key key;
    if (line->value <= 0 || !read_key(line, &key)) {
        return;
    }
    if (metric_line_is(line, "ntsd_key_held")) {
        hold(facts, &key);
    } else {
        facts->issuing = key;
        facts->has_keys = true;
    }
}

/* Counters by one label. */
static void take_counter(struct fleet_facts *facts, const struct metric_line *line)
{
    struct span age = metric_line_label(line, "age");
    struct span verdict = metric_line_label(line, "verdict");
    for (size_t i = 0; metric_line_is(line, "ntsd_ntp_cookies_opened_total") && i < FLEET_AGES;
         i++) {
        if (span_is(age, ages[i], strlen(ages[i]))) {
            facts->opened[i] = line->value;
        }
    }
    for (size_t i = 0; metric_line_is(line, "ntsd_ntp_datagrams_total") && i < FLEET_NAKS; i++) {
        if (span_is(verdict, naks[i], strlen(naks[i]))) {
            facts->naks[i] = line->value;
        }
    }
}

static void take_number(struct fleet_facts *facts, const struct metric_line *line)
{
    static const struct {
        const char *name;
        size_t offset;
    } numbers[] = {
        {"ntsd_keys_issuing_age_seconds", offsetof(struct fleet_facts, issuing_age_s)},
        {"ntsd_keys_provider_age_seconds", offsetof(struct fleet_facts, provider_age_s)},
        {"ntsd_keys_provider_failing", offsetof(struct fleet_facts, provider_failing)},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (metric_line_is(line, numbers[i].name) && line->value >= 0) {
            memcpy((uint8_t *)facts + numbers[i].offset, &line->value, sizeof(line->value));
        }
    }
    if (metric_line_is(line, "ntsd_keys_from_cache")) {
        facts->from_cache = line->value > 0;
    } else if (metric_line_is(line, "ntsd_keys_cache_failed")) {
        facts->cache_failed = line->value > 0;
    } else if (metric_line_is(line, "ntsd_ready")) {
        facts->ready = facts->ready || line->value > 0;
    }
}

static void take(struct fleet_facts *facts, const struct metric_line *line)
{
    if (metric_line_is(line, "ntsd_build_info")) {
        keep(facts->version, metric_line_label(line, "version"));
    } else if (metric_line_is(line, "ntsd_clock_state") && line->value > 0) {
        keep(facts->state, metric_line_label(line, "state"));
    } else if (metric_line_is(line, "ntsd_keys_provider_info") && line->value > 0) {
        keep(facts->provider, metric_line_label(line, "provider"));
    } else if (metric_line_is(line, "ntsd_key_held") || metric_line_is(line, "ntsd_key_issuing")) {
        take_key(facts, line);
    } else {
        take_number(facts, line);
        take_counter(facts, line);
    }
}

/* What is issued is held, whatever the text says. */
static void settle(struct fleet_facts *facts)
{
    if (!facts->has_keys) {
        facts->held_count = 0;
        return;
    }
    for (size_t i = 0; i < facts->held_count; i++) {
        if (facts->held[i].id == facts->issuing.id) {
            facts->held[i] = facts->issuing;
            return;
        }
    }
    if (facts->held_count == KEYRING_MAX) {
        facts->held_count--;
    }
    facts->held[facts->held_count++] = facts->issuing;
}

NODISCARD enum nts_err fleet_parse(struct span text, struct fleet_facts *facts)
{
    struct rd r = rd_init(text);
    struct metric_line line;
    memset(facts, 0, sizeof(*facts));
    facts->issuing_age_s = -1;
    facts->provider_age_s = -1;
    while (metric_line_next(&r, &line)) {
        take(facts, &line);
    }
    settle(facts);
    return facts->version[0] != '\0' ? NTS_OK : NTS_EFORMAT;
}

bool fleet_is_stale(const struct fleet_facts *facts)
{
    bool asked = facts->provider[0] != '\0' && strcmp(facts->provider, "auto") != 0;
    return asked && (facts->provider_age_s < 0 || facts->provider_age_s > FLEET_STALE_S);
}

void fleet_id_text(uint32_t id, char text[static FLEET_ID_TEXT])
{
    (void)snprintf(text, FLEET_ID_TEXT, "%06" PRIx32, id);
}

void fleet_fingerprint_text(const struct fleet_key *key, char text[static FLEET_FINGERPRINT_TEXT])
{
    for (size_t i = 0; i < sizeof(key->fingerprint); i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", key->fingerprint[i]);
    }
}
