/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of one certificate. See info.h.
 */
#include "certs/info.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Text that grows until its room is full; then it ends in "...". */
struct text {
    char *p;
    size_t n;
    size_t cap;
    bool full;
};

static void text_add(struct text *t, const char *bytes, size_t n)
{
    static const char more[] = "...";
    if (t->full) {
        return;
    }
    if (n < t->cap - t->n) {
        memcpy(t->p + t->n, bytes, n);
        t->n += n;
        t->p[t->n] = '\0';
        return;
    }
    t->full = true;
    size_t at = t->n;
    if (t->cap - t->n < sizeof(more)) {
        at = t->cap < sizeof(more) ? 0 : t->cap - sizeof(more);
    }
    (void)snprintf(t->p + at, t->cap - at, "%s", more);
}

static void name_text(const X509_NAME *name, char *text, size_t cap)
{
    (void)snprintf(text, cap, "?");
    BIO *bio = BIO_new(BIO_s_mem());
    /* The flags escape control characters and everything beyond ASCII. */
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) > 0) {
        char *bytes = NULL;
        long n = BIO_get_mem_data(bio, &bytes);
        struct text t = {.p = text, .n = 0, .cap = cap, .full = false};
        text_add(&t, bytes, n > 0 ? (size_t)n : 0);
    }
    (void)BIO_free(bio);
}

void cert_subject_text(const X509 *cert, char *text, size_t cap)
{
    name_text(X509_get_subject_name(cert), text, cap);
}

void cert_issuer_text(const X509 *cert, char *text, size_t cap)
{
    name_text(X509_get_issuer_name(cert), text, cap);
}

static void add_dns(struct text *t, const ASN1_IA5STRING *dns)
{
    char name[256];
    const unsigned char *bytes = ASN1_STRING_get0_data(dns);
    size_t n = (size_t)ASN1_STRING_length(dns);
    if (n >= sizeof(name)) {
        n = sizeof(name) - 1;
    }
    for (size_t i = 0; i < n; i++) {
        name[i] = bytes[i] > 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '?';
    }
    text_add(t, name, n);
}

static void add_ip(struct text *t, const ASN1_OCTET_STRING *ip)
{
    char text[INET6_ADDRSTRLEN] = "?";
    int n = ASN1_STRING_length(ip);
    if (n == 4 || n == 16) {
        (void)inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text, sizeof(text));
    }
    text_add(t, text, strlen(text));
}

size_t cert_names_text(const X509 *cert, char *text, size_t cap)
{
    struct text t = {.p = text, .n = 0, .cap = cap, .full = false};
    size_t count = 0;
    text[0] = '\0';
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD) {
            continue;
        }
        if (count++ > 0) {
            text_add(&t, " ", 1);
        }
        if (name->type == GEN_DNS) {
            text_add(&t, "DNS:", 4);
            add_dns(&t, name->d.dNSName);
        } else {
            text_add(&t, "IP:", 3);
            add_ip(&t, name->d.iPAddress);
        }
    }
    GENERAL_NAMES_free(names);
    return count;
}

static bool date_of(const ASN1_TIME *date, int64_t *time_s)
{
    struct tm tm;
    if (date == NULL || ASN1_TIME_to_tm(date, &tm) != 1) {
        return false;
    }
    *time_s = timegm(&tm);
    return true;
}

bool cert_dates(const X509 *cert, int64_t *not_before, int64_t *not_after)
{
    int64_t from;
    int64_t until;
    if (!date_of(X509_get0_notBefore(cert), &from) || !date_of(X509_get0_notAfter(cert), &until)) {
        return false;
    }
    *not_before = from;
    *not_after = until;
    return true;
}

void cert_time_text(int64_t time_s, char text[static CERT_TIME_TEXT_MAX])
{
    struct tm tm;
    time_t t = (time_t)time_s;
    if (gmtime_r(&t, &tm) == NULL ||
        strftime(text, CERT_TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        (void)snprintf(text, CERT_TIME_TEXT_MAX, "?");
    }
}

const char *cert_library_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason != NULL ? reason : "no reason given";
}
