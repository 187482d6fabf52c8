/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a datagram to its answer: RFC 5905 server mode and RFC 8915 section 5. Core: no socket,
 * clock, log, malloc or global; fuzzed.
 *
 * In two steps, because the authenticator covers the transmit timestamp: answer_prepare() does all
 * that takes time, answer_finish() stamps and seals. The reply buffer's capacity is the request's
 * length, so an answer can never be longer than its question.
 */
#ifndef NTSD_NTP_ANSWER_H
#define NTSD_NTP_ANSWER_H

#include "common/crypto/rng.h"
#include "common/keys/cookie.h"
#include "common/net/ratelimit.h"
#include "ntp/ntp_packet.h"

/*
 * What became of a datagram. Every member is a counter; the order is the wire's: first what was
 * answered, then what was not. Names by ntp_verdict_name().
 */
enum ntp_verdict {
    NTP_ANSWER_PLAIN,      /* time, unauthenticated */
    NTP_ANSWER_NTS,        /* time, authenticated */
    NTP_NAK_COOKIE_FORMAT, /* NTSN: not a cookie of ours */
    NTP_NAK_COOKIE_KEY,    /* NTSN: its key is not in the ring */
    NTP_NAK_COOKIE_AUTH,   /* NTSN: damaged or forged */
    NTP_NAK_REQUEST_AUTH,  /* NTSN: the authenticator does not verify */
    NTP_RATE_KISS,         /* RATE instead of time: the client asks too often */
    NTP_DROP_SHORT,        /* fewer than 48 octets */
    NTP_DROP_LONG,         /* truncated by the kernel, or over NTP_DATAGRAM_MAX */
    NTP_DROP_VERSION,
    NTP_DROP_MODE,            /* anything but a client request */
    NTP_DROP_PORT,            /* source port 0 */
    NTP_DROP_GROUP,           /* sent to a broadcast or multicast address: every worker has it */
    NTP_DROP_FIELD,           /* a malformed extension field */
    NTP_DROP_NTS,             /* breaks RFC 8915 section 5: missing, doubled or misplaced fields */
    NTP_DROP_NONCE,           /* N_REQ not covered, or a nonce the AEAD cannot take */
    NTP_DROP_UNAUTHENTICATED, /* plain request under `ntsonly` */
    NTP_DROP_DENIED,          /* by the access list; said by the worker, before anything is read */
    NTP_DROP_LIMITED,         /* over its rate limit */
    NTP_DROP_NO_KEYS,         /* no ring yet: silence, the client will ask again */
    NTP_DROP_NO_RANDOM,       /* the kernel gave no random bytes */
    NTP_DROP_NO_ROOM,         /* the answer would be longer than the question */
    NTP_DROP_INTERNAL,        /* sealing failed */
    NTP_VERDICTS
};
const char *ntp_verdict_name(enum ntp_verdict verdict); /* snake_case, static; NULL beyond */
bool ntp_verdict_is_answer(enum ntp_verdict verdict);   /* something is sent */

/* What the server says about its clock in every reply but a NAK; made once per batch by the worker.
 */
struct ntp_clock_fields {
    uint8_t leap; /* NTP_LEAP_UNKNOWN with stratum 0 when not synchronised */
    uint8_t stratum;
    int8_t precision;
    uint32_t root_delay;
    uint32_t root_dispersion;
    uint32_t reference_id;
    uint64_t reference_time;
};

struct answer_env {
    struct ntp_clock_fields clock;
    const struct cookie_ring *ring; /* count 0: none yet */
    bool nts_only;
    struct ratelimit *limit; /* NULL: nobody is limited */
    struct mono_ns now;      /* for the limit, and */
    uint64_t address;        /* who sends the datagram at hand: ratelimit_key_of_address() */
};

/*
 * A reply under way. Caller's memory, reused for ever; between the two steps it holds the key that
 * seals the reply, already expanded so that nothing but the sealing follows the stamp, and
 * answer_finish() wipes it. `reply` points into the caller's buffer.
 */
struct pending {
    struct wr reply;
    size_t key_slot; /* ring slot that opened the cookie; NTP_ANSWER_NTS, NTP_NAK_REQUEST_AUTH */
    size_t cookie_count; /* new cookies in the reply */
    bool sealed;         /* an authenticator has to be made */
    struct aead_key key; /* server to client */
    size_t cookies_len;
    uint8_t cookies[NTP_COOKIES_MAX * (NTP_EF_HEAD_LEN + COOKIE_LEN_MAX)];
    uint8_t nonce[AEAD_NONCE_LEN];
};

/*
 * Who is limited: an authenticated request by its session, whatever address it comes from, so that
 * the devices behind one address are not one client, and nobody can use up another's share without
 * its keys. Everything else that is answered, NAKs among it, by address. The session is known only
 * when the request has been verified; so what is limited is answers, and the work for the request
 * is the same as that for any forged one.
 *
 * Judges `request` (request.h has the policy) and, for an answer, lays it out in `reply` (room for
 * request.n octets, not overlapping it). `receive_time` is when it arrived, on the served clock.
 * When ntp_verdict_is_answer(), answer_finish() must follow.
 */
enum ntp_verdict answer_prepare(const struct answer_env *env, struct rng *rng, struct span request,
                                uint64_t receive_time, uint8_t *reply, struct pending *pending);

/*
 * Stamps, seals and returns the datagram to send: at most as long as the request, empty when
 * sealing failed (count NTP_DROP_INTERNAL). Wipes the key.
 */
struct span answer_finish(struct pending *pending, uint64_t transmit_time);

#endif
