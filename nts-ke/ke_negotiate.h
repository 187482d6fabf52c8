/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server agrees to, as a pure function of the request and the configuration, and the
 * exporter context that follows from it. Core; thread-safe.
 */
#ifndef NTSD_NTS_KE_KE_NEGOTIATE_H
#define NTSD_NTS_KE_KE_NEGOTIATE_H

#include "common/crypto/aead.h"
#include "nts-ke/ke_message.h"

/* The server's wishes: AEADs in its order of preference. */
struct ke_policy {
    size_t aead_count;
    uint16_t aead[AEAD_MAX];
};

struct ke_agreement {
    bool ntpv4;
    const struct aead *alg; /* NULL: none in common */
    bool compliant_gcm_siv; /* answered with record 1024 */
    uint16_t exporter_aead; /* number in the exporter context */
};

/* The server's order decides among what the client offers (RFC 8915 §4.1.5 leaves it free). */
struct ke_agreement ke_negotiate(const struct ke_request *request, const struct ke_policy *policy);

/*
 * The number that goes into the exporter context for algorithm `aead`: itself, but 15 for
 * AEAD 30 when the peer did not send record 1024 (chrony 4.4 to 4.6 compute it so).
 */
uint16_t ke_exporter_aead(uint16_t aead, bool compliant_gcm_siv);

/* RFC 8915 §5.1: protocol (u16, 0) | AEAD (u16) | 00 client to server, 01 server to client. */
void ke_exporter_context(uint16_t exporter_aead, bool s2c,
                         uint8_t out[static KE_EXPORTER_CONTEXT_LEN]);

#endif
