/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTS-KE responses, the client's side: parsed. ke_response.c writes the same format.
 *
 * Strict: what a server must not send is refused, because a client that shrugs at half an answer
 * may end up asking the wrong host or under the wrong key. RFC 8915 section 4.
 */
#include "nts-ke/ke_message.h"

struct reading {
    struct ke_answer *answer;
    const uint16_t *aeads;
    size_t aead_count;
    bool has_protocol;
    bool has_aead;
    bool has_server;
    bool has_port;
    bool ended;
    const char *why; /* NULL: nothing wrong so far */
};

/* Notes the first thing that is wrong. */
static void demand(struct reading *reading, bool holds, const char *why)
{
    if (!holds && reading->why == NULL) {
        reading->why = why;
    }
}

static uint16_t number(struct span body)
{
    struct rd r = rd_init(body);
    return rd_u16(&r);
}

static void read_protocol(struct reading *reading, const struct ke_record *record)
{
    demand(reading, record->critical, "Next Protocol record without the critical bit");
    demand(reading, !reading->has_protocol, "two Next Protocol records");
    /* RFC 8915 §4.1.2: a subset of what was asked for, and we ask for NTPv4 alone */
    bool none = record->body.n == 0;
    bool ntpv4 = record->body.n == 2 && number(record->body) == KE_PROTOCOL_NTPV4;
    demand(reading, none || ntpv4, "Next Protocol record with a protocol that was not asked for");
    reading->has_protocol = true;
    reading->answer->ntpv4 = ntpv4;
}

static bool is_offered(const struct reading *reading, uint16_t aead)
{
    for (size_t i = 0; i < reading->aead_count; i++) {
        if (reading->aeads[i] == aead) {
            return true;
        }
    }
    return false;
}

static void read_aead(struct reading *reading, const struct ke_record *record)
{
    demand(reading, !reading->has_aead, "two AEAD records");
    demand(reading, record->body.n == 0 || record->body.n == 2, /* §4.1.5: at most one */
           "AEAD record with more than one algorithm");
    uint16_t aead = number(record->body);
    demand(reading, record->body.n == 0 || is_offered(reading, aead),
           "AEAD record with an algorithm that was not offered");
    reading->has_aead = true;
    reading->answer->aead = aead;
}

static void read_code(struct reading *reading, const struct ke_record *record, bool *has,
                      uint16_t *code)
{
    demand(reading, record->critical, "Error or Warning record without the critical bit");
    demand(reading, record->body.n == 2, "Error or Warning record that is not two octets long");
    demand(reading, !*has, "two Error or two Warning records");
    *has = true;
    *code = number(record->body);
}

static void read_server(struct reading *reading, const struct ke_record *record)
{
    struct span name = record->body;
    demand(reading, !reading->has_server, "two NTPv4 Server records");
    demand(reading, name.n > 0 && name.n <= KE_SERVER_NAME_MAX,
           "NTPv4 Server record that is empty or longer than a name can be");
    reading->has_server = true;
    for (size_t i = 0; i < name.n; i++) { /* §4.1.7: ASCII, and neither names nor addresses have
                                             blanks or control characters */
        demand(reading, name.p[i] > ' ' && name.p[i] < 0x7f,
               "NTPv4 Server record that is neither a name nor an address");
    }
    if (reading->why == NULL) {
        memcpy(reading->answer->server, name.p, name.n);
    }
}

static void read_port(struct reading *reading, const struct ke_record *record)
{
    demand(reading, !reading->has_port, "two NTPv4 Port records");
    demand(reading, record->body.n == 2, "NTPv4 Port record that is not two octets long");
    reading->has_port = true;
    reading->answer->port = number(record->body);
    demand(reading, reading->answer->port != 0, "NTPv4 Port record with port 0");
}

static void read_cookie(struct reading *reading, const struct ke_record *record)
{
    struct ke_answer *answer = reading->answer;
    demand(reading, record->body.n > 0, "an empty cookie");
    if (answer->cookie_count < KE_COOKIES) {
        answer->cookie[answer->cookie_count++] = record->body;
    }
}

static void read_end(struct reading *reading, const struct ke_record *record)
{
    demand(reading, record->critical, "End of Message record without the critical bit");
    demand(reading, record->body.n == 0, "End of Message record with a body");
    reading->ended = true;
}

static void read_record(struct reading *reading, const struct ke_record *record)
{
    struct ke_answer *answer = reading->answer;
    switch (record->type) {
    case KE_END_OF_MESSAGE:
        read_end(reading, record);
        break;
    case KE_NEXT_PROTOCOL:
        read_protocol(reading, record);
        break;
    case KE_ERROR:
        read_code(reading, record, &answer->has_error, &answer->error);
        break;
    case KE_WARNING:
        read_code(reading, record, &answer->has_warning, &answer->warning);
        break;
    case KE_AEAD_ALGORITHM:
        read_aead(reading, record);
        break;
    case KE_NEW_COOKIE:
        read_cookie(reading, record);
        break;
    case KE_NTPV4_SERVER:
        read_server(reading, record);
        break;
    case KE_NTPV4_PORT:
        read_port(reading, record);
        break;
    case KE_COMPLIANT_GCM_SIV_EXPORTER:
        demand(reading, record->body.n == 0, "record 1024 with a body");
        answer->compliant_gcm_siv = true;
        break;
    default: /* any other of 32768 types; §4: unknown and critical is an error, else ignored */
        demand(reading, !record->critical, "an unknown record that is marked critical");
        break;
    }
}

static void check_whole(struct reading *reading)
{
    const struct ke_answer *answer = reading->answer;
    /* §4.1.4: unrecognised warning codes MUST be treated as errors, and none is assigned */
    demand(reading, answer->has_error || !answer->has_warning, "a warning of unknown meaning");
    if (answer->has_error) {
        return;
    }
    demand(reading, reading->has_protocol, "no Next Protocol record");
    if (!answer->ntpv4) {
        return;
    }
    demand(reading, reading->has_aead, "NTPv4 without an AEAD record");
    demand(reading, answer->aead == 0 || answer->cookie_count > 0, "no cookie");
}

NODISCARD enum nts_err ke_answer_parse(struct span message, const uint16_t *aeads, size_t count,
                                       struct ke_answer *answer, const char **why)
{
    *answer = (struct ke_answer){.port = KE_NTP_PORT_DEFAULT};
    struct reading reading = {.answer = answer, .aeads = aeads, .aead_count = count};
    struct rd r = rd_init(message);
    while (!reading.ended && reading.why == NULL) {
        struct ke_record record = ke_record_read(&r);
        if (r.bad) {
            demand(&reading, false, "it ends before its End of Message record");
            break;
        }
        read_record(&reading, &record);
    }
    demand(&reading, rd_end(&r), "data after the End of Message record");
    check_whole(&reading);
    *why = reading.why;
    if (reading.why == NULL) {
        return NTS_OK;
    }
    bool has_warning = answer->has_warning;
    uint16_t warning = answer->warning;
    *answer = (struct ke_answer){.has_warning = has_warning, .warning = warning};
    return NTS_EFORMAT;
}
