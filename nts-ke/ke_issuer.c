/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server says to a request. RFC 8915 section 4.
 */
#include "nts-ke/ke_issuer.h"

#include "nts-ke/ke_export.h"

/* Heads of all records, a name of the greatest length, two numbers and eight of the longest cookies
 * must fit, so that a full response is never the reason for an Error 2. */
_Static_assert(16 * KE_RECORD_HEAD_LEN + KE_SERVER_NAME_MAX + 3 * 2 + KE_COOKIES * COOKIE_LEN_MAX <=
                   KE_RESPONSE_MAX,
               "the longest response fits its buffer");

static enum nts_err seal_cookies(const struct ke_issuer *issuer, const struct session_keys *keys,
                                 struct wr *room, struct ke_response *response)
{
    for (size_t i = 0; i < KE_COOKIES; i++) { /* §4.1.6: should be eight */
        size_t from = room->n;
        TRY(cookie_seal(&issuer->ring, issuer->rng, keys, room));
        response->cookie[i] = span_of(room->start + from, room->n - from);
        response->cookie_count = i + 1;
    }
    return NTS_OK;
}

static enum nts_err make_cookies(struct ke_issuer *issuer, SSL *ssl,
                                 const struct ke_agreement *agreement, struct wr *room,
                                 struct ke_response *response)
{
    /* A board that cannot be read leaves the ring we have; only an empty one is a reason to stop.
     */
    enum nts_err refreshed = cookie_ring_refresh(&issuer->ring, issuer->key_board);
    if (issuer->ring.count == 0) {
        return refreshed == NTS_OK ? NTS_ENOTFOUND : refreshed;
    }
    struct session_keys keys;
    TRY(ke_export_keys(ssl, agreement->alg, agreement->exporter_aead, &keys));
    enum nts_err err = seal_cookies(issuer, &keys, room, response);
    session_keys_wipe(&keys);
    return err;
}

static struct ke_issued fail(struct wr *out, bool no_keys)
{
    *out = wr_init(out->start, out->cap);
    ke_response_write_error(out, KE_ERROR_INTERNAL);
    return (struct ke_issued){.count = KE_COUNT_ERROR_2, .no_keys = no_keys};
}

static enum ke_count count_of(const struct ke_agreement *agreement)
{
    if (!agreement->ntpv4) {
        return KE_COUNT_NO_PROTOCOL;
    }
    return agreement->alg == NULL ? KE_COUNT_NO_AEAD : KE_COUNT_SERVED;
}

struct ke_issued ke_issuer_answer(struct ke_issuer *issuer, SSL *ssl, struct span request,
                                  struct wr *out)
{
    struct ke_request parsed;
    enum ke_request_fault fault = ke_request_parse(request, &parsed);
    if (fault != KE_REQUEST_OK) {
        return ke_issuer_refuse(fault, out);
    }
    struct ke_agreement agreement = ke_negotiate(&parsed, &issuer->policy);
    struct ke_response response = {.ntpv4 = agreement.ntpv4};
    uint8_t cookies[KE_COOKIES * COOKIE_LEN_MAX];
    struct wr room = wr_init(cookies, sizeof(cookies));
    if (agreement.alg != NULL) {
        response.aead = agreement.alg->id;
        response.compliant_gcm_siv = agreement.compliant_gcm_siv;
        response.server = issuer->ntp_server;
        response.port = issuer->ntp_port;
        enum nts_err err = make_cookies(issuer, ssl, &agreement, &room, &response);
        if (err != NTS_OK) {
            return fail(out, err == NTS_ENOTFOUND);
        }
    }
    ke_response_write(out, &response);
    if (out->bad) {
        return fail(out, false);
    }
    return (struct ke_issued){.count = count_of(&agreement), .fault = KE_REQUEST_OK};
}

struct ke_issued ke_issuer_refuse(enum ke_request_fault fault, struct wr *out)
{
    enum ke_error_code code = ke_request_fault_code(fault);
    ke_response_write_error(out, code);
    bool critical = code == KE_ERROR_UNRECOGNISED_CRITICAL;
    return (struct ke_issued){.count = critical ? KE_COUNT_ERROR_0 : KE_COUNT_ERROR_1,
                              .fault = fault};
}
