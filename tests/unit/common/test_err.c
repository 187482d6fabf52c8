/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every error has words of its own, and TRY passes errors on.
 */
#include "common/base/err.h"

#include <criterion/criterion.h>
#include <string.h>

Test(err, every_error_has_its_own_words)
{
    for (int a = NTS_OK; a <= NTS_EINTERNAL; a++) {
        const char *name = nts_err_name((enum nts_err)a);
        cr_assert_gt(strlen(name), 0);
        cr_assert_str_neq(name, "unknown error", "%d", a);
        for (int b = NTS_OK; b < a; b++) {
            cr_assert_str_neq(name, nts_err_name((enum nts_err)b), "%d and %d", a, b);
        }
    }
    cr_assert_str_eq(nts_err_name((enum nts_err)(NTS_EINTERNAL + 1)), "unknown error");
}

static enum nts_err pass_on(enum nts_err err, int *reached)
{
    TRY(err);
    *reached = 1;
    return NTS_OK;
}

Test(err, try_returns_the_first_error)
{
    int reached = 0;
    cr_assert_eq(pass_on(NTS_EAUTH, &reached), NTS_EAUTH);
    cr_assert_eq(reached, 0);
    cr_assert_eq(pass_on(NTS_OK, &reached), NTS_OK);
    cr_assert_eq(reached, 1);
}
