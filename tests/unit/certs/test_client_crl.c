/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/client_crl.h"

#include "tests/unit/certs/fleet.h"
#include "tests/unit/certs/scratch.h"

static struct scratch scratch;
static struct made root;
static struct made other; /* another authority of the same fleet */
static struct made twin;  /* of the same name as root, and not the same key */
static struct made stranger;
static struct made good;
static struct made stolen;

static void set_up(void)
{
    scratch_open(&scratch);
    root = fleet_authority("fleet", NULL);
    other = fleet_authority("factory", NULL);
    twin = fleet_authority("fleet", NULL);
    stranger = fleet_authority("stranger", NULL);
    good = fleet_device("good", &root);
    stolen = fleet_device("stolen", &root);
}

static void tear_down(void)
{
    struct made *all[] = {&root, &other, &twin, &stranger, &good, &stolen};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        made_free(all[i]);
    }
    scratch_close(&scratch);
}

TestSuite(client_crl, .init = set_up, .fini = tear_down);

static void put(const struct fleet_list *list)
{
    FLEET_PUT(&scratch, "crl.pem", fleet_list_text(list));
}

static enum nts_err load(X509 *const *authority, size_t count, struct client_crl *crl,
                         struct cert_fault *fault)
{
    return client_crl_load(scratch_path(&scratch, "crl.pem"), authority, count, crl, fault);
}

/* Of `root` alone; loaded or the test ends. */
static struct client_crl load_good(void)
{
    struct client_crl crl;
    struct cert_fault fault;
    cr_assert_eq(load(&root.cert, 1, &crl, &fault), NTS_OK, "%s", fault.text);
    return crl;
}

static void expect_fault(X509 *const *authority, size_t count, enum cert_fault_kind kind)
{
    struct client_crl crl;
    struct cert_fault fault = {.kind = CERT_OK};
    cr_expect_neq(load(authority, count, &crl, &fault), NTS_OK);
    cr_expect_eq(fault.kind, kind, "%d: %s", fault.kind, fault.text);
    cr_expect_not_null(strstr(fault.text, "crl.pem"), "%s", fault.text);
    cr_expect_eq(crl.count, 0);
    if (scratch_path(&scratch, "crl.pem") != NULL) {
        (void)unlink(scratch.path);
    }
}

Test(client_crl, what_is_listed_is_revoked_and_nothing_else)
{
    put(&(struct fleet_list){.by = &root, .revoked = {stolen.cert}});
    struct client_crl crl = load_good();
    cr_expect_eq(client_crl_judge(&crl, good.cert, root.cert), CLIENT_CRL_GOOD);
    cr_expect_eq(client_crl_judge(&crl, stolen.cert, root.cert), CLIENT_CRL_REVOKED);
    cr_expect_eq(client_crl_judge(&crl, good.cert, other.cert), CLIENT_CRL_MISSING);
    cr_expect_eq(client_crl_judge(&crl, good.cert, twin.cert), CLIENT_CRL_MISSING);
    cr_expect_eq(client_crl_judge(&crl, root.cert, NULL), CLIENT_CRL_MISSING);
    client_crl_wipe(&crl);
    cr_expect_eq(client_crl_judge(&crl, stolen.cert, root.cert), CLIENT_CRL_GOOD, "no lists");
}

Test(client_crl, lists_add_up_and_those_of_strangers_do_not_count)
{
    struct client_ca_info info = {0};
    put(&(struct fleet_list){.by = &stranger, .revoked = {good.cert}});
    put(&(struct fleet_list){.by = &root, .until = 9});
    put(&(struct fleet_list){.by = &root, .revoked = {stolen.cert}, .until = -3});
    put(&(struct fleet_list){.by = &stranger, .delta = true});
    struct client_crl crl = load_good();
    cr_expect_eq(client_crl_judge(&crl, good.cert, root.cert), CLIENT_CRL_GOOD);
    cr_expect_eq(client_crl_judge(&crl, stolen.cert, root.cert), CLIENT_CRL_REVOKED, "overdue");
    client_crl_describe(&crl, &info);
    cr_expect_eq(info.crl_count, 2);
    cr_expect_eq(info.revoked, 1);
    cr_expect(info.crl_until < time(NULL) && info.crl_until > time(NULL) - 4 * FLEET_DAY);
    client_crl_wipe(&crl);
}

Test(client_crl, a_renewed_authority_is_the_same)
{
    struct cert_fault fault;
    const struct cert_request request = {.common_name = "fleet",
                                         .is_ca = true,
                                         .not_before = time(NULL),
                                         .not_after = time(NULL) + 9 * FLEET_DAY};
    X509 *renewed;
    struct client_crl crl;
    cr_assert_eq(cert_issue(&request, root.key, NULL, root.key, &renewed, &fault), NTS_OK);
    X509 *const both[] = {renewed, root.cert};
    put(&(struct fleet_list){.by = &root, .revoked = {stolen.cert}});
    cr_assert_eq(load(both, 2, &crl, &fault), NTS_OK, "%s", fault.text);
    cr_expect_eq(client_crl_judge(&crl, stolen.cert, root.cert), CLIENT_CRL_REVOKED);
    cr_expect_eq(client_crl_judge(&crl, stolen.cert, renewed), CLIENT_CRL_REVOKED);
    client_crl_wipe(&crl);
    X509_free(renewed);
}

/* DER has no marks of begin and end: nothing may follow. */
Test(client_crl, der_is_read_as_well)
{
    X509_CRL *list = fleet_list_make(&(struct fleet_list){.by = &root, .revoked = {stolen.cert}});
    unsigned char *der = NULL;
    int n = i2d_X509_CRL(list, &der);
    cr_assert_gt(n, 100);
    static const struct {
        int more;
        enum cert_fault_kind kind;
    } rows[] = {{0, CERT_OK}, {-1, CERT_MALFORMED}, {-100, CERT_MALFORMED}, {1, CERT_MALFORMED}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        FILE *file = fopen(scratch_path(&scratch, "crl.pem"), "w");
        cr_assert_not_null(file);
        int len = n + (rows[i].more < 0 ? rows[i].more : 0);
        cr_assert_eq(fwrite(der, (size_t)len, 1, file), 1);
        if (rows[i].more > 0) {
            cr_assert_eq(fputc('\n', file), '\n');
        }
        cr_assert_eq(fclose(file), 0);
        if (rows[i].kind != CERT_OK) {
            expect_fault(&root.cert, 1, rows[i].kind);
            continue;
        }
        struct client_crl crl = load_good();
        cr_expect_eq(client_crl_judge(&crl, stolen.cert, root.cert), CLIENT_CRL_REVOKED);
        client_crl_wipe(&crl);
    }
    OPENSSL_free(der);
    X509_CRL_free(list);
}

Test(client_crl, files_with_faults)
{
    static const struct {
        const char *text;
        enum cert_fault_kind kind;
    } rows[] = {
        {"", CERT_CRL},
        {"no PEM in here\n", CERT_CRL},
        {"-----BEGIN X509 CRL-----\nMIIB\n", CERT_MALFORMED},
        {"-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n", CERT_MALFORMED},
        {"-----BEGIN X509 CRL-----\nMII!\n-----END X509 CRL-----\n", CERT_MALFORMED},
    };
    expect_fault(&root.cert, 1, CERT_UNREADABLE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        scratch_put(&scratch, "crl.pem", rows[i].text, O_TRUNC);
        expect_fault(&root.cert, 1, rows[i].kind);
    }
    X509 *const both[] = {root.cert, other.cert};
    put(&(struct fleet_list){.by = &root});
    expect_fault(both, 2, CERT_CRL); /* none of the second authority */
}

Test(client_crl, lists_that_are_not_what_they_have_to_be)
{
    const struct fleet_list rows[] = {
        {.by = &root, .key = stranger.key},
        {.by = &twin},
        {.by = &root, .delta = true},
        {.by = &root, .extension = "critical,onlyCA:TRUE"},
        {.by = &root, .extension = "critical,indirectCRL:TRUE"},
        {.by = &root, .extension = "critical,onlysomereasons:keyCompromise"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put(&rows[i]);
        expect_fault(&root.cert, 1, CERT_CRL);
    }
    put(&(struct fleet_list){.by = &root,
                             .revoked = {stolen.cert},
                             .extension = "critical,fullname:URI:http://a.example/1.crl"});
    struct client_crl crl = load_good();
    cr_expect_eq(client_crl_judge(&crl, stolen.cert, root.cert), CLIENT_CRL_REVOKED);
    client_crl_wipe(&crl);
}
