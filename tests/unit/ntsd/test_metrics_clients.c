/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics of certificates that clients come with.
 */
#include "ntsd/metrics_clients.h"

#include "nts-ke/ke_outcome.h"
#include "tests/unit/ntsd/snapshot_sample.h"

#include <criterion/criterion.h>

static struct sample s;
static char text[8192];

static void write_text(void)
{
    struct wr w = wr_init((uint8_t *)text, sizeof(text) - 1);
    metrics_clients_write(&s.snapshot, &w);
    cr_assert_not(w.bad);
    text[w.n] = '\0';
}

static bool has_line(const char *line)
{
    size_t len = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && at[len] == '\n') {
            return true;
        }
    }
    return false;
}

Test(metrics_clients, without_authorities_there_are_none)
{
    sample_make(&s);
    write_text();
    cr_expect_str_eq(text, "");
}

Test(metrics_clients, authorities_are_told_apart_and_summed_over_processes)
{
    sample_make(&s);
    struct client_ca_info *clients = &s.snapshot.ke.clients;
    clients->count = 2;
    clients->ca[0].not_after = 1800000001;
    clients->ca[1].not_after = 1800000002;
    (void)strcpy(clients->ca[0].subject, "CN=fleet");
    (void)strcpy(clients->ca[1].subject, "CN=a \"b\"\\,O=c");
    stats_add(&s.ke[0], KE_COUNT_CLIENT_CA_0 + 1, 3);
    stats_add(&s.ke[1], KE_COUNT_CLIENT_CA_0 + 1, 4);
    write_text();
    cr_expect(has_line("ntsd_client_ca_accepted_total{ca=\"1\",subject=\"CN=fleet\"} 0"), "%s",
              text);
    cr_expect(has_line("ntsd_client_ca_accepted_total{ca=\"2\",subject=\"CN=a ?b??,O=c\"} 7"), "%s",
              text);
    cr_expect(has_line("ntsd_client_ca_expires_seconds{ca=\"1\",subject=\"CN=fleet\"} 1800000001"));
    cr_expect_null(strstr(text, "crl"), "no lists");
}

Test(metrics_clients, lists_and_their_dates)
{
    static const struct {
        int64_t until;
        const char *due;
        const char *overdue;
    } rows[] = {
        {1800000001, "ntsd_client_crl_due_seconds 1800000001", "ntsd_client_crl_overdue 0"},
        {1799999999, "ntsd_client_crl_due_seconds 1799999999", "ntsd_client_crl_overdue 1"},
        {INT64_MAX, NULL, "ntsd_client_crl_overdue 0"},
    };
    for (size_t i = 0; i < 3; i++) {
        sample_make(&s);
        s.snapshot.ke.clients.count = 1;
        s.snapshot.ke.clients.crl_count = 1;
        s.snapshot.ke.clients.revoked = 5;
        s.snapshot.ke.clients.crl_until = rows[i].until;
        write_text();
        cr_expect(has_line("ntsd_client_crl_revoked 5"));
        cr_expect(rows[i].due == NULL || has_line(rows[i].due), "%s", text);
        cr_expect_eq(rows[i].due == NULL, strstr(text, "due_seconds") == NULL);
        cr_expect(has_line(rows[i].overdue), "%s", text);
    }
}
