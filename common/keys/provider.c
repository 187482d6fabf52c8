/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which provider answers for which kind. See provider.h.
 */
#include "common/keys/provider.h"

#include "common/base/secret.h"
#include "common/keys/provider_aws.h"
#include "common/keys/provider_command.h"
#include "common/keys/provider_file.h"
#include "common/keys/provider_refuse.h"

#include <stdlib.h>

struct provider {
    struct provider_options options;
    struct provider_aws *aws; /* NULL: of another kind */
};

const char *provider_outcome_name(enum provider_outcome outcome)
{
    switch (outcome) {
    case PROVIDER_OK:
        return "ok";
    case PROVIDER_NOT_FOUND:
        return "not_found";
    case PROVIDER_DENIED:
        return "denied";
    case PROVIDER_NO_CREDENTIALS:
        return "no_credentials";
    case PROVIDER_UNREACHABLE:
        return "unreachable";
    case PROVIDER_TIMEOUT:
        return "timeout";
    case PROVIDER_THROTTLED:
        return "throttled";
    case PROVIDER_TOO_LONG:
        return "too_long";
    case PROVIDER_FAILED:
        return "failed";
    case PROVIDER_SENSELESS:
        return "senseless";
    case PROVIDER_INTERNAL:
        return "internal";
    case PROVIDER_OUTCOMES:
        break;
    }
    return "unknown";
}

struct provider *provider_new(const struct provider_options *options, struct provider_fault *fault)
{
    struct provider *provider = calloc(1, sizeof(*provider));
    if (provider == NULL) {
        (void)provider_refuse(fault, PROVIDER_INTERNAL, "out of memory");
        return NULL;
    }
    provider->options = *options;
    if (options->kind == PROVIDER_AWS || options->kind == PROVIDER_AWS_AGENT) {
        provider->aws = provider_aws_new(options, fault);
        if (provider->aws == NULL) {
            free(provider);
            return NULL;
        }
    }
    return provider;
}

enum provider_outcome provider_fetch(struct provider *provider, struct provider_text *text,
                                     struct provider_fault *fault)
{
    const struct provider_options *options = &provider->options;
    switch (options->kind) {
    case PROVIDER_FILE:
        return provider_file_fetch(options->source, text, fault);
    case PROVIDER_COMMAND:
        return provider_command_fetch(options->argv, PROVIDER_DEADLINE_MS, text, fault);
    case PROVIDER_AWS:
    case PROVIDER_AWS_AGENT:
        return provider_aws_fetch(provider->aws, text, fault);
    }
    provider_text_wipe(text);
    return provider_refuse(fault, PROVIDER_INTERNAL, "there is no such provider");
}

void provider_free(struct provider *provider)
{
    if (provider != NULL) {
        provider_aws_free(provider->aws);
    }
    free(provider);
}

void provider_text_wipe(struct provider_text *text)
{
    wipe(text, sizeof(*text));
}
