/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of what the KE service counts, and which end of a connection counts as what.
 */
#include "nts-ke/ke_outcome.h"

#include "common/base/stats.h"

_Static_assert((int)KE_COUNT_END <= (int)STATS_COUNTERS, "room for every counter");

#define PROXY_FAULT(name) (KE_COUNT_PROXY_FAULT_0 + PROXY2_FAULT_##name)

static const char *const names[KE_COUNT_REQUEST_FAULT_0] = {
    [KE_COUNT_ACCEPTED] = "accepted",
    [KE_COUNT_SERVED] = "served",
    [KE_COUNT_NO_PROTOCOL] = "no_protocol",
    [KE_COUNT_NO_AEAD] = "no_aead",
    [KE_COUNT_ERROR_0] = "error_unrecognised_critical",
    [KE_COUNT_ERROR_1] = "error_bad_request",
    [KE_COUNT_ERROR_2] = "error_internal",
    [KE_COUNT_POOL_FULL] = "pool_full",
    [KE_COUNT_DENIED] = "denied",
    [KE_COUNT_LIMITED] = "limited",
    [KE_COUNT_CROWDED] = "crowded",
    [KE_COUNT_DISPLACED] = "displaced",
    [KE_COUNT_ACCEPT_FAILED] = "accept_failed",
    [KE_COUNT_TLS_FAILED] = "tls_failed",
    [KE_COUNT_TLS_TIMEOUT] = "tls_timeout",
    [KE_COUNT_PEER_CLOSED] = "peer_closed",
    [KE_COUNT_CLOSE_TIMEOUT] = "close_timeout",
    [KE_COUNT_IO_ERROR] = "io_error",
    [KE_COUNT_NO_KEYS] = "no_keys",
    [KE_COUNT_RELOADS] = "reloads",
    [KE_COUNT_RELOAD_FAILED] = "reload_failed",
    [KE_COUNT_CLIENT_NO_CERTIFICATE] = "client_no_certificate",
    [KE_COUNT_CLIENT_UNKNOWN_CA] = "client_unknown_ca",
    [KE_COUNT_CLIENT_EXPIRED] = "client_expired",
    [KE_COUNT_CLIENT_NOT_YET_VALID] = "client_not_yet_valid",
    [KE_COUNT_CLIENT_REVOKED] = "client_revoked",
    [KE_COUNT_CLIENT_NO_CRL] = "client_no_crl",
    [KE_COUNT_CLIENT_PURPOSE] = "client_purpose",
    [KE_COUNT_CLIENT_INVALID] = "client_invalid",
    [KE_COUNT_PROXY_LOCAL] = "proxy_local",
    [PROXY_FAULT(NONE)] = "proxy_ok",
    [PROXY_FAULT(SIGNATURE)] = "proxy_signature",
    [PROXY_FAULT(TEXT)] = "proxy_text",
    [PROXY_FAULT(VERSION)] = "proxy_version",
    [PROXY_FAULT(COMMAND)] = "proxy_command",
    [PROXY_FAULT(FAMILY)] = "proxy_family",
    [PROXY_FAULT(LONG)] = "proxy_long",
    [PROXY_FAULT(SHORT)] = "proxy_short",
    [PROXY_FAULT(TLV)] = "proxy_tlv",
    [PROXY_FAULT(CHECKSUM)] = "proxy_checksum",
};

const char *ke_count_name(unsigned index)
{
    if (index < KE_COUNT_REQUEST_FAULT_0) {
        return names[index];
    }
    if (index < KE_COUNTERS) {
        return ke_request_fault_name((enum ke_request_fault)(index - KE_COUNT_REQUEST_FAULT_0));
    }
    return NULL;
}

enum ke_count ke_count_of_close(enum ke_state state, enum ke_event event)
{
    if (state == KE_STATE_CLOSED) {
        return KE_COUNTERS;
    }
    bool answered = state == KE_STATE_RESPONSE || state == KE_STATE_CLOSING;
    switch (event) {
    case KE_EVENT_TLS_FAILED: /* once answered, what the peer still sends is its own affair */
        return state == KE_STATE_CLOSING ? KE_COUNTERS : KE_COUNT_TLS_FAILED;
    case KE_EVENT_PEER_CLOSED:
        return answered ? KE_COUNTERS : KE_COUNT_PEER_CLOSED;
    case KE_EVENT_IO_ERROR: /* a reset after the answer is an impolite way of closing, no loss */
        return state == KE_STATE_CLOSING ? KE_COUNTERS : KE_COUNT_IO_ERROR;
    case KE_EVENT_DEADLINE:
        return answered ? KE_COUNT_CLOSE_TIMEOUT : KE_COUNT_TLS_TIMEOUT;
    case KE_EVENT_DISPLACED:
        return answered ? KE_COUNTERS : KE_COUNT_DISPLACED;
    case KE_EVENT_REFUSED: /* counted by whoever refused it */
    case KE_EVENT_HANDSHAKE_DONE:
    case KE_EVENT_REQUEST_COMPLETE:
    case KE_EVENT_WRITTEN:
    case KE_EVENT_NONE:
        break;
    }
    return KE_COUNTERS;
}

enum ke_count ke_count_of_refusal(enum client_refusal refusal)
{
    switch (refusal) {
    case CLIENT_NO_CERTIFICATE:
        return KE_COUNT_CLIENT_NO_CERTIFICATE;
    case CLIENT_UNKNOWN_CA:
        return KE_COUNT_CLIENT_UNKNOWN_CA;
    case CLIENT_EXPIRED:
        return KE_COUNT_CLIENT_EXPIRED;
    case CLIENT_NOT_YET_VALID:
        return KE_COUNT_CLIENT_NOT_YET_VALID;
    case CLIENT_REVOKED:
        return KE_COUNT_CLIENT_REVOKED;
    case CLIENT_NO_CRL:
        return KE_COUNT_CLIENT_NO_CRL;
    case CLIENT_PURPOSE:
        return KE_COUNT_CLIENT_PURPOSE;
    case CLIENT_INVALID:
        return KE_COUNT_CLIENT_INVALID;
    case CLIENT_NOT_REFUSED:
    case CLIENT_REFUSALS:
        break;
    }
    return KE_COUNTERS;
}
