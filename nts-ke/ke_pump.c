/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS pump of one connection. RFC 8446; RFC 8915 section 4.
 */
#include "nts-ke/ke_pump.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

_Static_assert(CLIENT_CHAIN_MAX + KE_HELLO_MAX + KE_PUMP_CHUNK_MAX <= KE_PUMP_SHAKE_MAX,
               "a client's chain fits beside hellos");
_Static_assert(KE_HELLO_MAX + KE_PUMP_CHUNK_MAX <= KE_REQUEST_MAX,
               "a hello and what follows it fit the request's buffer");

static SSL *new_connection(struct tls_server *tls)
{
    SSL *ssl = tls_server_connection(tls);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    if (ssl == NULL || in == NULL || out == NULL) {
        SSL_free(ssl);
        BIO_free(in);
        BIO_free(out);
        return NULL;
    }
    SSL_set_bio(ssl, in, out); /* owns both */
    return ssl;
}

static enum ke_event feed_tls(struct ke_pump *pump, struct span bytes)
{
    int taken = BIO_write(SSL_get_rbio(pump->ssl), bytes.p, (int)bytes.n);
    return taken == (int)bytes.n ? KE_EVENT_NONE : KE_EVENT_TLS_FAILED;
}

/* Hands over the first `n` of the octets kept back. */
static enum ke_event release(struct ke_pump *pump, size_t n)
{
    enum ke_event event = n > 0 ? feed_tls(pump, span_of(pump->bytes, n)) : KE_EVENT_NONE;
    pump->len -= n;
    memmove(pump->bytes, pump->bytes + n, pump->len);
    return event;
}

static enum ke_event open_gate(struct ke_pump *pump)
{
    pump->gate = KE_GATE_OPEN;
    return release(pump, pump->len);
}

/* Lets the hello pass that is being collected, once it is whole and TLS is there to take it. */
static enum ke_event collect(struct ke_pump *pump, struct tls_server *tls)
{
    switch (ke_hello_scan(&pump->hello, span_of(pump->bytes, pump->len))) {
    case KE_HELLO_MORE:
        return KE_EVENT_NONE;
    case KE_HELLO_REFUSE:
        return KE_EVENT_TLS_FAILED;
    case KE_HELLO_OK:
        break;
    }
    if (pump->hello.second) { /* RFC 8446 section 4.1.4: there is no third */
        return open_gate(pump);
    }
    pump->ssl = new_connection(tls);
    if (pump->ssl == NULL) {
        ERR_clear_error();
        return KE_EVENT_TLS_FAILED;
    }
    pump->gate = KE_GATE_ANSWER;
    return release(pump, pump->hello.at);
}

static size_t input_max(const struct ke_pump *pump)
{
    bool shaken = pump->ssl != NULL && SSL_is_init_finished(pump->ssl) == 1;
    return shaken ? KE_PUMP_INPUT_MAX : KE_PUMP_SHAKE_MAX;
}

enum ke_event ke_pump_feed(struct ke_pump *pump, struct tls_server *tls, struct span bytes)
{
    pump->input += bytes.n;
    if (bytes.n > KE_PUMP_CHUNK_MAX || pump->input > input_max(pump)) {
        return KE_EVENT_TLS_FAILED;
    }
    if (pump->gate == KE_GATE_OPEN) {
        return feed_tls(pump, bytes);
    }
    if (bytes.n > sizeof(pump->bytes) - pump->len) {
        return KE_EVENT_TLS_FAILED;
    }
    memcpy(pump->bytes + pump->len, bytes.p, bytes.n);
    pump->len += bytes.n;
    return pump->gate == KE_GATE_COLLECT ? collect(pump, tls) : KE_EVENT_NONE;
}

/* TLS has answered the first hello and waits: for a second one, or for whatever it likes. */
static enum ke_event pass_answer(struct ke_pump *pump)
{
    if (!ke_hello_is_retry(ke_pump_output(pump))) {
        return open_gate(pump);
    }
    pump->gate = KE_GATE_COLLECT;
    pump->hello = (struct ke_hello){.second = true};
    return collect(pump, NULL);
}

static enum ke_event shake(struct ke_pump *pump)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(pump->ssl);
    if (rc == 1) {
        return KE_EVENT_HANDSHAKE_DONE;
    }
    if (SSL_get_error(pump->ssl, rc) == SSL_ERROR_WANT_READ) {
        return KE_EVENT_NONE;
    }
    pump->refusal = client_ca_refusal(pump->ssl);
    return KE_EVENT_TLS_FAILED;
}

enum ke_event ke_pump_handshake(struct ke_pump *pump)
{
    if (pump->ssl == NULL) {
        return KE_EVENT_NONE;
    }
    enum ke_event event = shake(pump);
    if (event != KE_EVENT_NONE || pump->gate != KE_GATE_ANSWER) {
        return event;
    }
    event = pass_answer(pump);
    return event == KE_EVENT_NONE ? shake(pump) : event;
}

/* Reads what there is, up to the size of the buffer. NONE: no more for now. */
static enum ke_event read_all(struct ke_pump *pump)
{
    while (pump->len < sizeof(pump->bytes)) {
        size_t got = 0;
        ERR_clear_error();
        if (SSL_read_ex(pump->ssl, pump->bytes + pump->len, sizeof(pump->bytes) - pump->len,
                        &got) != 1) {
            int error = SSL_get_error(pump->ssl, 0);
            if (error == SSL_ERROR_ZERO_RETURN) {
                return KE_EVENT_PEER_CLOSED;
            }
            return error == SSL_ERROR_WANT_READ ? KE_EVENT_NONE : KE_EVENT_TLS_FAILED;
        }
        pump->len += got;
    }
    return KE_EVENT_NONE;
}

enum ke_event ke_pump_request(struct ke_pump *pump, enum ke_request_fault *fault)
{
    *fault = KE_REQUEST_OK;
    enum ke_event event = read_all(pump);
    if (event == KE_EVENT_TLS_FAILED) {
        return event;
    }
    size_t len = 0; /* not needed: the parser is given all that came and finds trailing data */
    switch (ke_stream_scan(ke_pump_received(pump), KE_REQUEST_MAX, &pump->scanned, &len)) {
    case KE_STREAM_DONE:
        return KE_EVENT_REQUEST_COMPLETE;
    case KE_STREAM_TOO_LONG:
        *fault = KE_REQUEST_TOO_LONG;
        return KE_EVENT_REQUEST_COMPLETE;
    case KE_STREAM_MORE:
        break;
    }
    return event == KE_EVENT_PEER_CLOSED ? ke_pump_end(pump) : KE_EVENT_NONE;
}

enum ke_event ke_pump_end(const struct ke_pump *pump)
{
    return pump->len > 0 ? KE_EVENT_REQUEST_COMPLETE : KE_EVENT_PEER_CLOSED;
}

enum ke_event ke_pump_drain(struct ke_pump *pump, struct span bytes)
{
    pump->input += bytes.n;
    if (pump->input > KE_PUMP_INPUT_MAX) {
        return pump->input > KE_PUMP_DRAIN_MAX ? KE_EVENT_TLS_FAILED : KE_EVENT_NONE;
    }
    enum ke_event event = bytes.n > 0 ? feed_tls(pump, bytes) : KE_EVENT_NONE;
    while (event == KE_EVENT_NONE) {
        pump->len = 0;
        event = read_all(pump);
        if (pump->len < sizeof(pump->bytes)) {
            break;
        }
    }
    return event;
}

struct span ke_pump_received(const struct ke_pump *pump)
{
    return span_of(pump->bytes, pump->len);
}

bool ke_pump_respond(struct ke_pump *pump, struct span response)
{
    ERR_clear_error();
    size_t written = 0;
    if (SSL_write_ex(pump->ssl, response.p, response.n, &written) != 1 || written != response.n) {
        return false;
    }
    /* 0: ours is written, the peer's has not come; 1: both */
    return SSL_shutdown(pump->ssl) >= 0;
}

struct span ke_pump_output(const struct ke_pump *pump)
{
    char *p = NULL;
    long n = pump->ssl == NULL ? 0 : BIO_get_mem_data(SSL_get_wbio(pump->ssl), &p);
    return span_of(p, n > 0 ? (size_t)n : 0);
}

void ke_pump_sent(struct ke_pump *pump)
{
    (void)BIO_reset(SSL_get_wbio(pump->ssl));
}

void ke_pump_wipe(struct ke_pump *pump)
{
    SSL_free(pump->ssl);
    pump->ssl = NULL;
    pump->gate = KE_GATE_COLLECT;
    pump->hello = (struct ke_hello){.at = 0};
    pump->refusal = CLIENT_NOT_REFUSED;
    pump->input = 0;
    pump->scanned = 0;
    pump->len = 0;
}
