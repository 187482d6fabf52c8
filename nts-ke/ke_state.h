/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a KE connection as a pure function next(state, event). Core; thread-safe.
 *
 *   HANDSHAKE --done--> REQUEST --request--> RESPONSE --sent--> CLOSING --peer closed--> CLOSED
 *
 * The shell turns what happens on the socket, in TLS and on the timer into events, and carries out
 * the action that the transition returns. CLOSED is the only terminal state and may be entered
 * twice.
 */
#ifndef NTSD_NTS_KE_KE_STATE_H
#define NTSD_NTS_KE_KE_STATE_H

enum ke_state {
    KE_STATE_HANDSHAKE,
    KE_STATE_REQUEST,  /* TLS established, request not complete */
    KE_STATE_RESPONSE, /* response (or error) being written */
    KE_STATE_CLOSING,  /* all written, close_notify sent, waiting for the peer's */
    KE_STATE_CLOSED,
};

enum ke_event {
    KE_EVENT_HANDSHAKE_DONE,
    KE_EVENT_TLS_FAILED,
    KE_EVENT_REQUEST_COMPLETE, /* a whole message, or one that can no longer become valid */
    KE_EVENT_WRITTEN,          /* the kernel took the last octet */
    KE_EVENT_PEER_CLOSED,      /* close_notify or end of stream */
    KE_EVENT_IO_ERROR,
    KE_EVENT_DEADLINE,
    KE_EVENT_DISPLACED, /* its place is needed for another */
    KE_EVENT_REFUSED,   /* a proxy has said whose it is, and that client is not served */
    KE_EVENT_NONE,      /* nothing yet: changes nothing in any state */
};

enum ke_action {
    KE_DO_NOTHING,
    KE_DO_RESPOND,       /* parse, negotiate, write the response and close_notify */
    KE_DO_TIMEOUT_ERROR, /* write Error 1 and close_notify: RFC 8915 §4.1.3 */
    KE_DO_AWAIT_CLOSE,   /* half-close and wait for the peer */
    KE_DO_CLOSE,
};

struct ke_step {
    enum ke_state state;
    enum ke_action action;
};

struct ke_step ke_next(enum ke_state state, enum ke_event event);

#endif
