/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS pump of one connection: octets from the peer go in, octets for the peer come out, and
 * what happened inside TLS is told as events of ke_state.h. Memory BIOs; knows neither sockets nor
 * time. One thread.
 *
 * What a peer can cost: KE_PUMP_INPUT_MAX octets of TLS input (a handshake, a request, and whatever
 * else: floods of key updates, empty records, a crawling hello), KE_PUMP_SHAKE_MAX of them before
 * the handshake is done; no TLS object before a whole ClientHello is there (ke_hello.h). TLS is
 * given that hello alone: only its answer tells whether another one must follow, which then is
 * collected and looked at like the first.
 *
 * Where clients need a certificate, its chain (CLIENT_CHAIN_MAX) has to fit what the hellos leave
 * of KE_PUMP_SHAKE_MAX, which it does beside any that are in use.
 */
#ifndef NTSD_NTS_KE_KE_PUMP_H
#define NTSD_NTS_KE_KE_PUMP_H

#include "certs/tls_server.h"
#include "nts-ke/ke_hello.h"
#include "nts-ke/ke_message.h"
#include "nts-ke/ke_state.h"

enum {
    KE_PUMP_CHUNK_MAX = 4096, /* handed in at a time: bounds what TLS has to hold */
    /* Two hellos, and what comes in one chunk with the end of the handshake. */
    KE_PUMP_SHAKE_MAX = 2 * KE_HELLO_MAX + KE_PUMP_CHUNK_MAX,
    KE_PUMP_INPUT_MAX = 64 * 1024,       /* of TLS input, over the life of a connection */
    KE_PUMP_DRAIN_MAX = 2 * 1024 * 1024, /* with what is dropped after the answer, see below */
};

/* What stands between the peer and TLS. */
enum ke_gate {
    KE_GATE_COLLECT, /* a ClientHello is being collected */
    KE_GATE_ANSWER,  /* TLS has the first one and will say whether it wants another */
    KE_GATE_OPEN,
};

struct ke_pump {
    SSL *ssl; /* NULL until a ClientHello is there */
    enum ke_gate gate;
    struct ke_hello hello;
    enum client_refusal refusal; /* why the handshake failed, if for the client's certificate */
    size_t input;                /* octets received */
    size_t scanned;              /* ke_stream_scan() */
    size_t len;
    uint8_t bytes[KE_REQUEST_MAX + 1]; /* the request, with room to see that there is more of it;
                                          until the gate is open: input TLS has not been given */
};

/* Takes at most KE_PUMP_CHUNK_MAX octets from the peer, in HANDSHAKE or REQUEST. Then one of the
 * two functions below says what came of it. KE_EVENT_TLS_FAILED: too much, or no TLS. */
enum ke_event ke_pump_feed(struct ke_pump *pump, struct tls_server *tls, struct span bytes);

/* State HANDSHAKE: HANDSHAKE_DONE, TLS_FAILED or NONE. */
enum ke_event ke_pump_handshake(struct ke_pump *pump);

/* State REQUEST: REQUEST_COMPLETE when the request is all there or can no longer become valid
 * (`fault` is then KE_REQUEST_TOO_LONG, or OK and the parser's to find), PEER_CLOSED, TLS_FAILED or
 * NONE. */
enum ke_event ke_pump_request(struct ke_pump *pump, enum ke_request_fault *fault);

/* State REQUEST, at the end of the stream: a request cut short is to be answered, nothing is not.
 */
enum ke_event ke_pump_end(const struct ke_pump *pump);

/* State CLOSING: takes octets (or none, to see what is left) and drops what is in them. A peer
 * still busy sending must not be answered by a reset that destroys our answer, so this goes on for
 * KE_PUMP_DRAIN_MAX octets, the last of them unseen by TLS. PEER_CLOSED on close_notify,
 * TLS_FAILED, or NONE. */
enum ke_event ke_pump_drain(struct ke_pump *pump, struct span bytes);

/* What the peer sent so far of its request. Borrowed. */
struct span ke_pump_received(const struct ke_pump *pump);

/* The whole response in one TLS record, then close_notify. False: the TLS library failed. */
bool ke_pump_respond(struct ke_pump *pump, struct span response);

/* Octets for the peer, all that there are; they stay where they are until ke_pump_sent(), and no
 * other function may be called in between. */
struct span ke_pump_output(const struct ke_pump *pump);
void ke_pump_sent(struct ke_pump *pump);

/* Releases the SSL; the pump is as new. */
void ke_pump_wipe(struct ke_pump *pump);

#endif
