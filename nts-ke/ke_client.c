/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of one NTS-KE exchange. See ke_client.h.
 *
 * TLS through memory BIOs, so that the socket is written with MSG_NOSIGNAL and every wait obeys the
 * one deadline.
 */
#include "nts-ke/ke_client.h"

#include "common/base/time.h"
#include "nts-ke/ke_export.h"
#include "nts-ke/ke_negotiate.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 4096 };

struct client {
    const struct ke_client_options *options;
    struct ke_client_result *result;
    struct ke_client_why *why;
    int fd;
    SSL *ssl; /* the result's */
    struct mono_ns started;
};

/* The sentence for people; returns `err` so that a failure is one statement. */
__attribute__((format(printf, 3, 4))) static enum nts_err
say(struct ke_client_why *why, enum nts_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return err;
}

static double elapsed_ms(const struct client *client)
{
    return (double)(mono_now().ns - client->started.ns) / (double)NS_PER_MS;
}

/* --- Socket --- */

static enum nts_err await(const struct client *client, short events, const char *doing)
{
    for (;;) {
        double left = (double)client->options->timeout_ms - elapsed_ms(client);
        struct pollfd poll_fd = {.fd = client->fd, .events = events};
        int ready = left > 0 ? poll(&poll_fd, 1, (int)left + 1) : 0;
        if (ready > 0) {
            return NTS_OK;
        }
        if (ready == 0) {
            return say(client->why, NTS_ELIMIT, "no answer from %s within %u ms (%s)",
                       client->options->host, client->options->timeout_ms, doing);
        }
        if (errno != EINTR) {
            return say(client->why, NTS_ESYSTEM, "poll: %s", strerror(errno));
        }
    }
}

static enum nts_err connect_tcp(struct client *client)
{
    const struct net_addr *addr = client->options->addr;
    char text[NET_ADDR_TEXT_MAX];
    net_addr_format(addr, text);
    client->fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        return say(client->why, NTS_ESYSTEM, "socket: %s", strerror(errno));
    }
    const int on = 1;
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    int error = connect(client->fd, &addr->sa, net_addr_len(addr)) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        TRY(await(client, POLLOUT, "connecting"));
        socklen_t len = sizeof(error);
        if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
            error = errno;
        }
    }
    if (error != 0) {
        return say(client->why, NTS_ESYSTEM, "cannot connect to %s: %s", text, strerror(error));
    }
    client->result->connect_ms = elapsed_ms(client);
    return NTS_OK;
}

/* Sends all that TLS has to say. */
static enum nts_err send_output(const struct client *client)
{
    char *p = NULL;
    BIO *out = SSL_get_wbio(client->ssl);
    for (long n = BIO_get_mem_data(out, &p); n > 0;) {
        ssize_t sent = send(client->fd, p, (size_t)n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return say(client->why, NTS_ESYSTEM, "connection to %s lost: %s", client->options->host,
                       strerror(errno));
        }
        if (sent < 0) {
            TRY(await(client, POLLOUT, "sending"));
            continue;
        }
        p += sent;
        n -= sent;
    }
    (void)BIO_reset(out);
    return NTS_OK;
}

/* Waits for octets and hands them to TLS. NTS_ESHORT: the server closed the connection. */
static enum nts_err receive_input(const struct client *client, const char *doing)
{
    uint8_t chunk[CHUNK];
    ssize_t got = -1;
    while (got < 0) {
        TRY(await(client, POLLIN, doing));
        got = recv(client->fd, chunk, sizeof(chunk), 0);
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            return say(client->why, NTS_ESYSTEM, "connection to %s lost during %s: %s",
                       client->options->host, doing, strerror(errno));
        }
    }
    if (got == 0) {
        return say(client->why, NTS_ESHORT, "%s closed the connection during %s",
                   client->options->host, doing);
    }
    return BIO_write(SSL_get_rbio(client->ssl), chunk, (int)got) == (int)got
               ? NTS_OK
               : say(client->why, NTS_EINTERNAL, "TLS: out of memory");
}

/* --- TLS --- */

static enum nts_err tls_failed(const struct client *client)
{
    struct cert_fault fault;
    if (tls_client_failure(client->ssl, &fault)) {
        return say(client->why, NTS_EAUTH, "%s: %s", client->options->host, fault.text);
    }
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return say(client->why, NTS_EAUTH, "TLS with %s failed: %s", client->options->host,
               reason != NULL ? reason : "unknown reason");
}

static enum nts_err tls_open(struct client *client)
{
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    client->ssl = tls_client_connection(client->options->tls, client->options->host);
    client->result->ssl = client->ssl;
    if (client->ssl == NULL || in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        return say(client->why, NTS_EINTERNAL, "TLS: out of memory, or %s cannot be a name",
                   client->options->host);
    }
    SSL_set_bio(client->ssl, in, out); /* owns both */
    return NTS_OK;
}

static enum nts_err handshake(struct client *client)
{
    static const char doing[] = "the TLS handshake";
    TRY(tls_open(client));
    for (;;) {
        ERR_clear_error();
        int rc = SSL_do_handshake(client->ssl);
        int error = SSL_get_error(client->ssl, rc);
        if (rc != 1 && error != SSL_ERROR_WANT_READ) {
            enum nts_err err = tls_failed(client);
            struct ke_client_why first = *client->why;
            enum nts_err alert = send_output(client); /* as a courtesy */
            *client->why = first;
            (void)alert;
            return err;
        }
        TRY(send_output(client));
        if (rc == 1) {
            break;
        }
        enum nts_err err = receive_input(client, doing);
        if (err != NTS_OK) {
            return err == NTS_ESHORT ? NTS_ESYSTEM : err;
        }
    }
    client->result->tls_ms = elapsed_ms(client);
    tls_client_describe(client->ssl, &client->result->tls);
    return NTS_OK;
}

/* --- Messages --- */

static enum nts_err send_request(const struct client *client)
{
    uint8_t request[8 * KE_RECORD_HEAD_LEN + 2 * KE_LIST_MAX];
    struct wr w = wr_init(request, sizeof(request));
    ke_request_write(&w, client->options->aeads, client->options->aead_count);
    if (w.bad) {
        return say(client->why, NTS_EINTERNAL, "more than %d algorithms to offer", KE_LIST_MAX);
    }
    ERR_clear_error();
    if (SSL_write(client->ssl, request, (int)w.n) != (int)w.n) {
        return tls_failed(client);
    }
    return send_output(client);
}

/* One turn of reading: NTS_OK with octets in the result, NTS_ESHORT at the end of the stream. */
static enum nts_err read_some(const struct client *client)
{
    struct ke_client_result *result = client->result;
    for (;;) {
        size_t got = 0;
        ERR_clear_error();
        if (SSL_read_ex(client->ssl, result->message + result->message_len,
                        sizeof(result->message) - result->message_len, &got) == 1) {
            result->message_len += got;
            return NTS_OK;
        }
        int error = SSL_get_error(client->ssl, 0);
        if (error == SSL_ERROR_ZERO_RETURN) {
            return NTS_ESHORT;
        }
        if (error != SSL_ERROR_WANT_READ) {
            return tls_failed(client);
        }
        TRY(receive_input(client, "the key exchange"));
    }
}

static enum nts_err read_answer(const struct client *client)
{
    struct ke_client_result *result = client->result;
    enum ke_stream stream = KE_STREAM_MORE;
    size_t at = 0;
    size_t len = 0;
    while (stream == KE_STREAM_MORE) {
        enum nts_err err = read_some(client);
        if (err == NTS_ESHORT) {
            return say(client->why, NTS_EFORMAT, "%s closed the connection %s its answer",
                       client->options->host, result->message_len == 0 ? "before" : "within");
        }
        TRY(err);
        stream = ke_stream_scan(span_of(result->message, result->message_len),
                                sizeof(result->message), &at, &len);
    }
    if (stream == KE_STREAM_TOO_LONG) {
        return say(client->why, NTS_EFORMAT, "the answer of %s is longer than %zu octets",
                   client->options->host, sizeof(result->message));
    }
    return NTS_OK;
}

/* RFC 8915 section 4: both sides send close_notify. The answer is here, so nothing that goes wrong
 * now matters. */
static void say_goodbye(const struct client *client)
{
    ERR_clear_error();
    if (SSL_shutdown(client->ssl) >= 0) {
        struct ke_client_why ignored;
        struct client quiet = *client;
        quiet.why = &ignored;
        enum nts_err err = send_output(&quiet);
        (void)err;
    }
}

/* --- The answer --- */

static enum nts_err keep_cookies(const struct client *client)
{
    struct ke_client_result *result = client->result;
    for (size_t i = 0; i < result->answer.cookie_count; i++) {
        struct span cookie = result->answer.cookie[i];
        if (cookie.n > KE_CLIENT_COOKIE_MAX) {
            return say(client->why, NTS_EFORMAT, "a cookie of %zu octets, more than the %d we keep",
                       cookie.n, KE_CLIENT_COOKIE_MAX);
        }
        result->cookie[i].len = cookie.n;
        memcpy(result->cookie[i].bytes, cookie.p, cookie.n);
        result->cookie_count = i + 1;
    }
    return NTS_OK;
}

static const char *error_text(uint16_t code)
{
    switch (code) {
    case KE_ERROR_UNRECOGNISED_CRITICAL:
        return "unrecognised critical record";
    case KE_ERROR_BAD_REQUEST:
        return "bad request";
    case KE_ERROR_INTERNAL:
        return "internal server error";
    default:
        return "an error nobody has defined";
    }
}

static enum nts_err use_answer(const struct client *client)
{
    struct ke_client_result *result = client->result;
    const struct ke_answer *answer = &result->answer;
    const char *host = client->options->host;
    if (answer->has_error) {
        return say(client->why, NTS_OK, "%s refuses the request: error %u, %s", host, answer->error,
                   error_text(answer->error));
    }
    if (!answer->ntpv4) {
        return say(client->why, NTS_OK, "%s does not offer NTPv4", host);
    }
    if (answer->aead == 0) {
        return say(client->why, NTS_OK, "%s has none of the algorithms we offer", host);
    }
    const struct aead *alg = aead_find(answer->aead);
    if (alg == NULL) {
        return say(client->why, NTS_ENOTFOUND, "this program was built without AEAD %u",
                   answer->aead);
    }
    uint16_t exporter_aead = ke_exporter_aead(answer->aead, answer->compliant_gcm_siv);
    if (ke_export_keys(client->ssl, alg, exporter_aead, &result->keys) != NTS_OK) {
        return say(client->why, NTS_EINTERNAL, "TLS: the session keys cannot be exported");
    }
    return keep_cookies(client);
}

static enum nts_err run(struct client *client)
{
    TRY(connect_tcp(client));
    TRY(handshake(client));
    TRY(send_request(client));
    TRY(read_answer(client));
    say_goodbye(client);
    struct ke_client_result *result = client->result;
    result->total_ms = elapsed_ms(client);
    const char *what = NULL;
    enum nts_err err =
        ke_answer_parse(span_of(result->message, result->message_len), client->options->aeads,
                        client->options->aead_count, &result->answer, &what);
    if (err != NTS_OK) {
        return say(client->why, err, "the answer of %s breaks RFC 8915: %s", client->options->host,
                   what);
    }
    return use_answer(client);
}

NODISCARD enum nts_err ke_client_exchange(const struct ke_client_options *options,
                                          struct ke_client_result *result,
                                          struct ke_client_why *why)
{
    *result = (struct ke_client_result){.message_len = 0};
    why->text[0] = '\0';
    struct client client = {
        .options = options, .result = result, .why = why, .fd = -1, .started = mono_now()};
    enum nts_err err = run(&client);
    if (client.fd >= 0) {
        (void)close(client.fd);
    }
    ERR_clear_error();
    return err;
}

void ke_client_result_wipe(struct ke_client_result *result)
{
    SSL_free(result->ssl);
    wipe(result, sizeof(*result));
}
