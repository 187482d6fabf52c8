/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes keys and certificates. See issue.h.
 */
#include "certs/issue.h"

#include "certs/info.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { SERIAL_LEN = 16, DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63 };

struct key_type {
    const char *word;
    const char *algorithm;
    const char *curve; /* of "EC" */
    size_t bits;       /* of "RSA" */
};

static const struct key_type KEY_TYPES[] = {
    {"P-256", "EC", "P-256", 0},     {"P-384", "EC", "P-384", 0}, {"P-521", "EC", "P-521", 0},
    {"Ed25519", "ED25519", NULL, 0}, {"RSA", "RSA", NULL, 2048},  {"RSA-1024", "RSA", NULL, 1024},
};

static EVP_PKEY *key_make(const struct key_type *type)
{
    if (type->curve != NULL) {
        return EVP_PKEY_Q_keygen(NULL, NULL, type->algorithm, type->curve);
    }
    if (type->bits != 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, type->algorithm, type->bits);
    }
    return EVP_PKEY_Q_keygen(NULL, NULL, type->algorithm);
}

NODISCARD enum nts_err cert_key_new(const char *type, EVP_PKEY **key, struct cert_fault *fault)
{
    *key = NULL;
    for (size_t i = 0; i < sizeof(KEY_TYPES) / sizeof(KEY_TYPES[0]); i++) {
        if (strcmp(type, KEY_TYPES[i].word) != 0) {
            continue;
        }
        *key = key_make(&KEY_TYPES[i]);
        if (*key == NULL) {
            return cert_fault_set(fault, CERT_INTERNAL, "no %s key: %s", type,
                                  cert_library_reason());
        }
        return NTS_OK;
    }
    return cert_fault_set(fault, CERT_KEY_UNSUPPORTED,
                          "no such kind of key: %s: use P-256, P-384, Ed25519 or RSA", type);
}

/* Letters, digits, hyphens and underscores in labels; a wildcard may be the whole first label. */
static bool is_dns_name(const char *name)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    struct in_addr v4;
    if (strnlen(name, DNS_NAME_MAX + 1) > DNS_NAME_MAX || inet_pton(AF_INET, name, &v4) == 1) {
        return false;
    }
    const char *label = strncmp(name, "*.", 2) == 0 ? name + 2 : name;
    for (;;) {
        size_t n = strspn(label, chars);
        if (n == 0 || n > DNS_LABEL_MAX || (label[n] != '.' && label[n] != '\0')) {
            return false;
        }
        if (label[n] == '\0') {
            return true;
        }
        label += n + 1;
    }
}

/* Takes over `value`. */
static bool push_name(GENERAL_NAMES *list, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (name == NULL || value == NULL) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(list, name) == 0) {
        GENERAL_NAME_free(name);
        return false;
    }
    return true;
}

static enum nts_err push_dns(GENERAL_NAMES *list, const char *dns, struct cert_fault *fault)
{
    if (!is_dns_name(dns)) {
        return cert_fault_set(fault, CERT_MALFORMED, "not a DNS name: %s", dns);
    }
    ASN1_STRING *value = ASN1_IA5STRING_new();
    if (value == NULL || ASN1_STRING_set(value, dns, -1) != 1) {
        ASN1_STRING_free(value);
        value = NULL;
    }
    return push_name(list, GEN_DNS, value) ? NTS_OK
                                           : cert_fault_set(fault, CERT_INTERNAL, "out of memory");
}

static enum nts_err push_ip(GENERAL_NAMES *list, const char *ip, struct cert_fault *fault)
{
    ASN1_OCTET_STRING *value = a2i_IPADDRESS(ip);
    if (value == NULL) {
        ERR_clear_error();
        return cert_fault_set(fault, CERT_MALFORMED, "not an IP address: %s", ip);
    }
    return push_name(list, GEN_IPADD, value)
               ? NTS_OK
               : cert_fault_set(fault, CERT_INTERNAL, "out of memory");
}

static enum nts_err fill_names(const struct cert_request *request, GENERAL_NAMES *list,
                               struct cert_fault *fault)
{
    for (size_t i = 0; i < request->name_count; i++) {
        TRY(push_dns(list, request->names[i], fault));
    }
    for (size_t i = 0; i < request->ip_count; i++) {
        TRY(push_ip(list, request->ips[i], fault));
    }
    return NTS_OK;
}

static enum nts_err add_names(const struct cert_request *request, X509 *cert,
                              struct cert_fault *fault)
{
    if (request->name_count + request->ip_count == 0) {
        return NTS_OK;
    }
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    enum nts_err err = list != NULL ? fill_names(request, list, fault)
                                    : cert_fault_set(fault, CERT_INTERNAL, "out of memory");
    if (err == NTS_OK && X509_add1_ext_i2d(cert, NID_subject_alt_name, list, 0, 0) != 1) {
        err = cert_fault_set(fault, CERT_INTERNAL, "names: %s", cert_library_reason());
    }
    GENERAL_NAMES_free(list);
    return err;
}

static bool set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_LEN];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return false;
    }
    /* RFC 5280 section 4.1.2.2: positive; and as long as it looks. */
    bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
    BIGNUM *serial = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool good = serial != NULL && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL;
    BN_free(serial);
    return good;
}

static bool set_subject(const struct cert_request *request, X509 *cert, EVP_PKEY *key)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)request->common_name, -1, -1,
                                      0) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(cert), request->not_before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), request->not_after) != NULL &&
           X509_set_pubkey(cert, key) == 1;
}

struct extension {
    int nid;
    const char *value;
};

/* RFC 5280 section 4.2.1; the subject key identifier comes first, a self-signed certificate's
 * authority key identifier is made of it. */
static const struct extension CA_EXTENSIONS[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
};
static const struct extension SERVER_EXTENSIONS[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {NID_ext_key_usage, "serverAuth"},
};

static const struct extension CLIENT_EXTENSIONS[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {NID_ext_key_usage, "clientAuth"},
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool add_extensions(X509 *cert, X509 *issuer, const struct extension *list, size_t count)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, list[i].nid, list[i].value);
        bool good = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
        X509_EXTENSION_free(ext);
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool sign(const struct cert_request *request, X509 *cert, X509 *issuer, EVP_PKEY *issuer_key)
{
    const EVP_MD *digest = EVP_PKEY_is_a(issuer_key, "ED25519") ? NULL : EVP_sha256();
    bool extended;
    if (request->is_ca) {
        extended = add_extensions(cert, issuer, CA_EXTENSIONS, COUNT(CA_EXTENSIONS));
    } else if (request->is_client) {
        extended = add_extensions(cert, issuer, CLIENT_EXTENSIONS, COUNT(CLIENT_EXTENSIONS));
    } else {
        extended = add_extensions(cert, issuer, SERVER_EXTENSIONS, COUNT(SERVER_EXTENSIONS));
    }
    return extended && X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
           X509_sign(cert, issuer_key, digest) != 0;
}

NODISCARD enum nts_err cert_issue(const struct cert_request *request, EVP_PKEY *key, X509 *issuer,
                                  EVP_PKEY *issuer_key, X509 **cert, struct cert_fault *fault)
{
    *cert = NULL;
    X509 *made = X509_new();
    if (made == NULL || !set_subject(request, made, key)) {
        X509_free(made);
        return cert_fault_set(fault, CERT_INTERNAL, "certificate for %s: %s", request->common_name,
                              cert_library_reason());
    }
    enum nts_err err = add_names(request, made, fault);
    if (err == NTS_OK && !sign(request, made, issuer != NULL ? issuer : made, issuer_key)) {
        err = cert_fault_set(fault, CERT_INTERNAL, "certificate for %s: %s", request->common_name,
                             cert_library_reason());
    }
    if (err != NTS_OK) {
        X509_free(made);
        return err;
    }
    *cert = made;
    return NTS_OK;
}

/* Moves what is in `bio` to `out` and releases it; the bytes in between are overwritten. */
static enum nts_err take_bio(BIO *bio, bool good, struct wr *out)
{
    char *bytes = NULL;
    long n = good ? BIO_get_mem_data(bio, &bytes) : 0;
    if (n > 0) {
        wr_bytes(out, span_of(bytes, (size_t)n));
    }
    (void)BIO_free(bio);
    if (n <= 0) {
        ERR_clear_error();
        return NTS_EINTERNAL;
    }
    return out->bad ? NTS_ESPACE : NTS_OK;
}

NODISCARD enum nts_err cert_write_pem(const X509 *cert, struct wr *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    return take_bio(bio, bio != NULL && PEM_write_bio_X509(bio, cert) == 1, out);
}

NODISCARD enum nts_err cert_key_write_pem(const EVP_PKEY *key, struct wr *out)
{
    /* BIO_s_secmem() falls back to the heap, and overwrites what it releases. */
    BIO *bio = BIO_new(BIO_s_secmem());
    bool good =
        bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    return take_bio(bio, good, out);
}
