/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it means that Secrets Manager or its agent said no, and what mends it. Core; thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_AWS_ERROR_H
#define NTSD_COMMON_KEYS_AWS_ERROR_H

#include "common/keys/aws_reply.h"

/* An answer other than 200. */
struct aws_refusal {
    int status;
    struct aws_error error;
    const char *action;                        /* secretsmanager:GetSecretValue */
    const char *secret_id;                     /* what it was about */
    const struct aws_credentials *credentials; /* not to be repeated in a text; may be NULL */
};

/* Which outcome it is. `fault`: what was refused, the remedy, and what the service said, unless
 * that repeats a credential. */
enum provider_outcome aws_refusal_explain(const struct aws_refusal *refusal,
                                          struct provider_fault *fault);

/* Other credentials might do: these are not known or not valid any more. */
bool aws_refusal_is_stale(const struct aws_refusal *refusal);

/* A version with the same token exists and has another text: see aws_put_token(). */
bool aws_refusal_is_overtaken(const struct aws_refusal *refusal);

#endif
