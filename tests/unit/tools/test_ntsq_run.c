/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole runs on loopback: our KE service in a process of its own, and a server of datagrams that
 * drops, refuses or lies about the time as a test wants it.
 */
#include "tools/ntsq_run.h"

#include "ntp/answer.h"
#include "tests/unit/tools/ntsq_ke.h"
#include "tools/ntsq_verdict.h"

#include <pthread.h>
#include <string.h>

enum { SAMPLES_MAX = 12, STEPS_MAX = 32 };

struct world {
    struct ntsq_ke ke;
    /* the server of datagrams */
    int fd;
    struct net_addr addr;
    pthread_t thread;
    struct cookie_ring ring;    /* the KE service's */
    struct cookie_ring foreign; /* opens none of its cookies */
    unsigned drop;              /* so many requests go unanswered, */
    unsigned nak;               /* then so many get a NAK */
    int64_t shift_ns;           /* of the time it serves */
    bool unsynchronised;
    /* the run */
    struct ntsq_options options;
    struct ntsq_sample sample[SAMPLES_MAX];
    struct ntsq_facts facts;
    struct ntsq_run *run;
    size_t step_count;
    enum ntsq_step step[STEPS_MAX];
    struct ntsq_verdict verdict;
};

static void answer(struct world *w, struct rng *rng, struct span request,
                   const struct net_addr *client)
{
    static const struct ntp_clock_fields good = {.stratum = 1, .reference_id = 0x47505300};
    static const struct ntp_clock_fields none = {.leap = NTP_LEAP_UNKNOWN};
    uint8_t room[NTP_DATAGRAM_MAX];
    struct pending pending;
    uint64_t now = ntp_time_from_wall((struct wall_ns){.ns = wall_now().ns + w->shift_ns});
    const struct answer_env env = {.clock = w->unsynchronised ? none : good,
                                   .ring = w->nak > 0 ? &w->foreign : &w->ring};
    w->nak -= w->nak > 0;
    enum ntp_verdict verdict = answer_prepare(&env, rng, request, now, room, &pending);
    if (ntp_verdict_is_answer(verdict)) {
        struct span reply = answer_finish(&pending, now);
        (void)sendto(w->fd, reply.p, reply.n, 0, &client->sa, net_addr_len(client));
    }
}

/* Until an empty datagram comes. */
static void *serve(void *ctx)
{
    struct world *w = ctx;
    struct rng *rng = rng_new();
    for (;;) {
        uint8_t bytes[NTP_DATAGRAM_MAX];
        struct net_addr client;
        socklen_t len = sizeof(client);
        ssize_t got = recvfrom(w->fd, bytes, sizeof(bytes), 0, &client.sa, &len);
        if (got <= 0) {
            break;
        }
        if (w->drop > 0) {
            w->drop--;
            continue;
        }
        answer(w, rng, span_of(bytes, (size_t)got), &client);
    }
    rng_free(rng);
    return NULL;
}

static void udp_open(struct world *w)
{
    socklen_t len = sizeof(w->addr);
    cr_assert_eq(net_addr_parse("127.0.0.1", 0, &w->addr), NTS_OK);
    w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(w->fd, &w->addr.sa, net_addr_len(&w->addr)), 0);
    cr_assert_eq(getsockname(w->fd, &w->addr.sa, &len), 0);
}

static void world_begin(struct world *w)
{
    memset(w, 0, sizeof(*w));
    udp_open(w);
    ntsq_ke_start(&w->ke, net_addr_port(&w->addr));
    struct keyring other = {.count = 1, .key = {{.id = 0x040506, .bytes = {9}}}};
    cr_assert_eq(cookie_ring_prepare(&w->ring, &w->ke.ring), NTS_OK);
    cr_assert_eq(cookie_ring_prepare(&w->foreign, &other), NTS_OK);
    (void)snprintf(w->options.host, sizeof(w->options.host), "127.0.0.1");
    w->options.ca_file = w->ke.ca;
    w->options.ke_port = net_addr_port(&w->ke.addr);
    w->options.count = 1;
    w->options.timeout_ms = 3000;
}

static void note_step(void *ctx, enum ntsq_step step, const struct ntsq_facts *facts)
{
    struct world *w = ctx;
    cr_assert_eq(facts, &w->facts);
    if (w->step_count < STEPS_MAX) {
        w->step[w->step_count++] = step;
    }
}

/* Runs to the end; the facts stay until world_end(). */
static void world_run(struct world *w)
{
    int64_t scratch[SAMPLES_MAX];
    const struct ntsq_observer observer = {.step = note_step, .ctx = w};
    cr_assert_eq(pthread_create(&w->thread, NULL, serve, w), 0);
    w->facts = (struct ntsq_facts){.options = &w->options, .sample = w->sample};
    w->run = ntsq_run_new(&w->facts, &observer);
    cr_assert_not_null(w->run);
    ntsq_run_all(w->run);
    struct ntsq_summary summary = ntsq_summarise(&w->facts, scratch);
    w->verdict = ntsq_judge(&w->facts, &summary);
}

static void world_end(struct world *w)
{
    (void)sendto(w->fd, "", 0, 0, &w->addr.sa, net_addr_len(&w->addr));
    (void)pthread_join(w->thread, NULL);
    (void)close(w->fd);
    ntsq_run_free(w->run);
    ntsq_ke_stop(&w->ke);
}

Test(ntsq_run, three_good_queries)
{
    static const enum ntsq_step steps[] = {NTSQ_STEP_RESOLVED, NTSQ_STEP_KEYS, NTSQ_STEP_SAMPLE,
                                           NTSQ_STEP_SAMPLE, NTSQ_STEP_SAMPLE};
    static struct world w;
    world_begin(&w);
    w.options.count = 3;
    world_run(&w);
    cr_expect(w.verdict.ok && w.verdict.authenticated, "%s", w.verdict.text);
    cr_expect_eq(w.facts.sample_count, 3);
    cr_expect_eq(w.facts.ke_exchanges, 1);
    cr_expect_eq(net_addr_port(&w.facts.server), net_addr_port(&w.addr), "as the KE answer says");
    cr_expect_eq(w.sample[2].cookies_left, KE_COOKIES);
    cr_expect_eq(w.sample[2].placeholders, 0);
    cr_expect_eq(w.step_count, 5);
    cr_expect_eq(memcmp(w.step, steps, sizeof(steps)), 0);
    world_end(&w);
}

Test(ntsq_run, a_single_query_is_tried_again)
{
    static struct world w;
    world_begin(&w);
    w.drop = 1;
    world_run(&w);
    cr_expect(w.verdict.ok, "%s", w.verdict.text);
    cr_expect_eq(w.sample[0].tries, 2);
    cr_expect_eq(w.sample[0].placeholders, 1, "for the cookie that was lost");
    cr_expect_eq(w.sample[0].cookies_left, KE_COOKIES);
    world_end(&w);
}

Test(ntsq_run, lost_cookies_are_made_up_for)
{
    static struct world w;
    world_begin(&w);
    w.drop = 3;
    w.options.count = 5;
    world_run(&w);
    cr_expect_not(w.verdict.ok);
    cr_expect_eq(w.facts.sample_count, 5);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(w.sample[i].outcome, NTSQ_LOST);
        cr_expect_eq(w.sample[i].cookies_left, KE_COOKIES - 1 - i);
    }
    cr_expect_eq(w.sample[3].outcome, NTSQ_ANSWERED);
    cr_expect_eq(w.sample[3].placeholders, 3);
    cr_expect_eq(w.sample[3].cookies_received, 4);
    cr_expect_eq(w.sample[3].cookies_left, KE_COOKIES);
    cr_expect_eq(w.sample[4].placeholders, 0);
    cr_expect_eq(w.facts.ke_exchanges, 1);
    world_end(&w);
}

Test(ntsq_run, a_stock_run_dry_makes_new_keys)
{
    static struct world w;
    world_begin(&w);
    w.drop = KE_COOKIES;
    w.options.timeout_ms = 1500; /* eight waits of a third */
    w.options.count = KE_COOKIES + 1;
    world_run(&w);
    cr_expect_eq(w.facts.sample_count, KE_COOKIES + 1);
    cr_expect_eq(w.sample[KE_COOKIES - 1].cookies_left, 0);
    cr_expect_eq(w.sample[KE_COOKIES].outcome, NTSQ_ANSWERED);
    cr_expect_eq(w.facts.ke_exchanges, 2);
    world_end(&w);
}

Test(ntsq_run, a_nak_makes_new_keys_once)
{
    static struct world w;
    world_begin(&w);
    w.nak = 1;
    world_run(&w);
    cr_expect(w.verdict.ok, "%s", w.verdict.text);
    cr_expect(w.sample[0].new_keys);
    cr_expect_eq(w.sample[0].tries, 2);
    cr_expect_eq(w.facts.ke_exchanges, 2);
    world_end(&w);
}

Test(ntsq_run, a_nak_to_fresh_cookies_ends_the_run)
{
    static struct world w;
    world_begin(&w);
    w.nak = 1000;
    w.options.count = 5;
    world_run(&w);
    cr_expect_not(w.verdict.ok);
    cr_expect_eq(w.facts.sample_count, 1);
    cr_expect_eq(w.facts.ke_exchanges, 2);
    cr_expect_eq(w.sample[0].verdict, QUERY_NAK);
    cr_expect_not_null(strstr(w.verdict.text, "nor a fresh one"), "%s", w.verdict.text);
    world_end(&w);
}

Test(ntsq_run, without_a_clock_the_dates_are_checked_by_the_time_received)
{
    static struct world w;
    world_begin(&w);
    w.options.no_clock = true;
    world_run(&w);
    cr_expect(w.verdict.ok && w.verdict.authenticated, "%s", w.verdict.text);
    cr_expect_eq(w.facts.dates, NTSQ_DATES_HOLD);
    cr_expect_eq(w.step[w.step_count - 1], NTSQ_STEP_DATES);
    world_end(&w);
}

Test(ntsq_run, a_time_at_which_the_certificate_does_not_hold_is_refused)
{
    static const int64_t years[] = {30, -20};
    for (size_t i = 0; i < 2; i++) {
        static struct world w;
        world_begin(&w);
        w.options.no_clock = true;
        w.options.count = 3;
        w.shift_ns = years[i] * 365 * 86400 * NS_PER_S;
        world_run(&w);
        cr_expect_not(w.verdict.ok);
        cr_expect_not(w.verdict.authenticated);
        cr_expect_eq(w.facts.dates, NTSQ_DATES_FAIL);
        cr_expect_eq(w.facts.failure.stage, NTSQ_STAGE_DATES);
        cr_expect_eq(w.facts.sample_count, 1, "no more is asked of it");
        world_end(&w);
    }
}

Test(ntsq_run, an_unsynchronised_server_is_no_success)
{
    static struct world w;
    world_begin(&w);
    w.unsynchronised = true;
    world_run(&w);
    cr_expect_not(w.verdict.ok);
    cr_expect(w.verdict.authenticated);
    cr_expect_eq(w.sample[0].outcome, NTSQ_UNSYNCHRONISED);
    world_end(&w);
}

Test(ntsq_run, a_plain_query_needs_no_keys)
{
    static struct world w;
    world_begin(&w);
    w.options.plain = true;
    w.options.port = net_addr_port(&w.addr);
    world_run(&w);
    cr_expect(w.verdict.ok, "%s", w.verdict.text);
    cr_expect_not(w.verdict.authenticated);
    cr_expect_eq(w.facts.ke_exchanges, 0);
    cr_expect_null(w.facts.ke);
    world_end(&w);
}

Test(ntsq_run, what_goes_wrong_before_the_first_query)
{
    static const struct {
        const char *host;
        const char *ca; /* NULL: the service's */
        bool ipv6_only;
        bool ke_port_of_nobody;
        enum ntsq_stage stage;
        const char *hint; /* NULL: none */
    } cases[] = {
        {"127.0.0.1", NULL, true, false, NTSQ_STAGE_RESOLVE, NULL},
        {"127.0.0.1", "/nonexistent/ca.pem", false, false, NTSQ_STAGE_TRUST, NULL},
        {"127.0.0.1", NULL, false, true, NTSQ_STAGE_KE, "--ke-port"},
        {"127.0.0.2", NULL, false, true, NTSQ_STAGE_KE, "--ke-port"},
        {"127.0.0.1", "", false, false, NTSQ_STAGE_KE, "--ca"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct world w;
        world_begin(&w);
        (void)snprintf(w.options.host, sizeof(w.options.host), "%s", cases[i].host);
        if (cases[i].ca != NULL) {
            w.options.ca_file = cases[i].ca[0] != '\0' ? cases[i].ca : NULL;
        }
        w.options.ipv6_only = cases[i].ipv6_only;
        if (cases[i].ke_port_of_nobody) {
            w.options.ke_port = 1;
        }
        world_run(&w);
        cr_expect_not(w.verdict.ok, "case %zu", i);
        cr_expect_eq(w.facts.failure.stage, cases[i].stage, "case %zu: %s", i, w.verdict.text);
        cr_expect_eq(w.facts.sample_count, 0, "case %zu", i);
        cr_expect(cases[i].hint == NULL
                      ? w.verdict.hint == NULL
                      : w.verdict.hint != NULL && strstr(w.verdict.hint, cases[i].hint) != NULL,
                  "case %zu: %s", i, w.verdict.hint);
        world_end(&w);
    }
}
