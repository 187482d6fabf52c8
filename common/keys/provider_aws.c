/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service or its agent, as the options have it. See provider_aws.h.
 */
#include "common/keys/provider_aws.h"

#include "common/keys/aws_agent.h"
#include "common/keys/aws_place.h"
#include "common/keys/aws_secret.h"
#include "common/keys/provider_refuse.h"
#include "common/net/https.h"

#include <stdlib.h>

struct provider_aws {
    struct aws_secret *secret; /* NULL: the agent is asked */
    struct aws_agent agent;
};

static bool agent_is_possible(const struct provider_options *options, struct provider_fault *fault)
{
    const char *why;
    if (!aws_secret_id_is_good(options->source)) {
        (void)provider_refuse(fault, PROVIDER_INTERNAL, "%.120s is not the ARN of a secret",
                              options->source);
        return false;
    }
    if (https_setup(&why) != NTS_OK) {
        (void)provider_refuse(fault, PROVIDER_INTERNAL, "the agent cannot be asked: %s", why);
        return false;
    }
    return true;
}

struct provider_aws *provider_aws_new(const struct provider_options *options,
                                      struct provider_fault *fault)
{
    struct provider_aws *provider = calloc(1, sizeof(*provider));
    if (provider == NULL) {
        (void)provider_refuse(fault, PROVIDER_INTERNAL, "memory ran out");
        return NULL;
    }
    provider->agent = (struct aws_agent){
        .url = AWS_AGENT_URL,
        .token_file = AWS_AGENT_TOKEN_FILE,
        .secret_id = options->source,
    };
    bool agent = options->kind == PROVIDER_AWS_AGENT;
    provider->secret = agent ? NULL : aws_secret_new(options->source, fault);
    if (agent ? !agent_is_possible(options, fault) : provider->secret == NULL) {
        free(provider);
        return NULL;
    }
    return provider;
}

void provider_aws_set_agent(struct provider_aws *provider, const char *url, const char *token_file)
{
    provider->agent.url = url;
    provider->agent.token_file = token_file;
}

enum provider_outcome provider_aws_fetch(struct provider_aws *provider, struct provider_text *text,
                                         struct provider_fault *fault)
{
    char version_id[AWS_VERSION_ID_MAX + 1]; /* only a writer needs it */
    return provider->secret == NULL ? aws_agent_get(&provider->agent, text, version_id, fault)
                                    : aws_secret_get(provider->secret, text, version_id, fault);
}

void provider_aws_free(struct provider_aws *provider)
{
    if (provider != NULL) {
        aws_secret_free(provider->secret);
        free(provider);
    }
}
