/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small texts of requests to AWS.
 */
#include "common/keys/aws_text.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

Test(aws_text, bodies)
{
    uint8_t buf[512];
    struct wr w = wr_init(buf, sizeof(buf));
    cr_assert_eq(aws_get_body_write("a/b-c", &w), NTS_OK);
    cr_expect(span_is(wr_done(&w), "{\"SecretId\":\"a/b-c\"}", 20));
    w = wr_init(buf, sizeof(buf));
    const struct aws_put put = {.secret_id = "s", .token = "t", .text = span_of("{\"x\":\n1}", 8)};
    cr_assert_eq(aws_put_body_write(&put, &w), NTS_OK);
    static const char expected[] = "{\"SecretId\":\"s\",\"ClientRequestToken\":\"t\","
                                   "\"SecretString\":\"{\\\"x\\\":\\u000a1}\"}";
    cr_expect(span_is(wr_done(&w), expected, sizeof(expected) - 1));
    w = wr_init(buf, sizeof(expected) - 2);
    cr_expect_eq(aws_put_body_write(&put, &w), NTS_ESPACE);
    w = wr_init(buf, 19);
    cr_expect_eq(aws_get_body_write("a/b-c", &w), NTS_ESPACE);
}

/* Any octet that JSON can hold comes out of a JSON parser as it went in. */
Test(aws_text, every_character_survives)
{
    char text[0x7f];
    for (int c = 1; c <= (int)sizeof(text); c++) {
        text[c - 1] = (char)c;
    }
    uint8_t buf[AWS_BODY_MAX(sizeof(text))];
    struct wr w = wr_init(buf, sizeof(buf));
    const struct aws_put put = {
        .secret_id = "s", .token = "t", .text = span_of(text, sizeof(text))};
    cr_assert_eq(aws_put_body_write(&put, &w), NTS_OK);
    json_t *object = json_loadb((const char *)buf, w.n, 0, NULL);
    cr_assert_not_null(object);
    json_t *value = json_object_get(object, "SecretString");
    cr_assert_eq(json_string_length(value), sizeof(text));
    cr_expect_eq(memcmp(json_string_value(value), text, sizeof(text)), 0);
    json_decref(object);
}

Test(aws_text, percent)
{
    uint8_t buf[64];
    struct wr w = wr_init(buf, sizeof(buf));
    aws_percent_write("arn:a/B+9=~._-\xc3 %", &w);
    static const char expected[] = "arn%3Aa%2FB%2B9%3D~._-%C3%20%25";
    cr_expect(span_is(wr_done(&w), expected, sizeof(expected) - 1));
    w = wr_init(buf, 5);
    aws_percent_write("ab::", &w);
    cr_expect(w.bad);
}

Test(aws_text, tokens)
{
    static const struct {
        const char *version_id;
        const char *token;
    } cases[] = {
        {"EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE", "9c1f3816-ef46-821c-9811-2be714aa6a32"},
        {"", "e3b0c442-98fc-8c14-9afb-f4c8996fb924"},
        {"a1b2c3d4-5678-90ab-cdef-000000000001", "87d62045-ab5b-8445-8203-2df729ccba55"},
    };
    char token[AWS_TOKEN_LEN + 1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        aws_put_token(cases[i].version_id, token);
        cr_expect_str_eq(token, cases[i].token);
    }
}

Test(aws_text, times)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: none */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-03-01T12:00:00Z", 1772366400},
        {"2026-03-01T12:00:00.123Z", 1772366400},
        {"2000-02-29T23:59:59Z", 951868799},
        {"2100-03-01T00:00:00Z", 4107542400},
        {"9999-12-31T23:59:59Z", 253402300799},
        {"2026-06-30T23:59:60Z", 1782864000},
        {"2025-02-29T00:00:00Z", -1},
        {"2100-02-29T00:00:00Z", -1},
        {"2026-04-31T00:00:00Z", -1},
        {"2026-00-01T00:00:00Z", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-01-00T00:00:00Z", -1},
        {"2026-01-01T24:00:00Z", -1},
        {"2026-01-01T00:60:00Z", -1},
        {"2026-01-01T00:00:61Z", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"2026-01-01T00:00:00", -1},
        {"2026-01-01T00:00:00+01:00", -1},
        {"2026-01-01T00:00:00Zx", -1},
        {"2026-01-01T00:00:00.1x", -1},
        {"2026-01-01 00:00:00Z", -1},
        {"2026-1-01T00:00:00Z", -1},
        {"-026-01-01T00:00:00Z", -1},
        {"2026-01-01T00:00", -1},
        {"2026", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seconds = 77;
        bool good = aws_time_parse(cases[i].text, &seconds) == NTS_OK;
        cr_expect_eq(good, cases[i].seconds >= 0, "%s", cases[i].text);
        cr_expect_eq(seconds, good ? cases[i].seconds : 77, "%s", cases[i].text);
    }
}

Test(aws_text, words_of_headers)
{
    cr_expect(aws_is_header_word("IQoJb3JpZ2luX2VjE+/="));
    cr_expect_not(aws_is_header_word(""));
    cr_expect_not(aws_is_header_word("two words"));
    cr_expect_not(aws_is_header_word("line\r\nend: x"));
    cr_expect_not(aws_is_header_word("t\xc3\xb6ken"));
    cr_expect_not(aws_is_header_word("del\x7f"));
}

Test(aws_text, showing)
{
    char out[6];
    aws_show(out, sizeof(out), span_of("a\nb\xff", 4));
    cr_expect_str_eq(out, "a?b?");
    aws_show(out, sizeof(out), span_of("much too long", 13));
    cr_expect_str_eq(out, "much ");
    aws_show(out, 1, span_of("x", 1));
    cr_expect_str_eq(out, "");
}

Test(aws_text, repeats)
{
    cr_expect(aws_repeats("said: ABCDEFGHIJ!", "xxABCDEFGHyy"));
    cr_expect_not(aws_repeats("said: ABCDEFG!", "xxABCDEFGyy"));
    cr_expect(aws_repeats("key abc.", "abc"));
    cr_expect_not(aws_repeats("key ab.", "abc"));
    cr_expect_not(aws_repeats("anything", ""));
    cr_expect_not(aws_repeats("anything", NULL));
    cr_expect_not(aws_repeats("", "ABCDEFGH"));
}
