/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes connections from listening sockets. See ke_acceptor.h.
 */
#include "nts-ke/ke_acceptor.h"

#include "nts-ke/ke_outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum verdict {
    GO_ON,   /* this one is lost, the next may be good */
    SHED,    /* no descriptor left */
    WAIT,    /* no memory, or an error nobody has thought of */
    NOTHING, /* the queue is empty */
};

/* Linux hands errors of the network over with the connection they belong to: accept(2). */
static enum verdict judge(int error)
{
    switch (error) {
    case EAGAIN:
        return NOTHING;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ETIMEDOUT:
        return GO_ON;
    case EMFILE:
        return SHED;
    default:
        return WAIT;
    }
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Refuses one connection by means of the spare descriptor; WAIT when there is none. */
static enum verdict shed_one(struct ke_acceptor *acceptor, int listener)
{
    if (acceptor->spare_fd < 0) {
        acceptor->spare_fd = open_spare();
    }
    if (acceptor->spare_fd < 0) {
        return WAIT;
    }
    (void)close(acceptor->spare_fd);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int error = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    acceptor->spare_fd = open_spare();
    if (fd >= 0) {
        return GO_ON;
    }
    return error == EAGAIN ? NOTHING : WAIT;
}

static enum verdict accept_one(struct ke_acceptor *acceptor, int listener)
{
    const struct ke_acceptor_options *options = &acceptor->options;
    struct net_addr peer = {.sa = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof(peer);
    int fd = accept4(listener, &peer.sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        options->accepted(options->ctx, fd, &peer);
        return GO_ON;
    }
    enum verdict verdict = judge(errno);
    if (verdict == SHED) { /* the kernel says so before it looks whether anyone is waiting */
        verdict = shed_one(acceptor, listener);
    }
    if (verdict != NOTHING) {
        stats_add(options->stats, KE_COUNT_ACCEPT_FAILED, 1);
    }
    return verdict;
}

static void listen_all(struct ke_acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->open; i++) {
        (void)uv_poll_start(&acceptor->poll[i], UV_READABLE, acceptor->readable);
    }
}

static void on_pause_over(uv_timer_t *timer)
{
    listen_all(timer->data);
}

static void pause_all(struct ke_acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->open; i++) {
        (void)uv_poll_stop(&acceptor->poll[i]);
    }
    (void)uv_timer_start(&acceptor->pause, on_pause_over, KE_ACCEPT_PAUSE_MS, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* accept4() says what is wrong */
    (void)events;
    struct ke_acceptor *acceptor = poll->data;
    int listener = acceptor->options.listener[poll - acceptor->poll];
    enum verdict verdict = GO_ON;
    for (int i = 0; i < KE_ACCEPT_BATCH && verdict == GO_ON; i++) {
        verdict = accept_one(acceptor, listener);
    }
    if (verdict == WAIT) {
        pause_all(acceptor);
    }
}

NODISCARD enum nts_err ke_acceptor_open(struct ke_acceptor *acceptor,
                                        const struct ke_acceptor_options *options)
{
    acceptor->options = *options;
    acceptor->open = 0;
    acceptor->closed = false;
    acceptor->readable = on_readable;
    acceptor->spare_fd = open_spare();
    (void)uv_timer_init(options->loop, &acceptor->pause);
    acceptor->pause.data = acceptor;
    for (size_t i = 0; i < options->count; i++) {
        acceptor->poll[i].data = acceptor;
        /* Changes nothing, unless the process before this one drained: a signal to it alone. */
        (void)listen(options->listener[i], SOMAXCONN);
        int rc = uv_poll_init(options->loop, &acceptor->poll[i], options->listener[i]);
        if (rc != 0) {
            errno = -rc;
            return NTS_ESYSTEM;
        }
        acceptor->open = i + 1;
    }
    listen_all(acceptor);
    return NTS_OK;
}

void ke_acceptor_drain(struct ke_acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->open && !acceptor->closed; i++) {
        (void)shutdown(acceptor->options.listener[i], SHUT_RDWR);
    }
    ke_acceptor_close(acceptor);
}

void ke_acceptor_close(struct ke_acceptor *acceptor)
{
    if (acceptor->closed) {
        return;
    }
    acceptor->closed = true;
    for (size_t i = 0; i < acceptor->open; i++) {
        uv_close((uv_handle_t *)&acceptor->poll[i], NULL);
    }
    uv_close((uv_handle_t *)&acceptor->pause, NULL);
    if (acceptor->spare_fd >= 0) {
        (void)close(acceptor->spare_fd);
        acceptor->spare_fd = -1;
    }
}
