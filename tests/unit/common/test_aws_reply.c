/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AWS answers, read.
 */
#include "common/keys/aws_reply.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct provider_text text;
static char version_id[AWS_VERSION_ID_MAX + 1];

static struct span span_text(const char *s)
{
    return span_of(s, strlen(s));
}

static bool is_zero(const void *p, size_t n)
{
    const uint8_t *octets = p;
    for (size_t i = 0; i < n; i++) {
        if (octets[i] != 0) {
            return false;
        }
    }
    return true;
}

#define HEAD    "{\"ARN\":\"arn:aws:x\",\"Name\":\"n\",\"VersionId\":\"v-1\","
#define CURRENT "\"VersionStages\":[\"OTHER\",\"AWSCURRENT\"],\"CreatedDate\":1.5E9"

Test(aws_reply, secrets)
{
    static const struct {
        const char *body;
        const char *value; /* NULL: refused */
        const char *why;
    } cases[] = {
        {HEAD "\"SecretString\":\"{\\\"a\\\":1}\\n\"," CURRENT "}", "{\"a\":1}\n", ""},
        {HEAD "\"SecretString\":\"x\"}", "x", ""},
        {HEAD "\"SecretString\":\"\"," CURRENT "}", "", ""},
        {HEAD "\"SecretString\":\"x\",\"VersionStages\":[\"AWSPREVIOUS\"]}", NULL, "current"},
        {HEAD "\"SecretString\":\"x\",\"VersionStages\":[]}", NULL, "current"},
        {HEAD "\"SecretString\":\"x\",\"VersionStages\":7}", NULL, "current"},
        {HEAD "\"SecretBinary\":\"eA==\"," CURRENT "}", NULL, "binary"},
        {HEAD CURRENT "}", NULL, "no SecretString"},
        {HEAD "\"SecretString\":7," CURRENT "}", NULL, "no SecretString"},
        {HEAD "\"SecretString\":\"a\\u0000b\"}", NULL, "not a JSON object"},
        {HEAD "\"SecretString\":\"x\",\"SecretString\":\"y\"}", NULL, "not a JSON object"},
        {"{\"SecretString\":\"x\"}", NULL, "no VersionId"},
        {"{\"VersionId\":\"\",\"SecretString\":\"x\"}", NULL, "no VersionId"},
        {"{\"VersionId\":\"a b\",\"SecretString\":\"x\"}", NULL, "no VersionId"},
        {"{\"VersionId\":\"0123456789012345678901234567890123456789012345678901234567890123\","
         "\"SecretString\":\"x\"}",
         "x", ""},
        {"{\"VersionId\":\"01234567890123456789012345678901234567890123456789012345678901234\","
         "\"SecretString\":\"x\"}",
         NULL, "no VersionId"},
        {HEAD "\"SecretString\":\"x", NULL, "not a JSON object"},
        {HEAD "\"SecretString\":\"x\"}trailing", NULL, "not a JSON object"},
        {"[\"x\"]", NULL, "not a JSON object"},
        {"\"x\"", NULL, "not a JSON object"},
        {"hello", NULL, "not a JSON object"},
        {"", NULL, "empty"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = "";
        memset(&text, 0x55, sizeof(text));
        memset(version_id, 0x55, sizeof(version_id));
        enum nts_err err = aws_reply_secret(span_text(cases[i].body), &text, version_id, &why);
        cr_expect_eq(err, cases[i].value != NULL ? NTS_OK : NTS_EFORMAT, "%s", cases[i].body);
        cr_expect_not_null(strstr(why, cases[i].why), "%s: %s", cases[i].body, why);
        if (err == NTS_OK) {
            cr_expect(
                span_is(span_of(text.bytes, text.len), cases[i].value, strlen(cases[i].value)));
        } else {
            cr_expect(is_zero(&text, sizeof(text)) && is_zero(version_id, sizeof(version_id)));
        }
    }
}

Test(aws_reply, the_longest_secret)
{
    static const char tail[] = "\"}";
    size_t room = sizeof(HEAD) + KEYDOC_TEXT_MAX + 64;
    char *body = malloc(room);
    cr_assert_not_null(body);
    for (size_t extra = 0; extra <= 1; extra++) {
        const char *why = "";
        size_t n = (size_t)snprintf(body, room, "%s\"SecretString\":\"", HEAD);
        memset(body + n, 'x', KEYDOC_TEXT_MAX + extra);
        n += KEYDOC_TEXT_MAX + extra;
        memcpy(body + n, tail, sizeof(tail) - 1);
        n += sizeof(tail) - 1;
        enum nts_err err = aws_reply_secret(span_of(body, n), &text, version_id, &why);
        cr_expect_eq(err, extra == 0 ? NTS_OK : NTS_ELIMIT);
        cr_expect_eq(text.len, extra == 0 ? (size_t)KEYDOC_TEXT_MAX : 0);
    }
    free(body);
}

Test(aws_reply, versions)
{
    const char *why = "";
    cr_expect_eq(aws_reply_version(span_text("{\"VersionId\":\"v-2\"}"), version_id, &why), NTS_OK);
    cr_expect_str_eq(version_id, "v-2");
    cr_expect_eq(aws_reply_version(span_text("{}"), version_id, &why), NTS_EFORMAT);
    cr_expect_str_eq(version_id, "");
}

#define KEYS "\"AccessKeyId\":\"ASIAX\",\"SecretAccessKey\":\"s+/=\",\"Token\":\"tok==\""

Test(aws_reply, credentials)
{
    static const struct {
        const char *body;
        enum nts_err err;
    } cases[] = {
        {"{\"Code\":\"Success\"," KEYS ",\"Expiration\":\"2026-03-01T12:00:00Z\"}", NTS_OK},
        {"{" KEYS ",\"Expiration\":\"2026-03-01T12:00:00Z\",\"Type\":\"AWS-HMAC\"}", NTS_OK},
        {"{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"no\"}", NTS_ENOTFOUND},
        {"{\"Code\":\"Success\"," KEYS "}", NTS_EFORMAT},
        {"{\"Code\":\"Success\"," KEYS ",\"Expiration\":\"soon\"}", NTS_EFORMAT},
        {"{\"Code\":\"Success\"," KEYS ",\"Expiration\":1772366400}", NTS_EFORMAT},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2026-03-01T12:00:"
         "00Z\"}",
         NTS_EFORMAT},
        {"{\"AccessKeyId\":\"A\\r\\nX: y\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
         "\"Expiration\":\"2026-03-01T12:00:00Z\"}",
         NTS_EFORMAT},
        {"[]", NTS_EFORMAT},
        {"", NTS_EFORMAT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct aws_credentials c;
        const char *why = "";
        memset(&c, 0x55, sizeof(c));
        cr_expect_eq(aws_reply_credentials(span_text(cases[i].body), &c, &why), cases[i].err, "%s",
                     cases[i].body);
        if (cases[i].err != NTS_OK) {
            cr_expect(is_zero(&c, sizeof(c)));
            cr_expect_neq(why[0], '\0');
            continue;
        }
        cr_expect_str_eq(c.access_key_id, "ASIAX");
        cr_expect_str_eq(c.secret_access_key, "s+/=");
        cr_expect_str_eq(c.session_token, "tok==");
        cr_expect_eq(c.expires_s, 1772366400);
    }
}

Test(aws_reply, errors)
{
    static const struct {
        const char *body;
        const char *type;
        const char *message;
    } cases[] = {
        {"{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
         "ThrottlingException", "Rate exceeded"},
        {"{\"__type\":\"com.amazonaws.secretsmanager#ThrottlingException\",\"Message\":\"m\"}",
         "ThrottlingException", "m"},
        {"{\"message\":\"two\\nlines \\u00e9\"}", "", "two?lines ??"},
        {"{\"__type\":\"Evil\\nException\"}", "Evil", ""},
        {"{\"__type\":7,\"message\":{}}", "", ""},
        {"<html>", "", ""},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct aws_error error;
        aws_reply_error(span_text(cases[i].body), &error);
        cr_expect_str_eq(error.type, cases[i].type);
        cr_expect_str_eq(error.message, cases[i].message);
    }
}

Test(aws_reply, long_errors_are_cut)
{
    char body[2048];
    char letters[512];
    struct aws_error error;
    memset(letters, 'x', sizeof(letters));
    (void)snprintf(body, sizeof(body), "{\"__type\":\"%.512s\",\"message\":\"%.512s\"}", letters,
                   letters);
    aws_reply_error(span_text(body), &error);
    cr_expect_eq(strlen(error.type), (size_t)AWS_ERROR_TYPE_MAX);
    cr_expect_eq(strlen(error.message), (size_t)AWS_MESSAGE_MAX);
}
