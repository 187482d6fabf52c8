/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTP over UDP, one question at a time: sends a request from a connected socket and waits for the
 * reply that may be believed. Shell module.
 *
 * Nothing that cannot be believed ends the wait, for anybody can send it: it is skipped and
 * counted, and when the time is up the refusal that tells most is the outcome. That goes for a NAK
 * too (RFC 8915 §5.7: wait for a valid packet before keys are established anew), and for ICMP
 * errors, which may be about an earlier request or forged; only after a refused connection the wait
 * is cut short, for then most likely nobody listens.
 */
#ifndef NTSD_TOOLS_NTSQ_NTP_H
#define NTSD_TOOLS_NTSQ_NTP_H

#include "tools/ntsq_facts.h"

enum { NTSQ_RECENT = 8 };

/* A connected socket, and the transmit timestamps of its last requests, by which a late or doubled
 * reply is told from a stranger's datagram. */
struct ntsq_link {
    int fd;
    size_t recent_at;
    size_t recent_count;
    uint64_t recent[NTSQ_RECENT];
};

/* The kernel chooses the source port (RFC 9109). NTS_ESYSTEM: errno; `link` then needs no close. */
NODISCARD enum nts_err ntsq_link_open(const struct net_addr *server, struct ntsq_link *link);

/* Safe to call twice. */
void ntsq_link_close(struct ntsq_link *link);

/* `keys` NULL: a plain question, without cookie and placeholders. */
struct ntsq_question {
    const struct session_keys *keys;
    struct span cookie;
    size_t placeholders; /* fewer are sent when that many do not fit a datagram */
    unsigned wait_ms;
};

/*
 * Asks once. Fills in what a try decides (outcome, verdict, stamps, lengths, header, times) and
 * adds to what tries share (tries, late, foreign). With NTSQ_ANSWERED and NTSQ_UNSYNCHRONISED
 * `reply` holds the new cookies. NTS_ESYSTEM: no randomness; NTS_ESPACE: the cookie is too long to
 * be sent. Nothing was sent then.
 */
NODISCARD enum nts_err ntsq_ask(struct ntsq_link *link, struct rng *rng,
                                const struct ntsq_question *question, struct query_reply *reply,
                                struct ntsq_sample *sample);

#endif
