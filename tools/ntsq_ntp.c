/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTP over UDP, one question at a time. See ntsq_ntp.h.
 */
#include "tools/ntsq_ntp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    DRAIN_MAX = 64,
    REFUSED_WAIT_MS =
        200, /* after an ICMP error: it may be an earlier request's, or a stranger's */
};

NODISCARD enum nts_err ntsq_link_open(const struct net_addr *server, struct ntsq_link *link)
{
    *link = (struct ntsq_link){.fd = -1};
    int fd = socket(server->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return NTS_ESYSTEM;
    }
    int on = 1;
    /* Without the kernel's stamp we take our own, so this may fail. */
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    if (connect(fd, &server->sa, net_addr_len(server)) != 0) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return NTS_ESYSTEM;
    }
    link->fd = fd;
    return NTS_OK;
}

void ntsq_link_close(struct ntsq_link *link)
{
    if (link->fd >= 0) {
        (void)close(link->fd);
        link->fd = -1;
    }
}

static enum nts_err request_write(struct rng *rng, const struct ntsq_question *question,
                                  struct query *query, struct wr *out, size_t *placeholders)
{
    uint8_t *room = out->start;
    *placeholders = 0;
    if (question->keys == NULL) {
        return query_write_plain(rng, query, out);
    }
    enum nts_err err = NTS_ESPACE;
    for (size_t extra = question->placeholders + 1; err == NTS_ESPACE && extra-- > 0;) {
        *out = wr_init(room, NTP_DATAGRAM_MAX);
        *placeholders = extra;
        err = query_write_nts(rng, question->keys, question->cookie, extra, query, out);
    }
    return err;
}

static void remember(struct ntsq_link *link, uint64_t transmit_time)
{
    link->recent[link->recent_at] = transmit_time;
    link->recent_at = (link->recent_at + 1) % NTSQ_RECENT;
    link->recent_count += link->recent_count < NTSQ_RECENT;
}

/* True for a reply to one of our earlier requests, or to one that was already answered. */
static bool is_late(const struct ntsq_link *link, struct span packet)
{
    struct rd r = rd_init(packet);
    struct ntp_header header = ntp_header_read(&r);
    for (size_t i = 0; !r.bad && i < link->recent_count; i++) {
        if (link->recent[i] == header.origin_time) {
            return true;
        }
    }
    return false;
}

/* How much a refusal tells about what is wrong; the greater one is reported. A datagram that does
 * not even echo our request may be a stranger's, so it comes last. */
static int weight(enum query_verdict verdict)
{
    static const int weights[QUERY_VERDICTS] = {
        [QUERY_SHORT] = 1,
        [QUERY_NOT_A_REPLY] = 2,
        [QUERY_ORIGIN] = 3,
        [QUERY_WRONG_UID] = 4,
        [QUERY_NO_UID] = 5,
        [QUERY_BAD_FIELD] = 6,
        [QUERY_NO_AUTHENTICATOR] = 7,
        [QUERY_NOT_AUTHENTIC] = 8,
        [QUERY_KISS] = 9,
        [QUERY_NAK] = 10,
    };
    return weights[verdict];
}

/* A datagram as it came, with the moment it came. */
struct arrival {
    uint8_t bytes[QUERY_PLAIN_MAX];
    size_t len;
    struct wall_ns at;
    bool kernel_stamp;
};

static void take_stamp(struct msghdr *msg, struct arrival *arrival)
{
    arrival->at = wall_now();
    arrival->kernel_stamp = false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            arrival->at = (struct wall_ns){.ns = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec};
            arrival->kernel_stamp = true;
        }
    }
}

/* NTS_ENOTFOUND: nothing there. NTS_ELIMIT: too long for a reply to anything we ask. */
static enum nts_err receive(int fd, struct arrival *arrival)
{
    union {
        struct cmsghdr align;
        uint8_t room[CMSG_SPACE(sizeof(struct timespec))];
    } control = {0};
    struct iovec part = {.iov_base = arrival->bytes, .iov_len = sizeof(arrival->bytes)};
    struct msghdr msg = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof(control.room),
    };
    ssize_t got = recvmsg(fd, &msg, 0);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? NTS_ENOTFOUND : NTS_ESYSTEM;
    }
    arrival->len = (size_t)got;
    take_stamp(&msg, arrival);
    return (msg.msg_flags & MSG_TRUNC) != 0 ? NTS_ELIMIT : NTS_OK;
}

/* What is under way: constant for one question, but for the sample. */
struct wait {
    const struct ntsq_link *link;
    const struct session_keys *keys;
    const struct query *query;
    struct query_reply *reply;
    struct ntsq_sample *sample;
};

static void accept_reply(const struct wait *wait, enum query_verdict verdict,
                         const struct arrival *arrival)
{
    struct ntsq_sample *s = wait->sample;
    s->outcome = verdict == QUERY_OK ? NTSQ_ANSWERED : NTSQ_UNSYNCHRONISED;
    s->verdict = verdict;
    s->received = arrival->at;
    s->kernel_stamp = arrival->kernel_stamp;
    s->reply_len = arrival->len;
    s->header = wait->reply->header;
    s->cookies_received = wait->reply->cookie_count;
    s->times = query_times(&wait->reply->header, s->sent, arrival->at);
}

static void refuse_reply(const struct wait *wait, enum query_verdict verdict)
{
    struct ntsq_sample *s = wait->sample;
    if (s->outcome == NTSQ_REFUSED && weight(s->verdict) >= weight(verdict)) {
        return;
    }
    s->outcome = NTSQ_REFUSED;
    s->verdict = verdict;
    /* Of all that is refused, only a kiss's reference id is shown (RFC 5905 §7.4). */
    s->header = (struct ntp_header){.reference_id = 0};
    if (verdict == QUERY_KISS) {
        s->header.reference_id = wait->reply->header.reference_id;
    }
}

/* True when the wait is over. */
static bool judge(const struct wait *wait, const struct arrival *arrival)
{
    struct span packet = span_of(arrival->bytes, arrival->len);
    if (is_late(wait->link, packet)) {
        wait->sample->late++;
        return false;
    }
    enum query_verdict verdict = query_judge(wait->query, wait->keys, packet, wait->reply);
    if (verdict == QUERY_OK || verdict == QUERY_UNSYNCHRONISED) {
        accept_reply(wait, verdict, arrival);
        return true;
    }
    refuse_reply(wait, verdict);
    wait->sample->foreign += verdict != QUERY_NAK && verdict != QUERY_KISS;
    /* Who asks plainly can believe nothing anyway: a kiss is as good as an answer. */
    return wait->keys == NULL && verdict == QUERY_KISS;
}

/* Reads what has come, but not for ever: a flood may not outlast the deadline. An error is
 * remembered and no more. True when the wait is over. */
static bool drain(const struct wait *wait)
{
    for (int i = 0; i < DRAIN_MAX; i++) {
        struct arrival arrival = {.len = 0};
        enum nts_err err = receive(wait->link->fd, &arrival);
        if (err == NTS_ENOTFOUND) {
            return false;
        }
        if (err == NTS_ESYSTEM) {
            wait->sample->system_error = errno;
        } else if (err == NTS_ELIMIT) {
            wait->sample->foreign++;
        } else if (judge(wait, &arrival)) {
            return true;
        }
    }
    return false;
}

/* Where nobody listens there is no use in waiting to the end, and a person waits, too. */
static int64_t end_after_refusal(int64_t end)
{
    int64_t soon = mono_now().ns + REFUSED_WAIT_MS * NS_PER_MS;
    return soon < end ? soon : end;
}

/* True when something came that ends the wait; false when the time is up. */
static bool wait_for_reply(const struct wait *wait, unsigned wait_ms)
{
    int64_t end = mono_now().ns + (int64_t)wait_ms * NS_PER_MS;
    for (bool refused = false;;) {
        int64_t left = end - mono_now().ns;
        if (left <= 0) {
            return false;
        }
        struct pollfd p = {.fd = wait->link->fd, .events = POLLIN};
        int ready = poll(&p, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
        if (ready > 0 && drain(wait)) {
            return true;
        }
        if (!refused && wait->sample->system_error == ECONNREFUSED) {
            refused = true;
            end = end_after_refusal(end);
        }
    }
}

/* An error decides only where no datagram told more. */
static void conclude(struct ntsq_sample *sample, bool replied)
{
    if (replied) {
        sample->system_error = 0;
    } else if (sample->outcome == NTSQ_LOST && sample->system_error != 0) {
        sample->outcome = NTSQ_UNREACHABLE;
    }
}

/* A connected socket reports what became of an earlier datagram at the next call: once is no reason
 * not to send this one. */
static bool send_request(int fd, struct span request, struct ntsq_sample *sample)
{
    for (int again = 0; again < 2; again++) {
        sample->sent = wall_now();
        if (send(fd, request.p, request.n, MSG_NOSIGNAL) >= 0) {
            sample->system_error = 0;
            return true;
        }
        sample->system_error = errno;
    }
    sample->outcome = NTSQ_UNREACHABLE;
    return false;
}

/* What a try decides is blank again; what tries share stays. */
static void sample_begin(struct ntsq_sample *s)
{
    *s = (struct ntsq_sample){
        .outcome = NTSQ_LOST,
        .tries = s->tries + 1,
        .new_keys = s->new_keys,
        .late = s->late,
        .foreign = s->foreign,
        .cookies_left = s->cookies_left,
    };
}

NODISCARD enum nts_err ntsq_ask(struct ntsq_link *link, struct rng *rng,
                                const struct ntsq_question *question, struct query_reply *reply,
                                struct ntsq_sample *sample)
{
    uint8_t room[NTP_DATAGRAM_MAX];
    struct wr out = wr_init(room, sizeof(room));
    struct query query;
    size_t placeholders;
    TRY(request_write(rng, question, &query, &out, &placeholders));
    struct span request = wr_done(&out);
    sample_begin(sample);
    sample->request_len = request.n;
    sample->placeholders = placeholders;
    if (!send_request(link->fd, request, sample)) {
        return NTS_OK;
    }
    const struct wait wait = {
        .link = link, .keys = question->keys, .query = &query, .reply = reply, .sample = sample};
    conclude(sample, wait_for_reply(&wait, question->wait_ms));
    remember(link, query.transmit_time);
    return NTS_OK;
}
