/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do about a failed key establishment. See ntsq_hint.h.
 */
#include "tools/ntsq_hint.h"

#include "tools/ntsq_words.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>

static const char *verify_hint(long verify_result)
{
    switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "if the clock of this machine may be wrong, --no-clock checks the dates against the "
               "server's time";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "--ca FILE names the CA certificate to trust";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "ask for a host by a name that is in its certificate";
    default: /* a library's number, not an enum of ours */
        return NULL;
    }
}

const char *ntsq_hint_exchange(enum nts_err err, long verify_result)
{
    if (err == NTS_EAUTH || verify_result != X509_V_OK) {
        return verify_hint(verify_result);
    }
    if (err == NTS_ESYSTEM || err == NTS_ELIMIT) {
        return "is the NTS key establishment service there? It listens on TCP 4460 unless "
               "--ke-port "
               "says otherwise";
    }
    return NULL;
}

const char *ntsq_answer_fault(const struct ke_answer *answer, struct ntsq_answer_fault *fault)
{
    const char *text = NULL;
    if (answer->has_error) {
        (void)snprintf(fault->text, sizeof(fault->text),
                       "the key establishment server answered with error %u, %s", answer->error,
                       ntsq_ke_error_name(answer->error));
        return fault->text;
    }
    if (!answer->ntpv4) {
        text = "the key establishment server does not offer NTPv4";
    } else if (answer->aead == 0) {
        text = "the key establishment server has no AEAD algorithm of ours";
    } else if (answer->cookie_count == 0) {
        text = "the key establishment server gave no cookie";
    }
    if (text == NULL) {
        return NULL;
    }
    (void)snprintf(fault->text, sizeof(fault->text), "%s", text);
    return fault->text;
}
