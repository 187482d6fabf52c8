/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and peers' octets as words.
 */
#include "tools/ntsq_words.h"

#include <criterion/criterion.h>
#include <string.h>

Test(ntsq_words, nothing_a_peer_writes_moves_the_cursor)
{
    char out[16];
    ntsq_clean("a\033[2J\nb\x80\x7f", out, sizeof(out));
    cr_expect_str_eq(out, "a?[2J?b??");
    ntsq_clean("0123456789abcdefgh", out, sizeof(out));
    cr_expect_str_eq(out, "0123456789abcde");
    ntsq_clean("xyz", out, 1);
    cr_expect_str_eq(out, "");
}

Test(ntsq_words, references)
{
    static const struct {
        uint8_t stratum;
        uint32_t id;
        const char *text;
    } cases[] = {
        {0, NTP_KISS_NTSN, "NTSN"},
        {1, 0x47505300, "GPS"},
        {1, 0x4e495354, "NIST"},
        {1, 0, ""},
        {1, 0x1b5b3248, "?[2H"},
        {2, 0xa9fea97b, "169.254.169.123"},
        {15, 0xffffffff, "255.255.255.255"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[NTSQ_REFERENCE_TEXT];
        struct ntp_header header = {.stratum = cases[i].stratum, .reference_id = cases[i].id};
        ntsq_reference_text(&header, text);
        cr_expect_str_eq(text, cases[i].text);
    }
}

Test(ntsq_words, dates)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(1735689600123456789), "2025-01-01T00:00:00.123456Z"},
        {INT64_C(4102444800000000000), "2100-01-01T00:00:00.000000Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[NTSQ_DATE_TEXT];
        ntsq_date_text((struct wall_ns){.ns = cases[i].ns}, text);
        cr_expect_str_eq(text, cases[i].text);
    }
}

static void describe(uint16_t type, const void *body, size_t n, struct ntsq_record_text *out)
{
    const struct ke_record record = {.type = type, .body = span_of(body, n)};
    ntsq_record_describe(&record, out);
}

Test(ntsq_words, records)
{
    static const struct {
        uint16_t type;
        size_t len;
        uint8_t body[8];
        const char *name;
        const char *value;
    } cases[] = {
        {0, 0, {0}, "End of Message", ""},
        {1, 2, {0, 0}, "Next Protocol", "0 NTPv4"},
        {1, 4, {0, 0, 0x80, 1}, "Next Protocol", "0 NTPv4, 32769 unknown"},
        {1, 0, {0}, "Next Protocol", "none"},
        {2, 2, {0, 0}, "Error", "0 unrecognised critical record"},
        {2, 2, {0, 1}, "Error", "1 bad request"},
        {2, 2, {0, 2}, "Error", "2 internal server error"},
        {2, 2, {0, 9}, "Error", "9 unknown"},
        {2, 3, {0, 1, 2}, "Error", "3 octets"},
        {3, 2, {1, 0}, "Warning", "256"},
        {4, 4, {0, 15, 0, 30}, "AEAD Algorithm", "15 AES-SIV-CMAC-256, 30 AES-128-GCM-SIV"},
        {4, 0, {0}, "AEAD Algorithm", "none"},
        {5, 8, {1}, "New Cookie", "8 octets"},
        {6, 5, {'a', '.', 'b', 0x1b, 0}, "NTPv4 Server", "a.b??"},
        {7, 2, {0x2b, 0x73}, "NTPv4 Port", "11123"},
        {1024, 0, {0}, "Compliant GCM-SIV Exporter", ""},
        {16384, 3, {0}, "unknown", "3 octets"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntsq_record_text text;
        describe(cases[i].type, cases[i].body, cases[i].len, &text);
        cr_expect_str_eq(text.name, cases[i].name, "case %zu", i);
        cr_expect_str_eq(text.value, cases[i].value, "case %zu", i);
    }
}

Test(ntsq_words, long_records_are_cut)
{
    static uint8_t body[60000];
    struct ntsq_record_text text;
    memset(body, 'x', sizeof(body));
    for (uint16_t type = 0; type < 8; type++) {
        describe(type, body, sizeof(body), &text);
        cr_expect_lt(strlen(text.value), sizeof(text.value));
    }
}

Test(ntsq_words, every_number_has_a_word)
{
    for (unsigned i = 0; i < QUERY_VERDICTS; i++) {
        cr_expect_not_null(ntsq_verdict_name((enum query_verdict)i));
    }
    for (unsigned i = 0; i < NTSQ_OUTCOMES; i++) {
        cr_expect_not_null(ntsq_outcome_name((enum ntsq_outcome)i));
    }
    for (unsigned i = 0; i < NTSQ_STAGES; i++) {
        cr_expect_not_null(ntsq_stage_name((enum ntsq_stage)i));
    }
    cr_expect_str_eq(ntsq_verdict_name(QUERY_VERDICTS), "unknown");
}

/* What this build offers has the name the registry of algorithms gives it. */
Test(ntsq_words, aead_names_agree_with_the_build)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    cr_assert_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
        cr_expect_str_neq(ntsq_aead_name(all[i]->id), "unknown");
    }
}
