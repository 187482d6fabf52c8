/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's counters: their names in metrics and documents, and which one counts what.
 */
#include "ntp/ntp_service.h"

static const char *const names[NTP_COUNTERS] = {
    [NTP_ANSWER_PLAIN] = "answer_plain",
    [NTP_ANSWER_NTS] = "answer_nts",
    [NTP_NAK_COOKIE_FORMAT] = "nak_cookie_format",
    [NTP_NAK_COOKIE_KEY] = "nak_cookie_key",
    [NTP_NAK_COOKIE_AUTH] = "nak_cookie_auth",
    [NTP_NAK_REQUEST_AUTH] = "nak_request_auth",
    [NTP_RATE_KISS] = "rate_kiss",
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
    [NTP_DROP_DENIED] = "drop_denied",
    [NTP_DROP_LIMITED] = "drop_limited",
    [NTP_DROP_NO_KEYS] = "drop_no_keys",
    [NTP_DROP_NO_RANDOM] = "drop_no_random",
    [NTP_DROP_NO_ROOM] = "drop_no_room",
    [NTP_DROP_INTERNAL] = "drop_internal",
    [NTP_COUNT_RECEIVED] = "received",
    [NTP_COUNT_SENT] = "sent",
    [NTP_COUNT_COOKIES] = "cookies",
    [NTP_COUNT_AGE_0] = "opened_next",
    [NTP_COUNT_AGE_0 + 1] = "opened_issuing",
    [NTP_COUNT_AGE_0 + 2] = "opened_one_back",
    [NTP_COUNT_AGE_0 + 3] = "opened_two_back",
    [NTP_COUNT_AGE_0 + 4] = "opened_three_back",
    [NTP_COUNT_AGE_0 + 5] = "opened_four_back",
    [NTP_COUNT_AGE_0 + 6] = "opened_eight_back",
    [NTP_COUNT_SEND_FAILED] = "send_failed",
    [NTP_COUNT_RECEIVE_FAILED] = "receive_failed",
    [NTP_COUNT_NO_STAMP] = "no_stamp",
    [NTP_COUNT_UNSYNCHRONISED] = "unsynchronised",
    [NTP_COUNT_FORGOTTEN] = "forgotten",
};

static const char *const ages[NTP_COOKIE_AGES] = {"next", "0", "1", "2", "3", "4-7", "8+"};

const char *ntp_cookie_age_name(unsigned age)
{
    return age < NTP_COOKIE_AGES ? ages[age] : NULL;
}

unsigned ntp_count_of_age(size_t slot, size_t issuing)
{
    if (slot > issuing) {
        return NTP_COUNT_AGE_0;
    }
    size_t age = issuing - slot;
    if (age < 4) {
        return NTP_COUNT_AGE_0 + 1 + (unsigned)age;
    }
    return age < 8 ? NTP_COUNT_AGE_0 + 5 : NTP_COUNT_AGE_0 + 6;
}

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
    return verdict <= NTP_RATE_KISS;
}
