/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of one NTS-KE exchange, blocking with a deadline: connect, TLS, request,
 * response, keys. Used by ntsq and the tests. Shell module.
 */
#ifndef NTSD_NTS_KE_KE_CLIENT_H
#define NTSD_NTS_KE_KE_CLIENT_H

#include "certs/tls_client.h"
#include "common/keys/cookie.h"
#include "common/net/addr.h"
#include "nts-ke/ke_message.h"

enum {
    KE_CLIENT_COOKIE_MAX = 512
}; /* the longest cookie we keep; RFC 8915 leaves the length open */

struct ke_client_options {
    SSL_CTX *tls;                /* from tls_client_new(), ALPN KE_ALPN */
    const char *host;            /* name or address to verify in the certificate */
    const struct net_addr *addr; /* where to connect */
    unsigned timeout_ms;         /* for the whole exchange */
    const uint16_t *aeads;       /* offered, in order of preference */
    size_t aead_count;
};

struct ke_client_cookie {
    size_t len;
    uint8_t bytes[KE_CLIENT_COOKIE_MAX];
};

struct ke_client_result {
    struct tls_client_info tls;
    struct ke_answer answer; /* its spans point into `message` */
    uint8_t message[KE_ANSWER_MAX];
    size_t message_len;
    struct session_keys keys; /* when answer.aead and no error */
    size_t cookie_count;
    struct ke_client_cookie cookie[KE_COOKIES];
    double connect_ms; /* TCP, TLS and whole exchange: moments since the start */
    double tls_ms;
    double total_ms;
    SSL *ssl; /* kept for tls_client_check_dates(); free by _wipe */
};

/* `why` receives a sentence for people, also when the server answered with an error record (then
 * NTS_OK and answer.has_error). NTS_ESYSTEM: network. NTS_EAUTH: TLS verification. NTS_EFORMAT: the
 * response. NTS_ELIMIT: time is up. On failure `result` holds what was learned until then. */
struct ke_client_why {
    char text[320];
};
NODISCARD enum nts_err ke_client_exchange(const struct ke_client_options *options,
                                          struct ke_client_result *result,
                                          struct ke_client_why *why);

void ke_client_result_wipe(struct ke_client_result *result);

#endif
