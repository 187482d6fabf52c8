/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths and pages.
 */
#include "tests/unit/ntsd/snapshot_sample.h"

#include "ntsd/status_page.h"

#include <criterion/criterion.h>

static struct sample s;
static char body[STATUS_PAGE_MAX + 1];

static unsigned get(const char *path)
{
    const char *type = NULL;
    struct wr w = wr_init((uint8_t *)body, STATUS_PAGE_MAX);
    unsigned code = status_page_write(&s.snapshot, span_of(path, strlen(path)), &w, &type);
    cr_assert_not(w.bad);
    cr_assert_not_null(type);
    body[w.n] = '\0';
    return code;
}

Test(status_page, all_is_well)
{
    static const char *const pages[] = {"/healthz", "/readyz", "/readyz/ntp", "/readyz/ke"};
    sample_make(&s);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(get(pages[i]), 200, "%s", pages[i]);
        cr_expect_str_eq(body, "ok\n");
    }
    cr_expect_eq(get("/metrics"), 200);
    cr_expect_eq(strncmp(body, "# HELP ntsd_build_info", 22), 0);
}

Test(status_page, reasons)
{
    sample_make(&s);
    s.snapshot.clock.state = CLOCK_LOST;
    s.snapshot.supervisor.child[ROLE_STATUS].pid = 0;
    cr_expect_eq(get("/readyz"), 503);
    cr_expect_str_eq(body, "clock lost its source\n");
    cr_expect_eq(get("/readyz/ntp"), 503);
    cr_expect_eq(get("/readyz/ke"), 200);
    cr_expect_eq(get("/healthz"), 503);
    cr_expect_str_eq(body, "status process not running\n");
    s.snapshot.supervisor.draining = 1;
    cr_expect_eq(get("/readyz/ke"), 503);
    cr_expect_str_eq(body, "draining\n");
}

Test(status_page, other_paths)
{
    static const char *const paths[] = {"",          "/",        "/readyz/",  "/readyz/x",
                                        "/healthzz", "/Healthz", "/metrics/", "/../metrics"};
    sample_make(&s);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        cr_expect_eq(get(paths[i]), 404, "%s", paths[i]);
        cr_expect_str_eq(body, "not found\n");
    }
}
