/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many devices behind one address of a fleet: load for it, and the witness of what its devices see.
 *
 *   fleetload CA HOST ADDR DEVICES RATE QUERIES
 *
 * Each device has a source address of its own (10.77.x.y, all of them routed to this host) and a
 * new source port for every query, so that a load balancer may send each query to another instance.
 * It has at most one query under way, and all of them together ask RATE times a second. Of each
 * sixteen devices one sleeps until the end, with the cookies of the beginning; four ask once a
 * second, so that their cookies become seconds old; the others ask as often as they may, and two
 * threads get them new keys and cookies by handshakes, one device after the other, all the time.
 *
 * SIGTERM begins the end, which waits until QUERIES have been answered: the sleepers wake, every
 * device has to be answered once more. A second SIGTERM ends at once. Events are lines:
 *
 *   SECONDS ready                       every device has cookies, the load begins
 *   SECONDS key EPOCH:INDEX             the first cookie under this key
 *   SECONDS lost ADDR PORT WHY          asked then, and no answer: refused, timeout
 *   SECONDS wrong ADDR PORT WHY         asked then, an answer that is of no use: a NAK among others
 *   SECONDS retry WHY                   an attempt to shake hands that failed; there are others
 *   SECONDS failed WHY                  the last attempt failed, too
 *   SECONDS unserved N                  device without an answer at the end
 *   queries N answered N naks N wrong N refused N timeouts N handshakes N retries N failed N
 *       unserved N oldest_cookie_s N keys EPOCH:INDEX,...
 *
 * the last one in one line, and the last line.
 */
#include "common/base/time.h"
#include "common/crypto/rng.h"
#include "common/net/addr.h"
#include "ntp/query.h"
#include "nts-ke/ke_client.h"
#include "nts-ke/ke_proto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    DEVICES_MAX = 1024,
    PORT_FIRST = 1024,
    SHAKERS = 2,
    SHAKER_PAUSE_MS = 40,
    ATTEMPTS = 60,
    ATTEMPT_PAUSE_MS = 200,
    ATTEMPT_LIMIT_MS = 8000,
    REPLY_LIMIT_MS = 4000, /* far more than a healthy fleet takes on a busy machine */
    AFTER_LOSS_MS = 100,
    SLOW_MS = 1000,
    END_LIMIT_MS = 20000,
    FALLEN_BEHIND_MS = 50, /* what could not be asked in time is asked later, not in a burst */
    KEYS_MAX = 64,
    EVENTS = 64,
};

enum habit { BUSY, SLOW, ASLEEP };

/* What a handshake brings. */
struct session {
    struct session_keys keys;
    size_t cookie_count;
    struct ke_client_cookie cookie[KE_COOKIES];
    struct mono_ns born[KE_COOKIES]; /* when we got it */
};

struct device {
    enum habit habit;
    struct net_addr from; /* its address; the port is that of its last query */
    struct session session;
    int fd; /* -1: no query under way */
    struct query query;
    double asked;              /* wall time in seconds */
    struct mono_ns asked_born; /* of the cookie in it */
    struct mono_ns due;        /* the answer's, or of the next query */
    bool served;               /* since the end began */
    bool has_fresh;            /* under load.lock */
    struct session fresh;      /* under load.lock */
};

struct load {
    struct ke_client_options ke;
    struct net_addr ntp;
    struct rng *rng;
    size_t count;
    struct device *device;
    int epoll;
    bool ending;
    unsigned long queries;
    unsigned long answered;
    unsigned long naks;
    unsigned long wrong;
    unsigned long refused;
    unsigned long timeouts;
    int64_t oldest_ns;
    size_t key_count;
    uint32_t key[KEYS_MAX];

    pthread_mutex_t lock; /* for what is below, and the sessions handed over */
    bool over;
    size_t next; /* device to shake hands for */
    unsigned long handshakes;
    unsigned long retries;
    unsigned long failed;
};

/* Written by the signal handler. */
static volatile sig_atomic_t terminations;

static void on_term(int signal)
{
    (void)signal;
    terminations++;
}

static double seconds(void)
{
    return (double)wall_now().ns / (double)NS_PER_S;
}

static struct mono_ns in_ms(int64_t ms)
{
    return (struct mono_ns){mono_now().ns + ms * NS_PER_MS};
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};
    (void)nanosleep(&pause, NULL);
}

/* --- Handshakes: threads of their own --- */

static bool shake_once(struct load *load, struct session *session, struct ke_client_why *why)
{
    struct ke_client_result *result = calloc(1, sizeof(*result));
    if (result == NULL) {
        return false;
    }
    enum nts_err err = ke_client_exchange(&load->ke, result, why);
    bool good = err == NTS_OK && result->cookie_count == KE_COOKIES;
    if (good) {
        session->keys = result->keys;
        session->cookie_count = result->cookie_count;
        memcpy(session->cookie, result->cookie, sizeof(session->cookie));
        for (size_t i = 0; i < KE_COOKIES; i++) {
            session->born[i] = mono_now();
        }
    }
    ke_client_result_wipe(result);
    free(result);
    return good;
}

static bool is_over(struct load *load)
{
    (void)pthread_mutex_lock(&load->lock);
    bool over = load->over;
    (void)pthread_mutex_unlock(&load->lock);
    return over;
}

static bool shake(struct load *load, struct session *session)
{
    struct ke_client_why why = {{0}};
    for (int i = 0; i < ATTEMPTS && !is_over(load); i++) {
        bool good = shake_once(load, session, &why);
        (void)pthread_mutex_lock(&load->lock);
        load->handshakes += good;
        load->retries += !good;
        (void)pthread_mutex_unlock(&load->lock);
        if (good) {
            return true;
        }
        printf("%.3f retry %s\n", seconds(), why.text);
        pause_ms(ATTEMPT_PAUSE_MS);
    }
    if (!is_over(load)) {
        printf("%.3f failed %s\n", seconds(), why.text);
        (void)pthread_mutex_lock(&load->lock);
        load->failed++;
        (void)pthread_mutex_unlock(&load->lock);
    }
    return false;
}

/* The next device in turn: each one at first, then those that are busy. */
static struct device *whose_turn(struct load *load)
{
    (void)pthread_mutex_lock(&load->lock);
    struct device *device;
    do {
        device = &load->device[load->next++ % load->count];
    } while (load->next > load->count && device->habit != BUSY);
    (void)pthread_mutex_unlock(&load->lock);
    return device;
}

static void hand_over(struct load *load, struct device *device, const struct session *session)
{
    (void)pthread_mutex_lock(&load->lock);
    device->fresh = *session;
    device->has_fresh = true;
    bool first_round = load->next <= load->count;
    (void)pthread_mutex_unlock(&load->lock);
    if (!first_round) {
        pause_ms(SHAKER_PAUSE_MS);
    }
}

static void *shaker(void *arg)
{
    struct load *load = arg;
    struct session session;
    while (!is_over(load)) {
        struct device *device = whose_turn(load);
        if (shake(load, &session)) {
            hand_over(load, device, &session);
        }
    }
    wipe(&session, sizeof(session));
    return NULL;
}

/* The device's newest session; false: it has none yet. */
static bool take_fresh(struct load *load, struct device *device)
{
    (void)pthread_mutex_lock(&load->lock);
    if (device->has_fresh) {
        device->session = device->fresh;
        device->has_fresh = false;
    }
    (void)pthread_mutex_unlock(&load->lock);
    return device->session.cookie_count > 0;
}

/* --- Cookies --- */

/* Docs/keys.md: the head of a cookie names its key, epoch (8 bits) and period (16 bits). */
static void note_key(struct load *load, struct span cookie)
{
    uint32_t id = (uint32_t)cookie.p[1] << 16 | (uint32_t)cookie.p[2] << 8 | cookie.p[3];
    for (size_t i = 0; i < load->key_count; i++) {
        if (load->key[i] == id) {
            return;
        }
    }
    if (load->key_count < KEYS_MAX) {
        load->key[load->key_count++] = id;
        printf("%.3f key %u:%u\n", seconds(), id >> 16, id & 0xffff);
    }
}

/* The oldest cookie; it is used up, unless it is the last one: then a lost reply must not end us.
 */
static struct ke_client_cookie take_cookie(struct device *device)
{
    struct session *s = &device->session;
    struct ke_client_cookie cookie = s->cookie[0];
    device->asked_born = s->born[0];
    if (s->cookie_count > 1) {
        s->cookie_count--;
        memmove(s->cookie, s->cookie + 1, s->cookie_count * sizeof(s->cookie[0]));
        memmove(s->born, s->born + 1, s->cookie_count * sizeof(s->born[0]));
    }
    return cookie;
}

static void keep_cookies(struct load *load, struct device *device, const struct query_reply *reply)
{
    struct session *s = &device->session;
    for (size_t i = 0; i < reply->cookie_count && s->cookie_count < KE_COOKIES; i++) {
        struct span fresh = reply->cookie[i];
        if (fresh.n >= 4 && fresh.n <= KE_CLIENT_COOKIE_MAX) {
            s->born[s->cookie_count] = mono_now();
            struct ke_client_cookie *slot = &s->cookie[s->cookie_count++];
            slot->len = fresh.n;
            memcpy(slot->bytes, fresh.p, fresh.n);
            note_key(load, fresh);
        }
    }
}

/* --- Queries: the main thread --- */

static void end_query(struct device *device, int64_t rest_ms)
{
    (void)close(device->fd);
    device->fd = -1;
    device->due = in_ms(device->habit == SLOW && rest_ms < SLOW_MS ? SLOW_MS : rest_ms);
}

static void tell(const struct device *device, const char *what, const char *why)
{
    char address[INET_ADDRSTRLEN];
    (void)inet_ntop(AF_INET, &device->from.v4.sin_addr, address, sizeof(address));
    printf("%.3f %s %s %u %s\n", device->asked, what, address, net_addr_port(&device->from), why);
}

static void lose(struct device *device, unsigned long *counter, const char *why)
{
    (*counter)++;
    tell(device, "lost", why);
    end_query(device, AFTER_LOSS_MS);
}

/* A socket bound to the device's next port. */
static int next_socket(struct load *load, struct device *device)
{
    unsigned port = net_addr_port(&device->from);
    device->from.v4.sin_port = htons((uint16_t)(port == 65535 ? PORT_FIRST : port + 1));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = device};
    if (fd >= 0 && (bind(fd, &device->from.sa, net_addr_len(&device->from)) != 0 ||
                    connect(fd, &load->ntp.sa, net_addr_len(&load->ntp)) != 0 ||
                    epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool ask(struct load *load, struct device *device)
{
    uint8_t packet[QUERY_PLAIN_MAX];
    struct wr out = wr_init(packet, sizeof(packet));
    struct ke_client_cookie cookie = take_cookie(device);
    size_t wanted = KE_COOKIES - 1 - device->session.cookie_count;
    device->fd = next_socket(load, device);
    if (device->fd < 0 ||
        query_write_nts(load->rng, &device->session.keys, span_of(cookie.bytes, cookie.len), wanted,
                        &device->query, &out) != NTS_OK) {
        perror("fleetload: query");
        return false;
    }
    device->asked = seconds();
    device->due = in_ms(REPLY_LIMIT_MS);
    load->queries++;
    if (send(device->fd, packet, out.n, 0) != (ssize_t)out.n) {
        lose(device, &load->refused, strerror(errno));
    }
    return true;
}

static void take_answer(struct load *load, struct device *device, const struct query_reply *reply)
{
    int64_t age = mono_now().ns - device->asked_born.ns;
    load->oldest_ns = age > load->oldest_ns ? age : load->oldest_ns;
    load->answered++;
    device->served = load->ending;
    keep_cookies(load, device, reply);
    end_query(device, 0);
}

static void receive(struct load *load, struct device *device)
{
    uint8_t packet[QUERY_PLAIN_MAX];
    struct query_reply reply;
    ssize_t n = device->fd < 0 ? -1 : recv(device->fd, packet, sizeof(packet), 0);
    if (n < 0) {
        if (device->fd >= 0 && errno != EAGAIN && errno != EINTR) {
            lose(device, &load->refused, "refused");
        }
        return;
    }
    enum query_verdict verdict =
        query_judge(&device->query, &device->session.keys, span_of(packet, (size_t)n), &reply);
    if (verdict == QUERY_OK) {
        take_answer(load, device, &reply);
        return;
    }
    load->naks += verdict == QUERY_NAK;
    load->wrong++;
    tell(device, "wrong", query_verdict_text(verdict));
    end_query(device, AFTER_LOSS_MS);
}

/* One turn over the devices, from where the last one ended: `budget` queries at most. */
static bool ask_some(struct load *load, size_t *at, unsigned long budget)
{
    struct mono_ns now = mono_now();
    for (size_t i = 0; i < load->count; i++) {
        struct device *device = &load->device[(*at + i) % load->count];
        if (device->due.ns > now.ns || (device->habit == ASLEEP && !load->ending)) {
            continue;
        }
        if (device->fd >= 0) {
            lose(device, &load->timeouts, "timeout");
        } else if (budget > 0 && take_fresh(load, device)) {
            budget--;
            if (!ask(load, device)) {
                return false;
            }
        }
    }
    *at = (*at + 7) % load->count; /* another one is first each time */
    return true;
}

static bool all_served(const struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        if (!load->device[i].served) {
            return false;
        }
    }
    return true;
}

/* Asks until the end has come about; false: this host failed. */
static bool ask_all(struct load *load, unsigned long rate, unsigned long wanted)
{
    const int64_t gap_ns = NS_PER_S / (int64_t)rate;
    struct mono_ns next = mono_now();
    struct mono_ns limit = {INT64_MAX};
    size_t at = 0;
    struct epoll_event event[EVENTS];
    while (terminations < 2 && mono_now().ns < limit.ns && !(load->ending && all_served(load))) {
        int64_t behind = mono_now().ns - next.ns;
        if (behind > FALLEN_BEHIND_MS * NS_PER_MS) {
            next.ns += behind - FALLEN_BEHIND_MS * NS_PER_MS;
        }
        unsigned long before = load->queries;
        if (!ask_some(load, &at, behind > 0 ? (unsigned long)(behind / gap_ns) : 0)) {
            return false;
        }
        next.ns += (int64_t)(load->queries - before) * gap_ns;
        int n = epoll_wait(load->epoll, event, EVENTS, 1);
        for (int i = 0; i < n; i++) {
            receive(load, event[i].data.ptr);
        }
        if (terminations > 0 && !load->ending && load->answered >= wanted) {
            load->ending = true;
            limit = in_ms(END_LIMIT_MS);
        }
    }
    return true;
}

/* --- From start to end --- */

/* Waits until each device has a session; false: asked to end. */
static bool await_sessions(struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        while (!take_fresh(load, &load->device[i])) {
            if (terminations > 0) {
                return false;
            }
            pause_ms(5);
        }
        const struct ke_client_cookie *cookie = &load->device[i].session.cookie[0];
        note_key(load, span_of(cookie->bytes, cookie->len));
    }
    printf("%.3f ready\n", seconds());
    return true;
}

static bool make_devices(struct load *load, size_t count)
{
    load->count = count;
    load->device = calloc(count, sizeof(*load->device));
    load->rng = rng_new();
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; load->device != NULL && i < count; i++) {
        char address[NET_ADDR_TEXT_MAX];
        (void)snprintf(address, sizeof(address), "10.77.%zu.%zu", i / 250, i % 250 + 1);
        load->device[i].habit = i % 16 == 0 ? ASLEEP : i % 4 == 1 ? SLOW : BUSY;
        load->device[i].fd = -1;
        if (net_addr_parse(address, PORT_FIRST, &load->device[i].from) != NTS_OK) {
            return false;
        }
    }
    return load->device != NULL && load->rng != NULL && load->epoll >= 0;
}

static void summarise(struct load *load)
{
    unsigned long unserved = 0;
    for (size_t i = 0; i < load->count; i++) {
        if (!load->device[i].served) {
            printf("%.3f unserved %zu\n", seconds(), i);
            unserved++;
        }
    }
    printf("queries %lu answered %lu naks %lu wrong %lu refused %lu timeouts %lu handshakes %lu "
           "retries %lu failed %lu unserved %lu oldest_cookie_s %lld keys ",
           load->queries, load->answered, load->naks, load->wrong, load->refused, load->timeouts,
           load->handshakes, load->retries, load->failed, unserved,
           (long long)(load->oldest_ns / NS_PER_S));
    for (size_t i = 0; i < load->key_count; i++) {
        printf("%s%u:%u", i > 0 ? "," : "", load->key[i] >> 16, load->key[i] & 0xffff);
    }
    putchar('\n');
}

static int run(struct load *load, unsigned long rate, unsigned long wanted)
{
    pthread_t thread[SHAKERS];
    int started = 0;
    bool good = true;
    sigset_t term; /* for the main thread alone */
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &term, NULL);
    while (good && started < SHAKERS) {
        good = pthread_create(&thread[started], NULL, shaker, load) == 0;
        started += good;
    }
    (void)pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    good = good && await_sessions(load) && ask_all(load, rate, wanted);
    (void)pthread_mutex_lock(&load->lock);
    load->over = true;
    (void)pthread_mutex_unlock(&load->lock);
    for (int i = 0; i < started; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    summarise(load);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct load load = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static const uint16_t aeads[] = {AEAD_AES_SIV_CMAC_256};
    struct net_addr ke_addr;
    struct cert_fault fault;
    SSL_CTX *ctx = NULL;
    unsigned long number[3] = {0};
    for (int i = 0; argc == 7 && i < 3; i++) {
        number[i] = strtoul(argv[4 + i], NULL, 10);
    }
    if (number[0] < 1 || number[0] > DEVICES_MAX || number[1] < 1) {
        fprintf(stderr, "usage: fleetload CA HOST ADDR DEVICES RATE QUERIES\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sigaction action = {.sa_handler = on_term};
    (void)sigaction(SIGTERM, &action, NULL);
    struct tls_client_options tls = {.ca_file = argv[1], .alpn = KE_ALPN};
    if (net_addr_parse(argv[3], KE_PORT, &ke_addr) != NTS_OK ||
        net_addr_parse(argv[3], NTP_PORT, &load.ntp) != NTS_OK ||
        tls_client_new(&tls, &ctx, &fault) != NTS_OK || !make_devices(&load, number[0])) {
        fprintf(stderr, "fleetload: cannot use %s or %s\n", argv[1], argv[3]);
        return 1;
    }
    load.ke = (struct ke_client_options){.tls = ctx,
                                         .host = argv[2],
                                         .addr = &ke_addr,
                                         .timeout_ms = ATTEMPT_LIMIT_MS,
                                         .aeads = aeads,
                                         .aead_count = 1};
    int status = run(&load, number[1], number[2]);
    SSL_CTX_free(ctx);
    wipe(load.device, load.count * sizeof(*load.device));
    free(load.device);
    rng_free(load.rng);
    (void)close(load.epoll);
    return status;
}
