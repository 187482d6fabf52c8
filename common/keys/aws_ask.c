/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request within a deadline. See aws_ask.h.
 */
#include "common/keys/aws_ask.h"

enum { URL_SHOWN_MAX = 120 };

struct mono_ns aws_deadline(int64_t ms)
{
    return (struct mono_ns){mono_now().ns + ms * NS_PER_MS};
}

struct mono_ns aws_deadline_within(struct mono_ns deadline, int64_t ms)
{
    struct mono_ns soon = aws_deadline(ms);
    return soon.ns < deadline.ns ? soon : deadline;
}

struct meaning {
    enum provider_outcome outcome;
    const char *remedy;
};

static struct meaning meaning_of(enum https_outcome outcome)
{
    switch (outcome) {
    case HTTPS_OK:
        return (struct meaning){PROVIDER_OK, ""};
    case HTTPS_NO_CONNECTION:
        return (struct meaning){PROVIDER_UNREACHABLE,
                                "see to the name, the route or the VPC endpoint"};
    case HTTPS_TIMEOUT:
        return (struct meaning){PROVIDER_TIMEOUT,
                                "see to its load, the route and the security groups"};
    case HTTPS_TLS:
        return (struct meaning){PROVIDER_UNREACHABLE,
                                "see to the name in the URL and to AWS_CA_BUNDLE"};
    case HTTPS_TOO_LONG:
        return (struct meaning){PROVIDER_TOO_LONG, "see to what answers there"};
    case HTTPS_BROKEN:
        return (struct meaning){PROVIDER_SENSELESS, "see to what answers there"};
    case HTTPS_INTERNAL:
        break;
    }
    return (struct meaning){PROVIDER_INTERNAL, "see to the installation"};
}

enum provider_outcome aws_ask(struct https_request *request, struct mono_ns deadline,
                              struct https_answer *answer, struct provider_fault *fault)
{
    int64_t left_ms = (deadline.ns - mono_now().ns) / NS_PER_MS;
    *answer = (struct https_answer){0};
    if (left_ms <= 0) {
        return provider_refuse(fault, PROVIDER_TIMEOUT, "no time was left to ask %.*s",
                               URL_SHOWN_MAX, request->url);
    }
    request->total_ms = (uint32_t)left_ms;
    request->connect_ms = (uint32_t)(left_ms < PROVIDER_CONNECT_MS ? left_ms : PROVIDER_CONNECT_MS);
    struct meaning meaning = meaning_of(https_ask(request, answer));
    if (meaning.outcome == PROVIDER_OK) {
        return PROVIDER_OK;
    }
    return provider_refuse(fault, meaning.outcome, "%.*s: %s; %s", URL_SHOWN_MAX, request->url,
                           answer->why, meaning.remedy);
}
