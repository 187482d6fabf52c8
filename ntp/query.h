/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of the exchange: build a request, judge the reply. RFC 8915 §5.7. Core.
 * Built for ntsq, ntsload, NTS upstreams and tests.
 */
#ifndef NTSD_NTP_QUERY_H
#define NTSD_NTP_QUERY_H

#include "common/crypto/rng.h"
#include "common/keys/session.h"
#include "ntp/ntp_packet.h"

struct query {
    uint64_t transmit_time; /* random bits, not our clock: nothing to learn from it */
    uint8_t uid[NTP_UID_LEN_MIN];
    bool nts;
};

/* A plain request: version 4, mode 3, everything else zero but 64 random bits to be echoed. */
NODISCARD enum nts_err query_write_plain(struct rng *rng, struct query *query, struct wr *out);

/* An authenticated request with this cookie and `placeholders` cookie placeholders as long.
 * NTS_ESPACE: over `out`'s room. NTS_ESYSTEM: no randomness. */
NODISCARD enum nts_err query_write_nts(struct rng *rng, const struct session_keys *keys,
                                       struct span cookie, size_t placeholders, struct query *query,
                                       struct wr *out);

enum query_verdict {
    QUERY_OK,
    QUERY_SHORT,
    QUERY_NOT_A_REPLY, /* mode or version */
    QUERY_ORIGIN,      /* does not echo our transmit timestamp */
    QUERY_NO_UID,
    QUERY_WRONG_UID, /* not the one we sent */
    QUERY_NO_AUTHENTICATOR,
    QUERY_BAD_FIELD, /* malformed extension field */
    QUERY_NOT_AUTHENTIC,
    QUERY_NAK,            /* NTSN: unauthenticated by nature, UID matches */
    QUERY_KISS,           /* another kiss code, see header.reference_id */
    QUERY_UNSYNCHRONISED, /* authentic where it has to be, but leap 3 or stratum 0 or above 15 */
    QUERY_VERDICTS
};
const char *query_verdict_text(enum query_verdict verdict); /* for people */

enum { QUERY_PLAIN_MAX = 1500 };

struct query_reply {
    struct ntp_header header;
    bool authentic; /* NTS: the authenticator verified, whatever the verdict */
    size_t cookie_count;
    struct span cookie[NTP_COOKIES_MAX]; /* borrow `plain` */
    uint8_t plain[QUERY_PLAIN_MAX];      /* decrypted extension fields */
};

/* `keys` NULL for a plain query. Nothing of `reply` but a kiss's header may be believed unless the
 * verdict is QUERY_OK (or QUERY_UNSYNCHRONISED, for display). */
enum query_verdict query_judge(const struct query *query, const struct session_keys *keys,
                               struct span packet, struct query_reply *reply);

/* Offset of the server's clock from ours and round-trip delay, in nanoseconds (RFC 5905 §8). */
struct query_times {
    int64_t offset_ns;
    int64_t delay_ns;
};
struct query_times query_times(const struct ntp_header *header, struct wall_ns sent,
                               struct wall_ns received);

#endif
