/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every answer of the server, whatever it was asked.
 */
#ifndef NTSD_TESTS_FUZZ_FUZZ_ANSWER_H
#define NTSD_TESTS_FUZZ_FUZZ_ANSWER_H

#include "ntp/answer.h"
#include "tests/fuzz/fuzz_ntp.h"

static inline bool fuzz_is_nak(enum ntp_verdict verdict)
{
    return verdict >= NTP_NAK_COOKIE_FORMAT && verdict <= NTP_NAK_REQUEST_AUTH;
}

static inline void fuzz_check_header(struct span request, enum ntp_verdict verdict, struct rd *r)
{
    struct rd q = rd_init(request);
    struct ntp_header header = ntp_header_read(r);
    struct ntp_header asked = ntp_header_read(&q);
    bool nak = fuzz_is_nak(verdict);
    check(asked.mode == NTP_MODE_CLIENT && header.mode == NTP_MODE_SERVER);
    check(header.version == asked.version && header.origin_time == asked.transmit_time);
    check(nak == (header.reference_id == NTP_KISS_NTSN));
    check((verdict == NTP_RATE_KISS) == (header.reference_id == NTP_KISS_RATE));
    check((!nak && verdict != NTP_RATE_KISS) ||
          (header.stratum == NTP_STRATUM_KISS && header.leap == NTP_LEAP_UNKNOWN));
}

/*
 * `authentic`: the request verified. Never longer than the question; a UID and an authenticator at
 * most, so that no cookie ever leaves in the clear; no authenticator without proof, and none in a
 * NAK. Returns the authenticator, with `offset` 0 when there is none.
 */
static inline struct ntp_ef fuzz_check_reply(struct span request, enum ntp_verdict verdict,
                                             bool authentic, struct span reply)
{
    check(reply.n >= NTP_HEADER_LEN && reply.n <= request.n);
    struct rd r = rd_init(reply);
    fuzz_check_header(request, verdict, &r);
    struct ntp_ef authenticator = {.offset = 0};
    size_t uids = 0;
    size_t authenticators = 0;
    struct ntp_ef ef;
    while (ntp_ef_next(&r, reply.n, &ef) == NTS_OK) {
        check(ef.type == NTP_EF_UNIQUE_IDENTIFIER || ef.type == NTP_EF_AUTHENTICATOR);
        uids += ef.type == NTP_EF_UNIQUE_IDENTIFIER ? 1 : 0;
        authenticators += ef.type == NTP_EF_AUTHENTICATOR ? 1 : 0;
        authenticator = ef.type == NTP_EF_AUTHENTICATOR ? ef : authenticator;
    }
    check(rd_end(&r));
    bool nts = authentic || fuzz_is_nak(verdict);
    check(uids <= 1 && (uids == 1 || !nts));
    check(authenticators == (authentic && !fuzz_is_nak(verdict) ? 1 : 0));
    return authenticator;
}

#endif
