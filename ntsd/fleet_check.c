/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fleet_check.h.
 */
#include "ntsd/fleet_check.h"

#include "common/keys/keydoc.h"
#include "common/keys/provider_command.h"
#include "ntsd/key_source.h"

#include <stdio.h>
#include <stdlib.h>

static bool refuse(struct state_fault *fault, const char *why)
{
    (void)snprintf(fault->text, sizeof(fault->text), "ntskeys: %s", why);
    return false;
}

/* As configured, it can be asked. */
static bool check_provider(const struct provider_options *source, struct state_fault *fault)
{
    struct provider_fault why;
    struct provider *provider = provider_new(source, &why);
    if (provider == NULL) {
        return refuse(fault, why.text);
    }
    provider_free(provider);
    return true;
}

static bool check_text(const char *path, const struct provider_text *text,
                       struct state_fault *fault)
{
    struct keydoc doc;
    struct keydoc_fault why;
    enum nts_err err = keydoc_parse(span_of(text->bytes, text->len), &doc, &why);
    keydoc_wipe(&doc);
    if (err != NTS_OK) {
        (void)snprintf(fault->text, sizeof(fault->text), "ntskeys: %.240s cannot be used: %s", path,
                       why.text);
    }
    return err == NTS_OK;
}

static bool check_file(const struct provider_options *source, struct state_fault *fault)
{
    struct provider_fault why;
    struct provider *provider = provider_new(source, &why);
    struct provider_text *text = calloc(1, sizeof(*text));
    bool good = false;
    if (provider == NULL || text == NULL) {
        (void)refuse(fault, "out of memory");
    } else if (provider_fetch(provider, text, &why) != PROVIDER_OK) {
        (void)refuse(fault, why.text);
    } else {
        good = check_text(source->source, text, fault);
        provider_text_wipe(text);
    }
    free(text);
    provider_free(provider);
    return good;
}

static bool check_source(const struct provider_options *source, struct state_fault *fault)
{
    struct provider_fault why;
    switch (source->kind) {
    case PROVIDER_FILE:
        return check_file(source, fault);
    case PROVIDER_COMMAND:
        return provider_command_look(source->argv[0], &why) == PROVIDER_OK ||
               refuse(fault, why.text);
    case PROVIDER_AWS:
    case PROVIDER_AWS_AGENT:
        break;
    }
    return check_provider(source, fault);
}

bool fleet_check(const struct config *config, bool made_by_root, struct state_fault *fault)
{
    const struct provider_options source = key_source_options(config);
    return check_source(&source, fault) &&
           (!config->keys_cache || state_check_dir(config->state_dir, made_by_root, fault));
}

bool fleet_prepare(const struct config *config, struct state_fault *fault)
{
    const struct provider_options source = key_source_options(config);
    bool has_dir = state_prepare_dir(config->state_dir, fault);
    return (has_dir || !config->keys_cache) && check_provider(&source, fault);
}
