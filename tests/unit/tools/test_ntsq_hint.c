/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do about a failed key establishment.
 */
#include "tools/ntsq_hint.h"

#include <criterion/criterion.h>
#include <openssl/x509_vfy.h>
#include <string.h>

Test(ntsq_hint, exchange)
{
    static const struct {
        enum nts_err err;
        long verify;
        const char *says; /* NULL: no hint */
    } cases[] = {
        {NTS_EAUTH, X509_V_ERR_CERT_HAS_EXPIRED, "--no-clock"},
        {NTS_EAUTH, X509_V_ERR_CERT_NOT_YET_VALID, "--no-clock"},
        {NTS_EAUTH, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "--ca"},
        {NTS_EAUTH, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "--ca"},
        {NTS_EAUTH, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "--ca"},
        {NTS_EAUTH, X509_V_ERR_HOSTNAME_MISMATCH, "name"},
        {NTS_EAUTH, X509_V_ERR_IP_ADDRESS_MISMATCH, "name"},
        {NTS_EAUTH, X509_V_ERR_CERT_REVOKED, NULL},
        {NTS_EAUTH, X509_V_OK, NULL},
        {NTS_ESYSTEM, X509_V_OK, "--ke-port"},
        {NTS_ELIMIT, X509_V_OK, "--ke-port"},
        {NTS_EFORMAT, X509_V_OK, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *hint = ntsq_hint_exchange(cases[i].err, cases[i].verify);
        if (cases[i].says == NULL) {
            cr_expect_null(hint, "case %zu", i);
        } else {
            cr_assert_not_null(hint, "case %zu", i);
            cr_expect_not_null(strstr(hint, cases[i].says), "case %zu: %s", i, hint);
        }
    }
}

Test(ntsq_hint, answers_without_keys)
{
    static const struct {
        struct ke_answer answer;
        const char *says; /* NULL: nothing is wrong */
    } cases[] = {
        {{.ntpv4 = true, .aead = 15, .cookie_count = 8}, NULL},
        {{.ntpv4 = true, .aead = 15, .cookie_count = 1, .has_warning = true}, NULL},
        {{.has_error = true, .error = 0}, "error 0, unrecognised critical record"},
        {{.has_error = true, .error = 1}, "error 1, bad request"},
        {{.has_error = true, .error = 2}, "error 2, internal server error"},
        {{.has_error = true, .error = 77}, "error 77, unknown"},
        {{.has_error = true, .error = 1, .ntpv4 = true, .aead = 15, .cookie_count = 8}, "error 1"},
        {{.ntpv4 = false}, "NTPv4"},
        {{.ntpv4 = true, .aead = 0}, "AEAD"},
        {{.ntpv4 = true, .aead = 15, .cookie_count = 0}, "cookie"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntsq_answer_fault fault;
        const char *text = ntsq_answer_fault(&cases[i].answer, &fault);
        if (cases[i].says == NULL) {
            cr_expect_null(text, "case %zu", i);
        } else {
            cr_assert_not_null(text, "case %zu", i);
            cr_expect_not_null(strstr(text, cases[i].says), "case %zu: %s", i, text);
        }
    }
}
