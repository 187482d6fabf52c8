/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTS-KE responses, the server's side: written. ke_answer.c is the client's side of the same
 * format. RFC 8915 section 4.
 *
 * Critical bits: set where the RFC demands it (End of Message, Next Protocol, Error), set where it
 * leaves the choice and a client that skipped the record would go astray (AEAD, server, port), not
 * set on cookies (§4.1.6: should not) and on record 1024, which others may skip.
 */
#include "nts-ke/ke_message.h"

static void write_list(struct wr *w, uint16_t type, bool filled, uint16_t value)
{
    if (filled) {
        ke_record_write_u16(w, true, type, value);
    } else {
        ke_record_write(w, true, type, span_of(NULL, 0));
    }
}

static void write_ntpv4(struct wr *w, const struct ke_response *response)
{
    write_list(w, KE_AEAD_ALGORITHM, response->aead != 0, response->aead);
    if (response->aead == 0) { /* §4.1.6: cookies only with an algorithm */
        return;
    }
    if (response->compliant_gcm_siv) {
        ke_record_write(w, false, KE_COMPLIANT_GCM_SIV_EXPORTER, span_of(NULL, 0));
    }
    if (response->server != NULL) {
        struct span name = span_of(response->server, strlen(response->server));
        ke_record_write(w, true, KE_NTPV4_SERVER, name);
    }
    if (response->port != 0) {
        ke_record_write_u16(w, true, KE_NTPV4_PORT, response->port);
    }
    for (size_t i = 0; i < response->cookie_count && i < KE_COOKIES; i++) {
        ke_record_write(w, false, KE_NEW_COOKIE, response->cookie[i]);
    }
}

void ke_response_write(struct wr *w, const struct ke_response *response)
{
    write_list(w, KE_NEXT_PROTOCOL, response->ntpv4, KE_PROTOCOL_NTPV4);
    if (response->ntpv4) {
        write_ntpv4(w, response);
    }
    ke_record_write(w, true, KE_END_OF_MESSAGE, span_of(NULL, 0));
}

void ke_response_write_error(struct wr *w, enum ke_error_code code)
{
    ke_record_write_u16(w, true, KE_ERROR, (uint16_t)code);
    ke_record_write(w, true, KE_END_OF_MESSAGE, span_of(NULL, 0));
}
