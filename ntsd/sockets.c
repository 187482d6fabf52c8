/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See sockets.h.
 */
#include "ntsd/sockets.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HTTP_BACKLOG = 64, PROBE_TRIES = 50, PROBE_WAIT_MS = 20 };

_Static_assert((int)CONFIG_THREADS_MAX <= (int)NTP_WORKERS_MAX, "a worker for each thread");
_Static_assert((int)CONFIG_ADDRESSES_MAX <= (int)NTP_SOCKETS_MAX, "a socket for each address");
_Static_assert((int)CONFIG_ADDRESSES_MAX <= (int)KE_LISTENERS_MAX, "a listener for each address");

size_t sockets_worker_count(const struct config *config)
{
    if (config->ntp_port == 0) {
        return 0;
    }
    if (config->threads > 0) {
        return config->threads;
    }
    /* The processors this process may use, which in a container are fewer than there are. */
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > CONFIG_THREADS_MAX ? CONFIG_THREADS_MAX : (size_t)count;
}

struct net_addr sockets_at_port(struct net_addr addr, uint32_t port)
{
    if (addr.sa.sa_family == AF_INET) {
        addr.v4.sin_port = htons((uint16_t)port);
    } else {
        addr.v6.sin6_port = htons((uint16_t)port);
    }
    return addr;
}

static void set_fault(struct sockets_fault *fault, const char *what, const struct net_addr *addr)
{
    char text[NET_ADDR_TEXT_MAX];
    const char *remedy = "";
    int error = errno;
    net_addr_format(addr, text);
    if (error == EACCES) {
        remedy = "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    } else if (error == EADDRINUSE) {
        remedy = "; ss -tulpn shows who has it";
    } else if (error == EADDRNOTAVAIL) {
        remedy = "; no interface has this address";
    } else if (error == EMFILE) {
        remedy = "; raise the limit of open files";
    }
    (void)snprintf(fault->text, sizeof(fault->text), "%s %s: %s%s", what, text, strerror(error),
                   remedy);
}

/* A plain socket bound to `addr`, or -1. TCP: old connections in TIME_WAIT are not in the way. */
static int open_bound(const struct net_addr *addr, int type)
{
    int on = 1;
    int family = addr->sa.sa_family;
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if ((type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) ||
        (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
        bind(fd, &addr->sa, net_addr_len(addr)) != 0) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* True when nobody has the address. */
static bool is_free(const struct net_addr *addr, int type)
{
    for (int i = 0; i < PROBE_TRIES; i++) {
        int fd = open_bound(addr, type);
        if (fd >= 0) {
            (void)close(fd);
            return true;
        }
        if (errno != EADDRINUSE) {
            return false;
        }
        struct timespec wait = {.tv_nsec = PROBE_WAIT_MS * 1000000L};
        (void)nanosleep(&wait, NULL);
        errno = EADDRINUSE;
    }
    return false;
}

static bool has_family(int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct net_addr any = net_addr_any(family, 0);
    bool has = fd >= 0 && bind(fd, &any.sa, net_addr_len(&any)) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return has;
}

/* Nothing said: every address of the families this host has. */
static void choose_addresses(const struct config *config, struct sockets *sockets)
{
    static const int families[] = {AF_INET, AF_INET6};
    sockets->address_count = config->address_count;
    memcpy(sockets->address, config->address, sizeof(sockets->address));
    for (size_t i = 0; i < 2 && config->address_count == 0; i++) {
        if (has_family(families[i])) {
            sockets->address[sockets->address_count++] = net_addr_any(families[i], 0);
        }
    }
}

static void close_list(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
        fds[i] = -1;
    }
}

void sockets_close(struct sockets *sockets)
{
    close_list(&sockets->ntp[0][0], sizeof(sockets->ntp) / sizeof(int));
    close_list(&sockets->ke[0][0], sizeof(sockets->ke) / sizeof(int));
    close_list(&sockets->http, 1);
}

static enum nts_err open_ntp(const struct config *config, struct sockets *s, size_t a,
                             struct sockets_fault *fault)
{
    struct net_addr addr = sockets_at_port(s->address[a], config->ntp_port);
    enum nts_err err = is_free(&addr, SOCK_DGRAM) ? NTS_OK : NTS_ESYSTEM;
    for (size_t w = 0; err == NTS_OK && w < s->worker_count; w++) {
        err = ntp_socket_open(&addr, &s->ntp[w][a]);
    }
    if (err != NTS_OK) {
        set_fault(fault, "NTP on UDP", &addr);
    }
    return err;
}

static enum nts_err open_ke(const struct config *config, struct sockets *s, size_t a,
                            struct sockets_fault *fault)
{
    struct net_addr addr = sockets_at_port(s->address[a], config->ke_port);
    enum nts_err err = is_free(&addr, SOCK_STREAM) ? NTS_OK : NTS_ESYSTEM;
    for (size_t p = 0; err == NTS_OK && p < s->process_count; p++) {
        err = ke_listener_open(&addr, &s->ke[p][a]);
    }
    if (err != NTS_OK) {
        set_fault(fault, "NTS-KE on TCP", &addr);
    }
    return err;
}

static enum nts_err open_http(const struct config *config, struct sockets *s,
                              struct sockets_fault *fault)
{
    if (!config->has_http) {
        return NTS_OK;
    }
    if (is_free(&config->http, SOCK_STREAM)) {
        s->http = open_bound(&config->http, SOCK_STREAM);
    }
    if (s->http < 0 || listen(s->http, HTTP_BACKLOG) != 0) {
        set_fault(fault, "status on TCP", &config->http);
        return NTS_ESYSTEM;
    }
    return NTS_OK;
}

static enum nts_err open_all(const struct config *config, struct sockets *s,
                             struct sockets_fault *fault)
{
    for (size_t a = 0; a < s->address_count; a++) {
        if (s->worker_count > 0) {
            TRY(open_ntp(config, s, a, fault));
        }
        if (s->process_count > 0) {
            TRY(open_ke(config, s, a, fault));
        }
    }
    return open_http(config, s, fault);
}

NODISCARD enum nts_err sockets_open(const struct config *config, struct sockets *sockets,
                                    struct sockets_fault *fault)
{
    memset(sockets, 0, sizeof(*sockets));
    memset(sockets->ntp, -1, sizeof(sockets->ntp)); /* all ones: -1 in every element */
    memset(sockets->ke, -1, sizeof(sockets->ke));
    sockets->http = -1;
    sockets->worker_count = sockets_worker_count(config);
    sockets->process_count = role_process_count(ROLE_KE, config);
    choose_addresses(config, sockets);
    if (sockets->address_count == 0) {
        (void)snprintf(fault->text, sizeof(fault->text),
                       "this host has neither IPv4 nor IPv6; see bindaddress");
        return NTS_ENOTFOUND;
    }
    enum nts_err err = open_all(config, sockets, fault);
    if (err != NTS_OK) {
        sockets_close(sockets);
    }
    return err;
}

size_t sockets_of_role(const struct sockets *sockets, enum role role, size_t index,
                       int fds[static SOCKETS_OF_ROLE_MAX])
{
    size_t n = 0;
    for (size_t w = 0; role == ROLE_NTP && w < sockets->worker_count; w++) {
        for (size_t a = 0; a < sockets->address_count; a++) {
            fds[n++] = sockets->ntp[w][a];
        }
    }
    for (size_t a = 0; role == ROLE_KE && a < sockets->address_count; a++) {
        fds[n++] = sockets->ke[index][a];
    }
    if (role == ROLE_STATUS && sockets->http >= 0) {
        fds[n++] = sockets->http;
    }
    return n;
}
