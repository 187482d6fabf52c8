/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTS-KE requests: parsed by the server, written by the client. RFC 8915 section 4.
 *
 * A request can be wrong in several ways at once; the fault reported is the first one in the order
 * of its octets, so that "unknown critical record" (Error 0) and "bad request" (Error 1) never
 * depend on anything behind the fault. What is missing is known at End of Message only. Within one
 * record the order is: not a client's to send, doubled, critical bit, length.
 */
#include "nts-ke/ke_message.h"

#include "common/crypto/aead.h"

/* What a client may send, and in which shape. Bodies are `min` to `max` octets, in whole `unit`s.
 */
struct rule {
    uint16_t type;
    bool must_be_critical;
    uint16_t min;
    uint16_t max;
    uint16_t unit;
};

static const struct rule rules[] = {
    /* §4.1.1: zero-length body, critical bit set */
    {.type = KE_END_OF_MESSAGE, .must_be_critical = true, .min = 0, .max = 0, .unit = 1},
    /* §4.1.2: critical bit set, and "the request MUST list at least one protocol": an empty list
     * is therefore a bad request and not a request without a protocol in common. */
    {.type = KE_NEXT_PROTOCOL, .must_be_critical = true, .min = 2, .max = UINT16_MAX, .unit = 2},
    /* §4.1.5: "in requests, the list MUST include at least one algorithm" */
    {.type = KE_AEAD_ALGORITHM, .must_be_critical = false, .min = 2, .max = UINT16_MAX, .unit = 2},
    /* §4.1.7, §4.1.8: a client's wish, at most one of each; honouring it is optional and we have
     * one answer for everybody, so the contents are not looked at. */
    {.type = KE_NTPV4_SERVER,
     .must_be_critical = false,
     .min = 1,
     .max = KE_SERVER_NAME_MAX,
     .unit = 1},
    {.type = KE_NTPV4_PORT, .must_be_critical = false, .min = 2, .max = 2, .unit = 2},
    {.type = KE_COMPLIANT_GCM_SIV_EXPORTER,
     .must_be_critical = false,
     .min = 0,
     .max = 0,
     .unit = 1},
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

struct progress {
    bool seen[RULES];
    bool ended;
};

static bool list_has(const struct ke_list *list, uint16_t value)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->value[i] == value) {
            return true;
        }
    }
    return false;
}

static void list_read(struct span body, struct ke_list *list)
{
    struct rd r = rd_init(body);
    while (r.left > 0 && list->count < KE_LIST_MAX) {
        list->value[list->count++] = rd_u16(&r);
    }
    list->truncated = r.left > 0;
}

static bool is_never_from_client(uint16_t type)
{
    /* §4.1.3, §4.1.4, §4.1.6: clients MUST NOT send these */
    return type == KE_ERROR || type == KE_WARNING || type == KE_NEW_COOKIE;
}

static enum ke_request_fault judge(const struct ke_record *record, const struct rule *rule,
                                   bool seen)
{
    if (seen) {
        return KE_REQUEST_DUPLICATE;
    }
    if (rule->must_be_critical && !record->critical) {
        return KE_REQUEST_NOT_CRITICAL;
    }
    size_t n = record->body.n;
    bool fits = n >= rule->min && n <= rule->max && n % rule->unit == 0;
    return fits ? KE_REQUEST_OK : KE_REQUEST_BAD_LENGTH;
}

static void take(const struct ke_record *record, struct ke_request *request,
                 struct progress *progress)
{
    if (record->type == KE_END_OF_MESSAGE) {
        progress->ended = true;
    } else if (record->type == KE_NEXT_PROTOCOL) {
        list_read(record->body, &request->protocols);
    } else if (record->type == KE_AEAD_ALGORITHM) {
        list_read(record->body, &request->aeads);
        request->has_aeads = true;
    } else if (record->type == KE_COMPLIANT_GCM_SIV_EXPORTER) {
        request->wants_compliant_gcm_siv = true;
    }
}

static enum ke_request_fault read_record(const struct ke_record *record, struct ke_request *request,
                                         struct progress *progress)
{
    if (is_never_from_client(record->type)) {
        return KE_REQUEST_UNEXPECTED;
    }
    size_t i = 0;
    while (i < RULES && rules[i].type != record->type) {
        i++;
    }
    if (i == RULES) { /* §4: unknown and critical is an error, else ignored */
        return record->critical ? KE_REQUEST_CRITICAL : KE_REQUEST_OK;
    }
    enum ke_request_fault fault = judge(record, &rules[i], progress->seen[i]);
    if (fault != KE_REQUEST_OK) {
        return fault;
    }
    progress->seen[i] = true;
    take(record, request, progress);
    return KE_REQUEST_OK;
}

static enum ke_request_fault read_records(struct rd *r, struct ke_request *request)
{
    struct progress progress = {.ended = false};
    while (!progress.ended) {
        struct ke_record record = ke_record_read(r);
        if (r->bad) {
            return KE_REQUEST_SHORT;
        }
        enum ke_request_fault fault = read_record(&record, request, &progress);
        if (fault != KE_REQUEST_OK) {
            return fault;
        }
    }
    if (request->protocols.count == 0) { /* §4.1.2: exactly once in every request */
        return KE_REQUEST_NO_PROTOCOL;
    }
    if (!request->has_aeads && list_has(&request->protocols, KE_PROTOCOL_NTPV4)) {
        return KE_REQUEST_NO_AEAD; /* §4.1.5: exactly once when NTPv4 is offered */
    }
    /* §4.1.1: End of Message is the final record */
    return rd_end(r) ? KE_REQUEST_OK : KE_REQUEST_TRAILING;
}

const char *ke_request_fault_name(enum ke_request_fault fault)
{
    switch (fault) {
    case KE_REQUEST_OK:
        return "request_ok";
    case KE_REQUEST_CRITICAL:
        return "request_unknown_critical";
    case KE_REQUEST_SHORT:
        return "request_short";
    case KE_REQUEST_TRAILING:
        return "request_trailing";
    case KE_REQUEST_NO_PROTOCOL:
        return "request_no_protocol";
    case KE_REQUEST_NO_AEAD:
        return "request_no_aead";
    case KE_REQUEST_DUPLICATE:
        return "request_duplicate";
    case KE_REQUEST_BAD_LENGTH:
        return "request_bad_length";
    case KE_REQUEST_NOT_CRITICAL:
        return "request_not_critical";
    case KE_REQUEST_UNEXPECTED:
        return "request_unexpected";
    case KE_REQUEST_TOO_LONG:
        return "request_too_long";
    case KE_REQUEST_TIMEOUT:
        return "request_timeout";
    case KE_REQUEST_FAULTS:
        break;
    }
    return NULL;
}

enum ke_error_code ke_request_fault_code(enum ke_request_fault fault)
{
    return fault == KE_REQUEST_CRITICAL ? KE_ERROR_UNRECOGNISED_CRITICAL : KE_ERROR_BAD_REQUEST;
}

enum ke_request_fault ke_request_parse(struct span message, struct ke_request *request)
{
    *request = (struct ke_request){.has_aeads = false};
    struct rd r = rd_init(message);
    enum ke_request_fault fault = read_records(&r, request);
    if (fault != KE_REQUEST_OK) {
        *request = (struct ke_request){.has_aeads = false};
    }
    return fault;
}

void ke_request_write(struct wr *w, const uint16_t *aeads, size_t count)
{
    if (count > KE_LIST_MAX) {
        w->bad = true;
        return;
    }
    uint8_t list[2 * KE_LIST_MAX];
    struct wr body = wr_init(list, sizeof(list));
    bool gcm_siv = false;
    for (size_t i = 0; i < count; i++) {
        wr_u16(&body, aeads[i]);
        gcm_siv = gcm_siv || aeads[i] == AEAD_AES_128_GCM_SIV || aeads[i] == AEAD_AES_256_GCM_SIV;
    }
    ke_record_write_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    ke_record_write(w, true, KE_AEAD_ALGORITHM, wr_done(&body));
    if (gcm_siv) {
        ke_record_write(w, false, KE_COMPLIANT_GCM_SIV_EXPORTER, span_of(NULL, 0));
    }
    ke_record_write(w, true, KE_END_OF_MESSAGE, span_of(NULL, 0));
}
