/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals of AWS. See aws_error.h.
 */
#include "common/keys/aws_error.h"

#include "common/keys/provider_refuse.h"

enum {
    ID_SHOWN_MAX = 150,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_TOO_MANY = 429
};

/* What to do about it. */
enum remedy {
    REMEDY_NONE,
    REMEDY_ALLOW,       /* the action, in the role's policy */
    REMEDY_KMS,         /* the key that encrypts the secret */
    REMEDY_CREDENTIALS, /* those that were sent */
    REMEDY_CLOCK,       /* or the secret access key */
    REMEDY_EXISTS,
    REMEDY_WAIT,
};

struct known {
    const char *type;
    enum provider_outcome outcome;
    enum remedy remedy;
};

static const struct known known_types[] = {
    {"ResourceNotFoundException", PROVIDER_NOT_FOUND, REMEDY_EXISTS},
    {"AccessDeniedException", PROVIDER_DENIED, REMEDY_ALLOW},
    {"DecryptionFailure", PROVIDER_DENIED, REMEDY_KMS},
    {"EncryptionFailure", PROVIDER_DENIED, REMEDY_KMS},
    {"UnrecognizedClientException", PROVIDER_DENIED, REMEDY_CREDENTIALS},
    {"ExpiredTokenException", PROVIDER_DENIED, REMEDY_CREDENTIALS},
    {"InvalidClientTokenId", PROVIDER_DENIED, REMEDY_CREDENTIALS},
    {"MissingAuthenticationTokenException", PROVIDER_DENIED, REMEDY_CREDENTIALS},
    {"OptInRequired", PROVIDER_DENIED, REMEDY_CREDENTIALS},
    {"InvalidSignatureException", PROVIDER_DENIED, REMEDY_CLOCK},
    {"SignatureDoesNotMatch", PROVIDER_DENIED, REMEDY_CLOCK},
    {"IncompleteSignatureException", PROVIDER_DENIED, REMEDY_CLOCK},
    {"RequestExpired", PROVIDER_DENIED, REMEDY_CLOCK},
    {"ThrottlingException", PROVIDER_THROTTLED, REMEDY_WAIT},
    {"Throttling", PROVIDER_THROTTLED, REMEDY_WAIT},
    {"TooManyRequestsException", PROVIDER_THROTTLED, REMEDY_WAIT},
    {"RequestLimitExceeded", PROVIDER_THROTTLED, REMEDY_WAIT},
};

/* Of which nothing but the status tells. */
static struct known judge_status(int status)
{
    switch (status) {
    case HTTP_UNAUTHORIZED:
    case HTTP_FORBIDDEN:
        return (struct known){"", PROVIDER_DENIED, REMEDY_CREDENTIALS};
    case HTTP_NOT_FOUND:
        return (struct known){"", PROVIDER_NOT_FOUND, REMEDY_EXISTS};
    case HTTP_TOO_MANY:
        return (struct known){"", PROVIDER_THROTTLED, REMEDY_WAIT};
    default:
        break;
    }
    /* Neither a redirect nor a success without content is an answer of these services. */
    return (struct known){"", status < 400 ? PROVIDER_SENSELESS : PROVIDER_FAILED, REMEDY_NONE};
}

static struct known judge(const struct aws_refusal *refusal)
{
    for (size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++) {
        if (strcmp(refusal->error.type, known_types[i].type) == 0) {
            return known_types[i];
        }
    }
    return judge_status(refusal->status);
}

static const char *words_of(enum remedy remedy)
{
    switch (remedy) {
    case REMEDY_NONE:
        break;
    case REMEDY_ALLOW:
        return "; allow that action on it, and kms:Decrypt on its key, to this host's role";
    case REMEDY_KMS:
        return "; allow kms:Decrypt and kms:GenerateDataKey on its key to this host's role";
    case REMEDY_CREDENTIALS:
        return "; the credentials it was asked with are not valid: see to AWS_ACCESS_KEY_ID and "
               "its companions, or to the instance's role";
    case REMEDY_CLOCK:
        return "; the secret access key is wrong, or this host's clock is off by minutes";
    case REMEDY_EXISTS:
        return "; create it there, or mend the name and the Region in it";
    case REMEDY_WAIT:
        return "; it is asked again later";
    }
    return "";
}

/* Some messages show the request that was expected, headers and all. */
static bool may_be_shown(const struct aws_refusal *refusal, const char *text)
{
    const struct aws_credentials *c = refusal->credentials;
    return text[0] != '\0' && (c == NULL || (!aws_repeats(text, c->access_key_id) &&
                                             !aws_repeats(text, c->secret_access_key) &&
                                             !aws_repeats(text, c->session_token)));
}

enum provider_outcome aws_refusal_explain(const struct aws_refusal *refusal,
                                          struct provider_fault *fault)
{
    struct known known = judge(refusal);
    const struct aws_error *error = &refusal->error;
    bool typed = may_be_shown(refusal, error->type);
    bool said = may_be_shown(refusal, error->message);
    return provider_refuse(fault, known.outcome, "%s of %.*s was refused (%s%sstatus %d)%s%s%.*s",
                           refusal->action, ID_SHOWN_MAX, refusal->secret_id,
                           typed ? error->type : "", typed ? ", " : "", refusal->status,
                           words_of(known.remedy), said ? "; it said: " : "", AWS_MESSAGE_MAX,
                           said ? error->message : "");
}

bool aws_refusal_is_stale(const struct aws_refusal *refusal)
{
    const char *type = refusal->error.type;
    return strcmp(type, "ExpiredTokenException") == 0 ||
           strcmp(type, "UnrecognizedClientException") == 0;
}

bool aws_refusal_is_overtaken(const struct aws_refusal *refusal)
{
    return strcmp(refusal->error.type, "ResourceExistsException") == 0;
}
