/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names under which verdicts and the worker's other counters appear in metrics and documents.
 */
#include "ntp/ntp_service.h"

static const char *const names[NTP_COUNTERS] = {
    [NTP_ANSWER_PLAIN] = "answer_plain",
    [NTP_ANSWER_NTS] = "answer_nts",
    [NTP_NAK_COOKIE_FORMAT] = "nak_cookie_format",
    [NTP_NAK_COOKIE_KEY] = "nak_cookie_key",
    [NTP_NAK_COOKIE_AUTH] = "nak_cookie_auth",
    [NTP_NAK_REQUEST_AUTH] = "nak_request_auth",
    [NTP_DROP_SHORT] = "drop_short",
    [NTP_DROP_LONG] = "drop_long",
    [NTP_DROP_VERSION] = "drop_version",
    [NTP_DROP_MODE] = "drop_mode",
    [NTP_DROP_PORT] = "drop_port",
    [NTP_DROP_GROUP] = "drop_group",
    [NTP_DROP_FIELD] = "drop_field",
    [NTP_DROP_NTS] = "drop_nts",
    [NTP_DROP_NONCE] = "drop_nonce",
    [NTP_DROP_UNAUTHENTICATED] = "drop_unauthenticated",
    [NTP_DROP_NO_KEYS] = "drop_no_keys",
    [NTP_DROP_NO_RANDOM] = "drop_no_random",
    [NTP_DROP_NO_ROOM] = "drop_no_room",
    [NTP_DROP_INTERNAL] = "drop_internal",
    [NTP_COUNT_RECEIVED] = "received",
    [NTP_COUNT_SENT] = "sent",
    [NTP_COUNT_COOKIES] = "cookies",
    [NTP_COUNT_OLD_KEY] = "old_key",
    [NTP_COUNT_SEND_FAILED] = "send_failed",
    [NTP_COUNT_RECEIVE_FAILED] = "receive_failed",
    [NTP_COUNT_NO_STAMP] = "no_stamp",
    [NTP_COUNT_UNSYNCHRONISED] = "unsynchronised",
};

const char *ntp_count_name(unsigned index)
{
    return index < NTP_COUNTERS ? names[index] : NULL;
}

const char *ntp_verdict_name(enum ntp_verdict verdict)
{
    return (unsigned)verdict < NTP_VERDICTS ? names[verdict] : NULL;
}

bool ntp_verdict_is_answer(enum ntp_verdict verdict)
{
    return verdict <= NTP_NAK_REQUEST_AUTH;
}
