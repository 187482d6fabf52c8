/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two providers of provider.h that bring a fleet's document from AWS Secrets Manager: by the
 * service itself, or by its agent on this host. Same contract. Shell module; an object is for one
 * thread at a time.
 */
#ifndef NTSD_COMMON_KEYS_PROVIDER_AWS_H
#define NTSD_COMMON_KEYS_PROVIDER_AWS_H

#include "common/keys/provider.h"

struct provider_aws;

/* `options->kind` is PROVIDER_AWS or PROVIDER_AWS_AGENT; the strings are borrowed. Loads the HTTPS
 * library and reads the environment (aws_secret.h), no other I/O. NULL: see `fault`. */
struct provider_aws *provider_aws_new(const struct provider_options *options,
                                      struct provider_fault *fault);

/* Where the agent is and its token lies, when not at the usual places (aws_agent.h). Borrowed; the
 * URL without a slash at its end. Has no effect on PROVIDER_AWS. */
void provider_aws_set_agent(struct provider_aws *provider, const char *url, const char *token_file);

/* `text` is filled on PROVIDER_OK and wiped otherwise. */
enum provider_outcome provider_aws_fetch(struct provider_aws *provider, struct provider_text *text,
                                         struct provider_fault *fault);

void provider_aws_free(struct provider_aws *provider);

#endif
