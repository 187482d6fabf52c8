/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/pair.h"

#include "tests/unit/certs/material.h"

static enum nts_err parse(const char *cert, const char *key, struct cert_pair *pair,
                          struct cert_fault *fault)
{
    return cert_pair_parse(span_of(cert, strlen(cert)), "chain.pem", span_of(key, strlen(key)),
                           "leaf.key", pair, fault);
}

static void assert_is_zero(const struct cert_pair *pair)
{
    static const struct cert_pair zero;
    cr_assert_eq(memcmp(pair, &zero, sizeof(zero)), 0);
}

struct row {
    enum part cert[6];
    enum part key[4];
    enum cert_fault_kind kind;
    const char *says; /* a piece of the sentence */
};

static const struct row ROWS[] = {
    {{LEAF}, {KEY}, CERT_OK, ""},
    {{LEAF}, {KEY_OLD_FORM}, CERT_OK, ""},
    {{LEAF, INTERMEDIATE}, {KEY}, CERT_OK, ""},
    {{LEAF, INTERMEDIATE, ROOT}, {KEY}, CERT_OK, ""},
    {{TEXT, LEAF, TEXT, INTERMEDIATE, TEXT}, {TEXT, KEY, TEXT}, CERT_OK, ""},
    {{KEY, LEAF, INTERMEDIATE}, {LEAF, INTERMEDIATE, KEY}, CERT_OK, ""},
    {{END}, {KEY}, CERT_EMPTY, "chain.pem: no certificate"},
    {{TEXT}, {KEY}, CERT_EMPTY, "chain.pem: no certificate"},
    {{KEY}, {KEY}, CERT_EMPTY, "chain.pem: no certificate"},
    {{LEAF}, {END}, CERT_EMPTY, "leaf.key: no private key"},
    {{LEAF}, {LEAF}, CERT_EMPTY, "leaf.key: no private key"},
    {{BAD_BASE64}, {KEY}, CERT_MALFORMED, "certificate 1 cannot be decoded"},
    {{BAD_DER}, {KEY}, CERT_MALFORMED, "certificate 1 cannot be decoded"},
    {{LEAF, BAD_DER}, {KEY}, CERT_MALFORMED, "certificate 2 cannot be decoded"},
    {{LEAF, BEGIN_ONLY}, {KEY}, CERT_MALFORMED, "in the middle of certificate 2"},
    {{LEAF, BEGIN_ONLY, LEAF}, {KEY}, CERT_MALFORMED, "damaged at certificate 2"},
    {{LEAF, END_ONLY}, {KEY}, CERT_MALFORMED, "damaged at certificate 2"},
    {{LEAF}, {KEY_BAD_BASE64}, CERT_MALFORMED, "leaf.key: the private key cannot be decoded"},
    {{LEAF}, {BEGIN_ONLY}, CERT_MALFORMED, "in the middle of a private key"},
    {{LEAF}, {KEY_ENCRYPTED}, CERT_KEY_ENCRYPTED, "leaf.key: the private key is encrypted"},
    {{LEAF}, {KEY_ENCRYPTED_OLD_FORM}, CERT_KEY_ENCRYPTED, "passphrase"},
    {{P521}, {KEY_P521}, CERT_KEY_UNSUPPORTED, "leaf.key"},
    {{RSA1024}, {KEY_RSA1024}, CERT_KEY_UNSUPPORTED, "2048"},
    {{LEAF}, {KEY_OTHER}, CERT_KEY_MISMATCH, "leaf.key: the private key is not that of"},
    {{LEAF}, {KEY_DAMAGED}, CERT_KEY_MISMATCH, "damaged"},
    {{RSA1024}, {KEY}, CERT_KEY_MISMATCH, "chain.pem"},
    {{LEAF, ROOT}, {KEY}, CERT_CHAIN_ORDER, "certificate 1 (CN=leaf) is not issued by"},
    {{FORGED_LEAF, INTERMEDIATE}, {KEY}, CERT_CHAIN_ORDER, "certificate 1 (CN=leaf)"},
    {{LEAF, LEAF}, {KEY}, CERT_CHAIN_ORDER, "certificate 2 (CN=leaf)"},
    {{LEAF, OTHER_LEAF, INTERMEDIATE}, {KEY}, CERT_CHAIN_ORDER, "certificate 1"},
    {{INTERMEDIATE, LEAF}, {KEY}, CERT_CHAIN_ORDER, "certificate 1 (CN=intermediate)"},
    {{LEAF, INTERMEDIATE, LEAF}, {KEY}, CERT_CHAIN_ORDER, "certificate 2 (CN=intermediate)"},
    {{BELOW_LEAF, LEAF, INTERMEDIATE}, {KEY_BELOW_LEAF}, CERT_CHAIN_ORDER, "certificate 1"},
    {{NO_NAMES}, {KEY_NO_NAMES}, CERT_NO_NAMES, "chain.pem: the server's certificate has no"},
};

Test(pair, each_fault_has_its_kind_and_sentence)
{
    struct material m;
    material_make(&m);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct cert_pair pair;
        struct cert_fault fault;
        char *cert = material_join(&m, ROWS[i].cert);
        char *key = material_join(&m, ROWS[i].key);
        enum nts_err err = parse(cert, key, &pair, &fault);
        cr_assert_eq(fault.kind, ROWS[i].kind, "row %zu: kind %d: %s", i, (int)fault.kind,
                     fault.text);
        cr_assert_eq(err == NTS_OK, ROWS[i].kind == CERT_OK, "row %zu", i);
        cr_assert_not_null(strstr(fault.text, ROWS[i].says), "row %zu: %s", i, fault.text);
        if (err == NTS_OK) {
            cert_pair_wipe(&pair);
        }
        assert_is_zero(&pair);
        free(cert);
        free(key);
    }
    material_drop(&m);
}

/* However a file is cut, what is left is a fault, but for a cut between two blocks. */
static void cut_everywhere(const char *whole, const char *key, const size_t *between, size_t count)
{
    char *cert = strdup(whole);
    for (size_t n = strlen(cert) - 1; n > 0; n--) {
        struct cert_pair pair;
        struct cert_fault fault;
        cert[n] = '\0';
        enum nts_err err = parse(cert, key, &pair, &fault);
        bool is_between = false;
        for (size_t i = 0; i < count; i++) {
            /* with or without the newline of the END line */
            is_between = is_between || n == between[i] || n == between[i] - 1;
        }
        cr_assert_eq(fault.kind, is_between ? CERT_OK : CERT_MALFORMED, "cut at %zu: %d %s", n,
                     (int)fault.kind, fault.text);
        if (err == NTS_OK) {
            cert_pair_wipe(&pair);
        }
    }
    free(cert);
}

Test(pair, file_cut_short_is_never_a_shorter_chain)
{
    struct material m;
    material_make(&m);
    char *chain = material_join(&m, (enum part[]){LEAF, INTERMEDIATE, ROOT, END});
    size_t leaf = strlen(m.text[LEAF]);
    size_t inter = leaf + strlen(m.text[INTERMEDIATE]);
    cut_everywhere(chain, m.text[KEY], (size_t[]){leaf, inter, strlen(chain)}, 3);
    free(chain);
    material_drop(&m);
}

Test(pair, key_cut_short_is_a_fault)
{
    struct material m;
    material_make(&m);
    for (size_t n = strlen(m.text[KEY]) - 2; n > 0; n--) {
        struct cert_pair pair;
        struct cert_fault fault;
        m.text[KEY][n] = '\0';
        cr_assert_neq(parse(m.text[LEAF], m.text[KEY], &pair, &fault), NTS_OK);
        cr_assert_eq(fault.kind, CERT_MALFORMED, "cut at %zu: %s", n, fault.text);
        assert_is_zero(&pair);
    }
    material_drop(&m);
}

static BIGNUM *secret_number(const EVP_PKEY *key)
{
    BIGNUM *number = NULL;
    cr_assert_eq(EVP_PKEY_get_bn_param(key, "priv", &number), 1);
    return number;
}

/* Every damaged octet of a key file is found, or does no harm. */
Test(pair, key_with_a_changed_octet_is_never_served_wrong)
{
    struct material m;
    material_make(&m);
    size_t n = strlen(m.text[KEY]);
    struct cert_pair pair;
    struct cert_fault fault;
    cr_assert_eq(parse(m.text[LEAF], m.text[KEY], &pair, &fault), NTS_OK);
    BIGNUM *secret = secret_number(pair.key);
    cert_pair_wipe(&pair);
    for (size_t i = 0; i < n; i++) {
        char was = m.text[KEY][i];
        m.text[KEY][i] = was == 'A' ? 'B' : 'A';
        if (parse(m.text[LEAF], m.text[KEY], &pair, &fault) == NTS_OK) {
            BIGNUM *now = secret_number(pair.key);
            cr_assert_eq(BN_cmp(now, secret), 0, "octet %zu", i);
            BN_free(now);
            cert_pair_wipe(&pair);
        }
        m.text[KEY][i] = was;
    }
    BN_free(secret);
    material_drop(&m);
}

Test(pair, too_many_certificates_are_refused)
{
    struct made above[CERT_CHAIN_MAX + 1];
    struct cert_pair pair;
    struct cert_fault fault;
    for (size_t i = 0; i <= CERT_CHAIN_MAX; i++) {
        above[i] = made_ca("authority", i > 0 ? &above[i - 1] : NULL);
    }
    struct made leaf = made_leaf("time.example", "P-256", &above[CERT_CHAIN_MAX]);
    char *key = made_key_text(leaf.key, NULL, false);
    char *text = made_cert_text(leaf.cert);
    for (size_t i = CERT_CHAIN_MAX + 1; i-- > 0;) {
        if (i == 0) {
            cr_assert_eq(parse(text, key, &pair, &fault), NTS_OK, "%s", fault.text);
            cr_assert_eq(pair.chain_count, CERT_CHAIN_MAX);
            cert_pair_wipe(&pair);
        }
        char *cert = made_cert_text(above[i].cert);
        char *more = made_join(text, cert);
        free(cert);
        free(text);
        text = more;
    }
    cr_assert_eq(parse(text, key, &pair, &fault), NTS_EFORMAT);
    cr_assert_eq(fault.kind, CERT_MALFORMED);
    for (size_t i = 0; i <= CERT_CHAIN_MAX; i++) {
        made_free(&above[i]);
    }
    made_free(&leaf);
    free(text);
    free(key);
}

Test(pair, key_kinds_that_are_served)
{
    static const char *const types[] = {"P-256", "P-384", "Ed25519", "RSA"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct cert_pair pair;
        struct cert_fault fault;
        struct made leaf = made_leaf("time.example", types[i], NULL);
        char *cert = made_cert_text(leaf.cert);
        char *key = made_key_text(leaf.key, NULL, false);
        cr_assert_eq(parse(cert, key, &pair, &fault), NTS_OK, "%s: %s", types[i], fault.text);
        cr_assert_str_eq(pair.names, "DNS:time.example");
        cert_pair_wipe(&pair);
        free(cert);
        free(key);
        made_free(&leaf);
    }
}

/* A pair of a leaf with the given validity below a CA of MADE_FROM to MADE_UNTIL. */
static void pair_with_dates(int64_t not_before, int64_t not_after, struct cert_pair *pair)
{
    static const char *const names[] = {"time.example", "*.wild.example"};
    static const char *const ips[] = {"192.0.2.1", "2001:db8::1"};
    const struct cert_request request = {
        .common_name = "leaf",
        .names = names,
        .name_count = 2,
        .ips = ips,
        .ip_count = 2,
        .not_before = not_before,
        .not_after = not_after,
    };
    struct cert_fault fault;
    struct made ca = made_ca("ca", NULL);
    struct made leaf = made_from(&request, "P-256", &ca);
    char *cert = made_cert_text(leaf.cert);
    char *above = made_cert_text(ca.cert);
    char *chain = made_join(cert, above);
    char *key = made_key_text(leaf.key, NULL, false);
    cr_assert_eq(parse(chain, key, pair, &fault), NTS_OK, "%s", fault.text);
    made_free(&ca);
    made_free(&leaf);
    free(cert);
    free(above);
    free(chain);
    free(key);
}

Test(pair, validity_is_the_narrowest_of_the_chain)
{
    const int64_t day = 86400;
    static const struct {
        int64_t from; /* of the leaf, relative to the CA's */
        int64_t until;
        int64_t now; /* days after MADE_FROM */
        enum cert_fault_kind kind;
        const char *says;
    } rows[] = {
        {0, 0, 0, CERT_OK, ""},
        {0, 0, 365, CERT_OK, ""},
        {0, 0, -1, CERT_NOT_YET_VALID,
         "t.pem: certificate 1 (CN=leaf) is not valid before 2026-01"},
        {0, 0, 366, CERT_EXPIRED, "t.pem: certificate 1 (CN=leaf) expired at 2027-01-01T00:00:00Z"},
        {10, -10, 9, CERT_NOT_YET_VALID, "certificate 1"},
        {10, -10, 356, CERT_EXPIRED, "certificate 1"},
        {-10, 10, -1, CERT_NOT_YET_VALID, "certificate 2 (CN=ca)"},
        {-10, 10, 366, CERT_EXPIRED, "certificate 2 (CN=ca)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cert_pair pair;
        struct cert_fault fault;
        int64_t from = MADE_FROM + rows[i].from * day;
        int64_t until = MADE_UNTIL + rows[i].until * day;
        pair_with_dates(from, until, &pair);
        cr_assert_eq(pair.not_before, from > MADE_FROM ? from : MADE_FROM);
        cr_assert_eq(pair.not_after, until < MADE_UNTIL ? until : MADE_UNTIL);
        enum cert_fault_kind kind =
            cert_pair_validity(&pair, "t.pem", MADE_FROM + rows[i].now * day, &fault);
        cr_assert_eq(kind, rows[i].kind, "row %zu: %s", i, fault.text);
        cr_assert_eq(fault.kind, kind);
        cr_assert_not_null(strstr(fault.text, rows[i].says), "row %zu: %s", i, fault.text);
        cert_pair_wipe(&pair);
    }
}

Test(pair, validity_includes_its_first_and_last_second)
{
    struct cert_pair pair;
    struct cert_fault fault;
    pair_with_dates(MADE_FROM, MADE_UNTIL, &pair);
    cr_assert_eq(cert_pair_validity(&pair, "t", MADE_FROM - 1, &fault), CERT_NOT_YET_VALID);
    cr_assert_eq(cert_pair_validity(&pair, "t", MADE_FROM, &fault), CERT_OK);
    cr_assert_eq(cert_pair_validity(&pair, "t", MADE_UNTIL, &fault), CERT_OK);
    cr_assert_eq(cert_pair_validity(&pair, "t", MADE_UNTIL + 1, &fault), CERT_EXPIRED);
    cert_pair_wipe(&pair);
}

Test(pair, names_of_an_sni)
{
    char longest[300];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    const struct {
        const char *name;
        bool matches;
    } rows[] = {
        {"time.example", true},
        {"TIME.Example", true},
        {"a.wild.example", true},
        {"wild.example", false},
        {"a.b.wild.example", false},
        {"xtime.example", false},
        {"", false},
        {".example", false},
        {".time.example", false},
        {"192.0.2.1", false},
        {"time.example.", false},

        {"time.example ", false},
        {"leaf", false},
        {longest, false},
    };
    struct cert_pair pair;
    pair_with_dates(MADE_FROM, MADE_UNTIL, &pair);
    cr_assert_str_eq(pair.names, "DNS:time.example DNS:*.wild.example IP:192.0.2.1 IP:2001:db8::1");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(cert_pair_matches(&pair, rows[i].name), rows[i].matches, "%s", rows[i].name);
    }
    cert_pair_wipe(&pair);
    cert_pair_wipe(&pair);
}
