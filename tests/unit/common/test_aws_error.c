/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a refusal by AWS means, and what is said of it.
 */
#include "common/keys/aws_error.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define ARN "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ntsd/fleet-AbCdEf"

static struct aws_refusal refusal_of(int status, const char *type, const char *message)
{
    struct aws_refusal refusal = {
        .status = status, .action = "secretsmanager:GetSecretValue", .secret_id = ARN};
    (void)snprintf(refusal.error.type, sizeof(refusal.error.type), "%s", type);
    (void)snprintf(refusal.error.message, sizeof(refusal.error.message), "%s", message);
    return refusal;
}

Test(aws_error, outcomes_and_remedies)
{
    static const struct {
        int status;
        const char *type;
        enum provider_outcome outcome;
        const char *says;
    } cases[] = {
        {400, "ResourceNotFoundException", PROVIDER_NOT_FOUND, "create it"},
        {400, "AccessDeniedException", PROVIDER_DENIED, "allow that action"},
        {400, "DecryptionFailure", PROVIDER_DENIED, "kms:Decrypt"},
        {400, "UnrecognizedClientException", PROVIDER_DENIED, "AWS_ACCESS_KEY_ID"},
        {400, "ExpiredTokenException", PROVIDER_DENIED, "instance's role"},
        {400, "InvalidSignatureException", PROVIDER_DENIED, "clock"},
        {400, "ThrottlingException", PROVIDER_THROTTLED, "later"},
        {429, "", PROVIDER_THROTTLED, "later"},
        {400, "InvalidRequestException", PROVIDER_FAILED, "status 400"},
        {500, "InternalServiceError", PROVIDER_FAILED, "status 500"},
        {503, "", PROVIDER_FAILED, "status 503"},
        {401, "", PROVIDER_DENIED, "status 401"},
        {403, "", PROVIDER_DENIED, "status 403"},
        {404, "", PROVIDER_NOT_FOUND, "status 404"},
        {307, "", PROVIDER_SENSELESS, "status 307"},
        {204, "", PROVIDER_SENSELESS, "status 204"},
        {0, "", PROVIDER_SENSELESS, "status 0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct aws_refusal refusal = refusal_of(cases[i].status, cases[i].type, "their words");
        struct provider_fault fault;
        cr_expect_eq(aws_refusal_explain(&refusal, &fault), cases[i].outcome, "case %zu", i);
        cr_expect_not_null(strstr(fault.text, cases[i].says), "%s", fault.text);
        cr_expect_not_null(strstr(fault.text, cases[i].type), "%s", fault.text);
        cr_expect_not_null(strstr(fault.text, ARN), "%s", fault.text);
        cr_expect_not_null(strstr(fault.text, "secretsmanager:GetSecretValue"), "%s", fault.text);
        cr_expect_not_null(strstr(fault.text, "their words"), "%s", fault.text);
    }
}

/* A service that shows the request, headers and all, does not get it into a log. */
Test(aws_error, never_repeats_a_credential)
{
    static const struct aws_credentials credentials = {
        .access_key_id = "ASIAQWERTYUIOPASDFGH",
        .secret_access_key = "wJalrXUtnFEMIK7MDENGbPxRfiCY",
        .session_token = "IQoJb3JpZ2luX2VjEJPzzzzzzzzzzzzzzzzzzzzz",
    };
    static const char *const said[] = {
        "expected x-amz-security-token:IQoJb3JpZ2luX2VjEJPz and so on",
        "part of a token: 2luX2VjE",
        "Credential=ASIAQWERTYUIOPASDFGH/20260301",
        "secret wJalrXUtnFEM",
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct aws_refusal refusal = refusal_of(400, "InvalidSignatureException", said[i]);
        refusal.credentials = &credentials;
        struct provider_fault fault;
        cr_expect_eq(aws_refusal_explain(&refusal, &fault), PROVIDER_DENIED);
        cr_expect_null(strstr(fault.text, "it said"), "%s", fault.text);
        cr_expect_not_null(strstr(fault.text, "InvalidSignatureException"), "%s", fault.text);
    }
    struct aws_refusal refusal = refusal_of(400, "ASIAQWERTYUIOPASDFGH", "harmless");
    refusal.credentials = &credentials;
    struct provider_fault fault;
    cr_expect_eq(aws_refusal_explain(&refusal, &fault), PROVIDER_FAILED);
    cr_expect_null(strstr(fault.text, "ASIAQWER"), "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, "harmless"), "%s", fault.text);
}

Test(aws_error, the_longest_still_ends)
{
    static char id[701];
    char letters[AWS_MESSAGE_MAX + 1];
    memset(id, 'i', sizeof(id) - 1);
    memset(letters, 'm', sizeof(letters) - 1);
    letters[sizeof(letters) - 1] = '\0';
    struct aws_refusal refusal = refusal_of(400, "MissingAuthenticationTokenException", letters);
    refusal.secret_id = id;
    struct provider_fault fault;
    memset(&fault, 'x', sizeof(fault));
    cr_expect_eq(aws_refusal_explain(&refusal, &fault), PROVIDER_DENIED);
    cr_expect_not_null(memchr(fault.text, '\0', sizeof(fault.text)));
}

Test(aws_error, stale_and_overtaken)
{
    static const struct {
        const char *type;
        bool stale;
        bool overtaken;
    } cases[] = {
        {"ExpiredTokenException", true, false},
        {"UnrecognizedClientException", true, false},
        {"ResourceExistsException", false, true},
        {"AccessDeniedException", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct aws_refusal refusal = refusal_of(400, cases[i].type, "");
        cr_expect_eq(aws_refusal_is_stale(&refusal), cases[i].stale);
        cr_expect_eq(aws_refusal_is_overtaken(&refusal), cases[i].overtaken);
    }
}
