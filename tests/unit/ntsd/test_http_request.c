/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request heads: good, cut short at every octet, and out of form.
 */
#include "ntsd/http_request.h"

#include <criterion/criterion.h>

static struct http_request request;

static enum http_verdict parse(const char *text)
{
    return http_request_parse(span_of(text, strlen(text)), &request);
}

#define HOST "Host: x\r\n"

Test(http_request, good_ones)
{
    static const struct {
        const char *text;
        const char *target;
        bool head;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", "/", false},
        {"GET / HTTP/1.0\r\n\r\n", "/", false},
        {"HEAD /readyz/ke HTTP/1.1\r\nhOsT:x\r\nAccept: */*\r\n\r\n", "/readyz/ke", true},
        {"GET /a?b=c&d=/e HTTP/1.1\r\n" HOST "\r\n", "/a", false},
        {"GET /a HTTP/1.1\r\n" HOST "X-Empty:\r\nX-Tab:\ta\tb\r\nX-Utf: \xc3\xa9\r\n\r\n", "/a",
         false},
        {"GET /a HTTP/1.1\r\n" HOST "\r\nwhat follows is not read\0", "/a", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(parse(cases[i].text), HTTP_GOOD, "%s", cases[i].text);
        cr_expect(span_is(request.target, cases[i].target, strlen(cases[i].target)), "%s",
                  cases[i].text);
        cr_expect_eq(request.head, cases[i].head);
    }
}

Test(http_request, bad_ones)
{
    static const struct {
        const char *text;
        enum http_verdict verdict;
    } cases[] = {
        {"\r\n\r\n", HTTP_BAD},
        {"\n", HTTP_BAD},
        {"GET / HTTP/1.1\n" HOST "\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\nHost: x\n\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\n\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", HTTP_BAD},
        {"GET / HTTP/1.0\r\n" HOST HOST "\r\n", HTTP_BAD},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"GET /  HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", HTTP_BAD},
        {"GET /\r\n\r\n", HTTP_BAD},
        {"GET\r\n\r\n", HTTP_BAD},
        {"GET x HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"GET http://x/ HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"G(T / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"GET / HTCP/1.1\r\n" HOST "\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\n" HOST "nothing\r\n\r\n", HTTP_BAD},
        {"GET / HTTP/1.1\r\n" HOST "a: \x7f\r\n\r\n", HTTP_BAD},
        {"POST / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_METHOD},
        {"get / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_METHOD},
        {"GETS / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_METHOD},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", HTTP_BAD_VERSION},
        {"GET / HTTP/1.2\r\n" HOST "\r\n", HTTP_BAD_VERSION},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(parse(cases[i].text), cases[i].verdict, "%s", cases[i].text);
        cr_expect_eq(request.target.n, 0);
        cr_expect_geq(http_verdict_code(cases[i].verdict), 400);
    }
}

Test(http_request, cut_short_at_every_octet)
{
    static const char text[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n";
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        cr_expect_eq(http_request_parse(span_of(text, n), &request), HTTP_MORE, "%zu", n);
        cr_expect_eq(request.target.n, 0);
    }
    cr_expect_eq(http_request_parse(span_of(text, sizeof(text) - 1), &request), HTTP_GOOD);
}

Test(http_request, limits)
{
    static char text[HTTP_HEAD_MAX + 64];
    /* a target of 256 octets, and one more */
    for (size_t n = HTTP_TARGET_MAX; n <= HTTP_TARGET_MAX + 1; n++) {
        strcpy(text, "GET /");
        memset(text + 5, 'a', n - 1);
        strcpy(text + 4 + n, " HTTP/1.1\r\n" HOST "\r\n");
        cr_expect_eq(parse(text), n == HTTP_TARGET_MAX ? HTTP_GOOD : HTTP_BAD_TARGET);
    }
    /* 64 fields, and one more */
    for (size_t n = HTTP_FIELDS_MAX; n <= HTTP_FIELDS_MAX + 1; n++) {
        strcpy(text, "GET / HTTP/1.1\r\n" HOST);
        for (size_t i = 1; i < n; i++) {
            strcat(text, "a: b\r\n");
        }
        strcat(text, "\r\n");
        cr_expect_eq(parse(text), n == HTTP_FIELDS_MAX ? HTTP_GOOD : HTTP_TOO_LONG);
    }
    /* a head of 4096 octets, and one more */
    for (size_t n = HTTP_HEAD_MAX; n <= HTTP_HEAD_MAX + 1; n++) {
        strcpy(text, "GET / HTTP/1.1\r\n" HOST "a: ");
        size_t at = strlen(text);
        memset(text + at, 'x', n - at - 4);
        strcpy(text + n - 4, "\r\n\r\n");
        cr_expect_eq(parse(text), n == HTTP_HEAD_MAX ? HTTP_GOOD : HTTP_TOO_LONG);
        cr_expect_eq(http_request_parse(span_of(text, HTTP_HEAD_MAX - 1), &request), HTTP_MORE);
    }
}
