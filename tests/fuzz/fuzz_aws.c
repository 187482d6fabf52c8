/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: what AWS answers, and the names and URLs an operator gives. The first octet chooses:
 *
 *   '{', '[', blank   an answer, given to every parser of answers
 *   'n'               a name of a secret
 *   'u'               a URL
 *   't'               a time
 *   'b'               a text for the body of a request: what is written is JSON and holds the text
 *   'p'               an answer in which the members have the right names: | member | value |...
 */
#include "common/keys/aws_error.h"
#include "common/keys/aws_place.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { TEXT_MAX = 4096 };

static bool is_zero(const void *p, size_t n)
{
    static const struct provider_text none;
    return memcmp(p, &none, n) == 0;
}

static void check_printable(const char *text, size_t cap)
{
    CHECK(memchr(text, '\0', cap) != NULL);
    for (; *text != '\0'; text++) {
        CHECK(*text >= ' ' && *text <= '~');
    }
}

/* The input as a string: up to its first NUL. */
static void take_string(struct rd in, char out[static TEXT_MAX + 1])
{
    size_t n = in.left < TEXT_MAX ? in.left : TEXT_MAX;
    struct span text = rd_span(&in, n);
    if (n > 0) {
        memcpy(out, text.p, n);
    }
    out[n] = '\0';
}

/* ---- answers */

static void check_secret(struct span body)
{
    static struct provider_text text;
    char version_id[AWS_VERSION_ID_MAX + 1];
    char again[AWS_VERSION_ID_MAX + 1];
    const char *why = "";
    enum nts_err err = aws_reply_secret(body, &text, version_id, &why);
    if (err != NTS_OK) {
        CHECK(err == NTS_EFORMAT || err == NTS_ELIMIT);
        CHECK(is_zero(&text, sizeof(text)) && is_zero(version_id, sizeof(version_id)));
        CHECK(why[0] != '\0');
        return;
    }
    CHECK(text.len <= KEYDOC_TEXT_MAX && memchr(text.bytes, '\0', text.len) == NULL);
    CHECK(aws_is_header_word(version_id));
    CHECK(aws_reply_version(body, again, &why) == NTS_OK && strcmp(version_id, again) == 0);
}

static void check_credentials(struct span body)
{
    struct aws_credentials c;
    const char *why = "";
    if (aws_reply_credentials(body, &c, &why) != NTS_OK) {
        CHECK(is_zero(&c, sizeof(c)) && why[0] != '\0');
        return;
    }
    CHECK(aws_is_header_word(c.access_key_id) && aws_is_header_word(c.secret_access_key) &&
          aws_is_header_word(c.session_token));
    CHECK(c.expires_s >= 0);
}

static void check_error(struct span body)
{
    static const struct aws_credentials credentials = {
        .access_key_id = "AKIAIOSFODNN7EXAMPLE",
        .secret_access_key = "wJalrXUtnFEMI/K7MDENG",
        .session_token = "IQoJb3JpZ2luX2VjEJP",
    };
    struct aws_refusal refusal = {
        .status = body.n % 2 == 0 ? 400 : 503,
        .action = "secretsmanager:GetSecretValue",
        .secret_id = "ntsd/fleet",
        .credentials = &credentials,
    };
    struct provider_fault fault;
    aws_reply_error(body, &refusal.error);
    check_printable(refusal.error.type, sizeof(refusal.error.type));
    check_printable(refusal.error.message, sizeof(refusal.error.message));
    CHECK(aws_refusal_explain(&refusal, &fault) != PROVIDER_OK);
    check_printable(fault.text, sizeof(fault.text));
    CHECK(!aws_repeats(fault.text, credentials.access_key_id));
    CHECK(!aws_repeats(fault.text, credentials.secret_access_key));
    CHECK(!aws_repeats(fault.text, credentials.session_token));
}

static void check_answer(struct span body)
{
    check_secret(body);
    check_credentials(body);
    check_error(body);
}

/* | member (1), its name from a list | value, up to the next NUL |... */
static void check_members(struct rd in)
{
    static const char *const names[] = {
        "SecretString", "VersionId",  "VersionStages", "Code",    "AccessKeyId", "SecretAccessKey",
        "Token",        "Expiration", "__type",        "message", "Message",     "SecretBinary"};
    json_t *object = json_object();
    CHECK(object != NULL);
    while (in.left > 0) {
        const char *name = names[rd_u8(&in) % (sizeof(names) / sizeof(names[0]))];
        size_t n = 0;
        while (n < in.left && in.p[n] != 0) {
            n++;
        }
        struct span value = rd_span(&in, n);
        rd_skip(&in, in.left > 0 ? 1 : 0);
        json_t *string = json_stringn(value.n > 0 ? (const char *)value.p : "", value.n);
        bool in_array = strcmp(name, "VersionStages") == 0;
        json_t *member = in_array ? json_pack("[o*]", string) : string;
        (void)json_object_set_new(object, name, member); /* not when it is no UTF-8 */
    }
    char *body = json_dumps(object, JSON_COMPACT);
    CHECK(body != NULL);
    check_answer(span_of(body, strlen(body)));
    free(body);
    json_decref(object);
}

/* ---- what an operator gives */

static void check_name(const char *name)
{
    static const struct aws_variables variables = {.region = "eu-west-1"};
    struct aws_place place;
    struct provider_fault fault = {{0}};
    bool good = aws_secret_id_is_good(name);
    bool placed = aws_place_init(&place, name, &variables, &fault) == NTS_OK;
    check_printable(fault.text, sizeof(fault.text));
    CHECK(good || !placed);
    CHECK(placed == (fault.text[0] == '\0'));
    if (placed) {
        CHECK(aws_url_is_safe(place.service_url) && place.region[0] != '\0');
    }
    uint8_t body[AWS_BODY_MAX(0)];
    struct wr w = wr_init(body, sizeof(body));
    CHECK(!good || aws_get_body_write(name, &w) == NTS_OK);
}

static void check_url(const char *url)
{
    struct aws_variables variables = {.service_endpoint = url, .metadata_endpoint = url};
    struct aws_place place;
    struct provider_fault fault = {{0}};
    bool placed = aws_place_init(&place, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x",
                                 &variables, &fault) == NTS_OK;
    CHECK(!placed || aws_url_is_safe(url));
    CHECK(!placed || aws_url_is_safe(place.service_url));
    bool plain = strncmp(url, "http://", 7) == 0;
    CHECK(!aws_url_is_safe(url) || !plain || strncmp(url + 7, "localhost", 9) == 0 ||
          strncmp(url + 7, "127.", 4) == 0 || strncmp(url + 7, "[::1]", 5) == 0);
}

static void check_time(const char *text)
{
    int64_t seconds = -1;
    bool good = aws_time_parse(text, &seconds) == NTS_OK;
    CHECK(good ? seconds >= 0 && seconds <= KEYDOC_NOT_BEFORE_MAX + 1 : seconds == -1);
}

static void check_body(struct span text)
{
    size_t room = AWS_BODY_MAX(text.n);
    uint8_t *body = malloc(room);
    CHECK(body != NULL);
    struct wr w = wr_init(body, room);
    const struct aws_put put = {.secret_id = "ntsd/fleet", .token = "token", .text = text};
    CHECK(aws_put_body_write(&put, &w) == NTS_OK);
    json_t *object = json_loadb((const char *)body, w.n, JSON_ALLOW_NUL, NULL);
    if (object != NULL) { /* it was UTF-8 */
        const json_t *value = json_object_get(object, "SecretString");
        CHECK(span_is(text, json_string_value(value), json_string_length(value)));
    }
    json_decref(object);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[TEXT_MAX + 1];
    struct rd in = rd_init(span_of(data, size));
    uint8_t kind = rd_u8(&in);
    take_string(in, text);
    if (kind == 'n') {
        check_name(text);
    } else if (kind == 'u') {
        check_url(text);
    } else if (kind == 't') {
        check_time(text);
    } else if (kind == 'b') {
        check_body(rd_rest(&in));
    } else if (kind == 'p') {
        check_members(in);
    } else {
        check_answer(span_of(data, size));
    }
    return 0;
}
