/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of the environment or the instance. See aws_keychain.h.
 */
#include "common/keys/aws_keychain.h"

#include "common/base/secret.h"
#include "common/keys/aws_ask.h"
#include "common/keys/aws_metadata.h"

enum { RENEW_BEFORE_S = 300 };

static bool copy_word(char *out, size_t cap, const char *text)
{
    if (text == NULL || strlen(text) >= cap || !aws_is_header_word(text)) {
        return false;
    }
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static enum provider_outcome take_from_environment(const struct aws_variables *variables,
                                                   struct aws_credentials *out,
                                                   struct provider_fault *fault)
{
    out->expires_s = INT64_MAX;
    const char *token = variables->session_token;
    if (copy_word(out->access_key_id, sizeof(out->access_key_id), variables->access_key_id) &&
        copy_word(out->secret_access_key, sizeof(out->secret_access_key),
                  variables->secret_access_key) &&
        (token == NULL || copy_word(out->session_token, sizeof(out->session_token), token))) {
        return PROVIDER_OK;
    }
    aws_credentials_wipe(out);
    return provider_refuse(
        fault, PROVIDER_NO_CREDENTIALS,
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be set together, and "
        "neither they nor AWS_SESSION_TOKEN may hold blanks");
}

static bool is_fresh(const struct aws_keychain *keychain)
{
    int64_t now_s = wall_now().ns / NS_PER_S;
    return keychain->has_kept && keychain->kept.expires_s - RENEW_BEFORE_S > now_s;
}

static enum provider_outcome take_from_instance(struct aws_keychain *keychain,
                                                const struct aws_keychain_source *source,
                                                struct aws_credentials *out,
                                                struct provider_fault *fault)
{
    if (is_fresh(keychain)) {
        *out = keychain->kept;
        return PROVIDER_OK;
    }
    enum provider_outcome outcome =
        aws_metadata_credentials(source->place->metadata_url, source->deadline, out, fault);
    if (outcome == PROVIDER_OK) {
        keychain->kept = *out;
        keychain->has_kept = true;
        return PROVIDER_OK;
    }
    if (keychain->has_kept) {
        *out = keychain->kept;
        return PROVIDER_OK;
    }
    return outcome;
}

enum provider_outcome aws_keychain_get(struct aws_keychain *keychain,
                                       const struct aws_keychain_source *source,
                                       struct aws_credentials *out, struct provider_fault *fault)
{
    const struct aws_variables *variables = source->variables;
    aws_credentials_wipe(out);
    if (variables->access_key_id != NULL || variables->secret_access_key != NULL) {
        return take_from_environment(variables, out, fault);
    }
    if (!source->place->has_metadata) {
        return provider_refuse(fault, PROVIDER_NO_CREDENTIALS,
                               "no credentials: AWS_ACCESS_KEY_ID is not set, and "
                               "AWS_EC2_METADATA_DISABLED forbids asking the instance for them");
    }
    return take_from_instance(keychain, source, out, fault);
}

bool aws_keychain_drop(struct aws_keychain *keychain)
{
    bool had = keychain->has_kept;
    aws_keychain_wipe(keychain);
    return had;
}

void aws_keychain_wipe(struct aws_keychain *keychain)
{
    wipe(keychain, sizeof(*keychain));
}
