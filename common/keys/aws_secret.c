/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to Secrets Manager. See aws_secret.h.
 */
#include "common/keys/aws_secret.h"

#include "common/base/secret.h"
#include "common/keys/aws_ask.h"
#include "common/keys/aws_error.h"
#include "common/keys/aws_keychain.h"

#include <stdio.h>
#include <stdlib.h>

#define SERVICE      "secretsmanager"
#define CONTENT_TYPE "Content-Type: application/x-amz-json-1.1"
#define TOKEN_HEAD   "X-Amz-Security-Token: "

/* Every octet of the longest text as \uXXXX, and what stands around it. */
enum { ANSWER_MAX = AWS_BODY_MAX(KEYDOC_TEXT_MAX) };

struct aws_secret {
    const char *id;
    struct aws_variables variables;
    struct aws_place place;
    struct aws_keychain keychain;
};

/* One of the service's actions, and its call. */
struct call {
    struct aws_secret *secret;
    const char *target; /* X-Amz-Target: secretsmanager.ACTION */
    const char *action; /* secretsmanager:ACTION, as policies name it */
    struct span body;
    struct mono_ns deadline;
    struct https_answer answer;
    struct aws_refusal refusal; /* when the status is not 200 */
    struct provider_fault *fault;
};

/* ---- the environment */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static const char *variable_or(const char *name, const char *other)
{
    const char *value = variable(name);
    return value != NULL ? value : variable(other);
}

static struct aws_variables read_variables(void)
{
    return (struct aws_variables){
        .region = variable_or("AWS_REGION", "AWS_DEFAULT_REGION"),
        .service_endpoint = variable_or("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"),
        .metadata_endpoint = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
        .metadata_disabled = variable("AWS_EC2_METADATA_DISABLED"),
        .ca_file = variable("AWS_CA_BUNDLE"),
        .access_key_id = variable("AWS_ACCESS_KEY_ID"),
        .secret_access_key = variable("AWS_SECRET_ACCESS_KEY"),
        .session_token = variable("AWS_SESSION_TOKEN"),
    };
}

struct aws_secret *aws_secret_new(const char *secret_id, struct provider_fault *fault)
{
    const char *why;
    if (https_setup(&why) != NTS_OK) {
        (void)provider_refuse(fault, PROVIDER_INTERNAL, "Secrets Manager cannot be asked: %s", why);
        return NULL;
    }
    struct aws_secret *secret = calloc(1, sizeof(*secret));
    if (secret == NULL) {
        (void)provider_refuse(fault, PROVIDER_INTERNAL, "memory ran out");
        return NULL;
    }
    secret->id = secret_id;
    secret->variables = read_variables();
    if (aws_place_init(&secret->place, secret_id, &secret->variables, fault) != NTS_OK) {
        free(secret);
        return NULL;
    }
    return secret;
}

void aws_secret_free(struct aws_secret *secret)
{
    if (secret != NULL) {
        wipe(secret, sizeof(*secret));
        free(secret);
    }
}

/* ---- a call */

static enum provider_outcome ask(struct call *call, const struct aws_credentials *credentials)
{
    const struct aws_place *place = &call->secret->place;
    char target[64];
    char token[sizeof(TOKEN_HEAD) + AWS_SESSION_TOKEN_MAX];
    bool has_token = credentials->session_token[0] != '\0';
    (void)snprintf(target, sizeof(target), "X-Amz-Target: %s", call->target);
    (void)snprintf(token, sizeof(token), TOKEN_HEAD "%s", credentials->session_token);
    const char *const headers[] = {CONTENT_TYPE, target, has_token ? token : NULL, NULL};
    const struct https_signer signer = {
        .region = place->region,
        .service = SERVICE,
        .access_key_id = credentials->access_key_id,
        .secret_access_key = credentials->secret_access_key,
    };
    char url[AWS_URL_MAX + 1];
    (void)snprintf(url, sizeof(url), "%s/", place->service_url);
    struct https_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = call->body,
        .signer = &signer,
        .ca_file = call->secret->variables.ca_file,
        .direct = strncmp(url, "http://", 7) == 0, /* which is this host */
        .answer_max = ANSWER_MAX,
    };
    enum provider_outcome outcome = aws_ask(&request, call->deadline, &call->answer, call->fault);
    wipe(token, sizeof(token));
    return outcome;
}

/* `again` becomes true when it was refused for credentials that may be stale. */
static enum provider_outcome try_once(struct call *call, bool *again)
{
    struct aws_secret *secret = call->secret;
    struct aws_credentials credentials;
    struct aws_keychain_source source = {
        .variables = &secret->variables,
        .place = &secret->place,
        .deadline = call->deadline,
    };
    *again = false;
    enum provider_outcome outcome =
        aws_keychain_get(&secret->keychain, &source, &credentials, call->fault);
    if (outcome == PROVIDER_OK) {
        outcome = ask(call, &credentials);
    }
    if (outcome == PROVIDER_OK && call->answer.status != AWS_HTTP_OK) {
        call->refusal = (struct aws_refusal){
            .status = call->answer.status,
            .action = call->action,
            .secret_id = secret->id,
            .credentials = &credentials,
        };
        aws_reply_error(call->answer.body, &call->refusal.error);
        outcome = aws_refusal_explain(&call->refusal, call->fault);
        call->refusal.credentials = NULL;
        *again = aws_refusal_is_stale(&call->refusal) && aws_keychain_drop(&secret->keychain);
    }
    aws_credentials_wipe(&credentials);
    return outcome;
}

/* PROVIDER_OK: `call->answer` has status 200. It has to be wiped in any case. */
static enum provider_outcome perform(struct call *call)
{
    bool again;
    enum provider_outcome outcome = try_once(call, &again);
    if (again) {
        https_answer_wipe(&call->answer);
        call->refusal = (struct aws_refusal){0};
        outcome = try_once(call, &again);
    }
    return outcome;
}

static enum provider_outcome refuse_reply(const struct call *call, enum nts_err err,
                                          const char *why)
{
    enum provider_outcome outcome = err == NTS_ELIMIT      ? PROVIDER_TOO_LONG
                                    : err == NTS_EINTERNAL ? PROVIDER_INTERNAL
                                                           : PROVIDER_SENSELESS;
    return provider_refuse(call->fault, outcome, "the reply to %s of %.150s is of no use: %s",
                           call->action, call->secret->id, why);
}

enum provider_outcome aws_secret_get(struct aws_secret *secret, struct provider_text *text,
                                     char version_id[static AWS_VERSION_ID_MAX + 1],
                                     struct provider_fault *fault)
{
    uint8_t body[AWS_BODY_MAX(0)];
    struct wr w = wr_init(body, sizeof(body));
    struct call call = {
        .secret = secret,
        .target = "secretsmanager.GetSecretValue",
        .action = "secretsmanager:GetSecretValue",
        .deadline = aws_deadline(PROVIDER_DEADLINE_MS),
        .fault = fault,
    };
    wipe(text, sizeof(*text));
    wipe(version_id, AWS_VERSION_ID_MAX + 1);
    if (aws_get_body_write(secret->id, &w) != NTS_OK) {
        return provider_refuse(fault, PROVIDER_INTERNAL, "the name of the secret is too long");
    }
    call.body = wr_done(&w);
    enum provider_outcome outcome = perform(&call);
    if (outcome == PROVIDER_OK) {
        const char *why = "";
        enum nts_err err = aws_reply_secret(call.answer.body, text, version_id, &why);
        outcome = err == NTS_OK ? PROVIDER_OK : refuse_reply(&call, err, why);
    }
    https_answer_wipe(&call.answer);
    return outcome;
}

static enum provider_outcome send_put(struct call *call, const char *token, bool *overtaken)
{
    enum provider_outcome outcome = perform(call);
    *overtaken = aws_refusal_is_overtaken(&call->refusal);
    if (outcome == PROVIDER_OK) {
        char version_id[AWS_VERSION_ID_MAX + 1];
        const char *why = "";
        enum nts_err err = aws_reply_version(call->answer.body, version_id, &why);
        if (err != NTS_OK || strcmp(version_id, token) != 0) {
            outcome = refuse_reply(call, err, err == NTS_OK ? "it names another version" : why);
        }
    }
    https_answer_wipe(&call->answer);
    return outcome;
}

enum provider_outcome aws_secret_put(struct aws_secret *secret, struct span text, const char *token,
                                     bool *overtaken, struct provider_fault *fault)
{
    struct call call = {
        .secret = secret,
        .target = "secretsmanager.PutSecretValue",
        .action = "secretsmanager:PutSecretValue",
        .deadline = aws_deadline(PROVIDER_DEADLINE_MS),
        .fault = fault,
    };
    *overtaken = false;
    if (text.n > KEYDOC_TEXT_MAX) {
        return provider_refuse(fault, PROVIDER_TOO_LONG,
                               "%.150s: more than %d octets cannot be stored", secret->id,
                               KEYDOC_TEXT_MAX);
    }
    size_t room = AWS_BODY_MAX(text.n);
    uint8_t *body = malloc(room);
    if (body == NULL) {
        return provider_refuse(fault, PROVIDER_INTERNAL, "memory ran out");
    }
    struct wr w = wr_init(body, room);
    const struct aws_put put = {.secret_id = secret->id, .token = token, .text = text};
    enum provider_outcome outcome = PROVIDER_INTERNAL;
    if (aws_put_body_write(&put, &w) == NTS_OK) {
        call.body = wr_done(&w);
        outcome = send_put(&call, token, overtaken);
    } else {
        (void)provider_refuse(fault, outcome, "the name of the secret or its token is too long");
    }
    wipe(body, room);
    free(body);
    return outcome;
}
