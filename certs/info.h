/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of one certificate as numbers and printable text, for faults, logs and status pages.
 * Certificates may come from a peer: what is not printable ASCII is escaped, every text is cut to
 * its room and terminated. Nothing here fails; what cannot be read is "?". Pure; thread-safe.
 */
#ifndef NTSD_CERTS_INFO_H
#define NTSD_CERTS_INFO_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CERT_TIME_TEXT_MAX = 32 };

/* "CN=time.example,O=Example" (RFC 4514 order). */
void cert_subject_text(const X509 *cert, char *text, size_t cap);
void cert_issuer_text(const X509 *cert, char *text, size_t cap);

/* "DNS:time.example IP:192.0.2.1", cut with "..."; returns how many DNS and IP names there are. */
size_t cert_names_text(const X509 *cert, char *text, size_t cap);

/* Seconds since 1970. False: a date that cannot be read; then neither is written. */
bool cert_dates(const X509 *cert, int64_t *not_before, int64_t *not_after);

/* "2026-01-31T12:00:00Z" */
void cert_time_text(int64_t time_s, char text[static CERT_TIME_TEXT_MAX]);

/* The TLS library's word for its last failure; empties its error queue. Static storage. */
const char *cert_library_reason(void);

#endif
