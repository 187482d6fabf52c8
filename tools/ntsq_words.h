/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and peers' octets as words, for both reports. What a peer wrote (a name in a certificate,
 * a server record) never reaches a terminal as it is. Core; thread-safe.
 */
#ifndef NTSD_TOOLS_NTSQ_WORDS_H
#define NTSD_TOOLS_NTSQ_WORDS_H

#include "tools/ntsq_facts.h"

/* Copies `text` to `out`, every octet that is not printable ASCII as "?"; cut to `size` - 1. */
void ntsq_clean(const char *text, char *out, size_t size);

/* The reference id as four characters, "?" for what cannot be printed, cut at the first zero. */
void ntsq_reference_code(uint32_t reference_id, char out[static 5]);

/* As `stratum` has it (RFC 5905 §7.3): a code for 0 and 1, else an address of the source, which for
 * an IPv6 source is a hash of it. */
enum { NTSQ_REFERENCE_TEXT = 16 };
void ntsq_reference_text(const struct ntp_header *header, char out[static NTSQ_REFERENCE_TEXT]);

/* "2024-05-06T07:08:09.123456Z" */
enum { NTSQ_DATE_TEXT = 40 };
void ntsq_date_text(struct wall_ns wall, char out[static NTSQ_DATE_TEXT]);

/* A record for people: what its type is called, and what its body says. */
struct ntsq_record_text {
    const char *name; /* static */
    char value[320];
};
void ntsq_record_describe(const struct ke_record *record, struct ntsq_record_text *out);

/* "bad request"; "unknown" for numbers without a meaning (RFC 8915 §4.1.3). */
const char *ntsq_ke_error_name(uint16_t error);

/* "AES-SIV-CMAC-256" for 15; also of algorithms this build does not have. */
const char *ntsq_aead_name(uint16_t id);

/* snake_case, for machines; static. */
const char *ntsq_verdict_name(enum query_verdict verdict);
const char *ntsq_outcome_name(enum ntsq_outcome outcome);
const char *ntsq_stage_name(enum ntsq_stage stage);

#endif
