/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/fault.h"

#include <criterion/criterion.h>
#include <string.h>

Test(fault, each_kind_stands_for_an_error)
{
    static const enum nts_err errs[] = {
        [CERT_OK] = NTS_OK,
        [CERT_UNREADABLE] = NTS_ESYSTEM,
        [CERT_EMPTY] = NTS_EFORMAT,
        [CERT_MALFORMED] = NTS_EFORMAT,
        [CERT_KEY_ENCRYPTED] = NTS_EFORMAT,
        [CERT_KEY_UNSUPPORTED] = NTS_EFORMAT,
        [CERT_KEY_MISMATCH] = NTS_EAUTH,
        [CERT_CHAIN_ORDER] = NTS_EAUTH,
        [CERT_EXPIRED] = NTS_EAUTH,
        [CERT_NOT_YET_VALID] = NTS_EAUTH,
        [CERT_NO_NAMES] = NTS_EFORMAT,
        [CERT_NOT_CA] = NTS_EAUTH,
        [CERT_CRL] = NTS_EAUTH,
        [CERT_INTERNAL] = NTS_EINTERNAL,
    };
    for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
        struct cert_fault fault;
        enum cert_fault_kind kind = (enum cert_fault_kind)i;
        cr_assert_eq(cert_fault_set(&fault, kind, "%zu", i), errs[i]);
        cr_assert_eq(fault.kind, kind);
    }
}

Test(fault, sentence_is_one_line_and_fits)
{
    struct cert_fault fault;
    char name[1024];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    (void)cert_fault_set(&fault, CERT_EMPTY, "a\nb\tc\x7f\x1b %s", name);
    cr_assert_eq(strlen(fault.text), sizeof(fault.text) - 1);
    cr_assert_eq(strncmp(fault.text, "a?b?c?? xxx", 11), 0);
}
