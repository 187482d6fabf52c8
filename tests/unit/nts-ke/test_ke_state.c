/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine: every event in every state, and walks of all events of some length.
 */
#include "nts-ke/ke_state.h"

#include <criterion/criterion.h>

enum { STATES = KE_STATE_CLOSED + 1, EVENTS = KE_EVENT_NONE + 1 };

/* What moves. Every other event changes nothing. */
static const struct {
    enum ke_state state;
    enum ke_event event;
    struct ke_step step;
} moves[] = {
    {KE_STATE_HANDSHAKE, KE_EVENT_HANDSHAKE_DONE, {KE_STATE_REQUEST, KE_DO_NOTHING}},
    {KE_STATE_HANDSHAKE, KE_EVENT_TLS_FAILED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_HANDSHAKE, KE_EVENT_PEER_CLOSED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_HANDSHAKE, KE_EVENT_IO_ERROR, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_HANDSHAKE, KE_EVENT_DISPLACED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_HANDSHAKE, KE_EVENT_REFUSED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_HANDSHAKE, KE_EVENT_DEADLINE, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_REQUEST, KE_EVENT_REQUEST_COMPLETE, {KE_STATE_RESPONSE, KE_DO_RESPOND}},
    {KE_STATE_REQUEST, KE_EVENT_DEADLINE, {KE_STATE_RESPONSE, KE_DO_TIMEOUT_ERROR}},
    {KE_STATE_REQUEST, KE_EVENT_TLS_FAILED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_REQUEST, KE_EVENT_PEER_CLOSED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_REQUEST, KE_EVENT_IO_ERROR, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_REQUEST, KE_EVENT_DISPLACED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_REQUEST, KE_EVENT_REFUSED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_RESPONSE, KE_EVENT_WRITTEN, {KE_STATE_CLOSING, KE_DO_AWAIT_CLOSE}},
    {KE_STATE_RESPONSE, KE_EVENT_TLS_FAILED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_RESPONSE, KE_EVENT_IO_ERROR, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_RESPONSE, KE_EVENT_DISPLACED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_RESPONSE, KE_EVENT_REFUSED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_RESPONSE, KE_EVENT_DEADLINE, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_CLOSING, KE_EVENT_PEER_CLOSED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_CLOSING, KE_EVENT_TLS_FAILED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_CLOSING, KE_EVENT_IO_ERROR, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_CLOSING, KE_EVENT_DISPLACED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_CLOSING, KE_EVENT_REFUSED, {KE_STATE_CLOSED, KE_DO_CLOSE}},
    {KE_STATE_CLOSING, KE_EVENT_DEADLINE, {KE_STATE_CLOSED, KE_DO_CLOSE}},
};

static struct ke_step expected(enum ke_state state, enum ke_event event)
{
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        if (moves[i].state == state && moves[i].event == event) {
            return moves[i].step;
        }
    }
    return (struct ke_step){state, KE_DO_NOTHING};
}

Test(ke_state, every_event_in_every_state)
{
    for (int s = 0; s < STATES; s++) {
        for (int e = 0; e < EVENTS; e++) {
            struct ke_step step = ke_next((enum ke_state)s, (enum ke_event)e);
            struct ke_step want = expected((enum ke_state)s, (enum ke_event)e);
            cr_expect_eq(step.state, want.state, "state %d, event %d", s, e);
            cr_expect_eq(step.action, want.action, "state %d, event %d", s, e);
        }
    }
}

/* All sequences of five events from the start: states never go back, one answer, one close. */
Test(ke_state, every_walk)
{
    enum { LENGTH = 5 };
    long walks = 1;
    for (int i = 0; i < LENGTH; i++) {
        walks *= EVENTS;
    }
    for (long walk = 0; walk < walks; walk++) {
        enum ke_state state = KE_STATE_HANDSHAKE;
        int answers = 0;
        int closes = 0;
        long rest = walk;
        for (int i = 0; i < LENGTH; i++, rest /= EVENTS) {
            struct ke_step step = ke_next(state, (enum ke_event)(rest % EVENTS));
            cr_assert_geq(step.state, state);
            answers += step.action == KE_DO_RESPOND || step.action == KE_DO_TIMEOUT_ERROR;
            closes += step.action == KE_DO_CLOSE;
            cr_assert_eq(closes, step.state == KE_STATE_CLOSED);
            state = step.state;
        }
        cr_assert_leq(answers, 1);
    }
}

/* Whatever the state, the deadline leads to the end in two steps at most. */
Test(ke_state, the_deadline_ends_everything)
{
    for (int s = 0; s < STATES; s++) {
        struct ke_step once = ke_next((enum ke_state)s, KE_EVENT_DEADLINE);
        struct ke_step twice = ke_next(once.state, KE_EVENT_DEADLINE);
        cr_assert_eq(twice.state, KE_STATE_CLOSED);
    }
}
