/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a certificate file and a key file. The first octet chooses the form, two give the
 * length of the certificate part, the rest is the key part:
 *
 *   even  both are texts as they are.
 *   odd   both are DER, put into PEM blocks here, so that the fuzzer gets past the base64. The
 *         certificate part is a list of | length (2) | DER |.
 *
 * Properties: a refusal leaves nothing behind and says why, in one line that names a file; what is
 * accepted is complete, has printable names, dates that agree with the verdict on them, and is
 * accepted again; no name in an SNI does harm.
 */
#include "certs/pair.h"
#include "common/base/cursor.h"

#include <openssl/pem.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { CERTS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text, size_t cap)
{
    size_t n = strnlen(text, cap);
    CHECK(n < cap);
    for (size_t i = 0; i < n; i++) {
        CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
    }
}

static void check_refusal(const struct cert_pair *pair, const struct cert_fault *fault)
{
    static const struct cert_pair zero;
    CHECK(memcmp(pair, &zero, sizeof(zero)) == 0);
    CHECK(fault->kind != CERT_OK && fault->kind != CERT_UNREADABLE);
    CHECK(strstr(fault->text, "c.pem") != NULL || strstr(fault->text, "k.pem") != NULL);
    check_line(fault->text, sizeof(fault->text));
}

static void check_dates(const struct cert_pair *pair)
{
    const int64_t moments[] = {INT64_MIN,       pair->not_before - 1, pair->not_before, 1800000000,
                               pair->not_after, pair->not_after + 1,  INT64_MAX};
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        struct cert_fault fault;
        bool valid = moments[i] >= pair->not_before && moments[i] <= pair->not_after;
        enum cert_fault_kind kind = cert_pair_validity(pair, "c.pem", moments[i], &fault);
        CHECK((kind == CERT_OK) == valid);
        CHECK(fault.kind == kind);
        check_line(fault.text, sizeof(fault.text));
    }
}

static void check_pair(const struct cert_pair *pair, const struct cert_fault *fault,
                       struct span junk)
{
    char name[300];
    size_t n = junk.n < sizeof(name) ? junk.n : sizeof(name) - 1;
    CHECK(fault->kind == CERT_OK);
    CHECK(pair->leaf != NULL && pair->key != NULL && pair->chain_count <= CERT_CHAIN_MAX);
    CHECK(pair->names[0] != '\0');
    check_line(pair->names, sizeof(pair->names));
    check_dates(pair);
    memcpy(name, junk.p, n);
    name[n] = '\0';
    (void)cert_pair_matches(pair, name);
    CHECK(!cert_pair_matches(pair, ""));
}

static void try_texts(struct span cert, struct span key)
{
    struct cert_pair pair;
    struct cert_pair again;
    struct cert_fault fault;
    if (cert_pair_parse(cert, "c.pem", key, "k.pem", &pair, &fault) != NTS_OK) {
        check_refusal(&pair, &fault);
        return;
    }
    check_pair(&pair, &fault, cert);
    CHECK(cert_pair_parse(cert, "c.pem", key, "k.pem", &again, &fault) == NTS_OK);
    CHECK(strcmp(pair.names, again.names) == 0);
    cert_pair_wipe(&again);
    cert_pair_wipe(&pair);
}

static void write_block(BIO *out, const char *label, struct span der)
{
    CHECK(PEM_write_bio(out, label, "", der.p, (long)der.n) >= 0);
}

static struct span text_of(BIO *bio)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    return span_of(bytes, n > 0 ? (size_t)n : 0);
}

static void try_der(struct span certs, struct span key)
{
    BIO *cert_text = BIO_new(BIO_s_mem());
    BIO *key_text = BIO_new(BIO_s_mem());
    CHECK(cert_text != NULL && key_text != NULL);
    struct rd r = rd_init(certs);
    for (size_t i = 0; i < CERTS_MAX && r.left > 0; i++) {
        struct span der = rd_span(&r, rd_u16(&r));
        if (!r.bad) {
            write_block(cert_text, "CERTIFICATE", der);
        }
    }
    write_block(key_text, "PRIVATE KEY", key);
    try_texts(text_of(cert_text), text_of(key_text));
    (void)BIO_free(cert_text);
    (void)BIO_free(key_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_init(span_of(data, size));
    bool is_der = (rd_u8(&r) & 1) != 0;
    size_t n = rd_u16(&r);
    if (r.bad || n > r.left) {
        return 0;
    }
    struct span cert = rd_span(&r, n);
    struct span key = rd_rest(&r);
    if (is_der) {
        try_der(cert, key);
    } else {
        try_texts(cert, key);
    }
    return 0;
}
