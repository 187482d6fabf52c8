/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of counters, and that every way a connection ends counts exactly once.
 */
#include "nts-ke/ke_outcome.h"

#include <criterion/criterion.h>

Test(ke_outcome, names_are_complete_and_distinct)
{
    for (unsigned i = 0; i < KE_COUNTERS; i++) {
        const char *name = ke_count_name(i);
        cr_assert_not_null(name, "%u", i);
        cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name), "%s", name);
        for (unsigned j = 0; j < i; j++) {
            cr_assert_str_neq(name, ke_count_name(j));
        }
    }
    cr_assert_null(ke_count_name(KE_COUNTERS));
    cr_assert_null(ke_count_name(~0u));
}

Test(ke_outcome, every_refusal_of_a_client_has_its_counter)
{
    cr_expect_eq(ke_count_of_refusal(CLIENT_NOT_REFUSED), KE_COUNTERS);
    for (int i = CLIENT_NOT_REFUSED + 1; i < CLIENT_REFUSALS; i++) {
        enum ke_count count = ke_count_of_refusal((enum client_refusal)i);
        cr_assert_lt(count, KE_COUNT_PROXY_LOCAL);
        cr_expect_eq(strncmp(ke_count_name(count), "client_", 7), 0);
        for (int j = CLIENT_NOT_REFUSED + 1; j < i; j++) {
            cr_expect_neq(count, ke_count_of_refusal((enum client_refusal)j));
        }
    }
}

static const struct {
    enum ke_state state;
    enum ke_event event;
    enum ke_count count;
} closes[] = {
    {KE_STATE_HANDSHAKE, KE_EVENT_TLS_FAILED, KE_COUNT_TLS_FAILED},
    {KE_STATE_HANDSHAKE, KE_EVENT_PEER_CLOSED, KE_COUNT_PEER_CLOSED},
    {KE_STATE_HANDSHAKE, KE_EVENT_IO_ERROR, KE_COUNT_IO_ERROR},
    {KE_STATE_HANDSHAKE, KE_EVENT_DEADLINE, KE_COUNT_TLS_TIMEOUT},
    {KE_STATE_REQUEST, KE_EVENT_TLS_FAILED, KE_COUNT_TLS_FAILED},
    {KE_STATE_REQUEST, KE_EVENT_PEER_CLOSED, KE_COUNT_PEER_CLOSED},
    {KE_STATE_REQUEST, KE_EVENT_IO_ERROR, KE_COUNT_IO_ERROR},
    {KE_STATE_RESPONSE, KE_EVENT_TLS_FAILED, KE_COUNT_TLS_FAILED},
    {KE_STATE_RESPONSE, KE_EVENT_IO_ERROR, KE_COUNT_IO_ERROR},
    {KE_STATE_RESPONSE, KE_EVENT_DEADLINE, KE_COUNT_CLOSE_TIMEOUT},
    {KE_STATE_CLOSING, KE_EVENT_TLS_FAILED, KE_COUNTERS},
    {KE_STATE_CLOSING, KE_EVENT_PEER_CLOSED, KE_COUNTERS},
    {KE_STATE_CLOSING, KE_EVENT_IO_ERROR, KE_COUNTERS},
    {KE_STATE_CLOSING, KE_EVENT_DEADLINE, KE_COUNT_CLOSE_TIMEOUT},
};

Test(ke_outcome, every_close_has_its_counter)
{
    unsigned found = 0;
    for (int s = KE_STATE_HANDSHAKE; s <= KE_STATE_CLOSED; s++) {
        for (int e = KE_EVENT_HANDSHAKE_DONE; e <= KE_EVENT_DEADLINE; e++) {
            if (ke_next((enum ke_state)s, (enum ke_event)e).action == KE_DO_CLOSE) {
                found++;
            }
        }
    }
    cr_assert_eq(found, sizeof(closes) / sizeof(closes[0]));
    for (size_t i = 0; i < found; i++) {
        cr_expect_eq(ke_next(closes[i].state, closes[i].event).action, KE_DO_CLOSE);
        cr_expect_eq(ke_count_of_close(closes[i].state, closes[i].event), closes[i].count, "%zu",
                     i);
    }
}
