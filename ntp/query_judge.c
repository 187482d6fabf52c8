/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a reply may be believed. See query.h; RFC 8915 §5.7, client's side, and RFC 5905 §7.4.
 */
#include "ntp/ntp_auth.h"
#include "ntp/query.h"

#include <assert.h>

enum { REPLY_VERSION = 4 };

/* What a reply carries outside its ciphertext, up to the authenticator. Spans borrow. */
struct reply_fields {
    size_t uids;
    struct span uid;
    bool authenticated; /* has an authenticator; says nothing about its truth */
    size_t ad_len;
    struct ntp_authenticator auth;
};

static const char *const texts[QUERY_VERDICTS] = {
    [QUERY_OK] = "the reply is good",
    [QUERY_SHORT] = "the reply is shorter than an NTP header",
    [QUERY_NOT_A_REPLY] = "not a server reply of NTP version 4",
    [QUERY_ORIGIN] = "the reply does not echo the request's transmit timestamp",
    [QUERY_NO_UID] = "the reply has no unique identifier",
    [QUERY_WRONG_UID] = "the reply's unique identifier is not the one sent",
    [QUERY_NO_AUTHENTICATOR] = "the reply has no authenticator",
    [QUERY_BAD_FIELD] = "the reply has a malformed extension field",
    [QUERY_NOT_AUTHENTIC] = "the reply's authenticator does not verify",
    [QUERY_NAK] = "the server rejects the cookie or the request (NTSN)",
    [QUERY_KISS] = "the server sent a kiss code",
    [QUERY_UNSYNCHRONISED] = "the server says that its clock is not synchronised",
};

const char *query_verdict_text(enum query_verdict verdict)
{
    return (unsigned)verdict < QUERY_VERDICTS ? texts[verdict] : "unknown verdict";
}

/* Fields after the authenticator are not looked at: nothing vouches for them. */
static bool read_fields(struct rd *r, size_t packet_len, struct reply_fields *fields)
{
    while (!fields->authenticated) {
        struct ntp_ef ef;
        enum nts_err err = ntp_ef_next(r, packet_len, &ef);
        if (err != NTS_OK) {
            return err == NTS_ENOTFOUND;
        }
        if (ef.type == NTP_EF_UNIQUE_IDENTIFIER) {
            fields->uids++;
            fields->uid = ef.body;
        }
        if (ef.type == NTP_EF_AUTHENTICATOR) {
            fields->authenticated = true;
            fields->ad_len = ef.offset;
            if (ntp_authenticator_parse(ef.body, &fields->auth) != NTS_OK) {
                return false;
            }
        }
    }
    return true;
}

/* What the header says of itself, once it may be believed or has to be shown. */
static enum query_verdict judge_clock(const struct ntp_header *header)
{
    if (header->stratum == NTP_STRATUM_KISS && header->reference_id != 0) {
        return QUERY_KISS;
    }
    bool synchronised = header->leap != NTP_LEAP_UNKNOWN && header->stratum != NTP_STRATUM_KISS &&
                        header->stratum <= NTP_STRATUM_MAX;
    return synchronised ? QUERY_OK : QUERY_UNSYNCHRONISED;
}

/* A reply that nobody vouches for can only be a refusal. */
static enum query_verdict judge_unauthenticated(const struct ntp_header *header)
{
    if (header->stratum != NTP_STRATUM_KISS || header->reference_id == 0) {
        return QUERY_NO_AUTHENTICATOR;
    }
    return header->reference_id == NTP_KISS_NTSN ? QUERY_NAK : QUERY_KISS;
}

/* Cookies count only when they were encrypted; ones beyond eight are left. */
static enum query_verdict take_cookies(size_t plain_len, struct query_reply *reply)
{
    struct rd r = rd_init(span_of(reply->plain, plain_len));
    for (;;) {
        struct ntp_ef ef;
        enum nts_err err = ntp_ef_next_encrypted(&r, plain_len, &ef);
        if (err == NTS_ENOTFOUND) {
            return QUERY_OK;
        }
        if (err != NTS_OK) {
            reply->cookie_count = 0;
            return QUERY_BAD_FIELD;
        }
        if (ef.type == NTP_EF_COOKIE && ef.body.n > 0 && reply->cookie_count < NTP_COOKIES_MAX) {
            reply->cookie[reply->cookie_count++] = ef.body;
        }
    }
}

static enum query_verdict judge_nts(const struct query *query, const struct session_keys *keys,
                                    struct span packet, struct rd *r, struct query_reply *reply)
{
    struct reply_fields fields = {0};
    if (!read_fields(r, packet.n, &fields)) {
        return QUERY_BAD_FIELD;
    }
    if (fields.uids == 0) {
        return QUERY_NO_UID;
    }
    if (fields.uids > 1 || !span_is(fields.uid, query->uid, sizeof(query->uid))) {
        return QUERY_WRONG_UID;
    }
    if (!fields.authenticated) {
        return judge_unauthenticated(&reply->header);
    }
    if (fields.auth.ciphertext.n > QUERY_PLAIN_MAX + AEAD_TAG_LEN) {
        return QUERY_BAD_FIELD;
    }
    struct span ad = span_of(packet.p, fields.ad_len);
    if (ntp_auth_open(keys->alg, &keys->s2c, &fields.auth, ad, reply->plain) != NTS_OK) {
        return QUERY_NOT_AUTHENTIC;
    }
    reply->authentic = true;
    enum query_verdict verdict = take_cookies(fields.auth.ciphertext.n - AEAD_TAG_LEN, reply);
    return verdict == QUERY_OK ? judge_clock(&reply->header) : verdict;
}

enum query_verdict query_judge(const struct query *query, const struct session_keys *keys,
                               struct span packet, struct query_reply *reply)
{
    assert(query->nts == (keys != NULL));
    *reply = (struct query_reply){0};
    struct rd r = rd_init(packet);
    reply->header = ntp_header_read(&r);
    if (r.bad) {
        return QUERY_SHORT;
    }
    if (reply->header.version != REPLY_VERSION || reply->header.mode != NTP_MODE_SERVER) {
        return QUERY_NOT_A_REPLY;
    }
    if (reply->header.origin_time != query->transmit_time) {
        return QUERY_ORIGIN;
    }
    /* Fields of an unauthenticated reply carry nothing a plain client uses. */
    return keys == NULL ? judge_clock(&reply->header) : judge_nts(query, keys, packet, &r, reply);
}
