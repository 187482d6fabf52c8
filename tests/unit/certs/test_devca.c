/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/devca.h"

#include "certs/pair.h"
#include "tests/unit/certs/scratch.h"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

static const int64_t NOW = 1800000000;

static X509 *cert_of(const char *path)
{
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file);
    X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
    cr_assert_not_null(cert);
    (void)fclose(file);
    return cert;
}

/* As a client would: the leaf against the CA, for TLS servers, at `now_s`. */
static int verify(struct scratch *s, int64_t now_s)
{
    X509 *ca = cert_of(scratch_path(s, "new/ca.pem"));
    X509 *leaf = cert_of(scratch_path(s, "new/server.pem"));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    cr_assert_eq(X509_STORE_add_cert(store, ca), 1);
    cr_assert_eq(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
    cr_assert_eq(X509_STORE_CTX_set_default(ctx, "ssl_server"), 1);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), now_s);
    (void)X509_verify_cert(ctx);
    int result = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(ca);
    return result;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    return st.st_mode & 07777;
}

Test(devca, files_are_there_and_verify)
{
    struct scratch s;
    struct cert_pair pair;
    struct cert_fault fault;
    char dir[PATH_MAX];
    char key[PATH_MAX];
    scratch_open(&s);
    (void)snprintf(dir, sizeof(dir), "%s/new", s.dir);
    (void)snprintf(key, sizeof(key), "%s/new/server.key", s.dir);
    const struct devca_options options = {.dir = dir, .not_before = NOW};
    (void)umask(022);
    /* The second time the directory and the files are there already. */
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(devca_make(&options, &fault), NTS_OK, "%s", fault.text);
        cr_assert_eq(mode_of(dir), 0755);
        cr_assert_eq(mode_of(key), 0600);
        cr_assert_eq(mode_of(scratch_path(&s, "new/ca.pem")), 0644);
        cr_assert_eq(mode_of(scratch_path(&s, "new/server.pem")), 0644);
        cr_assert_eq(cert_pair_load(s.path, key, &pair, &fault), NTS_OK, "%s", fault.text);
        cr_assert_str_eq(pair.names, "DNS:localhost IP:127.0.0.1 IP:::1");
        cr_assert_eq(pair.chain_count, 0);
        cr_assert_eq(pair.not_before, NOW);
        cr_assert_eq(pair.not_after, NOW + 90 * 86400);
        cert_pair_wipe(&pair);
    }
    cr_assert_eq(verify(&s, NOW + 86400), X509_V_OK);
    cr_assert_eq(verify(&s, NOW - 1), X509_V_ERR_CERT_NOT_YET_VALID);
    cr_assert_eq(verify(&s, NOW + 91 * 86400), X509_V_ERR_CERT_HAS_EXPIRED);
    scratch_close(&s);
}

Test(devca, bad_wishes_leave_no_file)
{
    static const char *const names[] = {"good.example", "bad name"};
    static const char *const ips[] = {"192.0.2.999"};
    struct scratch s;
    struct cert_fault fault;
    scratch_open(&s);
    (void)scratch_path(&s, "new");
    const struct devca_options rows[] = {
        {.dir = s.path, .names = names, .name_count = 2, .not_before = NOW},
        {.dir = s.path, .ips = ips, .ip_count = 1, .not_before = NOW},
        {.dir = s.path, .key_type = "none", .not_before = NOW},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(devca_make(&rows[i], &fault), NTS_EFORMAT);
        cr_assert_neq(access(s.path, F_OK), 0);
    }
    cr_assert_not_null(strstr(fault.text, "none"));
    scratch_close(&s);
}

Test(devca, directory_that_cannot_be_made)
{
    struct scratch s;
    struct cert_fault fault;
    scratch_open(&s);
    const struct devca_options options = {.dir = scratch_path(&s, "a/b"), .not_before = NOW};
    cr_assert_eq(devca_make(&options, &fault), NTS_ESYSTEM);
    cr_assert_eq(fault.kind, CERT_UNREADABLE);
    cr_assert_not_null(strstr(fault.text, "/a/b: cannot be written (No such file"), "%s",
                       fault.text);
    scratch_close(&s);
}
