/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/info.h"

#include "tests/unit/certs/made.h"

#include <openssl/x509v3.h>

static struct made leaf_of(const char *common_name, const char *const *names, size_t count)
{
    const struct cert_request request = {
        .common_name = common_name,
        .names = names,
        .name_count = count,
        .not_before = MADE_FROM,
        .not_after = MADE_UNTIL,
    };
    return made_from(&request, "Ed25519", NULL);
}

Test(info, names_are_cut_to_their_room)
{
    static const char *const names[] = {"a.example", "b.example"};
    static const char whole[] = "DNS:a.example DNS:b.example";
    struct made m = leaf_of("x", names, 2);
    for (size_t cap = 1; cap <= sizeof(whole) + 1; cap++) {
        char text[64];
        memset(text, '#', sizeof(text));
        cr_assert_eq(cert_names_text(m.cert, text, cap), 2);
        cr_assert_eq(text[cap], '#');
        cr_assert(strlen(text) < cap);
        if (cap >= sizeof(whole)) {
            cr_assert_str_eq(text, whole);
        } else if (cap > 3) {
            cr_assert_str_eq(text + strlen(text) - 3, "...", "%zu: %s", cap, text);
        }
    }
    made_free(&m);
}

Test(info, subject_has_no_control_characters)
{
    char text[64];
    char small[8];
    struct made m = leaf_of("a\nb\x1b[2J\xc3\xa4,c", NULL, 0);
    cert_subject_text(m.cert, text, sizeof(text));
    for (const char *c = text; *c != '\0'; c++) {
        cr_assert(*c >= 0x20 && *c < 0x7f, "%s", text);
    }
    cert_issuer_text(m.cert, small, sizeof(small));
    cr_assert_str_eq(small, "...");
    cr_assert_eq(cert_names_text(m.cert, text, sizeof(text)), 0);
    cr_assert_str_eq(text, "");
    made_free(&m);
}

/* A peer's certificate may hold any octets as a name. */
Test(info, names_have_no_control_characters)
{
    char text[64];
    struct made m = leaf_of("x", NULL, 0);
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    cr_assert_eq(ASN1_STRING_set(value, "a\n b\0c", 6), 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, value);
    cr_assert(sk_GENERAL_NAME_push(names, name) > 0);
    cr_assert_eq(X509_add1_ext_i2d(m.cert, NID_subject_alt_name, names, 0, 0), 1);
    cr_assert_eq(cert_names_text(m.cert, text, sizeof(text)), 1);
    cr_assert_str_eq(text, "DNS:a??b?c");
    GENERAL_NAMES_free(names);
    made_free(&m);
}

Test(info, dates)
{
    int64_t from;
    int64_t until;
    struct made m = leaf_of("x", NULL, 0);
    cr_assert(cert_dates(m.cert, &from, &until));
    cr_assert_eq(from, MADE_FROM);
    cr_assert_eq(until, MADE_UNTIL);
    made_free(&m);
}

Test(info, time_texts)
{
    static const struct {
        int64_t time_s;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {MADE_FROM, "2026-01-01T00:00:00Z"},
        {4102444800, "2100-01-01T00:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {INT64_MIN, "?"},
        {INT64_MAX, "?"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[CERT_TIME_TEXT_MAX];
        cert_time_text(rows[i].time_s, text);
        cr_assert_str_eq(text, rows[i].text);
    }
}
