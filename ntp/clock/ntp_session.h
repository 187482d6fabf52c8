/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key establishment gave us for asking a server over NTS: where to ask, keys, and a jar of
 * cookies, of which each is used once (RFC 8915 section 5.7, client's side). Core.
 */
#ifndef NTSD_NTP_CLOCK_NTP_SESSION_H
#define NTSD_NTP_CLOCK_NTP_SESSION_H

#include "common/net/addr.h"
#include "ntp/query.h"

enum { NTP_SESSION_COOKIE_MAX = 512 };

struct ntp_session_cookie {
    size_t len;
    uint8_t bytes[NTP_SESSION_COOKIE_MAX];
};

struct ntp_session {
    struct net_addr addr; /* the NTP server */
    struct session_keys keys;
    size_t cookie_count;
    struct ntp_session_cookie cookie[NTP_COOKIES_MAX];
};

/* Puts a cookie into the jar; one too long, or one too many, is left. */
void ntp_session_keep(struct ntp_session *session, struct span cookie);

/*
 * A request with a cookie of the jar, which is gone then, and as many placeholders as the jar lacks
 * and the datagram has room for. NTS_ENOTFOUND: no cookie left. NTS_ESPACE: the cookie alone is too
 * long. NTS_ESYSTEM: no randomness.
 */
NODISCARD enum nts_err ntp_session_request(struct ntp_session *session, struct rng *rng,
                                           struct query *query, struct wr *out);

void ntp_session_wipe(struct ntp_session *session);

#endif
