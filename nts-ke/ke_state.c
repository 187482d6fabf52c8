/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a KE connection. See ke_state.h for the picture.
 *
 * In every state an event that does not belong there changes nothing: it is either late (a timer
 * that fired together with the last octet) or harmless (the peer half-closed while we answer).
 */
#include "nts-ke/ke_state.h"

static struct ke_step stay(enum ke_state state)
{
    return (struct ke_step){.state = state, .action = KE_DO_NOTHING};
}

static struct ke_step go(enum ke_state state, enum ke_action action)
{
    return (struct ke_step){.state = state, .action = action};
}

static struct ke_step in_handshake(enum ke_event event)
{
    switch (event) {
    case KE_EVENT_HANDSHAKE_DONE:
        return go(KE_STATE_REQUEST, KE_DO_NOTHING);
    case KE_EVENT_TLS_FAILED:
    case KE_EVENT_PEER_CLOSED:
    case KE_EVENT_IO_ERROR:
    case KE_EVENT_DEADLINE:
    case KE_EVENT_DISPLACED:
    case KE_EVENT_REFUSED:
        return go(KE_STATE_CLOSED, KE_DO_CLOSE);
    case KE_EVENT_REQUEST_COMPLETE:
    case KE_EVENT_WRITTEN:
    case KE_EVENT_NONE:
        break;
    }
    return stay(KE_STATE_HANDSHAKE);
}

static struct ke_step in_request(enum ke_event event)
{
    switch (event) {
    case KE_EVENT_REQUEST_COMPLETE:
        return go(KE_STATE_RESPONSE, KE_DO_RESPOND);
    case KE_EVENT_DEADLINE: /* RFC 8915 §4.1.3: Error 1 when the request has not come in time */
        return go(KE_STATE_RESPONSE, KE_DO_TIMEOUT_ERROR);
    case KE_EVENT_TLS_FAILED:
    case KE_EVENT_PEER_CLOSED:
    case KE_EVENT_IO_ERROR:
    case KE_EVENT_DISPLACED:
    case KE_EVENT_REFUSED:
        return go(KE_STATE_CLOSED, KE_DO_CLOSE);
    case KE_EVENT_HANDSHAKE_DONE:
    case KE_EVENT_WRITTEN:
    case KE_EVENT_NONE:
        break;
    }
    return stay(KE_STATE_REQUEST);
}

static struct ke_step in_response(enum ke_event event)
{
    switch (event) {
    case KE_EVENT_WRITTEN:
        return go(KE_STATE_CLOSING, KE_DO_AWAIT_CLOSE);
    case KE_EVENT_TLS_FAILED:
    case KE_EVENT_IO_ERROR:
    case KE_EVENT_DEADLINE:
    case KE_EVENT_DISPLACED:
    case KE_EVENT_REFUSED:
        return go(KE_STATE_CLOSED, KE_DO_CLOSE);
    case KE_EVENT_PEER_CLOSED: /* half-closed: it still reads */
    case KE_EVENT_HANDSHAKE_DONE:
    case KE_EVENT_REQUEST_COMPLETE:
    case KE_EVENT_NONE:
        break;
    }
    return stay(KE_STATE_RESPONSE);
}

static struct ke_step in_closing(enum ke_event event)
{
    switch (event) {
    case KE_EVENT_PEER_CLOSED:
    case KE_EVENT_TLS_FAILED:
    case KE_EVENT_IO_ERROR:
    case KE_EVENT_DEADLINE:
    case KE_EVENT_DISPLACED:
    case KE_EVENT_REFUSED:
        return go(KE_STATE_CLOSED, KE_DO_CLOSE);
    case KE_EVENT_HANDSHAKE_DONE:
    case KE_EVENT_REQUEST_COMPLETE:
    case KE_EVENT_WRITTEN:
    case KE_EVENT_NONE:
        break;
    }
    return stay(KE_STATE_CLOSING);
}

struct ke_step ke_next(enum ke_state state, enum ke_event event)
{
    switch (state) {
    case KE_STATE_HANDSHAKE:
        return in_handshake(event);
    case KE_STATE_REQUEST:
        return in_request(event);
    case KE_STATE_RESPONSE:
        return in_response(event);
    case KE_STATE_CLOSING:
        return in_closing(event);
    case KE_STATE_CLOSED:
        break;
    }
    return stay(KE_STATE_CLOSED);
}
