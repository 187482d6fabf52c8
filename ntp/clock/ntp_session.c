/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jar of cookies. See ntp_session.h.
 */
#include "ntp/clock/ntp_session.h"

void ntp_session_keep(struct ntp_session *session, struct span cookie)
{
    if (cookie.n == 0 || cookie.n > NTP_SESSION_COOKIE_MAX ||
        session->cookie_count >= NTP_COOKIES_MAX) {
        return;
    }
    struct ntp_session_cookie *slot = &session->cookie[session->cookie_count++];
    slot->len = cookie.n;
    memcpy(slot->bytes, cookie.p, cookie.n);
}

NODISCARD enum nts_err ntp_session_request(struct ntp_session *session, struct rng *rng,
                                           struct query *query, struct wr *out)
{
    if (session->cookie_count == 0) {
        return NTS_ENOTFOUND;
    }
    /* Taken first: whatever comes of it, it is never sent twice. */
    struct ntp_session_cookie *taken = &session->cookie[--session->cookie_count];
    const struct wr empty = *out;
    size_t placeholders = NTP_COOKIES_MAX - session->cookie_count - 1; /* the answer has one more */
    enum nts_err err = NTS_ESPACE;
    for (;;) {
        *out = empty;
        err = query_write_nts(rng, &session->keys, span_of(taken->bytes, taken->len), placeholders,
                              query, out);
        if (err != NTS_ESPACE || placeholders == 0) {
            break;
        }
        placeholders--;
    }
    wipe(taken, sizeof(*taken));
    return err;
}

void ntp_session_wipe(struct ntp_session *session)
{
    wipe(session, sizeof(*session));
}
