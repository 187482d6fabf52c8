/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report for machines. See ntsq_json.h.
 */
#include "tools/ntsq_json.h"

#include "tools/ntsq_words.h"

#include <jansson.h>

/* The JSON library takes NULL for a value or an object and reports failure: so all members are
 * added without a test, and `bad` is tested once at the end, as with a cursor. */
struct object {
    json_t *json;
    bool *bad;
};

static void put(struct object o, const char *key, json_t *value)
{
    if (json_object_set_new(o.json, key, value) != 0) {
        *o.bad = true;
    }
}

static void append(json_t *array, json_t *value, bool *bad)
{
    if (json_array_append_new(array, value) != 0) {
        *bad = true;
    }
}

static void put_text(struct object o, const char *key, const char *text)
{
    char clean[1024];
    ntsq_clean(text, clean, sizeof(clean)); /* and so it is UTF-8 */
    put(o, key, json_string(clean));
}

static void put_count(struct object o, const char *key, uint64_t count)
{
    put(o, key, json_integer((json_int_t)count));
}

static void put_seconds(struct object o, const char *key, int64_t ns)
{
    put(o, key, json_real((double)ns / 1e9));
}

static void put_bool(struct object o, const char *key, bool value)
{
    put(o, key, json_boolean(value));
}

static void put_addr(struct object o, const char *key, const struct net_addr *addr)
{
    char text[NET_ADDR_TEXT_MAX];
    net_addr_format(addr, text);
    put_text(o, key, text);
}

static void put_date(struct object o, const char *key, struct wall_ns wall)
{
    char text[NTSQ_DATE_TEXT];
    ntsq_date_text(wall, text);
    put_text(o, key, text);
}

/* A new object that is already a member of `o`. */
static struct object put_object(struct object o, const char *key)
{
    json_t *json = json_object();
    bool failed = json_object_set_new(o.json, key, json) != 0; /* frees `json` then */
    *o.bad = *o.bad || failed;
    return (struct object){.json = failed ? NULL : json, .bad = o.bad};
}

static json_t *put_array(struct object o, const char *key)
{
    json_t *json = json_array();
    bool failed = json_object_set_new(o.json, key, json) != 0;
    *o.bad = *o.bad || failed;
    return failed ? NULL : json;
}

static struct object append_object(json_t *array, bool *bad)
{
    json_t *json = json_object();
    bool failed = json_array_append_new(array, json) != 0;
    *bad = *bad || failed;
    return (struct object){.json = failed ? NULL : json, .bad = bad};
}

static void put_resolved(struct object root, const struct ntsq_facts *facts)
{
    json_t *list = put_array(root, "resolved");
    for (size_t i = 0; i < facts->resolved.count; i++) {
        char text[NET_ADDR_TEXT_MAX];
        net_addr_format(&facts->resolved.addr[i], text);
        append(list, json_string(text), root.bad);
    }
}

static void put_tls(struct object root, const struct ntsq_facts *facts)
{
    const struct tls_client_info *tls = &facts->ke->tls;
    if (tls->version[0] == '\0') {
        return;
    }
    struct object o = put_object(root, "tls");
    put_text(o, "version", tls->version);
    put_text(o, "group", tls->group);
    put_text(o, "cipher", tls->cipher);
    put_text(o, "names", tls->names);
    put_text(o, "issuer", tls->issuer);
    put_date(o, "not_after", (struct wall_ns){.ns = tls->not_after * NS_PER_S});
    if (!facts->options->no_clock) {
        put(o, "days_left",
            json_integer((json_int_t)((tls->not_after - facts->started.ns / NS_PER_S) / 86400)));
    }
}

static void put_records(struct object ke, struct span message)
{
    json_t *list = put_array(ke, "records");
    struct rd r = rd_init(message);
    while (r.left > 0) {
        struct ke_record record = ke_record_read(&r);
        if (r.bad) {
            break;
        }
        struct ntsq_record_text words;
        ntsq_record_describe(&record, &words);
        struct object o = append_object(list, ke.bad);
        put_count(o, "type", record.type);
        put_text(o, "name", words.name);
        put_bool(o, "critical", record.critical);
        put_count(o, "length", record.body.n);
        if (words.value[0] != '\0') {
            put_text(o, "value", words.value);
        }
    }
}

/* Zero: it did not come to that. */
static void put_moment(struct object o, const char *key, double ms)
{
    if (ms > 0) {
        put(o, key, json_real(ms / 1e3));
    }
}

static void put_ke(struct object root, const struct ntsq_facts *facts)
{
    const struct ke_client_result *ke = facts->ke;
    const struct ke_answer *answer = &ke->answer;
    struct object o = put_object(root, "ke");
    put_addr(o, "server", &facts->ke_addr);
    put_count(o, "exchanges", facts->ke_exchanges);
    put_moment(o, "connect_s", ke->connect_ms);
    put_moment(o, "tls_s", ke->tls_ms);
    put_moment(o, "total_s", ke->total_ms);
    put_records(o, span_of(ke->message, ke->message_len));
    if (answer->has_error) {
        put_count(o, "error", answer->error);
        put_text(o, "error_name", ntsq_ke_error_name(answer->error));
    }
    if (answer->has_warning) {
        put_count(o, "warning", answer->warning);
    }
    if (answer->aead != 0) {
        put_count(o, "aead", answer->aead);
        put_text(o, "aead_name", ntsq_aead_name(answer->aead));
        put_count(o, "cookies", ke->cookie_count);
    }
}

/* The header of a reply that was accepted. */
static void put_header(struct object o, const struct ntp_header *header)
{
    char reference[NTSQ_REFERENCE_TEXT];
    ntsq_reference_text(header, reference);
    put_count(o, "leap", header->leap);
    put_count(o, "version", header->version);
    put_count(o, "stratum", header->stratum);
    put(o, "poll", json_integer(header->poll));
    put(o, "precision", json_integer(header->precision));
    put_seconds(o, "root_delay_s", ntp_short_to_ns(header->root_delay));
    put_seconds(o, "root_dispersion_s", ntp_short_to_ns(header->root_dispersion));
    put_text(o, "reference", reference);
}

static void put_reply(struct object o, const struct ntsq_facts *facts, const struct ntsq_sample *s)
{
    put_seconds(o, "offset_s", s->times.offset_ns);
    put_seconds(o, "delay_s", s->times.delay_ns);
    put_header(o, &s->header);
    put_date(o, "received", s->received);
    put_bool(o, "kernel_stamp", s->kernel_stamp);
    put_count(o, "reply_octets", s->reply_len);
    if (!facts->options->plain) {
        put_count(o, "new_cookies", s->cookies_received);
    }
}

static void put_sample(struct object o, const struct ntsq_facts *facts, const struct ntsq_sample *s)
{
    bool accepted = s->outcome == NTSQ_ANSWERED || s->outcome == NTSQ_UNSYNCHRONISED;
    put_text(o, "outcome", ntsq_outcome_name(s->outcome));
    put_bool(o, "authenticated", accepted && !facts->options->plain);
    put_count(o, "tries", s->tries);
    put_bool(o, "new_keys", s->new_keys);
    put_count(o, "late", s->late);
    put_count(o, "foreign", s->foreign);
    put_date(o, "sent", s->sent);
    put_count(o, "request_octets", s->request_len);
    if (!facts->options->plain) {
        put_count(o, "placeholders", s->placeholders);
        put_count(o, "cookies_left", s->cookies_left);
    }
    if (s->outcome == NTSQ_REFUSED) {
        put_text(o, "refusal", ntsq_verdict_name(s->verdict));
    }
    if (s->outcome == NTSQ_REFUSED && s->verdict == QUERY_KISS) {
        char code[5];
        ntsq_reference_code(s->header.reference_id, code);
        put_text(o, "kiss", code);
    }
    if (s->outcome == NTSQ_UNREACHABLE) {
        put_count(o, "errno", (uint64_t)s->system_error);
    }
    if (accepted) {
        put_reply(o, facts, s);
    }
}

static void put_summary(struct object root, const struct ntsq_summary *s)
{
    struct object o = put_object(root, "summary");
    put_count(o, "sent", s->sent);
    for (unsigned i = 0; i < NTSQ_OUTCOMES; i++) {
        put_count(o, ntsq_outcome_name((enum ntsq_outcome)i), s->outcome[i]);
    }
    put_count(o, "late", s->late);
    put_count(o, "foreign", s->foreign);
    if (s->outcome[NTSQ_ANSWERED] > 0) {
        put_seconds(o, "delay_min_s", s->delay_min_ns);
        put_seconds(o, "delay_median_s", s->delay_median_ns);
        put_seconds(o, "delay_max_s", s->delay_max_ns);
        put_seconds(o, "offset_min_s", s->offset_min_ns);
        put_seconds(o, "offset_median_s", s->offset_median_ns);
        put_seconds(o, "offset_max_s", s->offset_max_ns);
    }
}

static void put_dates(struct object root, const struct ntsq_facts *facts)
{
    static const char *const names[] = {
        [NTSQ_DATES_AT_HANDSHAKE] = "local_clock",
        [NTSQ_DATES_PENDING] = "not_checked",
        [NTSQ_DATES_HOLD] = "hold",
        [NTSQ_DATES_FAIL] = "fail",
    };
    struct object o = put_object(root, "certificate_dates");
    put_text(o, "checked", names[facts->dates]);
    if (facts->dates == NTSQ_DATES_HOLD || facts->dates == NTSQ_DATES_FAIL) {
        put_date(o, "at", facts->dates_at);
    }
}

static void put_failure(struct object root, const struct ntsq_failure *failure)
{
    if (failure->stage != NTSQ_STAGE_NONE) {
        struct object o = put_object(root, "failure");
        put_text(o, "stage", ntsq_stage_name(failure->stage));
        put_text(o, "text", failure->text);
    }
}

static void put_all(struct object root, const struct ntsq_facts *facts,
                    const struct ntsq_summary *summary, const struct ntsq_verdict *verdict)
{
    put_text(root, "host", facts->options->host);
    put_bool(root, "ok", verdict->ok);
    put_bool(root, "authenticated", verdict->authenticated);
    put_text(root, "verdict", verdict->text);
    if (verdict->hint != NULL) {
        put_text(root, "hint", verdict->hint);
    }
    put_failure(root, &facts->failure);
    put_resolved(root, facts);
    if (facts->ke != NULL) {
        put_tls(root, facts);
        put_dates(root, facts);
        put_ke(root, facts);
    }
    if (facts->has_server) {
        put_addr(root, "ntp_server", &facts->server);
    }
    json_t *samples = put_array(root, "samples");
    for (size_t i = 0; i < facts->sample_count; i++) {
        put_sample(append_object(samples, root.bad), facts, &facts->sample[i]);
    }
    put_summary(root, summary);
}

NODISCARD enum nts_err ntsq_json_write(FILE *out, const struct ntsq_facts *facts,
                                       const struct ntsq_summary *summary,
                                       const struct ntsq_verdict *verdict)
{
    json_t *json = json_object();
    bool bad = json == NULL;
    put_all((struct object){.json = json, .bad = &bad}, facts, summary, verdict);
    enum nts_err err = bad ? NTS_EINTERNAL : NTS_OK;
    if (err == NTS_OK && (json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) != 0 ||
                          fputc('\n', out) == EOF)) {
        err = NTS_ESYSTEM;
    }
    json_decref(json);
    return err;
}
