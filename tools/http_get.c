/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See http_get.h.
 */
#include "tools/http_get.h"

#include "common/base/time.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char scheme[] = "http://";

__attribute__((format(printf, 3, 4))) static enum nts_err
say(struct http_why *why, enum nts_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return err;
}

static bool copy(char *to, size_t cap, const char *from, size_t n)
{
    if (n >= cap) {
        return false;
    }
    memcpy(to, from, n);
    to[n] = '\0';
    return true;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT. */
static bool split_authority(struct http_url *url)
{
    const char *a = url->authority;
    bool bracket = a[0] == '[';
    size_t n = bracket ? strcspn(a, "]") : strcspn(a, ":");
    const char *rest = a + n + (bracket && a[n] == ']' ? 1 : 0);
    const char *host = a + (bracket ? 1 : 0);
    if ((bracket && a[n] != ']') ||
        !copy(url->host, sizeof(url->host), host, n - (bracket ? 1 : 0))) {
        return false;
    }
    if (rest[0] == '\0') {
        return copy(url->port, sizeof(url->port), "80", 2) && url->host[0] != '\0';
    }
    size_t digits = strspn(rest + 1, "0123456789");
    return rest[0] == ':' && digits > 0 && digits <= 5 && rest[1 + digits] == '\0' &&
           copy(url->port, sizeof(url->port), rest + 1, digits) && url->host[0] != '\0';
}

NODISCARD enum nts_err http_url_parse(const char *text, struct http_url *url)
{
    memset(url, 0, sizeof(*url));
    if (strncmp(text, scheme, sizeof(scheme) - 1) != 0) {
        return NTS_EFORMAT;
    }
    const char *authority = text + sizeof(scheme) - 1;
    size_t n = strcspn(authority, "/?#");
    const char *path = authority[n] == '/' ? authority + n : "/";
    if (strpbrk(text, " \t\r\n@#") != NULL || (authority[n] != '/' && authority[n] != '\0') ||
        !copy(url->authority, sizeof(url->authority), authority, n) ||
        !copy(url->path, sizeof(url->path), path, strlen(path)) || !split_authority(url)) {
        return NTS_EFORMAT;
    }
    return NTS_OK;
}

/* Until the deadline: 0 when the time is up. */
static int await(int fd, short events, struct mono_ns deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        int64_t left = (deadline.ns - mono_now().ns) / NS_PER_MS;
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready >= 0 || errno != EINTR) {
            return ready;
        }
    }
}

/* -1: errno. */
static int connect_to(const struct addrinfo *a, struct mono_ns deadline)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    int error = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        socklen_t len = sizeof(error);
        error = ETIMEDOUT;
        if (await(fd, POLLOUT, deadline) > 0 &&
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
            error = errno;
        }
    }
    if (error != 0) {
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static enum nts_err open_connection(const struct http_url *url, struct mono_ns deadline, int *fd,
                                    struct http_why *why)
{
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(url->host, url->port, &hints, &list);
    if (error != 0) {
        return say(why, NTS_ESYSTEM, "%s: %s", url->host, gai_strerror(error));
    }
    *fd = -1;
    for (const struct addrinfo *a = list; a != NULL && *fd < 0; a = a->ai_next) {
        *fd = connect_to(a, deadline);
    }
    int saved = errno;
    freeaddrinfo(list);
    return *fd >= 0 ? NTS_OK
                    : say(why, NTS_ESYSTEM, "no connection to %s port %s: %s", url->host, url->port,
                          strerror(saved));
}

static enum nts_err send_request(int fd, const struct http_url *url, struct mono_ns deadline,
                                 struct http_why *why)
{
    char text[1024];
    int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                     url->path, url->authority);
    for (int at = 0; at < n;) {
        ssize_t sent = send(fd, text + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && await(fd, POLLOUT, deadline) > 0) {
            continue;
        }
        if (sent < 0) {
            return say(why, NTS_ESYSTEM, "connection to %s lost: %s", url->host, strerror(errno));
        }
        at += (int)sent;
    }
    return NTS_OK;
}

static enum nts_err read_answer(int fd, const struct http_url *url, struct mono_ns deadline,
                                struct wr *buf, struct http_why *why)
{
    for (;;) {
        if (await(fd, POLLIN, deadline) <= 0) {
            return say(why, NTS_ELIMIT, "no answer from %s in time", url->host);
        }
        if (buf->n == buf->cap) {
            return say(why, NTS_ELIMIT, "the answer of %s is longer than %zu octets", url->host,
                       buf->cap);
        }
        ssize_t got = recv(fd, buf->start + buf->n, buf->cap - buf->n, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (got < 0) {
            return say(why, NTS_ESYSTEM, "connection to %s lost: %s", url->host, strerror(errno));
        }
        if (got == 0) {
            return NTS_OK;
        }
        buf->n += (size_t)got;
    }
}

/* HTTP/1.x, and a number of three digits. */
static bool is_status_line(struct span answer)
{
    static const char version[] = "HTTP/1.";
    bool digits = answer.n > 12 && answer.p[8] == ' ';
    for (size_t i = 9; digits && i < 12; i++) {
        digits = answer.p[i] >= '0' && answer.p[i] <= '9';
    }
    return digits && memcmp(answer.p, version, sizeof(version) - 1) == 0;
}

/* Behind the empty line, if the first one says 200. */
static enum nts_err find_body(struct span answer, const struct http_url *url, struct span *body,
                              struct http_why *why)
{
    static const char end[] = "\r\n\r\n";
    const uint8_t *head_end = memmem(answer.p, answer.n, end, sizeof(end) - 1);
    if (!is_status_line(answer) || head_end == NULL) {
        return say(why, NTS_EFORMAT, "%s does not speak HTTP there", url->authority);
    }
    if (memcmp(answer.p + 9, "200", 3) != 0) {
        return say(why, NTS_EFORMAT, "%s answers %s with status %.3s", url->authority, url->path,
                   (const char *)answer.p + 9);
    }
    size_t head = (size_t)(head_end - answer.p) + sizeof(end) - 1;
    *body = span_of(answer.p + head, answer.n - head);
    return NTS_OK;
}

NODISCARD enum nts_err http_get(const struct http_url *url, unsigned timeout_ms, struct wr *buf,
                                struct span *body, struct http_why *why)
{
    const struct mono_ns deadline = {.ns = mono_now().ns + (int64_t)timeout_ms * NS_PER_MS};
    int fd = -1;
    *body = span_of(NULL, 0);
    TRY(open_connection(url, deadline, &fd, why));
    enum nts_err err = send_request(fd, url, deadline, why);
    if (err == NTS_OK) {
        err = read_answer(fd, url, deadline, buf, why);
    }
    (void)close(fd);
    return err == NTS_OK ? find_body(span_of(buf->start, buf->n), url, body, why) : err;
}
