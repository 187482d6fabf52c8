/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server over real sockets: whole, in pieces, too much, too many, too slow.
 */
#include "ntsd/http_server.h"

#include "common/net/addr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MAX = 200000 };

static uv_loop_t loop;
static uv_async_t stop;
static struct http_server *server;
static struct http_counts counts;
static struct net_addr address;
static pthread_t thread;
static bool finished;
static char reply[BODY_MAX + 1000];

static unsigned answer(void *ctx, const struct http_request *request, struct wr *body,
                       const char **type)
{
    (void)ctx;
    *type = "text/plain";
    if (span_is(request->target, "/big", 4)) {
        wr_zero(body, BODY_MAX);
    } else if (span_is(request->target, "/overflow", 9)) {
        wr_zero(body, BODY_MAX + 1);
    } else {
        wr_bytes(body, request->target);
    }
    return 200;
}

static void on_stop(uv_async_t *async)
{
    http_server_close(server);
    http_server_close(server);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run(void *arg)
{
    (void)arg;
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return NULL;
}

static void setup(void)
{
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(net_addr_parse("127.0.0.1", 0, &address), NTS_OK);
    cr_assert_eq(bind(fd, &address.sa, net_addr_len(&address)), 0);
    cr_assert_eq(listen(fd, 256), 0);
    cr_assert_eq(getsockname(fd, &address.sa, &len), 0);
    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(uv_async_init(&loop, &stop, on_stop), 0);
    const struct http_server_options options = {
        .fd = fd, .body_max = BODY_MAX, .answer = answer, .counts = &counts};
    server = http_server_open(&loop, &options);
    cr_assert_not_null(server);
    cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
}

/* The counts are the loop's until it has ended. */
static void finish(void)
{
    if (!finished) {
        finished = true;
        (void)uv_async_send(&stop);
        (void)pthread_join(thread, NULL);
    }
}

static void teardown(void)
{
    finish();
    cr_expect_eq(uv_loop_close(&loop), 0, "every handle was closed");
    http_server_free(server);
    http_server_free(NULL);
}

TestSuite(http_server, .init = setup, .fini = teardown, .timeout = 30);

static int dial(void)
{
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    cr_assert_eq(connect(fd, &address.sa, net_addr_len(&address)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All that comes until the server closes; -1: it did not within ten seconds. */
static ssize_t listen_to(int fd)
{
    size_t n = 0;
    ssize_t got = 0;
    while (n < sizeof(reply) - 1 && (got = recv(fd, reply + n, sizeof(reply) - 1 - n, 0)) > 0) {
        n += (size_t)got;
    }
    reply[n] = '\0';
    (void)close(fd);
    return got < 0 ? -1 : (ssize_t)n;
}

static bool begins(const char *text)
{
    return strncmp(reply, text, strlen(text)) == 0;
}

Test(http_server, answers)
{
    int fd = dial();
    say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect_gt(listen_to(fd), 0);
    cr_expect(begins("HTTP/1.1 200 OK\r\n"), "%s", reply);
    cr_expect_not_null(strstr(reply, "Content-Length: 6\r\n"));
    cr_expect_not_null(strstr(reply, "Connection: close\r\n"));
    cr_expect_not_null(strstr(reply, "\r\n\r\n/hello"));
}

Test(http_server, head_has_no_body)
{
    int fd = dial();
    say(fd, "HEAD /hello HTTP/1.0\r\n\r\n");
    cr_expect_gt(listen_to(fd), 0);
    cr_expect_not_null(strstr(reply, "Content-Length: 6\r\n"));
    cr_expect_str_eq(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
}

Test(http_server, a_request_in_pieces)
{
    static const char text[] = "GET /piecemeal HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = dial();
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        cr_assert_eq(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
    }
    cr_expect_gt(listen_to(fd), 0);
    cr_expect_not_null(strstr(reply, "\r\n\r\n/piecemeal"));
}

Test(http_server, a_peer_that_shuts_its_side)
{
    int fd = dial();
    say(fd, "GET /half HTTP/1.0\r\n\r\n");
    cr_assert_eq(shutdown(fd, SHUT_WR), 0);
    cr_expect_gt(listen_to(fd), 0);
    cr_expect_not_null(strstr(reply, "\r\n\r\n/half"));
}

Test(http_server, a_big_answer)
{
    int fd = dial();
    say(fd, "GET /big HTTP/1.0\r\n\r\n");
    cr_expect_gt(listen_to(fd), BODY_MAX);
    fd = dial();
    say(fd, "GET /overflow HTTP/1.0\r\n\r\n");
    cr_expect_gt(listen_to(fd), 0);
    cr_expect(begins("HTTP/1.1 500 "), "%s", reply);
}

Test(http_server, refusals)
{
    static char endless[HTTP_HEAD_MAX + 1];
    int fd = dial();
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    cr_expect_gt(listen_to(fd), 0);
    cr_expect(begins("HTTP/1.1 405 "), "%s", reply);
    cr_expect_not_null(strstr(reply, "Allow: GET, HEAD\r\n"));
    fd = dial();
    say(fd, "\x16\x03\x01\x02\n");
    cr_expect_gt(listen_to(fd), 0);
    cr_expect(begins("HTTP/1.1 400 "), "%s", reply);
    memset(endless, 'x', HTTP_HEAD_MAX);
    memcpy(endless, "GET / HTTP/1.1\r\n", 16);
    fd = dial();
    say(fd, endless);
    cr_expect_gt(listen_to(fd), 0);
    cr_expect(begins("HTTP/1.1 431 "), "%s", reply);
}

static int64_t now_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static bool is_open(int fd)
{
    char octet;
    return recv(fd, &octet, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

/* A full pool of silent peers and one who asks, again and again: each time the one that was silent
 * for the longest makes room, long before its two seconds are over, and only that one. */
Test(http_server, who_asks_does_not_wait_for_who_is_silent)
{
    static int silent[HTTP_CONNECTIONS_MAX];
    int64_t began = now_ms();
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        silent[i] = dial();
    }
    say(silent[0], "GET /never HTTP/1.1\r\n");
    int fd = dial();
    say(fd, "GET /healthz HTTP/1.0\r\n\r\n");
    cr_expect_gt(listen_to(fd), 0);
    cr_expect_not_null(strstr(reply, "\r\n\r\n/healthz"));
    cr_expect_lt(now_ms() - began, HTTP_TIMEOUT_MS);
    cr_expect_not(is_open(silent[0]), "the one that came first");
    for (size_t i = 1; i < HTTP_CONNECTIONS_MAX; i++) {
        cr_expect(is_open(silent[i]), "number %zu", i);
    }
    /* A slot is free now: the first of these takes it, and each later one a silent one's. */
    int others[8];
    for (size_t i = 0; i < 8; i++) {
        others[i] = dial();
        fd = dial();
        say(fd, "GET /healthz HTTP/1.0\r\n\r\n");
        cr_expect_gt(listen_to(fd), 0);
    }
    cr_expect_lt(now_ms() - began, HTTP_TIMEOUT_MS);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        cr_expect_eq(is_open(silent[i]), i > 8, "number %zu", i);
        (void)close(silent[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        cr_expect(is_open(others[i]), "number %zu", i);
        (void)close(others[i]);
    }
}

/* Twice the pool, all silent, cost the one who asks nothing, and each is counted. */
Test(http_server, silent_peers_do_not_lock_others_out)
{
    static int silent[2 * HTTP_CONNECTIONS_MAX];
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        silent[i] = dial();
    }
    int64_t began = now_ms();
    int fd = dial();
    say(fd, "GET /patient HTTP/1.0\r\n\r\n");
    cr_expect_gt(listen_to(fd), 0);
    cr_expect_not_null(strstr(reply, "\r\n\r\n/patient"));
    cr_expect_lt(now_ms() - began, HTTP_TIMEOUT_MS / 2);
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        cr_expect_eq(listen_to(silent[i]), 0);
    }
    finish();
    cr_expect_eq(counts.verdict[HTTP_MORE], sizeof(silent) / sizeof(silent[0]));
}

Test(http_server, many_honest_ones)
{
    for (int i = 0; i < 500; i++) {
        int fd = dial();
        say(fd, "GET /x HTTP/1.0\r\n\r\n");
        cr_assert_gt(listen_to(fd), 0);
    }
    finish();
    cr_expect_eq(counts.verdict[HTTP_GOOD], 500);
}
