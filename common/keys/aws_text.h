/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small texts that requests to AWS are made of. Core; thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_AWS_TEXT_H
#define NTSD_COMMON_KEYS_AWS_TEXT_H

#include "common/base/cursor.h"
#include "common/base/err.h"

enum { AWS_TOKEN_LEN = 36, AWS_VERSION_ID_MAX = 64 };

/* Room for the body of a request around a text of `len` octets, whatever is in it. */
#define AWS_BODY_MAX(len) (6 * (len) + 2048)

/* Appends {"SecretId":ID}. NTS_ESPACE: no room. */
NODISCARD enum nts_err aws_get_body_write(const char *secret_id, struct wr *out);

/* A new version of a secret. */
struct aws_put {
    const char *secret_id;
    const char *token; /* ClientRequestToken: becomes the version's id */
    struct span text;
};

/* Appends {"SecretId":ID,"ClientRequestToken":TOKEN,"SecretString":TEXT}. NTS_ESPACE: no room. */
NODISCARD enum nts_err aws_put_body_write(const struct aws_put *put, struct wr *out);

/* Appends what is not a letter, digit or one of -._~ as %XX (RFC 3986 §2.1). */
void aws_percent_write(const char *text, struct wr *out);

/*
 * The token for the successor of a version: a UUID (RFC 9562 §5.8) made of SHA-256(version id).
 * All who read the same version form the same token, and Secrets Manager takes one text for a token
 * and refuses every other: so of two who change a secret at once, one learns that it was overtaken.
 */
void aws_put_token(const char *version_id, char token[static AWS_TOKEN_LEN + 1]);

/* "2026-03-01T12:00:00Z", with or without a fraction, which is ignored: seconds since 1970.
 * NTS_EFORMAT: it is no such time; `*seconds` is then untouched. */
NODISCARD enum nts_err aws_time_parse(const char *text, int64_t *seconds);

/* One or more octets that may stand in a header: printable ASCII without blanks. */
bool aws_is_header_word(const char *text);

/* Copies at most cap - 1 octets, what is not printable ASCII as '?', and ends with NUL. */
void aws_show(char *out, size_t cap, struct span text);

/* True when `text` holds eight octets in a row of `secret` (NULL: no), or all of a shorter one. */
bool aws_repeats(const char *text, const char *secret);

#endif
