/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How hosts are named, and many asked at once: those that answer, refuse, and talk nonsense.
 */
#include "tools/fleet_ask.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 100, SERVED = MANY - 2 };

Test(fleet_ask, names_of_hosts)
{
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        const char *port;
        const char *path;
    } cases[] = {
        {"a.example", "a.example", "8080", "/metrics"},
        {"a.example:9460", "a.example", "9460", "/metrics"},
        {"192.0.2.1", "192.0.2.1", "8080", "/metrics"},
        {"192.0.2.1:1", "192.0.2.1", "1", "/metrics"},
        {"::1", "::1", "8080", "/metrics"},
        {"2001:db8::1", "2001:db8::1", "8080", "/metrics"},
        {"[::1]", "::1", "8080", "/metrics"},
        {"[::1]:9460", "::1", "9460", "/metrics"},
        {"http://a.example:9460", "a.example", "9460", "/metrics"},
        {"http://a.example/", "a.example", "80", "/metrics"},
        {"http://[::1]:1/x", "::1", "1", "/x"},
        {"", NULL, NULL, NULL},
        {"a.example/metrics", NULL, NULL, NULL},
        {"a.example:", NULL, NULL, NULL},
        {"a.example:http", NULL, NULL, NULL},
        {"https://a.example", NULL, NULL, NULL},
        {"[::1", NULL, NULL, NULL},
        {"a b", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_url url;
        enum nts_err err = fleet_url(cases[i].text, &url);
        cr_expect_eq(err == NTS_OK, cases[i].host != NULL, "%s", cases[i].text);
        if (err == NTS_OK && cases[i].host != NULL) {
            cr_expect_str_eq(url.host, cases[i].host);
            cr_expect_str_eq(url.port, cases[i].port, "%s", cases[i].text);
            cr_expect_str_eq(url.path, cases[i].path);
        }
    }
    char longest[1024];
    struct http_url url;
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    cr_expect_eq(fleet_url(longest, &url), NTS_EFORMAT);
}

/* A loopback socket; its port. */
static int bound(uint16_t *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

static void answer_for_ever(int fd, const char *answer)
{
    for (;;) {
        char request[1024];
        int conn = accept(fd, NULL, NULL);
        (void)!recv(conn, request, sizeof(request), 0);
        (void)!send(conn, answer, strlen(answer), MSG_NOSIGNAL);
        (void)close(conn);
    }
}

static pid_t serve(const char *answer, struct http_url *url)
{
    uint16_t port;
    char host[32];
    int fd = bound(&port);
    cr_assert_eq(listen(fd, MANY), 0);
    (void)snprintf(host, sizeof(host), "127.0.0.1:%u", port);
    cr_assert_eq(fleet_url(host, url), NTS_OK);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        answer_for_ever(fd, answer);
    }
    (void)close(fd);
    return pid;
}

static void stop(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

Test(fleet_ask, a_hundred_at_once, .timeout = 60)
{
    static struct fleet_host hosts[MANY];
    static struct http_url urls[MANY];
    uint16_t nobody;
    char name[32];
    pid_t good = serve("HTTP/1.1 200 OK\r\n\r\nntsd_build_info{version=\"7\"} 1\n", &urls[0]);
    pid_t other = serve("HTTP/1.1 200 OK\r\n\r\nhello\n", &urls[SERVED]);
    int closed = bound(&nobody); /* bound, but not listening: refuses */
    (void)snprintf(name, sizeof(name), "127.0.0.1:%u", nobody);
    cr_assert_eq(fleet_url(name, &urls[SERVED + 1]), NTS_OK);
    for (size_t i = 1; i < SERVED; i++) {
        urls[i] = urls[0];
    }
    fleet_ask(hosts, urls, MANY);
    for (size_t i = 0; i < SERVED; i++) {
        cr_expect(hosts[i].reached, "host %zu: %s", i, hosts[i].why);
        cr_expect_str_eq(hosts[i].facts.version, "7");
    }
    cr_expect_not(hosts[SERVED].reached);
    cr_expect_str_eq(hosts[SERVED].why, "no ntsd speaks there");
    cr_expect_not(hosts[SERVED + 1].reached);
    cr_expect_not_null(strstr(hosts[SERVED + 1].why, "refused"), "%s", hosts[SERVED + 1].why);
    stop(good);
    stop(other);
    (void)close(closed);
}
