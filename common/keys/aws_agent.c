/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the agent. See aws_agent.h.
 */
#include "common/keys/aws_agent.h"

#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/keys/aws_ask.h"
#include "common/keys/aws_error.h"
#include "common/keys/aws_place.h"

#include <errno.h>
#include <stdio.h>

#define TOKEN_HEAD "X-Aws-Parameters-Secrets-Token: "
#define PATH       "/secretsmanager/get?secretId="

enum {
    TOKEN_MAX = 512,
    URL_ROOM = AWS_URL_MAX + sizeof(PATH) + 3 * AWS_SECRET_ID_MAX,
    ANSWER_MAX = AWS_BODY_MAX(KEYDOC_TEXT_MAX),
    HTTP_FORBIDDEN = 403,
};

/* The header with the token, which is secret. */
struct pass {
    char header[sizeof(TOKEN_HEAD) + TOKEN_MAX];
};

static enum provider_outcome refuse_file(const struct aws_agent *agent, enum nts_err err,
                                         struct provider_fault *fault)
{
    int error = errno;
    char text[64];
    if (err == NTS_ENOTFOUND) {
        return provider_refuse(fault, PROVIDER_NO_CREDENTIALS,
                               "%.120s does not exist: the agent that makes it is not running",
                               agent->token_file);
    }
    if (err == NTS_ESYSTEM) {
        return provider_refuse(fault, error == EACCES ? PROVIDER_DENIED : PROVIDER_INTERNAL,
                               "cannot read %.120s: %s; put the user ntsd runs as into its group",
                               agent->token_file, strerror_r(error, text, sizeof(text)));
    }
    return provider_refuse(fault, PROVIDER_SENSELESS, "%.120s does not hold the agent's token",
                           agent->token_file);
}

static enum provider_outcome read_pass(const struct aws_agent *agent, struct pass *pass,
                                       struct provider_fault *fault)
{
    uint8_t token[TOKEN_MAX];
    size_t n = 0;
    enum nts_err err = file_read(agent->token_file, token, sizeof(token), &n);
    if (err != NTS_OK) {
        return refuse_file(agent, err, fault);
    }
    while (n > 0 && (token[n - 1] == '\n' || token[n - 1] == '\r')) {
        n--;
    }
    (void)snprintf(pass->header, sizeof(pass->header), TOKEN_HEAD "%.*s", (int)n,
                   (const char *)token);
    wipe(token, sizeof(token));
    if (!aws_is_header_word(pass->header + strlen(TOKEN_HEAD))) {
        return refuse_file(agent, NTS_EFORMAT, fault);
    }
    return PROVIDER_OK;
}

static enum provider_outcome refuse_answer(const struct aws_agent *agent,
                                           const struct https_answer *answer,
                                           struct provider_fault *fault)
{
    struct aws_refusal refusal = {
        .status = answer->status,
        .action = "the agent's GET",
        .secret_id = agent->secret_id,
    };
    aws_reply_error(answer->body, &refusal.error);
    if (answer->status == HTTP_FORBIDDEN && refusal.error.type[0] == '\0') {
        return provider_refuse(
            fault, PROVIDER_DENIED,
            "the agent at %.120s does not take the token in %.120s: it must be the "
            "file that this agent made",
            agent->url, agent->token_file);
    }
    return aws_refusal_explain(&refusal, fault);
}

static enum provider_outcome ask(const struct aws_agent *agent, const struct pass *pass,
                                 struct https_answer *answer, struct provider_fault *fault)
{
    uint8_t url[URL_ROOM];
    struct wr w = wr_init(url, sizeof(url) - 1);
    wr_bytes(&w, span_of(agent->url, strlen(agent->url)));
    wr_bytes(&w, span_of(PATH, strlen(PATH)));
    aws_percent_write(agent->secret_id, &w);
    if (w.bad) {
        return provider_refuse(fault, PROVIDER_INTERNAL, "the agent's URL is too long");
    }
    url[w.n] = '\0';
    const char *const headers[] = {pass->header, NULL};
    struct https_request request = {
        .method = "GET",
        .url = (const char *)url,
        .headers = headers,
        .direct = true,
        .answer_max = ANSWER_MAX,
    };
    return aws_ask(&request, aws_deadline(PROVIDER_DEADLINE_MS), answer, fault);
}

static enum provider_outcome read_answer(const struct aws_agent *agent,
                                         const struct https_answer *answer,
                                         struct provider_text *text,
                                         char version_id[static AWS_VERSION_ID_MAX + 1],
                                         struct provider_fault *fault)
{
    const char *why = "";
    enum nts_err err = aws_reply_secret(answer->body, text, version_id, &why);
    if (err == NTS_OK) {
        return PROVIDER_OK;
    }
    enum provider_outcome outcome = err == NTS_ELIMIT      ? PROVIDER_TOO_LONG
                                    : err == NTS_EINTERNAL ? PROVIDER_INTERNAL
                                                           : PROVIDER_SENSELESS;
    return provider_refuse(fault, outcome, "the agent's answer for %.150s is of no use: %s",
                           agent->secret_id, why);
}

enum provider_outcome aws_agent_get(const struct aws_agent *agent, struct provider_text *text,
                                    char version_id[static AWS_VERSION_ID_MAX + 1],
                                    struct provider_fault *fault)
{
    struct pass pass;
    struct https_answer answer = {0};
    wipe(text, sizeof(*text));
    wipe(version_id, AWS_VERSION_ID_MAX + 1);
    enum provider_outcome outcome = read_pass(agent, &pass, fault);
    if (outcome == PROVIDER_OK) {
        outcome = ask(agent, &pass, &answer, fault);
    }
    if (outcome == PROVIDER_OK) {
        outcome = answer.status == AWS_HTTP_OK
                      ? read_answer(agent, &answer, text, version_id, fault)
                      : refuse_answer(agent, &answer, fault);
    }
    wipe(&pass, sizeof(pass));
    https_answer_wipe(&answer);
    return outcome;
}
