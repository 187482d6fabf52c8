/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests against a small server on loopback that says one thing to each connection. TLS and
 * signatures are tried end to end.
 */
#include "common/net/https.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Long enough for a slow machine; what is meant to run out has a limit of its own. */
enum { PATIENT_MS = 20000, SHORT_MS = 300, HEARD_MAX = 8192 };

struct server {
    int listener;
    uint16_t port;
    pthread_t thread;
    const char *says;  /* then it closes */
    bool stays_silent; /* instead: it waits until the client closes */
    bool repeats;      /* it says the last octet again and again until the client closes */
    char heard[HEARD_MAX];
};

static bool is_closed(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char octet;
    return poll(&p, 1, wait_ms) > 0 && recv(fd, &octet, 1, MSG_PEEK) <= 0;
}

/* The head, and the body as far as a Content-Length promises it. */
static bool heard_all(const char *heard)
{
    const char *end = strstr(heard, "\r\n\r\n");
    const char *length = strstr(heard, "Content-Length: ");
    size_t body = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
    return end != NULL && strlen(end + 4) >= body;
}

static void hear(struct server *s, int fd)
{
    size_t n = 0;
    while (!heard_all(s->heard) && n + 1 < sizeof(s->heard)) {
        ssize_t got = recv(fd, s->heard + n, sizeof(s->heard) - 1 - n, 0);
        if (got <= 0) {
            return;
        }
        n += (size_t)got;
    }
}

static void say(const struct server *s, int fd)
{
    size_t n = strlen(s->says);
    (void)send(fd, s->says, n, MSG_NOSIGNAL);
    while (s->repeats && !is_closed(fd, 1) && send(fd, s->says + n - 1, 1, MSG_NOSIGNAL) == 1) {
    }
}

static void *serve(void *user)
{
    struct server *s = user;
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0) {
        return NULL;
    }
    hear(s, fd);
    if (s->stays_silent) {
        while (!is_closed(fd, -1)) {
        }
    } else {
        say(s, fd);
    }
    (void)close(fd);
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    cr_assert_eq(listen(s->listener, 4), 0);
    cr_assert_eq(getsockname(s->listener, (struct sockaddr *)&addr, &len), 0);
    s->port = ntohs(addr.sin_port);
    cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    (void)shutdown(s->listener, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
}

/* One request to one server. */
static enum https_outcome ask(struct server *s, struct https_request request,
                              struct https_answer *answer)
{
    char url[64];
    server_start(s);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/path", s->port);
    request.url = url;
    request.method = request.method == NULL ? "GET" : request.method;
    request.direct = true;
    request.connect_ms = request.connect_ms == 0 ? PATIENT_MS : request.connect_ms;
    request.total_ms = request.total_ms == 0 ? PATIENT_MS : request.total_ms;
    enum https_outcome outcome = https_ask(&request, answer);
    server_stop(s);
    return outcome;
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: "

Test(https, answers_within_the_limit)
{
    static const struct {
        const char *says;
        size_t limit;
        enum https_outcome outcome;
        int status;
        const char *body;
    } cases[] = {
        {OK_HEAD "5\r\n\r\nhello", 100, HTTPS_OK, 200, "hello"},
        {OK_HEAD "5\r\n\r\nhello", 5, HTTPS_OK, 200, "hello"},
        {OK_HEAD "5\r\n\r\nhello", 4, HTTPS_TOO_LONG, 200, ""},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 100, HTTPS_OK, 200, "until the end"},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 12, HTTPS_TOO_LONG, 200, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 100,
         HTTPS_OK, 200, "abc"},
        {"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", 100, HTTPS_OK, 404, "no"},
        {OK_HEAD "0\r\n\r\n", 0, HTTPS_OK, 200, ""},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 100,
         HTTPS_OK, 302, ""},
        {OK_HEAD "6\r\n\r\nhello", 100, HTTPS_BROKEN, 200, ""},
        {"", 100, HTTPS_BROKEN, 0, ""},
        {"hello\r\n", 100, HTTPS_BROKEN, 0, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 100, HTTPS_BROKEN, 200, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct server server = {.says = cases[i].says};
        struct https_answer answer;
        struct https_request request = {.answer_max = cases[i].limit};
        enum https_outcome outcome = ask(&server, request, &answer);
        cr_expect_eq(outcome, cases[i].outcome, "case %zu: %d %s", i, (int)outcome, answer.why);
        cr_expect_eq(outcome == HTTPS_OK, answer.why[0] == '\0', "case %zu: %s", i, answer.why);
        cr_expect_eq(answer.status, cases[i].status, "case %zu: %d", i, answer.status);
        cr_expect(span_is(answer.body, cases[i].body, strlen(cases[i].body)), "case %zu", i);
        cr_expect(answer.connected);
        https_answer_wipe(&answer);
        cr_expect_null(answer.body.p);
    }
}

Test(https, an_answer_larger_than_the_first_buffer)
{
    enum { LONG = 100000 };
    char *says = malloc(LONG + 128);
    cr_assert_not_null(says);
    int head = snprintf(says, 128, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LONG);
    memset(says + head, 'x', LONG);
    says[head + LONG] = '\0';
    struct server server = {.says = says};
    struct https_answer answer;
    cr_expect_eq(ask(&server, (struct https_request){.answer_max = LONG}, &answer), HTTPS_OK);
    cr_expect_eq(answer.body.n, (size_t)LONG);
    cr_expect(answer.body.n == LONG && answer.body.p[0] == 'x' && answer.body.p[LONG - 1] == 'x');
    https_answer_wipe(&answer);
    free(says);
}

Test(https, an_endless_answer_is_broken_off)
{
    struct server server = {.says = "HTTP/1.1 200 OK\r\n\r\nx", .repeats = true};
    struct https_answer answer;
    cr_expect_eq(ask(&server, (struct https_request){.answer_max = 20}, &answer), HTTPS_TOO_LONG);
    cr_expect_not_null(strstr(answer.why, "20 octets"));
    https_answer_wipe(&answer);
}

Test(https, the_deadline_holds)
{
    struct server cases[] = {
        {.stays_silent = true},
        {.says = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx", .repeats = true},
        {.says = "HTTP/1.1 200 OK\r\nX: x", .repeats = true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct https_answer answer;
        struct https_request request = {.total_ms = SHORT_MS, .answer_max = 100000};
        cr_expect_eq(ask(&cases[i], request, &answer), HTTPS_TIMEOUT, "case %zu", i);
        cr_expect(answer.connected);
        https_answer_wipe(&answer);
    }
}

Test(https, nobody_there)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* has a port, does not listen */
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    char url[64];
    cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(addr.sin_port));
    struct https_request request = {
        .method = "GET", .url = url, .direct = true, .connect_ms = 2000, .total_ms = 2000};
    struct https_answer answer;
    cr_expect_eq(https_ask(&request, &answer), HTTPS_NO_CONNECTION, "%s", answer.why);
    cr_expect_not(answer.connected);
    cr_expect_neq(answer.why[0], '\0');
    https_answer_wipe(&answer);
    (void)close(fd);
}

Test(https, only_http)
{
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "", "http://",
                                       "ldap://127.0.0.1/"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct https_request request = {.method = "GET",
                                        .url = urls[i],
                                        .direct = true,
                                        .connect_ms = 2000,
                                        .total_ms = 2000,
                                        .answer_max = 100000};
        struct https_answer answer;
        cr_expect_eq(https_ask(&request, &answer), HTTPS_INTERNAL, "%s: %s", urls[i], answer.why);
        https_answer_wipe(&answer);
    }
}

Test(https, what_is_sent)
{
    static const char *const headers[] = {"X-One: 1", "Content-Type: application/x-amz-json-1.1",
                                          NULL};
    static const struct https_signer signer = {
        .region = "eu-west-1",
        .service = "secretsmanager",
        .access_key_id = "AKIDEXAMPLE",
        .secret_access_key = "secret",
    };
    struct server server = {.says = OK_HEAD "0\r\n\r\n"};
    struct https_request request = {
        .method = "POST", .headers = headers, .body = span_of("{\"a\":1}", 7), .signer = &signer};
    struct https_answer answer;
    cr_assert_eq(ask(&server, request, &answer), HTTPS_OK, "%s", answer.why);
    https_answer_wipe(&answer);
    cr_expect_eq(strncmp(server.heard, "POST /path HTTP/1.1\r\n", 21), 0, "%s", server.heard);
    static const char *const expected[] = {
        "\r\nX-One: 1\r\n",
        "\r\nContent-Type: application/x-amz-json-1.1\r\n",
        "\r\nContent-Length: 7\r\n",
        "\r\n\r\n{\"a\":1}",
        "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/",
        "/eu-west-1/secretsmanager/aws4_request, SignedHeaders=content-type;host;",
        ";host;x-amz-date;x-one, Signature=",
        "\r\nUser-Agent: ntsd/",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        cr_expect_not_null(strstr(server.heard, expected[i]), "no %s in %s", expected[i],
                           server.heard);
    }
    cr_expect_null(strstr(server.heard, "Cookie"));
    cr_expect_null(strstr(server.heard, "Accept-Encoding"));
}

Test(https, a_request_without_a_body)
{
    struct server server = {.says = OK_HEAD "0\r\n\r\n"};
    struct https_answer answer;
    cr_assert_eq(ask(&server, (struct https_request){.method = "PUT"}, &answer), HTTPS_OK);
    https_answer_wipe(&answer);
    cr_expect_eq(strncmp(server.heard, "PUT /path HTTP/1.1\r\n", 20), 0, "%s", server.heard);
}

/* The proxy of the environment would not answer. */
Test(https, direct_means_direct)
{
    cr_assert_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    cr_assert_eq(setenv("all_proxy", "http://127.0.0.1:1", 1), 0);
    struct server server = {.says = OK_HEAD "2\r\n\r\nok"};
    struct https_answer answer;
    cr_expect_eq(ask(&server, (struct https_request){.answer_max = 10}, &answer), HTTPS_OK);
    https_answer_wipe(&answer);
}

Test(https, may_be_set_up_twice)
{
    const char *why;
    cr_assert_eq(https_setup(&why), NTS_OK, "%s", why);
    cr_assert_eq(https_setup(&why), NTS_OK, "%s", why);
}
