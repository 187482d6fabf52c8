/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ke_probe.h.
 */
#include "tests/support/ke_probe.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

const char *const reply_names[] = {
    [REPLY_OK] = "eight cookies",
    [REPLY_NO_AEAD] = "empty AEAD list, no cookie",
    [REPLY_NO_PROTOCOL] = "empty protocol list",
    [REPLY_ERROR_0] = "Error 0",
    [REPLY_ERROR_1] = "Error 1",
    [REPLY_CLOSED] = "closed",
};

uint64_t ke_probe_counter(const struct probe *probe, unsigned index)
{
    char label[128];
    bool fault = index >= KE_COUNT_REQUEST_FAULT_0;
    (void)snprintf(label, sizeof(label), "ntsd_ke_%s_total{%s=\"%s\"}",
                   fault ? "request_faults" : "connections", fault ? "fault" : "outcome",
                   ke_count_name(index));
    return probe_counter(probe, label);
}

uint64_t ke_probe_moved(const struct probe *probe, unsigned index, uint64_t before)
{
    uint64_t now = ke_probe_counter(probe, index);
    for (int i = 0; now == before && i < 50; i++) {
        (void)usleep(10000);
        now = ke_probe_counter(probe, index);
    }
    return now - before;
}

int ke_probe_tcp(const struct probe *probe)
{
    int fd = socket(probe->ke.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval timeout = {.tv_sec = KE_PROBE_IDLE_LIMIT_MS / 1000, .tv_usec = 500000};
    int one = 1;
    if (fd < 0 || connect(fd, &probe->ke.sa, net_addr_len(&probe->ke)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0) {
        printf("not ok - cannot connect\n");
        exit(1);
    }
    return fd;
}

SSL *ke_probe_tls(const struct probe *probe, SSL_CTX *ctx, const char *name)
{
    SSL *ssl = tls_client_connection(ctx, name);
    if (ssl == NULL || SSL_set_fd(ssl, ke_probe_tcp(probe)) != 1) {
        exit(1);
    }
    return ssl;
}

void ke_probe_close(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    (void)close(fd);
    ERR_clear_error();
}

size_t ke_probe_read(SSL *ssl, uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (int got = 1; got > 0 && n<cap; n += got> 0 ? (size_t)got : 0) {
        got = SSL_read(ssl, out + n, (int)(cap - n));
    }
    return n;
}

enum reply ke_probe_understand(struct span message)
{
    static const uint16_t aeads[] = {AEAD_AES_SIV_CMAC_256};
    struct ke_answer answer;
    const char *why = "";
    struct rd r = rd_init(message);
    bool empty_aead = false;
    bool empty_protocol = false;
    while (r.left > 0 && !r.bad) {
        struct ke_record record = ke_record_read(&r);
        empty_aead = empty_aead || (record.type == KE_AEAD_ALGORITHM && record.body.n == 0);
        empty_protocol = empty_protocol || (record.type == KE_NEXT_PROTOCOL && record.body.n == 0);
    }
    if (message.n == 0 || r.bad) {
        return REPLY_CLOSED;
    }
    if (empty_protocol) {
        return REPLY_NO_PROTOCOL;
    }
    if (empty_aead) {
        return REPLY_NO_AEAD;
    }
    if (ke_answer_parse(message, aeads, 1, &answer, &why) != NTS_OK) {
        return REPLY_CLOSED;
    }
    if (answer.has_error) {
        return answer.error == 0 ? REPLY_ERROR_0 : REPLY_ERROR_1;
    }
    return answer.cookie_count == KE_COOKIES ? REPLY_OK : REPLY_CLOSED;
}

bool ke_probe_send(SSL *ssl, struct span message, enum manner manner)
{
    size_t step = manner == OCTETS ? 1 : message.n;
    for (size_t at = 0; at < message.n; at += step) {
        if (SSL_write(ssl, message.p + at, (int)step) <= 0) {
            return false;
        }
    }
    if (manner == HALF_CLOSED) {
        (void)SSL_shutdown(ssl);
        (void)shutdown(SSL_get_fd(ssl), SHUT_WR);
    }
    return true;
}

enum reply ke_probe_exchange(const struct probe *probe, struct span message, enum manner manner,
                             bool *clean)
{
    static uint8_t answer[KE_REQUEST_MAX];
    SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
    enum reply reply = REPLY_CLOSED;
    *clean = false;
    if (SSL_connect(ssl) == 1) {
        (void)ke_probe_send(ssl, message, manner); /* a refused long one may break the pipe */
        reply = ke_probe_understand(span_of(answer, ke_probe_read(ssl, answer, sizeof(answer))));
        *clean = (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    ke_probe_close(ssl);
    return reply;
}

void ke_probe_good_request(struct wr *w)
{
    ke_record_write_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    ke_record_write_u16(w, true, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
    ke_record_write(w, true, KE_END_OF_MESSAGE, span_of(NULL, 0));
}
