/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strangers who hold connections to the KE service and do as little as they can: as many as asked
 * for, equal shares of each kind, and whoever is thrown out comes back at once. Each is checked
 * once a second, which is when those who trickle send their octet. Until SIGTERM; then one line:
 *
 *   strangers held N connected N refused N thrown_out N most_held N
 */
#include "certs/tls_client.h"
#include "common/base/time.h"
#include "common/net/addr.h"
#include "nts-ke/ke_proto.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    STRANGERS_MAX = 20000,
    EVENTS = 256,
    TICK_MS = 50,
    TICKS_PER_SECOND = 1000 / TICK_MS,
};

enum kind {
    SILENT,          /* connects, and that is all */
    HEADER,          /* the head of a ClientHello that claims to be long */
    TRICKLE_HELLO,   /* a ClientHello, one octet a second */
    STOP_AT_HELLO,   /* a whole ClientHello, and no answer to the server's */
    STOP_SHAKEN,     /* a whole handshake, and no request */
    TRICKLE_REQUEST, /* a whole handshake, and a request of one octet a second */
    KINDS
};

struct stranger {
    enum kind kind;
    int fd; /* -1: not connected */
    SSL *ssl;
    size_t said; /* octets of the hello or of the request */
    bool counted;
};

struct crowd {
    SSL_CTX *tls;
    struct net_addr to;
    int loop;
    size_t count;
    size_t per_tick; /* connections made at most in a tick */
    size_t held;
    size_t most_held;
    uint64_t connected;
    uint64_t refused;
    uint64_t thrown_out;
    uint8_t hello[4096];
    size_t hello_len;
    struct stranger stranger[STRANGERS_MAX];
};

/* The first octets of an honest ClientHello. */
static bool make_hello(struct crowd *crowd)
{
    SSL *ssl = tls_client_connection(crowd->tls, "localhost");
    BIO *out = BIO_new(BIO_s_mem());
    if (ssl == NULL || out == NULL) {
        return false;
    }
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    (void)SSL_do_handshake(ssl);
    int n = BIO_read(out, crowd->hello, sizeof(crowd->hello));
    crowd->hello_len = n > 0 ? (size_t)n : 0;
    SSL_free(ssl);
    return crowd->hello_len > 64;
}

static void leave(struct crowd *crowd, struct stranger *s)
{
    if (s->fd < 0) {
        return;
    }
    if (s->counted) {
        crowd->held--;
        crowd->thrown_out++;
    } else {
        crowd->refused++;
    }
    SSL_free(s->ssl);
    (void)close(s->fd);
    *s = (struct stranger){.kind = s->kind, .fd = -1};
}

static void say(struct stranger *s, const void *p, size_t n)
{
    ssize_t sent = send(s->fd, p, n, MSG_NOSIGNAL);
    s->said += sent > 0 ? (size_t)sent : 0;
}

static bool has_tls(const struct stranger *s)
{
    return s->kind == STOP_SHAKEN || s->kind == TRICKLE_REQUEST;
}

static void begin(struct crowd *crowd, struct stranger *s)
{
    static const uint8_t long_hello[] = {22, 3, 1, 0x0f, 0, 1, 0, 0x0e, 0xfc};
    s->counted = true;
    crowd->connected++;
    crowd->held++;
    crowd->most_held = crowd->held > crowd->most_held ? crowd->held : crowd->most_held;
    if (s->kind == HEADER) {
        say(s, long_hello, sizeof(long_hello));
    } else if (s->kind == STOP_AT_HELLO) {
        say(s, crowd->hello, crowd->hello_len);
    } else if (has_tls(s)) {
        s->ssl = tls_client_connection(crowd->tls, "localhost");
        if (s->ssl != NULL && SSL_set_fd(s->ssl, s->fd) == 1) {
            (void)SSL_connect(s->ssl);
        }
    }
}

static void trickle(struct crowd *crowd, struct stranger *s)
{
    static const uint8_t record[] = {0x80, 1, 0, 2};
    if (s->kind == TRICKLE_HELLO && s->said < crowd->hello_len) {
        say(s, crowd->hello + s->said, 1);
    } else if (s->kind == TRICKLE_REQUEST && s->ssl != NULL && SSL_is_init_finished(s->ssl) == 1) {
        (void)SSL_write(s->ssl, record + s->said % sizeof(record), 1);
        s->said++;
    }
}

static void come(struct crowd *crowd, struct stranger *s)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data = {.ptr = s}};
    s->fd = socket(crowd->to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd >= 0 &&
        ((connect(s->fd, &crowd->to.sa, net_addr_len(&crowd->to)) != 0 && errno != EINPROGRESS) ||
         epoll_ctl(crowd->loop, EPOLL_CTL_ADD, s->fd, &event) != 0)) {
        (void)close(s->fd);
        s->fd = -1;
    }
}

static void on_event(struct crowd *crowd, struct stranger *s, uint32_t events)
{
    uint8_t waste[4096];
    if (s->fd < 0) {
        return;
    }
    if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) {
        leave(crowd, s);
        return;
    }
    if (!s->counted && (events & EPOLLOUT) != 0) {
        begin(crowd, s);
    }
    if ((events & EPOLLIN) != 0 && s->ssl != NULL && SSL_is_init_finished(s->ssl) == 0) {
        (void)SSL_connect(s->ssl);
    } else if ((events & EPOLLIN) != 0 && s->ssl == NULL) {
        (void)recv(s->fd, waste, sizeof(waste), MSG_DONTWAIT);
    }
}

static void tick(struct crowd *crowd, unsigned number)
{
    size_t made = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        struct stranger *s = &crowd->stranger[i];
        if (s->fd < 0 && made < crowd->per_tick) {
            come(crowd, s);
            made++;
        } else if (s->counted && i % TICKS_PER_SECOND == number % TICKS_PER_SECOND) {
            trickle(crowd, s);
        }
    }
}

static int stop_signal(void)
{
    sigset_t stop;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &stop, NULL);
    return signalfd(-1, &stop, SFD_CLOEXEC);
}

static bool is_stopped(int signals)
{
    struct pollfd look = {.fd = signals, .events = POLLIN};
    return poll(&look, 1, 0) > 0;
}

static void run(struct crowd *crowd, int signals)
{
    static struct epoll_event events[EVENTS];
    struct mono_ns next = mono_now();
    for (unsigned number = 0; !is_stopped(signals);) {
        int n = epoll_wait(crowd->loop, events, EVENTS, TICK_MS / 2);
        for (int i = 0; i < n; i++) {
            on_event(crowd, events[i].data.ptr, events[i].events);
        }
        if (mono_now().ns >= next.ns) {
            next.ns += TICK_MS * NS_PER_MS;
            tick(crowd, number++);
        }
    }
}

int main(int argc, char **argv)
{
    static struct crowd crowd;
    struct cert_fault fault;
    struct rlimit files = {STRANGERS_MAX + 64, STRANGERS_MAX + 64};
    if (argc != 5) {
        fprintf(stderr, "usage: strangers CA ADDRESS:PORT COUNT CONNECTIONS_PER_SECOND\n");
        return 2;
    }
    (void)setrlimit(RLIMIT_NOFILE, &files);
    (void)signal(SIGPIPE, SIG_IGN);
    int signals = stop_signal();
    struct tls_client_options tls = {.ca_file = argv[1], .alpn = KE_ALPN};
    crowd.count = strtoul(argv[3], NULL, 10);
    crowd.per_tick = strtoul(argv[4], NULL, 10) / TICKS_PER_SECOND + 1;
    crowd.loop = epoll_create1(EPOLL_CLOEXEC);
    if (crowd.count > STRANGERS_MAX || net_addr_port_parse(argv[2], &crowd.to) != NTS_OK ||
        tls_client_new(&tls, &crowd.tls, &fault) != NTS_OK || !make_hello(&crowd)) {
        fprintf(stderr, "strangers: cannot begin\n");
        return 1;
    }
    for (size_t i = 0; i < crowd.count; i++) {
        crowd.stranger[i] = (struct stranger){.kind = (enum kind)(i % KINDS), .fd = -1};
    }
    run(&crowd, signals);
    printf("strangers held %zu connected %llu refused %llu thrown_out %llu most_held %zu\n",
           crowd.held, (unsigned long long)crowd.connected, (unsigned long long)crowd.refused,
           (unsigned long long)crowd.thrown_out, crowd.most_held);
    SSL_CTX_free(crowd.tls);
    return 0;
}
