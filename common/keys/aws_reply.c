/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of AWS. See aws_reply.h. The JSON library's own error texts quote the input and are not
 * used.
 */
#include "common/keys/aws_reply.h"

#include "common/base/secret.h"
#include "common/keys/jsonwipe.h"

#include <jansson.h>

static enum nts_err refuse(const char **why, const char *words)
{
    *why = words;
    return NTS_EFORMAT;
}

/* The object that `body` is. Free with json_decref(). */
static enum nts_err load(struct span body, json_t **object, const char **why)
{
    json_error_t error;
    jsonwipe_setup();
    *object = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &error);
    bool no_memory = *object == NULL && json_error_code(&error) == json_error_out_of_memory;
    wipe(&error, sizeof(error));
    if (no_memory) {
        *why = "memory ran out while it was read";
        return NTS_EINTERNAL;
    }
    if (!json_is_object(*object)) {
        json_decref(*object);
        *object = NULL;
        return refuse(why, body.n == 0 ? "it is empty" : "it is not a JSON object");
    }
    return NTS_OK;
}

/* A string member that can stand in a header, copied with its NUL. */
static bool get_word(const json_t *object, const char *name, char *out, size_t cap)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    size_t len = text == NULL ? 0 : json_string_length(value);
    if (len == 0 || len >= cap || !aws_is_header_word(text)) {
        return false;
    }
    memcpy(out, text, len + 1);
    return true;
}

/* ---- secrets */

static bool is_current(const json_t *object)
{
    const json_t *stages = json_object_get(object, "VersionStages");
    bool current = stages == NULL;
    for (size_t i = 0; i < json_array_size(stages) && !current; i++) {
        const char *stage = json_string_value(json_array_get(stages, i));
        current = stage != NULL && strcmp(stage, "AWSCURRENT") == 0;
    }
    return current;
}

static enum nts_err get_version(const json_t *object,
                                char version_id[static AWS_VERSION_ID_MAX + 1], const char **why)
{
    if (!get_word(object, "VersionId", version_id, AWS_VERSION_ID_MAX + 1)) {
        return refuse(why, "it has no VersionId");
    }
    return NTS_OK;
}

static enum nts_err get_text(const json_t *object, struct provider_text *text, const char **why)
{
    const json_t *value = json_object_get(object, "SecretString");
    if (!json_is_string(value)) {
        bool binary = json_object_get(object, "SecretBinary") != NULL;
        return refuse(why, binary ? "its value is binary: store it as SecretString"
                                  : "it has no SecretString");
    }
    size_t len = json_string_length(value);
    if (len > sizeof(text->bytes)) {
        *why = "its value is too long";
        return NTS_ELIMIT;
    }
    memcpy(text->bytes, json_string_value(value), len);
    text->len = len;
    return NTS_OK;
}

static enum nts_err read_secret(const json_t *object, struct provider_text *text,
                                char version_id[static AWS_VERSION_ID_MAX + 1], const char **why)
{
    TRY(get_version(object, version_id, why));
    if (!is_current(object)) {
        return refuse(why, "it is not of the current version");
    }
    return get_text(object, text, why);
}

NODISCARD enum nts_err aws_reply_secret(struct span body, struct provider_text *text,
                                        char version_id[static AWS_VERSION_ID_MAX + 1],
                                        const char **why)
{
    json_t *object;
    enum nts_err err = load(body, &object, why);
    if (err == NTS_OK) {
        err = read_secret(object, text, version_id, why);
    }
    json_decref(object);
    if (err != NTS_OK) {
        wipe(text, sizeof(*text));
        wipe(version_id, AWS_VERSION_ID_MAX + 1);
    }
    return err;
}

NODISCARD enum nts_err aws_reply_version(struct span body,
                                         char version_id[static AWS_VERSION_ID_MAX + 1],
                                         const char **why)
{
    json_t *object;
    enum nts_err err = load(body, &object, why);
    if (err == NTS_OK) {
        err = get_version(object, version_id, why);
    }
    json_decref(object);
    if (err != NTS_OK) {
        wipe(version_id, AWS_VERSION_ID_MAX + 1);
    }
    return err;
}

/* ---- credentials */

static enum nts_err read_credentials(const json_t *object, struct aws_credentials *credentials,
                                     const char **why)
{
    const char *code = json_string_value(json_object_get(object, "Code"));
    if (code != NULL && strcmp(code, "Success") != 0) {
        *why = "its Code is not Success: let ec2.amazonaws.com assume the role";
        return NTS_ENOTFOUND;
    }
    if (!get_word(object, "AccessKeyId", credentials->access_key_id, AWS_KEY_MAX + 1) ||
        !get_word(object, "SecretAccessKey", credentials->secret_access_key, AWS_KEY_MAX + 1) ||
        !get_word(object, "Token", credentials->session_token, AWS_SESSION_TOKEN_MAX + 1)) {
        return refuse(why, "AccessKeyId, SecretAccessKey or Token is missing or malformed");
    }
    const char *expires = json_string_value(json_object_get(object, "Expiration"));
    if (expires == NULL || aws_time_parse(expires, &credentials->expires_s) != NTS_OK) {
        return refuse(why, "it has no Expiration");
    }
    return NTS_OK;
}

NODISCARD enum nts_err aws_reply_credentials(struct span body, struct aws_credentials *credentials,
                                             const char **why)
{
    json_t *object;
    enum nts_err err = load(body, &object, why);
    if (err == NTS_OK) {
        err = read_credentials(object, credentials, why);
    }
    json_decref(object);
    if (err != NTS_OK) {
        aws_credentials_wipe(credentials);
    }
    return err;
}

void aws_credentials_wipe(struct aws_credentials *credentials)
{
    wipe(credentials, sizeof(*credentials));
}

/* ---- errors */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters alone: names of exceptions have nothing else, and what is shown has to be harmless. */
static void take_type(const json_t *object, struct aws_error *error)
{
    const char *text = json_string_value(json_object_get(object, "__type"));
    if (text == NULL) {
        return;
    }
    const char *hash = strrchr(text, '#');
    text = hash == NULL ? text : hash + 1;
    size_t n = 0;
    while (n < AWS_ERROR_TYPE_MAX && is_letter(text[n])) {
        error->type[n] = text[n];
        n++;
    }
}

static void take_message(const json_t *object, struct aws_error *error)
{
    const json_t *value = json_object_get(object, "message");
    value = value == NULL ? json_object_get(object, "Message") : value;
    if (json_is_string(value)) {
        aws_show(error->message, sizeof(error->message),
                 span_of(json_string_value(value), json_string_length(value)));
    }
}

void aws_reply_error(struct span body, struct aws_error *error)
{
    json_t *object;
    const char *why;
    *error = (struct aws_error){0};
    if (load(body, &object, &why) == NTS_OK) {
        take_type(object, error);
        take_message(object, error);
        json_decref(object);
    }
}
