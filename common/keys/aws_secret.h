/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret of AWS Secrets Manager: read and replaced. Shell module; an object is for one thread at
 * a time.
 *
 * The environment says how to get there: AWS_REGION and AWS_DEFAULT_REGION (where the name has no
 * Region), AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_EC2_METADATA_SERVICE_ENDPOINT,
 * AWS_EC2_METADATA_DISABLED, and for https the proxy variables. It must not change while there is
 * an object. Each call takes PROVIDER_DEADLINE_MS at most, all its requests together.
 */
#ifndef NTSD_COMMON_KEYS_AWS_SECRET_H
#define NTSD_COMMON_KEYS_AWS_SECRET_H

#include "common/keys/aws_text.h"
#include "common/keys/provider.h"

struct aws_secret;

/* `secret_id`: its ARN, or its name; borrowed. Loads the HTTPS library, does no other I/O. NULL:
 * see `fault`. */
struct aws_secret *aws_secret_new(const char *secret_id, struct provider_fault *fault);

/* Wipes the credentials kept. */
void aws_secret_free(struct aws_secret *secret);

/* The current version. `text` and `version_id` are filled on PROVIDER_OK and wiped otherwise. */
enum provider_outcome aws_secret_get(struct aws_secret *secret, struct provider_text *text,
                                     char version_id[static AWS_VERSION_ID_MAX + 1],
                                     struct provider_fault *fault);

/*
 * Makes `text` the current version, unless somebody did so first: `token` is aws_put_token() of the
 * version that was read. Repeating a call with the same text is harmless. `overtaken`: true when
 * the version read has got another successor; then read again. The outcome is PROVIDER_FAILED in
 * that case.
 */
enum provider_outcome aws_secret_put(struct aws_secret *secret, struct span text, const char *token,
                                     bool *overtaken, struct provider_fault *fault);

#endif
