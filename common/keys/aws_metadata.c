/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three requests to the metadata service. See aws_metadata.h.
 */
#include "common/keys/aws_metadata.h"

#include "common/base/secret.h"
#include "common/keys/aws_ask.h"
#include "common/keys/aws_place.h"

#include <stdio.h>

#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"
#define TOKEN_TTL  "X-aws-ec2-metadata-token-ttl-seconds: 60" /* for the two requests after it */
#define TOKEN_HEAD "X-aws-ec2-metadata-token: "

enum {
    TOKEN_MAX = 512,
    LIST_MAX = 4096,         /* of roles: an instance has one */
    CREDENTIALS_MAX = 16384, /* octets of JSON */
    PATH_MAX_LEN = sizeof(ROLES_PATH) + AWS_NAME_MAX,
    URL_MAX_LEN = AWS_URL_MAX + PATH_MAX_LEN,
};

/* A visit to the service. `header` holds the session token and is wiped. */
struct visit {
    const char *url;
    struct mono_ns deadline;
    struct provider_fault *fault;
    char header[sizeof(TOKEN_HEAD) + TOKEN_MAX];
    char role[AWS_NAME_MAX + 1];
};

struct question {
    const char *method;
    const char *path;
    const char *header;
    size_t answer_max;
    enum provider_outcome refused; /* what a status in the 400s means */
    const char *remedy;            /* for it */
};

static enum provider_outcome judge_status(const struct visit *visit,
                                          const struct question *question, int status)
{
    if (status == AWS_HTTP_OK) {
        return PROVIDER_OK;
    }
    bool refused = status >= 400 && status < 500;
    return provider_refuse(visit->fault, refused ? question->refused : PROVIDER_FAILED,
                           "the instance's metadata service answered status %d to %s%s%s", status,
                           question->path, refused ? "; " : "", refused ? question->remedy : "");
}

/* Nobody there: this is no instance, and the fault is that no credentials were given. */
static enum provider_outcome judge_silence(const struct visit *visit,
                                           const struct https_answer *answer,
                                           enum provider_outcome outcome)
{
    bool absent =
        outcome == PROVIDER_UNREACHABLE || (outcome == PROVIDER_TIMEOUT && !answer->connected);
    if (absent) {
        return provider_refuse(
            visit->fault, PROVIDER_NO_CREDENTIALS,
            "no credentials: AWS_ACCESS_KEY_ID is not set, and the instance's metadata "
            "service %.100s is not there (%s)",
            visit->url, answer->why);
    }
    if (outcome == PROVIDER_TIMEOUT) {
        return provider_refuse(
            visit->fault, PROVIDER_TIMEOUT,
            "the instance's metadata service %.100s did not answer in time; in a "
            "container its hop limit has to be 2",
            visit->url);
    }
    return outcome == PROVIDER_TOO_LONG ? PROVIDER_SENSELESS : outcome; /* no document is */
}

static enum provider_outcome ask(const struct visit *visit, const struct question *question,
                                 struct https_answer *answer)
{
    char url[URL_MAX_LEN];
    const char *const headers[] = {question->header, NULL};
    (void)snprintf(url, sizeof(url), "%s%s", visit->url, question->path);
    struct https_request request = {
        .method = question->method,
        .url = url,
        .headers = headers,
        .direct = true,
        .answer_max = question->answer_max,
    };
    enum provider_outcome outcome = aws_ask(&request, visit->deadline, answer, visit->fault);
    return outcome == PROVIDER_OK ? judge_status(visit, question, answer->status)
                                  : judge_silence(visit, answer, outcome);
}

static enum provider_outcome refuse_answer(const struct visit *visit, const char *path,
                                           const char *why)
{
    return provider_refuse(visit->fault, PROVIDER_SENSELESS,
                           "the instance's metadata service %.100s gave no sense for %s: %s",
                           visit->url, path, why);
}

static enum provider_outcome get_token(struct visit *visit)
{
    static const struct question question = {
        .method = "PUT",
        .path = TOKEN_PATH,
        .header = TOKEN_TTL,
        .answer_max = TOKEN_MAX,
        .refused = PROVIDER_NO_CREDENTIALS,
        .remedy = "enable version 2 of it for this instance",
    };
    struct https_answer answer;
    enum provider_outcome outcome = ask(visit, &question, &answer);
    if (outcome == PROVIDER_OK) {
        (void)snprintf(visit->header, sizeof(visit->header), TOKEN_HEAD "%.*s", (int)answer.body.n,
                       (const char *)answer.body.p);
        if (!aws_is_header_word(visit->header + strlen(TOKEN_HEAD))) {
            outcome = refuse_answer(visit, TOKEN_PATH, "not a token");
        }
    }
    https_answer_wipe(&answer);
    return outcome;
}

static bool is_role_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_+=,.@-", c) != NULL);
}

/* The first line, which is the only one. */
static bool take_role(struct visit *visit, struct span list)
{
    size_t n = 0;
    while (n < list.n && n < AWS_NAME_MAX && is_role_char(list.p[n])) {
        visit->role[n] = (char)list.p[n];
        n++;
    }
    visit->role[n] = '\0';
    return n > 0 && (n == list.n || list.p[n] == '\n' || list.p[n] == '\r');
}

static enum provider_outcome get_role(struct visit *visit)
{
    struct question question = {
        .method = "GET",
        .path = ROLES_PATH,
        .header = visit->header,
        .answer_max = LIST_MAX,
        .refused = PROVIDER_NO_CREDENTIALS,
        .remedy = "attach an instance profile with a role",
    };
    struct https_answer answer;
    enum provider_outcome outcome = ask(visit, &question, &answer);
    if (outcome == PROVIDER_OK && !take_role(visit, answer.body)) {
        outcome = refuse_answer(visit, ROLES_PATH, "not the name of a role");
    }
    https_answer_wipe(&answer);
    return outcome;
}

static enum provider_outcome get_credentials(struct visit *visit,
                                             struct aws_credentials *credentials)
{
    char path[PATH_MAX_LEN];
    (void)snprintf(path, sizeof(path), ROLES_PATH "%s", visit->role);
    struct question question = {
        .method = "GET",
        .path = path,
        .header = visit->header,
        .answer_max = CREDENTIALS_MAX,
        .refused = PROVIDER_NO_CREDENTIALS,
        .remedy = "attach an instance profile with a role",
    };
    struct https_answer answer;
    enum provider_outcome outcome = ask(visit, &question, &answer);
    if (outcome == PROVIDER_OK) {
        const char *why = "";
        enum nts_err err = aws_reply_credentials(answer.body, credentials, &why);
        if (err != NTS_OK) {
            outcome = refuse_answer(visit, path, why);
        }
        outcome = err == NTS_ENOTFOUND   ? PROVIDER_NO_CREDENTIALS
                  : err == NTS_EINTERNAL ? PROVIDER_INTERNAL
                                         : outcome;
    }
    https_answer_wipe(&answer);
    return outcome;
}

enum provider_outcome aws_metadata_credentials(const char *url, struct mono_ns deadline,
                                               struct aws_credentials *credentials,
                                               struct provider_fault *fault)
{
    struct visit visit = {
        .url = url,
        .deadline = aws_deadline_within(deadline, AWS_METADATA_MS),
        .fault = fault,
    };
    aws_credentials_wipe(credentials);
    enum provider_outcome outcome = get_token(&visit);
    if (outcome == PROVIDER_OK) {
        outcome = get_role(&visit);
    }
    if (outcome == PROVIDER_OK) {
        outcome = get_credentials(&visit, credentials);
    }
    wipe(&visit, sizeof(visit));
    return outcome;
}
