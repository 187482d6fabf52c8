/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See metrics.h.
 */
#include "ntsd/metrics.h"

#include "ntp/ntp_service.h"
#include "nts-ke/ke_outcome.h"
#include "ntsd/metrics_clients.h"
#include "ntsd/metrics_clock.h"
#include "ntsd/metrics_keys.h"
#include "ntsd/metrics_text.h"
#include "ntsd/readiness.h"

#include <inttypes.h>

static uint64_t ntp_sum(const struct snapshot *s, unsigned index)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->worker_count; i++) {
        sum += stats_get(&s->worker[i], index);
    }
    return sum;
}

static uint64_t ke_sum(const struct snapshot *s, unsigned index)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->ke_count; i++) {
        sum += stats_get(s->ke_stats[i], index);
    }
    return sum;
}

static void write_ntp(const struct snapshot *s, struct wr *out)
{
    static const struct {
        unsigned index;
        const char *name;
        const char *help;
    } others[] = {
        {NTP_COUNT_RECEIVED, "ntsd_ntp_received_total", "Datagrams read."},
        {NTP_COUNT_SENT, "ntsd_ntp_sent_total", "Datagrams sent."},
        {NTP_COUNT_COOKIES, "ntsd_ntp_cookies_total", "New cookies in replies."},
        {NTP_COUNT_SEND_FAILED, "ntsd_ntp_send_failed_total", "Replies the kernel did not take."},
        {NTP_COUNT_RECEIVE_FAILED, "ntsd_ntp_receive_failed_total", "Reads that failed."},
        {NTP_COUNT_NO_STAMP, "ntsd_ntp_no_stamp_total",
         "Datagrams without a usable kernel receive timestamp."},
        {NTP_COUNT_UNSYNCHRONISED, "ntsd_ntp_unsynchronised_total", "Answers with leap 3."},
        {NTP_COUNT_FORGOTTEN, "ntsd_ntp_limit_forgotten_total",
         "Clients whose rate limit was forgotten, to remember newer ones."},
    };
    const char *name = "ntsd_ntp_datagrams_total";
    metrics_head(out, name, "counter", "Datagrams by what became of them.");
    for (unsigned i = 0; i < NTP_VERDICTS; i++) {
        metrics_put(out, "%s{verdict=\"%s\"} %" PRIu64 "\n", name,
                    ntp_verdict_name((enum ntp_verdict)i), ntp_sum(s, i));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        metrics_counter(out, others[i].name, others[i].help, ntp_sum(s, others[i].index));
    }
    name = "ntsd_ntp_cookies_opened_total";
    metrics_head(out, name, "counter",
                 "Cookies opened, by how many keys lie between theirs and the issuing one.");
    for (unsigned i = 0; i < NTP_COOKIE_AGES; i++) {
        metrics_put(out, "%s{age=\"%s\"} %" PRIu64 "\n", name, ntp_cookie_age_name(i),
                    ntp_sum(s, NTP_COUNT_AGE_0 + i));
    }
}

/* What is counted beside the ends of connections. */
static bool is_ke_outcome(unsigned index)
{
    return index != KE_COUNT_ACCEPTED && index != KE_COUNT_RELOADS &&
           index != KE_COUNT_RELOAD_FAILED && index != KE_COUNT_ACCEPT_FAILED;
}

static void write_ke(const struct snapshot *s, struct wr *out)
{
    const char *name = "ntsd_ke_connections_total";
    metrics_head(out, name, "counter", "NTS-KE connections by how they ended.");
    for (unsigned i = 0; i < KE_COUNT_REQUEST_FAULT_0; i++) {
        if (is_ke_outcome(i)) {
            metrics_put(out, "%s{outcome=\"%s\"} %" PRIu64 "\n", name, ke_count_name(i),
                        ke_sum(s, i));
        }
    }
    name = "ntsd_ke_request_faults_total";
    metrics_head(out, name, "counter", "NTS-KE requests refused, by what was wrong with them.");
    for (unsigned i = KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_OK + 1; i < KE_COUNTERS; i++) {
        metrics_put(out, "%s{fault=\"%s\"} %" PRIu64 "\n", name, ke_count_name(i), ke_sum(s, i));
    }
    metrics_counter(out, "ntsd_ke_accepted_total", "NTS-KE connections accepted.",
                    ke_sum(s, KE_COUNT_ACCEPTED));
    metrics_counter(out, "ntsd_ke_accept_failed_total", "Calls of accept that failed.",
                    ke_sum(s, KE_COUNT_ACCEPT_FAILED));
    name = "ntsd_ke_reloads_total";
    metrics_head(out, name, "counter", "Certificate reloads by result.");
    metrics_put(out, "%s{result=\"loaded\"} %" PRIu64 "\n", name, ke_sum(s, KE_COUNT_RELOADS));
    metrics_put(out, "%s{result=\"failed\"} %" PRIu64 "\n", name,
                ke_sum(s, KE_COUNT_RELOAD_FAILED));
}

static void write_certificates(const struct snapshot *s, struct wr *out)
{
    const char *name = "ntsd_certificate_expires_seconds";
    if (!s->has_ke) {
        return;
    }
    metrics_head(out, name, "gauge", "End of validity of a certificate chain, seconds since 1970.");
    for (size_t i = 0; i < s->ke.pair_count && i < TLS_PAIRS_MAX; i++) {
        metrics_put(out, "%s{pair=\"%zu\"} %" PRId64 "\n", name, i, s->ke.not_after[i]);
    }
    metrics_gauge(out, "ntsd_certificate_reload_failed",
                  "1: the files on disk are not the certificates in service.",
                  (double)s->ke.last_reload_failed);
}

static void write_processes(const struct snapshot *s, struct wr *out)
{
    const struct supervisor_status *supervisor = &s->supervisor;
    size_t count = supervisor->count < ROLE_CHILDREN_MAX ? supervisor->count : ROLE_CHILDREN_MAX;
    metrics_head(out, "ntsd_process_restarts_total", "counter",
                 "Starts of a process after its first.");
    for (size_t i = 0; i < count; i++) {
        const struct child_status *c = &supervisor->child[i];
        metrics_put(
            out, "ntsd_process_restarts_total{process=\"%s\",index=\"%" PRIu32 "\"} %" PRIu64 "\n",
            role_name((enum role)c->role), c->index, c->restarts);
    }
    metrics_head(out, "ntsd_process_up", "gauge", "1: the process runs.");
    for (size_t i = 0; i < count; i++) {
        const struct child_status *c = &supervisor->child[i];
        metrics_put(out, "ntsd_process_up{process=\"%s\",index=\"%" PRIu32 "\"} %d\n",
                    role_name((enum role)c->role), c->index, c->pid > 0);
    }
    metrics_gauge(out, "ntsd_start_time_seconds", "When the daemon started, seconds since 1970.",
                  (double)supervisor->started_s);
}

static void write_readiness(const struct snapshot *s, struct wr *out)
{
    metrics_head(out, "ntsd_ready", "gauge", "1: the load balancer may send clients.");
    metrics_put(out, "ntsd_ready{service=\"ntp\"} %d\n", readiness_of(s, READINESS_NTP) == READY);
    metrics_put(out, "ntsd_ready{service=\"ke\"} %d\n", readiness_of(s, READINESS_KE) == READY);
}

static void write_http(const struct snapshot *s, struct wr *out)
{
    const char *name = "ntsd_http_requests_total";
    metrics_head(out, name, "counter", "Requests to this page and its neighbours.");
    for (int i = 0; i < HTTP_VERDICTS; i++) {
        metrics_put(out, "%s{verdict=\"%s\"} %" PRIu64 "\n", name,
                    http_verdict_name((enum http_verdict)i), s->http->verdict[i]);
    }
}

void metrics_write(const struct snapshot *snapshot, struct wr *out)
{
    metrics_head(out, "ntsd_build_info", "gauge", "1, labelled with the version.");
    metrics_put(out, "ntsd_build_info{version=\"%s\"} 1\n", NTSD_VERSION);
    write_processes(snapshot, out);
    write_readiness(snapshot, out);
    metrics_clock_write(snapshot, out);
    metrics_keys_write(snapshot, out);
    if (snapshot->ntp_wanted) {
        write_ntp(snapshot, out);
    }
    if (snapshot->ke_wanted) {
        write_ke(snapshot, out);
        write_certificates(snapshot, out);
        metrics_clients_write(snapshot, out);
    }
    write_http(snapshot, out);
}
