/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/issue.h"

#include "certs/info.h"
#include "tests/unit/certs/made.h"

static enum nts_err issue_name(const char *dns, const char *ip, struct cert_fault *fault)
{
    const struct cert_request request = {
        .common_name = "x",
        .names = &dns,
        .name_count = dns != NULL ? 1 : 0,
        .ips = &ip,
        .ip_count = ip != NULL ? 1 : 0,
        .not_before = MADE_FROM,
        .not_after = MADE_UNTIL,
    };
    EVP_PKEY *key = made_key("Ed25519");
    X509 *cert;
    enum nts_err err = cert_issue(&request, key, NULL, key, &cert, fault);
    cr_assert_eq(err == NTS_OK, cert != NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
    return err;
}

Test(issue, names_that_can_be_and_cannot_be)
{
    static const char label63[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const char label64[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const struct {
        const char *dns;
        const char *ip;
        bool good;
    } rows[] = {
        {"localhost", NULL, true},
        {"a-b.example", NULL, true},
        {"*.example", NULL, true},
        {"_x.example", NULL, true},
        {label63, NULL, true},
        {label64, NULL, false},
        {"", NULL, false},
        {".example", NULL, false},
        {"example.", NULL, false},
        {"a..b", NULL, false},
        {"*", NULL, false},
        {"a.*.example", NULL, false},
        {"a b", NULL, false},
        {"a,DNS:b", NULL, false},
        {"a\n", NULL, false},
        {"192.0.2.1", NULL, false},
        {"::1", NULL, false},
        {NULL, "192.0.2.1", true},
        {NULL, "2001:db8::1", true},
        {NULL, "192.0.2", false},
        {NULL, "192.0.2.256", false},
        {NULL, "localhost", false},
        {NULL, "", false},
        {NULL, "1.2.3.4,DNS:b", false},
        {NULL, "2001:db8:::1", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cert_fault fault = {0};
        enum nts_err err = issue_name(rows[i].dns, rows[i].ip, &fault);
        cr_assert_eq(err, rows[i].good ? NTS_OK : NTS_EFORMAT, "row %zu: %s", i, fault.text);
        cr_assert(rows[i].good || fault.kind == CERT_MALFORMED);
    }
}

Test(issue, unknown_kind_of_key)
{
    struct cert_fault fault;
    EVP_PKEY *key;
    cr_assert_eq(cert_key_new("DSA", &key, &fault), NTS_EFORMAT);
    cr_assert_eq(fault.kind, CERT_KEY_UNSUPPORTED);
    cr_assert_null(key);
}

Test(issue, serials_have_128_bits_and_differ)
{
    struct made a = made_ca("a", NULL);
    struct made b = made_ca("b", NULL);
    const ASN1_INTEGER *of_a = X509_get0_serialNumber(a.cert);
    const ASN1_INTEGER *of_b = X509_get0_serialNumber(b.cert);
    cr_assert_eq(ASN1_STRING_length(of_a), 16);
    cr_assert_eq(ASN1_STRING_length(of_b), 16);
    cr_assert_neq(ASN1_INTEGER_cmp(of_a, of_b), 0);
    made_free(&a);
    made_free(&b);
}

Test(issue, text_that_does_not_fit)
{
    struct made m = made_ca("a", NULL);
    uint8_t bytes[64];
    struct wr out = wr_init(bytes, sizeof(bytes));
    cr_assert_eq(cert_write_pem(m.cert, &out), NTS_ESPACE);
    out = wr_init(bytes, sizeof(bytes));
    cr_assert_eq(cert_key_write_pem(m.key, &out), NTS_ESPACE);
    made_free(&m);
}
