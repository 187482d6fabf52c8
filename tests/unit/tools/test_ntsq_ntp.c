/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question over UDP on loopback, against a scripted server that holds the session keys: what is
 * believed, what is refused and why, what is skipped.
 */
#include "tools/ntsq_ntp.h"

#include "ntp/ntp_auth.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { COOKIE_LEN = 100, PLACEHOLDERS = 2, SHORT_WAIT_MS = 60, LONG_WAIT_MS = 5000 };

/* What the server sends for a request: any number of these. */
enum act {
    END,
    GOOD,
    NO_UID,
    WRONG_UID,
    TWO_UIDS,
    NO_AUTHENTICATOR,
    WRONG_ORIGIN,
    OTHER_KEY, /* sealed with the client's key */
    CHANGED,   /* a bit of the header flipped after sealing */
    NAK,
    RATE,
    UNSYNCHRONISED,
    CLIENT_MODE, /* the request sent back */
    SHORT,
    LONG,      /* more than any reply to us */
    AS_BEFORE, /* the answer to the request before this one, again */
    BAD_FIELD,
    REFUSE, /* nobody listens for a moment, and the client is told so */
};

enum { ACTS_MAX = 4 };

struct peer {
    int fd;
    struct net_addr addr;
    struct session_keys keys;
    const enum act *script; /* of one request */
    unsigned requests;      /* to answer */
    int client_fd;          /* REFUSE sends from it */
    size_t last_len;
    uint8_t last[QUERY_PLAIN_MAX];
    pthread_t thread;
};

/* What of a request the server goes by. */
struct asked {
    struct ntp_header header;
    struct span whole;
    struct span uid;
    size_t cookie_len;
    size_t cookies; /* wanted: one and one per placeholder */
};

static struct asked read_request(struct span bytes)
{
    struct asked asked = {.whole = bytes, .cookies = 1};
    struct rd r = rd_init(bytes);
    struct ntp_ef ef;
    asked.header = ntp_header_read(&r);
    while (ntp_ef_next(&r, bytes.n, &ef) == NTS_OK) {
        if (ef.type == NTP_EF_UNIQUE_IDENTIFIER) {
            asked.uid = ef.body;
        } else if (ef.type == NTP_EF_COOKIE) {
            asked.cookie_len = ef.body.n;
        } else if (ef.type == NTP_EF_COOKIE_PLACEHOLDER) {
            asked.cookies++;
        }
    }
    return asked;
}

static struct ntp_header reply_header(const struct asked *asked, enum act act)
{
    struct ntp_header header = {
        .version = 4,
        .mode = NTP_MODE_SERVER,
        .stratum = 1,
        .precision = -24,
        .reference_id = 0x47505300,
        .origin_time = asked->header.transmit_time,
        .receive_time = ntp_time_from_wall(wall_now()),
        .transmit_time = ntp_time_from_wall(wall_now()),
    };
    if (act == WRONG_ORIGIN) {
        header.origin_time ^= 1;
    }
    if (act == UNSYNCHRONISED) {
        header.leap = NTP_LEAP_UNKNOWN;
        header.stratum = 0;
        header.reference_id = 0;
    }
    if (act == NAK || act == RATE) {
        header.stratum = 0;
        header.reference_id = act == NAK ? NTP_KISS_NTSN : NTP_KISS_RATE;
    }
    return header;
}

static void write_uids(const struct asked *asked, enum act act, struct wr *out)
{
    uint8_t other[NTP_UID_LEN_MIN] = {0};
    if (act == NO_UID) {
        return;
    }
    if (act == WRONG_UID) {
        ntp_ef_write(out, NTP_EF_UNIQUE_IDENTIFIER, span_of(other, sizeof(other)), 0);
        return;
    }
    ntp_ef_write(out, NTP_EF_UNIQUE_IDENTIFIER, asked->uid, 0);
    if (act == TWO_UIDS) {
        ntp_ef_write(out, NTP_EF_UNIQUE_IDENTIFIER, asked->uid, 0);
    }
}

static void seal(const struct peer *peer, const struct asked *asked, enum act act, struct wr *out)
{
    uint8_t room[NTP_COOKIES_MAX * (COOKIE_LEN + NTP_EF_HEAD_LEN)];
    uint8_t cookie[COOKIE_LEN] = {0x55};
    uint8_t nonce[AEAD_NONCE_LEN] = {1};
    struct wr plain = wr_init(room, sizeof(room));
    struct aead_key key;
    for (size_t i = 0; i < asked->cookies; i++) {
        ntp_ef_write(&plain, NTP_EF_COOKIE, span_of(cookie, asked->cookie_len), 0);
    }
    const struct secret_key *bytes = act == OTHER_KEY ? &peer->keys.c2s : &peer->keys.s2c;
    cr_assert_eq(aead_key_init(&key, peer->keys.alg, secret_key_span(bytes)), NTS_OK);
    cr_assert_eq(
        ntp_auth_seal(&key, span_of(nonce, peer->keys.alg->nonce_len), wr_done(&plain), out),
        NTS_OK);
}

static void write_reply(const struct peer *peer, const struct asked *asked, enum act act,
                        struct wr *out)
{
    struct ntp_header header = reply_header(asked, act);
    ntp_header_write(out, &header);
    if (asked->uid.n == 0) {
        return; /* a plain request */
    }
    write_uids(asked, act, out);
    if (act == BAD_FIELD) {
        wr_u16(out, NTP_EF_AUTHENTICATOR);
        wr_u16(out, 0xffff);
        wr_zero(out, 24);
    } else if (act != NO_AUTHENTICATOR && act != NAK && act != RATE) {
        seal(peer, asked, act, out);
    }
    if (act == CHANGED) {
        out->start[NTP_TRANSMIT_OFFSET] ^= 0x10;
    }
}

static void peer_bind(struct peer *peer)
{
    peer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 10};
    cr_assert_eq(setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    cr_assert_eq(bind(peer->fd, &peer->addr.sa, net_addr_len(&peer->addr)), 0);
}

/* A datagram from the client's socket to a closed port: the error it makes waits there, as that of
 * an earlier request would. */
static void refuse(struct peer *peer)
{
    (void)close(peer->fd);
    (void)send(peer->client_fd, "", 1, MSG_NOSIGNAL);
    peer_bind(peer);
}

static void act_out(struct peer *peer, const struct asked *asked, enum act act,
                    const struct net_addr *client)
{
    uint8_t room[4096] = {0};
    struct wr out = wr_init(room, sizeof(room));
    if (act == REFUSE) {
        refuse(peer);
        return;
    }
    if (act == CLIENT_MODE) {
        wr_bytes(&out, asked->whole);
    } else if (act == SHORT) {
        wr_bytes(&out, span_of(asked->whole.p, NTP_HEADER_LEN - 1));
    } else if (act == LONG) {
        wr_zero(&out, QUERY_PLAIN_MAX + 1);
    } else if (act == AS_BEFORE) {
        wr_bytes(&out, span_of(peer->last, peer->last_len));
    } else {
        write_reply(peer, asked, act, &out);
    }
    struct span reply = wr_done(&out);
    (void)sendto(peer->fd, reply.p, reply.n, 0, &client->sa, net_addr_len(client));
    if (act == GOOD) {
        memcpy(peer->last, reply.p, reply.n);
        peer->last_len = reply.n;
    }
}

static void *serve(void *ctx)
{
    struct peer *peer = ctx;
    for (unsigned i = 0; i < peer->requests; i++) {
        uint8_t bytes[QUERY_PLAIN_MAX];
        struct net_addr client;
        socklen_t len = sizeof(client);
        ssize_t got = recvfrom(peer->fd, bytes, sizeof(bytes), 0, &client.sa, &len);
        if (got < 0) {
            break;
        }
        struct asked asked = read_request(span_of(bytes, (size_t)got));
        for (size_t a = 0; a < ACTS_MAX && peer->script[a] != END; a++) {
            act_out(peer, &asked, peer->script[a], &client);
        }
    }
    return NULL;
}

/* Opens the client's link, too: the peer's thread may have to use it. */
static void peer_open(struct peer *peer, struct ntsq_link *link, const enum act *script,
                      unsigned requests)
{
    *peer = (struct peer){.script = script, .requests = requests};
    cr_assert_eq(net_addr_parse("127.0.0.1", 0, &peer->addr), NTS_OK);
    peer_bind(peer);
    socklen_t len = sizeof(peer->addr);
    cr_assert_eq(getsockname(peer->fd, &peer->addr.sa, &len), 0);
    peer->keys.alg = aead_find(AEAD_AES_SIV_CMAC_256);
    peer->keys.c2s.len = peer->keys.s2c.len = peer->keys.alg->key_len;
    memset(peer->keys.c2s.bytes, 0xc2, peer->keys.c2s.len);
    memset(peer->keys.s2c.bytes, 0x2c, peer->keys.s2c.len);
    cr_assert_eq(ntsq_link_open(&peer->addr, link), NTS_OK);
    peer->client_fd = link->fd;
    cr_assert_eq(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void peer_close(struct peer *peer)
{
    (void)pthread_join(peer->thread, NULL);
    (void)close(peer->fd);
}

static struct ntsq_question question(const struct peer *peer, unsigned wait_ms)
{
    static const uint8_t cookie[COOKIE_LEN] = {0xaa};
    return (struct ntsq_question){
        .keys = &peer->keys,
        .cookie = span_of(cookie, sizeof(cookie)),
        .placeholders = PLACEHOLDERS,
        .wait_ms = wait_ms,
    };
}

/* Asks a peer once with this script. */
static void ask(const enum act *script, bool nts, unsigned wait_ms, struct query_reply *reply,
                struct ntsq_sample *sample)
{
    struct peer peer;
    struct ntsq_link link;
    struct rng *rng = rng_new();
    peer_open(&peer, &link, script, 1);
    struct ntsq_question q = question(&peer, wait_ms);
    if (!nts) {
        q = (struct ntsq_question){.wait_ms = wait_ms};
    }
    *sample = (struct ntsq_sample){.outcome = NTSQ_LOST};
    cr_assert_eq(ntsq_ask(&link, rng, &q, reply, sample), NTS_OK);
    peer_close(&peer);
    ntsq_link_close(&link);
    rng_free(rng);
}

Test(ntsq_ntp, a_good_reply_is_believed)
{
    struct query_reply reply;
    struct ntsq_sample s;
    ask((const enum act[ACTS_MAX]){GOOD}, true, LONG_WAIT_MS, &reply, &s);
    cr_assert_eq(s.outcome, NTSQ_ANSWERED);
    cr_expect_eq(s.verdict, QUERY_OK);
    cr_expect_eq(s.tries, 1);
    cr_expect_eq(s.placeholders, PLACEHOLDERS);
    cr_expect_eq(s.cookies_received, 1 + PLACEHOLDERS);
    cr_expect_eq(reply.cookie_count, 1 + PLACEHOLDERS);
    cr_expect_eq(reply.cookie[0].n, COOKIE_LEN);
    cr_expect_eq(s.header.stratum, 1);
    cr_expect_gt(s.times.delay_ns, 0);
    cr_expect_lt(s.times.delay_ns, NS_PER_S);
    cr_expect_lt(s.times.offset_ns, NS_PER_S);
    cr_expect_gt(s.times.offset_ns, -NS_PER_S);
    cr_expect_gt(s.received.ns, s.sent.ns);
    cr_expect_eq(s.late + s.foreign, 0);
}

Test(ntsq_ntp, a_plain_reply_is_taken_for_what_it_is)
{
    struct query_reply reply;
    struct ntsq_sample s;
    ask((const enum act[ACTS_MAX]){GOOD}, false, LONG_WAIT_MS, &reply, &s);
    cr_expect_eq(s.outcome, NTSQ_ANSWERED);
    cr_expect_eq(s.request_len, NTP_HEADER_LEN);
    cr_expect_eq(s.placeholders, 0);
}

/* Each of these alone is refused for its own reason, and does not end the wait. */
Test(ntsq_ntp, what_may_not_be_believed_is_refused)
{
    static const struct {
        enum act script[ACTS_MAX];
        enum ntsq_outcome outcome;
        enum query_verdict verdict;
        unsigned foreign;
    } cases[] = {
        {{NO_UID}, NTSQ_REFUSED, QUERY_NO_UID, 1},
        {{WRONG_UID}, NTSQ_REFUSED, QUERY_WRONG_UID, 1},
        {{TWO_UIDS}, NTSQ_REFUSED, QUERY_WRONG_UID, 1},
        {{NO_AUTHENTICATOR}, NTSQ_REFUSED, QUERY_NO_AUTHENTICATOR, 1},
        {{WRONG_ORIGIN}, NTSQ_REFUSED, QUERY_ORIGIN, 1},
        {{OTHER_KEY}, NTSQ_REFUSED, QUERY_NOT_AUTHENTIC, 1},
        {{CHANGED}, NTSQ_REFUSED, QUERY_NOT_AUTHENTIC, 1},
        {{BAD_FIELD}, NTSQ_REFUSED, QUERY_BAD_FIELD, 1},
        {{CLIENT_MODE}, NTSQ_REFUSED, QUERY_NOT_A_REPLY, 1},
        {{SHORT}, NTSQ_REFUSED, QUERY_SHORT, 1},
        {{NAK}, NTSQ_REFUSED, QUERY_NAK, 0},
        {{RATE}, NTSQ_REFUSED, QUERY_KISS, 0},
        {{LONG}, NTSQ_LOST, QUERY_OK, 1},
        {{END}, NTSQ_LOST, QUERY_OK, 0},
        /* Of several, the one that tells most. */
        {{SHORT, NAK, WRONG_UID}, NTSQ_REFUSED, QUERY_NAK, 2},
        {{NO_AUTHENTICATOR, WRONG_ORIGIN}, NTSQ_REFUSED, QUERY_NO_AUTHENTICATOR, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct query_reply reply;
        struct ntsq_sample s;
        ask(cases[i].script, true, SHORT_WAIT_MS, &reply, &s);
        if (s.outcome != cases[i].outcome || s.foreign != cases[i].foreign) {
            /* On a busy machine the peer may be late. */
            ask(cases[i].script, true, LONG_WAIT_MS, &reply, &s);
        }
        cr_expect_eq(s.outcome, cases[i].outcome, "case %zu: outcome %d", i, s.outcome);
        cr_expect_eq(s.verdict, cases[i].verdict, "case %zu: verdict %d", i, s.verdict);
        cr_expect_eq(s.foreign, cases[i].foreign, "case %zu: foreign %u", i, s.foreign);
        cr_expect_eq(s.header.transmit_time, 0, "case %zu: nothing of it is kept", i);
        cr_expect_eq(s.times.offset_ns, 0, "case %zu", i);
    }
}

/* Anybody can send what is refused, so a good reply after it must still be found. */
Test(ntsq_ntp, a_good_reply_is_found_among_others)
{
    static const enum act others[] = {
        NO_UID,  WRONG_UID, NO_AUTHENTICATOR, WRONG_ORIGIN, NAK,      RATE, OTHER_KEY,
        CHANGED, SHORT,     CLIENT_MODE,      LONG,         BAD_FIELD};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct query_reply reply;
        struct ntsq_sample s;
        ask((const enum act[ACTS_MAX]){others[i], others[i], GOOD}, true, LONG_WAIT_MS, &reply, &s);
        cr_expect_eq(s.outcome, NTSQ_ANSWERED, "after %d", others[i]);
        cr_expect_eq(s.verdict, QUERY_OK, "after %d", others[i]);
        cr_expect_eq(s.foreign, others[i] == NAK || others[i] == RATE ? 0 : 2, "after %d: %u",
                     others[i], s.foreign);
    }
}

Test(ntsq_ntp, an_unsynchronised_server_is_authentic_and_no_use)
{
    struct query_reply reply;
    struct ntsq_sample s;
    ask((const enum act[ACTS_MAX]){UNSYNCHRONISED}, true, LONG_WAIT_MS, &reply, &s);
    cr_expect_eq(s.outcome, NTSQ_UNSYNCHRONISED);
    cr_expect_eq(s.header.leap, NTP_LEAP_UNKNOWN);
    cr_expect_eq(s.cookies_received, 1 + PLACEHOLDERS, "its cookies are good");
}

Test(ntsq_ntp, a_kiss_ends_a_plain_question)
{
    struct query_reply reply;
    struct ntsq_sample s;
    ask((const enum act[ACTS_MAX]){RATE}, false, LONG_WAIT_MS, &reply, &s);
    cr_expect_eq(s.outcome, NTSQ_REFUSED);
    cr_expect_eq(s.verdict, QUERY_KISS);
    cr_expect_eq(s.header.reference_id, NTP_KISS_RATE);
}

/* A doubled reply reaches the next question: it is ours and late, not a stranger's. */
Test(ntsq_ntp, late_and_doubled_replies_are_told_from_foreign_ones)
{
    struct peer peer;
    struct ntsq_link link;
    struct query_reply reply;
    struct rng *rng = rng_new();
    struct ntsq_sample first = {.outcome = NTSQ_LOST};
    struct ntsq_sample second = {.outcome = NTSQ_LOST};
    peer_open(&peer, &link, (const enum act[ACTS_MAX]){AS_BEFORE, GOOD, GOOD}, 2);
    struct ntsq_question q = question(&peer, LONG_WAIT_MS);
    cr_assert_eq(ntsq_ask(&link, rng, &q, &reply, &first), NTS_OK);
    cr_assert_eq(ntsq_ask(&link, rng, &q, &reply, &second), NTS_OK);
    cr_expect_eq(first.outcome, NTSQ_ANSWERED);
    cr_expect_eq(first.foreign, 1, "an empty datagram: nothing was answered before");
    cr_expect_eq(second.outcome, NTSQ_ANSWERED);
    cr_expect_eq(second.late, 2, "the doubled one, and the one from before: %u", second.late);
    cr_expect_eq(second.foreign, 0);
    peer_close(&peer);
    ntsq_link_close(&link);
    rng_free(rng);
}

Test(ntsq_ntp, fewer_placeholders_where_they_do_not_fit)
{
    static const uint8_t cookie[KE_CLIENT_COOKIE_MAX] = {1};
    struct peer peer;
    struct ntsq_link link;
    struct query_reply reply;
    struct rng *rng = rng_new();
    struct ntsq_sample s = {.outcome = NTSQ_LOST};
    peer_open(&peer, &link, (const enum act[ACTS_MAX]){NAK}, 1);
    struct ntsq_question q = question(&peer, SHORT_WAIT_MS);
    q.cookie = span_of(cookie, sizeof(cookie));
    q.placeholders = 7;
    cr_assert_eq(ntsq_ask(&link, rng, &q, &reply, &s), NTS_OK);
    cr_expect_eq(s.placeholders, 1, "%zu", s.placeholders);
    cr_expect_leq(s.request_len, NTP_DATAGRAM_MAX);
    peer_close(&peer);
    ntsq_link_close(&link);
    rng_free(rng);
}

Test(ntsq_ntp, nobody_there)
{
    struct peer peer;
    struct ntsq_link link;
    struct query_reply reply;
    struct rng *rng = rng_new();
    struct ntsq_sample s = {.outcome = NTSQ_LOST};
    peer_open(&peer, &link, (const enum act[ACTS_MAX]){END}, 0);
    peer_close(&peer); /* the port is free again */
    struct ntsq_question q = question(&peer, LONG_WAIT_MS);
    for (unsigned i = 1; i <= 2; i++) {
        int64_t start = mono_now().ns;
        cr_assert_eq(ntsq_ask(&link, rng, &q, &reply, &s), NTS_OK);
        cr_expect_lt(mono_now().ns - start, LONG_WAIT_MS / 2 * NS_PER_MS, "told at once");
        cr_expect_eq(s.outcome, NTSQ_UNREACHABLE);
        cr_expect_eq(s.system_error, ECONNREFUSED);
        cr_expect_eq(s.tries, i);
    }
    ntsq_link_close(&link);
    ntsq_link_close(&link);
    rng_free(rng);
}

/* The error may be an earlier request's, or forged: what comes behind it decides. */
Test(ntsq_ntp, an_error_ends_no_wait)
{
    static const struct {
        enum act script[ACTS_MAX];
        enum ntsq_outcome outcome;
        enum query_verdict verdict;
        int system_error;
    } cases[] = {
        {{REFUSE, GOOD}, NTSQ_ANSWERED, QUERY_OK, 0},
        {{REFUSE, WRONG_UID, GOOD}, NTSQ_ANSWERED, QUERY_OK, 0},
        {{REFUSE, REFUSE, UNSYNCHRONISED}, NTSQ_UNSYNCHRONISED, QUERY_UNSYNCHRONISED, 0},
        {{REFUSE, NAK}, NTSQ_REFUSED, QUERY_NAK, ECONNREFUSED},
        {{NAK, REFUSE}, NTSQ_REFUSED, QUERY_NAK, ECONNREFUSED},
        {{REFUSE}, NTSQ_UNREACHABLE, QUERY_OK, ECONNREFUSED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct query_reply reply;
        struct ntsq_sample s;
        ask(cases[i].script, true, LONG_WAIT_MS, &reply, &s);
        cr_expect_eq(s.outcome, cases[i].outcome, "case %zu: outcome %d", i, s.outcome);
        cr_expect_eq(s.verdict, cases[i].verdict, "case %zu: verdict %d", i, s.verdict);
        cr_expect_eq(s.system_error, cases[i].system_error, "case %zu: %d", i, s.system_error);
    }
}
