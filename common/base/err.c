/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the error codes.
 */
#include "common/base/err.h"

const char *nts_err_name(enum nts_err err)
{
    switch (err) {
    case NTS_OK:
        return "ok";
    case NTS_ESHORT:
        return "input too short";
    case NTS_EFORMAT:
        return "malformed";
    case NTS_EAUTH:
        return "not authentic";
    case NTS_ESPACE:
        return "no room";
    case NTS_ELIMIT:
        return "limit reached";
    case NTS_ENOTFOUND:
        return "not found";
    case NTS_ESYSTEM:
        return "system error";
    case NTS_EINTERNAL:
        return "internal error";
    }
    return "unknown error";
}
