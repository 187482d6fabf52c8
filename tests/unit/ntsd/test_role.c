/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may see what: the promises of the design, read off the table.
 */
#include "tests/unit/ntsd/config_text.h"

#include "ntsd/role.h"

#include <criterion/criterion.h>

static struct parsed p;

Test(role, only_those_who_need_keys_see_them)
{
    static const enum boards_access keys[ROLE_COUNT] = {
        [ROLE_KEYS] = BOARDS_WRITE, [ROLE_KE] = BOARDS_READ, [ROLE_NTP] = BOARDS_READ};
    for (int r = 0; r < ROLE_COUNT; r++) {
        cr_expect_eq(role_access((enum role)r, 0, BOARDS_KEYS), keys[r], "%s",
                     role_name((enum role)r));
        cr_expect_eq(role_access((enum role)r, 0, BOARDS_KEY_DOC),
                     r == ROLE_KEYS ? BOARDS_WRITE : BOARDS_NONE, "%s", role_name((enum role)r));
    }
}

Test(role, every_board_has_one_writer)
{
    for (int b = 0; b < BOARDS_COUNT; b++) {
        int writers = 0;
        for (int r = 0; r < ROLE_COUNT; r++) {
            writers += role_access((enum role)r, 0, (enum boards_id)b) == BOARDS_WRITE ? 1 : 0;
        }
        cr_expect_eq(writers, b == BOARDS_SUPERVISOR ? 0 : 1, "board %d", b);
    }
    cr_expect_eq(role_access(ROLE_KE, 1, BOARDS_KE_STATUS), BOARDS_NONE);
    cr_expect_eq(role_access(ROLE_KE, 1, BOARDS_KE_STATS), BOARDS_WRITE, "a page of its own");
}

Test(role, the_status_process_writes_nothing)
{
    for (int b = 0; b < BOARDS_COUNT; b++) {
        cr_expect_neq(role_access(ROLE_STATUS, 0, (enum boards_id)b), BOARDS_WRITE);
    }
}

Test(role, counts_follow_the_configuration)
{
    cr_assert_eq(parse_text(&p, CONFIG_BASE "ntsprocesses 3\n"), NTS_OK);
    cr_expect_eq(role_process_count(ROLE_KEYS, &p.config), 1);
    cr_expect_eq(role_process_count(ROLE_CLOCK, &p.config), 1);
    cr_expect_eq(role_process_count(ROLE_KE, &p.config), 3);
    cr_expect_eq(role_process_count(ROLE_NTP, &p.config), 1);
    cr_expect_eq(role_process_count(ROLE_STATUS, &p.config), 0);
    cr_assert_eq(parse_text(&p, "ntsport 0\nhttpaddress 127.0.0.1:9460\n"), NTS_OK);
    cr_expect_eq(role_process_count(ROLE_KE, &p.config), 0);
    cr_expect_eq(role_process_count(ROLE_STATUS, &p.config), 1);
    cr_assert_eq(parse_text(&p, CONFIG_BASE "port 0\n"), NTS_OK);
    cr_expect_eq(role_process_count(ROLE_NTP, &p.config), 0);
}

Test(role, process_names_fit_the_kernels_field)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        cr_expect_leq(strlen(role_process_name((enum role)r)), 15);
    }
}
