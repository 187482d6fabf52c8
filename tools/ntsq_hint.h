/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do about a failed key establishment, as far as it can be told. Core; thread-safe.
 */
#ifndef NTSD_TOOLS_NTSQ_HINT_H
#define NTSD_TOOLS_NTSQ_HINT_H

#include "common/base/err.h"
#include "nts-ke/ke_message.h"

/* After ke_client_exchange() failed with `err`; `verify_result` is OpenSSL's X509_V_* of the
 * connection, X509_V_OK when there was none. Static, or NULL: nothing to add. */
const char *ntsq_hint_exchange(enum nts_err err, long verify_result);

/* NULL: the answer brings keys and cookies. Otherwise the sentence that says why it does not, in
 * `text`, which it returns. */
struct ntsq_answer_fault {
    char text[160];
};
const char *ntsq_answer_fault(const struct ke_answer *answer, struct ntsq_answer_fault *fault);

#endif
