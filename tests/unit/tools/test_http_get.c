/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs, and answers of a server in a child process that are good, bad, long and slow.
 */
#include "tools/http_get.h"

#include "common/base/time.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

Test(http_get, urls)
{
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        const char *port;
        const char *path;
    } cases[] = {
        {"http://127.0.0.1:8080/metrics", "127.0.0.1", "8080", "/metrics"},
        {"http://localhost", "localhost", "80", "/"},
        {"http://[::1]:9460/metrics?x=1", "::1", "9460", "/metrics?x=1"},
        {"http://[::1]/", "::1", "80", "/"},
        {"https://localhost/", NULL, NULL, NULL},
        {"localhost:80", NULL, NULL, NULL},
        {"http://", NULL, NULL, NULL},
        {"http:///x", NULL, NULL, NULL},
        {"http://:80/", NULL, NULL, NULL},
        {"http://a:/", NULL, NULL, NULL},
        {"http://a:123456/", NULL, NULL, NULL},
        {"http://a:8x/", NULL, NULL, NULL},
        {"http://[::1/", NULL, NULL, NULL},
        {"http://[]/", NULL, NULL, NULL},
        {"http://[::1]x/", NULL, NULL, NULL},
        {"http://user@a/", NULL, NULL, NULL},
        {"http://a/b c", NULL, NULL, NULL},
        {"http://a/\r\nX: y", NULL, NULL, NULL},
        {"http://a?x", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_url url;
        enum nts_err err = http_url_parse(cases[i].text, &url);
        cr_expect_eq(err == NTS_OK, cases[i].host != NULL, "%s", cases[i].text);
        if (err == NTS_OK && cases[i].host != NULL) {
            cr_expect_str_eq(url.host, cases[i].host);
            cr_expect_str_eq(url.port, cases[i].port);
            cr_expect_str_eq(url.path, cases[i].path);
        }
    }
}

/* A server for one connection; its process id. `answer` NULL: it never says anything. */
static pid_t serve(const char *answer, struct http_url *url)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    char text[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    cr_assert_eq(listen(fd, 1), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u/metrics", ntohs(addr.sin_port));
    cr_assert_eq(http_url_parse(text, url), NTS_OK);
    pid_t pid = fork();
    if (pid == 0) {
        char request[1024];
        int conn = accept(fd, NULL, NULL);
        (void)recv(conn, request, sizeof(request), 0);
        if (answer == NULL) {
            (void)pause();
        }
        (void)send(conn, answer, strlen(answer), MSG_NOSIGNAL);
        _exit(0);
    }
    (void)close(fd);
    return pid;
}

static void stop(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

Test(http_get, answers)
{
    static const struct {
        const char *answer;
        enum nts_err err;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\n", NTS_OK, "body\n"},
        {"HTTP/1.0 200 OK\r\n\r\n", NTS_OK, ""},
        {"HTTP/1.1 503 No\r\n\r\nno\n", NTS_EFORMAT, NULL},
        {"HTTP/1.1 200 OK\r\nA: b\r\n", NTS_EFORMAT, NULL},
        {"HTTP/1.1 \x1b[2 No\r\n\r\n", NTS_EFORMAT, NULL},
        {"SSH-2.0-x\r\n\r\n", NTS_EFORMAT, NULL},
        {"", NTS_EFORMAT, NULL},
        {"HTTP/1.1 200 OK\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         NTS_ELIMIT, NULL},
        {NULL, NTS_ELIMIT, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_url url;
        struct http_why why = {""};
        struct span body;
        uint8_t room[64];
        struct wr buf = wr_init(room, sizeof(room));
        pid_t pid = serve(cases[i].answer, &url);
        enum nts_err err = http_get(&url, 300, &buf, &body, &why);
        cr_expect_eq(err, cases[i].err, "case %zu: %s", i, why.text);
        cr_expect(err == NTS_OK || why.text[0] != '\0');
        cr_expect_null(strchr(why.text, 0x1b), "no control character gets out");
        if (cases[i].body != NULL) {
            cr_expect(span_is(body, cases[i].body, strlen(cases[i].body)));
        }
        stop(pid);
    }
}

Test(http_get, nobody_there)
{
    struct http_url url;
    struct http_why why;
    struct span body;
    uint8_t room[64];
    struct wr buf = wr_init(room, sizeof(room));
    cr_assert_eq(http_url_parse("http://127.0.0.1:1/", &url), NTS_OK);
    cr_expect_eq(http_get(&url, 500, &buf, &body, &why), NTS_ESYSTEM);
    cr_assert_eq(http_url_parse("http://no-such-host.invalid/", &url), NTS_OK);
    cr_expect_eq(http_get(&url, 500, &buf, &body, &why), NTS_ESYSTEM);
}
