/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request is made of: the header and, in version 4, the extension fields NTS knows. Judges
 * the structure only (RFC 5905, RFC 7822, RFC 8915 section 5); opens and verifies nothing. Core.
 */
#ifndef NTSD_NTP_REQUEST_H
#define NTSD_NTP_REQUEST_H

#include "ntp/answer.h"
#include "ntp/ntp_ef.h"

/* Spans borrow the datagram. */
struct ntp_request {
    struct ntp_header header;
    struct span uid;               /* empty: none */
    struct span cookie;            /* this and what follows: of an authenticated request only */
    struct span authenticated;     /* from the header to the head of the authenticator */
    struct ntp_authenticator auth; /* not verified */
    size_t placeholders;           /* those as long as the cookie */
};

/*
 * NTP_ANSWER_PLAIN or NTP_ANSWER_NTS: what kind of answer is asked for. Otherwise the reason to
 * drop: NTP_DROP_SHORT, _LONG, _VERSION, _MODE, _FIELD or _NTS; `request` then holds nothing of
 * use.
 *
 * Fixed policy for what follows the header. Version 4: extension fields, all well-formed up to the
 * end or to the authenticator; whatever comes after an authenticator is not looked at (RFC 8915
 * §5.7). Anything else, above all the MAC of a symmetric key or a crypto-NAK, and anything at all
 * in versions 1 to 3: dropped as NTP_DROP_FIELD, because who authenticates a request with a key we
 * do not have could not use an unauthenticated answer.
 */
enum ntp_verdict ntp_request_parse(struct span datagram, struct ntp_request *request);

#endif
