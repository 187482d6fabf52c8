/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate authority for development. See devca.h.
 */
#include "certs/devca.h"

#include "certs/issue.h"
#include "common/base/file.h"
#include "common/base/secret.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/stat.h>

enum { DAY_S = 86400 };

static const char *const LOCAL_NAMES[] = {"localhost"};
static const char *const LOCAL_IPS[] = {"127.0.0.1", "::1"};

struct authority {
    EVP_PKEY *ca_key;
    X509 *ca;
    EVP_PKEY *key;
    X509 *leaf;
};

static void authority_free(struct authority *a)
{
    EVP_PKEY_free(a->ca_key);
    X509_free(a->ca);
    EVP_PKEY_free(a->key);
    X509_free(a->leaf);
}

static enum nts_err make_ca(const struct devca_options *options, struct authority *a,
                            struct cert_fault *fault)
{
    const struct cert_request request = {
        .common_name = "ntsd development CA",
        .is_ca = true,
        .not_before = options->not_before,
        .not_after = options->not_before + (int64_t)DEVCA_CA_DAYS * DAY_S,
    };
    TRY(cert_key_new("P-256", &a->ca_key, fault));
    return cert_issue(&request, a->ca_key, NULL, a->ca_key, &a->ca, fault);
}

static enum nts_err make_leaf(const struct devca_options *options, struct authority *a,
                              struct cert_fault *fault)
{
    bool local = options->name_count + options->ip_count == 0;
    int64_t days = options->days != 0 ? options->days : DEVCA_DAYS;
    const struct cert_request request = {
        .common_name = "ntsd development server",
        .names = local ? LOCAL_NAMES : options->names,
        .name_count = local ? sizeof(LOCAL_NAMES) / sizeof(LOCAL_NAMES[0]) : options->name_count,
        .ips = local ? LOCAL_IPS : options->ips,
        .ip_count = local ? sizeof(LOCAL_IPS) / sizeof(LOCAL_IPS[0]) : options->ip_count,
        .not_before = options->not_before,
        .not_after = options->not_before + days * DAY_S,
    };
    TRY(cert_key_new(options->key_type != NULL ? options->key_type : "P-256", &a->key, fault));
    return cert_issue(&request, a->key, a->ca, a->ca_key, &a->leaf, fault);
}

static enum nts_err unwritable(const char *path, struct cert_fault *fault)
{
    return cert_fault_set(fault, CERT_UNREADABLE,
                          "%s: cannot be written (%m): choose a directory that you may write to",
                          path);
}

static enum nts_err replace(const char *dir, const char *name, const struct wr *text, mode_t mode,
                            struct cert_fault *fault)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return unwritable(dir, fault);
    }
    return file_replace(path, wr_done(text), mode) == NTS_OK ? NTS_OK : unwritable(path, fault);
}

static enum nts_err store_cert(const char *dir, const char *name, const X509 *cert,
                               struct cert_fault *fault)
{
    uint8_t bytes[CERT_PEM_MAX];
    struct wr text = wr_init(bytes, sizeof(bytes));
    if (cert_write_pem(cert, &text) != NTS_OK) {
        return cert_fault_set(fault, CERT_INTERNAL, "%s/%s: cannot be encoded", dir, name);
    }
    return replace(dir, name, &text, 0644, fault);
}

static enum nts_err store_key(const char *dir, const EVP_PKEY *key, struct cert_fault *fault)
{
    uint8_t bytes[CERT_PEM_MAX];
    struct wr text = wr_init(bytes, sizeof(bytes));
    enum nts_err err = cert_key_write_pem(key, &text);
    err = err == NTS_OK ? replace(dir, "server.key", &text, 0600, fault)
                        : cert_fault_set(fault, CERT_INTERNAL, "%s: no key encoded", dir);
    wipe(bytes, sizeof(bytes));
    return err;
}

/* The key first: who sees a new certificate finds its key in place. */
static enum nts_err store(const char *dir, const struct authority *a, struct cert_fault *fault)
{
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
        return unwritable(dir, fault);
    }
    TRY(store_key(dir, a->key, fault));
    TRY(store_cert(dir, "server.pem", a->leaf, fault));
    return store_cert(dir, "ca.pem", a->ca, fault);
}

NODISCARD enum nts_err devca_make(const struct devca_options *options, struct cert_fault *fault)
{
    struct authority a = {0};
    *fault = (struct cert_fault){0};
    enum nts_err err = make_ca(options, &a, fault);
    if (err == NTS_OK) {
        err = make_leaf(options, &a, fault);
    }
    if (err == NTS_OK) {
        err = store(options->dir, &a, fault);
    }
    authority_free(&a);
    return err;
}
