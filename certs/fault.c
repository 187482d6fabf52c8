/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of certificate files as sentences. See fault.h.
 */
#include "certs/fault.h"

#include <stdarg.h>
#include <stdio.h>

static enum nts_err err_of(enum cert_fault_kind kind)
{
    switch (kind) {
    case CERT_OK:
        return NTS_OK;
    case CERT_UNREADABLE:
        return NTS_ESYSTEM;
    case CERT_INTERNAL:
        return NTS_EINTERNAL;
    case CERT_KEY_MISMATCH:
    case CERT_CHAIN_ORDER:
    case CERT_EXPIRED:
    case CERT_NOT_YET_VALID:
    case CERT_NOT_CA:
    case CERT_CRL:
        return NTS_EAUTH;
    case CERT_EMPTY:
    case CERT_MALFORMED:
    case CERT_KEY_ENCRYPTED:
    case CERT_KEY_UNSUPPORTED:
    case CERT_NO_NAMES:
        return NTS_EFORMAT;
    }
    return NTS_EINTERNAL;
}

enum nts_err cert_fault_set(struct cert_fault *fault, enum cert_fault_kind kind, const char *format,
                            ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    for (char *c = fault->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    fault->kind = kind;
    return err_of(kind);
}
