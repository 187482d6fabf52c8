/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_source.h.
 */
#include "ntsd/key_source.h"

bool key_source_is_fleet(const struct config *config)
{
    return config->keys != CONFIG_KEYS_AUTO;
}

static enum provider_kind kind_of(enum config_keys keys)
{
    switch (keys) {
    case CONFIG_KEYS_COMMAND:
        return PROVIDER_COMMAND;
    case CONFIG_KEYS_AWS:
        return PROVIDER_AWS;
    case CONFIG_KEYS_AWS_AGENT:
        return PROVIDER_AWS_AGENT;
    case CONFIG_KEYS_FILE:
    case CONFIG_KEYS_AUTO: /* not asked for */
        break;
    }
    return PROVIDER_FILE;
}

struct provider_options key_source_options(const struct config *config)
{
    bool command = config->keys == CONFIG_KEYS_COMMAND;
    return (struct provider_options){.kind = kind_of(config->keys),
                                     .source = command ? NULL : config->keys_source,
                                     .argv = command ? config->keys_argv : NULL};
}

const char *key_source_name(const struct config *config)
{
    switch (config->keys) {
    case CONFIG_KEYS_AUTO:
        return "auto";
    case CONFIG_KEYS_FILE:
        return "file";
    case CONFIG_KEYS_COMMAND:
        return "command";
    case CONFIG_KEYS_AWS:
        return "aws-secretsmanager";
    case CONFIG_KEYS_AWS_AGENT:
        return "agent";
    }
    return "unknown";
}
