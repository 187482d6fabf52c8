/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and peers' octets as words. See ntsq_words.h.
 */
#include "tools/ntsq_words.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

static char printable(uint8_t octet)
{
    return octet >= 0x20 && octet < 0x7f ? (char)octet : '?';
}

void ntsq_clean(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < size; n++) {
        out[n] = printable((uint8_t)text[n]);
    }
    out[n] = '\0';
}

void ntsq_reference_code(uint32_t reference_id, char out[static 5])
{
    size_t n = 0;
    for (; n < 4; n++) {
        uint8_t octet = (uint8_t)(reference_id >> (24 - 8 * n));
        if (octet == 0) {
            break;
        }
        out[n] = printable(octet);
    }
    out[n] = '\0';
}

void ntsq_reference_text(const struct ntp_header *header, char out[static NTSQ_REFERENCE_TEXT])
{
    uint32_t id = header->reference_id;
    if (header->stratum <= 1) {
        ntsq_reference_code(id, out);
        return;
    }
    (void)snprintf(out, NTSQ_REFERENCE_TEXT, "%u.%u.%u.%u", id >> 24, id >> 16 & 0xff,
                   id >> 8 & 0xff, id & 0xff);
}

void ntsq_date_text(struct wall_ns wall, char out[static NTSQ_DATE_TEXT])
{
    int64_t s = wall.ns / NS_PER_S;
    int64_t ns = wall.ns % NS_PER_S;
    if (ns < 0) {
        s--;
        ns += NS_PER_S;
    }
    time_t seconds = (time_t)s;
    struct tm tm = {0};
    char date[24] = "?";
    if (gmtime_r(&seconds, &tm) != NULL) {
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    }
    (void)snprintf(out, NTSQ_DATE_TEXT, "%s.%06uZ", date, (unsigned)(ns / 1000));
}

const char *ntsq_ke_error_name(uint16_t error)
{
    switch ((enum ke_error_code)error) {
    case KE_ERROR_UNRECOGNISED_CRITICAL:
        return "unrecognised critical record";
    case KE_ERROR_BAD_REQUEST:
        return "bad request";
    case KE_ERROR_INTERNAL:
        return "internal server error";
    }
    return "unknown";
}

const char *ntsq_aead_name(uint16_t id)
{
    switch (id) {
    case AEAD_AES_SIV_CMAC_256:
        return "AES-SIV-CMAC-256";
    case AEAD_AES_SIV_CMAC_384:
        return "AES-SIV-CMAC-384";
    case AEAD_AES_SIV_CMAC_512:
        return "AES-SIV-CMAC-512";
    case AEAD_AES_128_GCM_SIV:
        return "AES-128-GCM-SIV";
    case AEAD_AES_256_GCM_SIV:
        return "AES-256-GCM-SIV";
    default: /* a registry's number, not an enum of ours */
        return "unknown";
    }
}

static const char *record_name(uint16_t type)
{
    switch ((enum ke_record_type)type) {
    case KE_END_OF_MESSAGE:
        return "End of Message";
    case KE_NEXT_PROTOCOL:
        return "Next Protocol";
    case KE_ERROR:
        return "Error";
    case KE_WARNING:
        return "Warning";
    case KE_AEAD_ALGORITHM:
        return "AEAD Algorithm";
    case KE_NEW_COOKIE:
        return "New Cookie";
    case KE_NTPV4_SERVER:
        return "NTPv4 Server";
    case KE_NTPV4_PORT:
        return "NTPv4 Port";
    case KE_COMPLIANT_GCM_SIV_EXPORTER:
        return "Compliant GCM-SIV Exporter";
    }
    return "unknown";
}

static const char *number_name(uint16_t type, uint16_t value)
{
    if (type == KE_NEXT_PROTOCOL) {
        return value == KE_PROTOCOL_NTPV4 ? "NTPv4" : "unknown";
    }
    if (type == KE_AEAD_ALGORITHM) {
        return ntsq_aead_name(value);
    }
    return type == KE_ERROR ? ntsq_ke_error_name(value) : "";
}

/* "15 AES-SIV-CMAC-256, 30 AES-128-GCM-SIV", as many as there is room for. */
static void numbers_text(const struct ke_record *record, char *out, size_t size)
{
    size_t n = 0;
    struct rd r = rd_init(record->body);
    while (r.left >= 2 && n < size) {
        uint16_t value = rd_u16(&r);
        const char *name = number_name(record->type, value);
        int len = snprintf(out + n, size - n, "%s%u%s%s", n > 0 ? ", " : "", value,
                           name[0] != '\0' ? " " : "", name);
        n += len > 0 ? (size_t)len : 0;
    }
}

void ntsq_record_describe(const struct ke_record *record, struct ntsq_record_text *out)
{
    *out = (struct ntsq_record_text){.name = record_name(record->type)};
    size_t n = record->body.n;
    bool numbers = record->type == KE_NEXT_PROTOCOL || record->type == KE_ERROR ||
                   record->type == KE_WARNING || record->type == KE_AEAD_ALGORITHM ||
                   record->type == KE_NTPV4_PORT;
    if (numbers && n > 0 && n % 2 == 0) {
        numbers_text(record, out->value, sizeof(out->value));
    } else if (record->type == KE_NTPV4_SERVER) {
        for (size_t i = 0; i < n && i + 1 < sizeof(out->value); i++) {
            out->value[i] = printable(record->body.p[i]);
        }
    } else if (numbers) {
        (void)snprintf(out->value, sizeof(out->value), n == 0 ? "none" : "%zu octets", n);
    } else if (n > 0) {
        (void)snprintf(out->value, sizeof(out->value), "%zu octets", n);
    }
}

const char *ntsq_verdict_name(enum query_verdict verdict)
{
    static const char *const names[QUERY_VERDICTS] = {
        [QUERY_OK] = "ok",
        [QUERY_SHORT] = "short",
        [QUERY_NOT_A_REPLY] = "not_a_reply",
        [QUERY_ORIGIN] = "wrong_origin",
        [QUERY_NO_UID] = "no_unique_identifier",
        [QUERY_WRONG_UID] = "wrong_unique_identifier",
        [QUERY_NO_AUTHENTICATOR] = "no_authenticator",
        [QUERY_BAD_FIELD] = "bad_extension_field",
        [QUERY_NOT_AUTHENTIC] = "not_authentic",
        [QUERY_NAK] = "nak",
        [QUERY_KISS] = "kiss",
        [QUERY_UNSYNCHRONISED] = "unsynchronised",
    };
    return verdict < QUERY_VERDICTS ? names[verdict] : "unknown";
}

const char *ntsq_outcome_name(enum ntsq_outcome outcome)
{
    static const char *const names[NTSQ_OUTCOMES] = {
        [NTSQ_LOST] = "lost",
        [NTSQ_ANSWERED] = "answered",
        [NTSQ_UNSYNCHRONISED] = "unsynchronised",
        [NTSQ_REFUSED] = "refused",
        [NTSQ_UNREACHABLE] = "unreachable",
    };
    return outcome < NTSQ_OUTCOMES ? names[outcome] : "unknown";
}

const char *ntsq_stage_name(enum ntsq_stage stage)
{
    static const char *const names[NTSQ_STAGES] = {
        [NTSQ_STAGE_NONE] = "none",      [NTSQ_STAGE_RESOLVE] = "resolve",
        [NTSQ_STAGE_TRUST] = "trust",    [NTSQ_STAGE_KE] = "key_establishment",
        [NTSQ_STAGE_NTP] = "ntp_server", [NTSQ_STAGE_DATES] = "certificate_dates",
    };
    return stage < NTSQ_STAGES ? names[stage] : "unknown";
}
