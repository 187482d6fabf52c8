/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of a request. See request.h.
 */
#include "ntp/request.h"

enum { VERSION_WITH_FIELDS = 4 };

/* How often each field of RFC 8915 occurs before the end, or before the authenticator. */
struct census {
    size_t uids;
    size_t cookies;
    size_t placeholders;
    size_t authenticators; /* 0 or 1: the first ends the list */
};

static enum ntp_verdict check_header(const struct ntp_header *header)
{
    if (header->version < NTP_VERSION_MIN || header->version > NTP_VERSION_MAX) {
        return NTP_DROP_VERSION;
    }
    /* Never answer anything but a client's request: two servers must not be able to loop. */
    return header->mode == NTP_MODE_CLIENT ? NTP_ANSWER_PLAIN : NTP_DROP_MODE;
}

static enum nts_err note_field(const struct ntp_ef *ef, struct span datagram,
                               struct ntp_request *request, struct census *census)
{
    switch (ef->type) {
    case NTP_EF_UNIQUE_IDENTIFIER:
        census->uids++;
        request->uid = ef->body;
        return NTS_OK;
    case NTP_EF_COOKIE:
        census->cookies++;
        request->cookie = ef->body;
        return NTS_OK;
    case NTP_EF_COOKIE_PLACEHOLDER:
        census->placeholders++;
        return NTS_OK;
    case NTP_EF_AUTHENTICATOR:
        census->authenticators++;
        request->authenticated = span_of(datagram.p, ef->offset);
        return ntp_authenticator_parse(ef->body, &request->auth);
    default: /* RFC 8915 §5.7 and RFC 7822: a field we do not know is ignored */
        return NTS_OK;
    }
}

static enum ntp_verdict read_fields(struct rd *r, struct span datagram, struct ntp_request *request,
                                    struct census *census)
{
    while (census->authenticators == 0) {
        struct ntp_ef ef;
        enum nts_err err = ntp_ef_next(r, datagram.n, &ef);
        if (err == NTS_ENOTFOUND) {
            return NTP_ANSWER_PLAIN;
        }
        /* RFC 7822 §7.5.1.4: the last field of a packet without a MAC has 28 octets or more. This
         * is also what tells a 20 or 24 octet MAC that happens to look like a field. */
        if (err != NTS_OK || (r->left == 0 && ef.body.n + NTP_EF_HEAD_LEN < NTP_EF_LAST_LEN_MIN)) {
            return NTP_DROP_FIELD;
        }
        if (note_field(&ef, datagram, request, census) != NTS_OK) {
            return NTP_DROP_FIELD;
        }
    }
    return NTP_ANSWER_NTS;
}

/* RFC 8915 §5.7: exactly one of each, or there is nothing to be said. */
static enum ntp_verdict check_census(const struct census *census, const struct ntp_request *request)
{
    if (census->uids > 1 || (census->uids == 1 && request->uid.n < NTP_UID_LEN_MIN)) {
        return NTP_DROP_NTS;
    }
    if (census->authenticators == 0) {
        /* A cookie or placeholder without an authenticator wants NTS and cannot have it. */
        bool plain = census->cookies == 0 && census->placeholders == 0;
        return plain ? NTP_ANSWER_PLAIN : NTP_DROP_NTS;
    }
    bool complete = census->uids == 1 && census->cookies == 1;
    return complete ? NTP_ANSWER_NTS : NTP_DROP_NTS;
}

/*
 * RFC 8915 §5.5: a placeholder is as long as the cookie. Others do not count, so that tiny ones buy
 * nothing. A second walk, because a placeholder may come before the cookie.
 */
static size_t count_placeholders(const struct ntp_request *request)
{
    size_t count = 0;
    struct ntp_ef ef;
    struct rd r = rd_init(request->authenticated);
    rd_skip(&r, NTP_HEADER_LEN);
    while (ntp_ef_next(&r, request->authenticated.n, &ef) == NTS_OK) {
        if (ef.type == NTP_EF_COOKIE_PLACEHOLDER && ef.body.n == request->cookie.n) {
            count++;
        }
    }
    return count;
}

enum ntp_verdict ntp_request_parse(struct span datagram, struct ntp_request *request)
{
    *request = (struct ntp_request){0};
    if (datagram.n > NTP_DATAGRAM_MAX) {
        return NTP_DROP_LONG;
    }
    struct rd r = rd_init(datagram);
    request->header = ntp_header_read(&r);
    if (r.bad) {
        return NTP_DROP_SHORT;
    }
    enum ntp_verdict verdict = check_header(&request->header);
    if (verdict != NTP_ANSWER_PLAIN || r.left == 0) {
        return verdict;
    }
    if (request->header.version != VERSION_WITH_FIELDS) {
        return NTP_DROP_FIELD;
    }
    struct census census = {0};
    verdict = read_fields(&r, datagram, request, &census);
    if (verdict == NTP_DROP_FIELD) {
        return verdict;
    }
    verdict = check_census(&census, request);
    if (verdict == NTP_ANSWER_NTS) {
        request->placeholders = count_placeholders(request);
    }
    return verdict;
}
