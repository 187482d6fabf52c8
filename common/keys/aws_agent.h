/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workload credentials provider (also called the AWS Secrets Manager Agent): a service on this
 * host that has the credentials and answers GetSecretValue in the clear, on loopback, to whoever
 * can read its token. It keeps what it fetched for five minutes. Shell module; thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_AWS_AGENT_H
#define NTSD_COMMON_KEYS_AWS_AGENT_H

#include "common/keys/aws_text.h"
#include "common/keys/provider.h"

#define AWS_AGENT_URL        "http://localhost:2773"
#define AWS_AGENT_TOKEN_FILE "/var/run/awssmatoken"

/* Where it is and what it wants to see. Borrowed. */
struct aws_agent {
    const char *url;        /* without a slash at its end; aws_url_is_safe() */
    const char *token_file; /* read for each request: a restarted agent has a new token */
    const char *secret_id;
};

/* Within PROVIDER_DEADLINE_MS. `text` and `version_id` are filled on PROVIDER_OK and wiped
 * otherwise. */
enum provider_outcome aws_agent_get(const struct aws_agent *agent, struct provider_text *text,
                                    char version_id[static AWS_VERSION_ID_MAX + 1],
                                    struct provider_fault *fault);

#endif
