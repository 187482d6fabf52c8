/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of ntsq. See ntsq_run.h.
 */
#include "tools/ntsq_run.h"

#include "tools/ntsq_keys.h"
#include "tools/ntsq_ntp.h"
#include "tools/ntsq_resolve.h"
#include "tools/ntsq_stock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ntsq_run {
    struct ntsq_facts *facts;
    const struct ntsq_options *options;
    struct ntsq_observer observer;
    struct rng *rng;
    struct ntsq_keys keys;
    struct ntsq_stock stock;
    struct ntsq_addrs servers; /* NTP */
    size_t server_at;
    bool server_proven; /* it has answered: no reason to try another address */
    struct ntsq_link link;
    struct query_reply reply;
};

static void step(const struct ntsq_run *run, enum ntsq_step what)
{
    if (run->observer.step != NULL) {
        run->observer.step(run->observer.ctx, what, run->facts);
    }
}

static void fail(struct ntsq_run *run, enum ntsq_stage stage, const char *what, const char *why)
{
    struct ntsq_failure *failure = &run->facts->failure;
    failure->stage = stage;
    failure->hint = NULL;
    (void)snprintf(failure->text, sizeof(failure->text), "%s: %s", what, why);
}

static bool has_failed(const struct ntsq_run *run)
{
    return run->facts->failure.stage != NTSQ_STAGE_NONE;
}

static int family(const struct ntsq_options *options)
{
    if (options->ipv4_only) {
        return AF_INET;
    }
    return options->ipv6_only ? AF_INET6 : AF_UNSPEC;
}

/* Opens the socket to the NTP server in turn. */
static bool connect_server(struct ntsq_run *run)
{
    char text[NET_ADDR_TEXT_MAX];
    ntsq_link_close(&run->link);
    run->facts->server = run->servers.addr[run->server_at];
    run->facts->has_server = true;
    if (ntsq_link_open(&run->facts->server, &run->link) == NTS_OK) {
        return true;
    }
    int saved = errno;
    net_addr_format(&run->facts->server, text);
    fail(run, NTSQ_STAGE_NTP, text, strerror(saved));
    return false;
}

/* The same address with another port. */
static struct net_addr with_port(const struct net_addr *addr, uint16_t port)
{
    struct net_addr out = *addr;
    if (addr->sa.sa_family == AF_INET6) {
        out.v6.sin6_port = htons(port);
    } else {
        out.v4.sin_port = htons(port);
    }
    return out;
}

/* Where to send queries after a key establishment (RFC 8915 §4.1.7, §4.1.8). */
static bool find_server(struct ntsq_run *run)
{
    const struct ke_answer *answer = &run->keys.result.answer;
    uint16_t port = run->options->port != 0 ? (uint16_t)run->options->port : answer->port;
    const char *why;
    run->server_at = 0;
    run->server_proven = false;
    if (answer->server[0] == '\0') {
        /* The address that gave the cookies, not another one of the same name. */
        run->servers.count = 1;
        run->servers.addr[0] = with_port(&run->facts->ke_addr, port);
    } else if (ntsq_resolve(answer->server, family(run->options), port, &run->servers, &why) !=
               NTS_OK) {
        fail(run, NTSQ_STAGE_NTP, answer->server, why);
        return false;
    }
    return connect_server(run);
}

/* New keys, new cookies, and the server they are for. */
static bool establish(struct ntsq_run *run)
{
    enum nts_err err = ntsq_keys_establish(&run->keys, run->facts);
    if (err == NTS_OK) {
        ntsq_stock_fill(&run->stock, run->keys.result.cookie, run->keys.result.cookie_count);
    }
    step(run, NTSQ_STEP_KEYS);
    return err == NTS_OK && find_server(run);
}

/* A third of the step's time for each of three tries; with --count a query has one, so that loss
 * shows as loss. */
static unsigned wait_ms(const struct ntsq_options *options)
{
    return options->timeout_ms / NTSQ_TRIES;
}

static void keep_cookies(struct ntsq_run *run, struct ntsq_sample *sample)
{
    if (sample->outcome == NTSQ_ANSWERED || sample->outcome == NTSQ_UNSYNCHRONISED) {
        run->server_proven = true;
        for (size_t i = 0; i < run->reply.cookie_count; i++) {
            ntsq_stock_put(&run->stock, run->reply.cookie[i]);
        }
    }
    sample->cookies_left = run->stock.count;
}

static void ask_once(struct ntsq_run *run, struct ntsq_sample *sample)
{
    struct ke_client_cookie cookie = {.len = 0};
    struct ntsq_question question = {.wait_ms = wait_ms(run->options)};
    if (!run->options->plain) {
        if (!ntsq_stock_take(&run->stock, &cookie) &&
            !(establish(run) && ntsq_stock_take(&run->stock, &cookie))) {
            return;
        }
        question.keys = &run->keys.result.keys;
        question.cookie = span_of(cookie.bytes, cookie.len);
        question.placeholders = ntsq_stock_placeholders(&run->stock);
    }
    run->reply.cookie_count = 0;
    enum nts_err err = ntsq_ask(&run->link, run->rng, &question, &run->reply, sample);
    if (err == NTS_ESPACE) {
        fail(run, NTSQ_STAGE_NTP, "query", "the server's cookies do not fit a datagram");
    } else if (err != NTS_OK) {
        fail(run, NTSQ_STAGE_NTP, "query", "the system gave no random bytes");
    }
    keep_cookies(run, sample);
}

/* While a server has never answered, its other addresses may. */
static bool next_server(struct ntsq_run *run)
{
    if (run->server_proven || run->servers.count < 2) {
        return true;
    }
    run->server_at = (run->server_at + 1) % run->servers.count;
    return connect_server(run);
}

static bool is_worth_a_try(const struct ntsq_sample *sample)
{
    return sample->outcome == NTSQ_LOST || sample->outcome == NTSQ_UNREACHABLE;
}

static void ask(struct ntsq_run *run, struct ntsq_sample *sample)
{
    unsigned tries = run->options->count == 1 ? NTSQ_TRIES : 1;
    for (unsigned i = 0; i < tries; i++) {
        ask_once(run, sample);
        if (has_failed(run) || !is_worth_a_try(sample) || !next_server(run)) {
            return;
        }
    }
}

static bool is_nak(const struct ntsq_sample *sample)
{
    return sample->outcome == NTSQ_REFUSED && sample->verdict == QUERY_NAK;
}

/* A device without a clock believes the time only if the certificates hold by it. */
static void check_dates(struct ntsq_run *run, const struct ntsq_sample *sample)
{
    /* What the device knows without a clock: this program is not older than itself. The pivot
     * decides the era of the timestamp, 1957 to 2093. */
    static const struct wall_ns pivot = {.ns = INT64_C(1735689600) * NS_PER_S}; /* 2025-01-01 */
    if (run->facts->dates != NTSQ_DATES_PENDING || sample->outcome != NTSQ_ANSWERED) {
        return;
    }
    struct wall_ns now = ntp_time_to_wall(sample->header.transmit_time, pivot);
    if (ntsq_keys_check_dates(&run->keys, run->facts, now) == NTS_OK) {
        step(run, NTSQ_STEP_DATES);
    }
}

/* One query to its end. False: there is no sense in another. */
static bool query(struct ntsq_run *run)
{
    struct ntsq_sample *sample = &run->facts->sample[run->facts->sample_count];
    *sample = (struct ntsq_sample){.outcome = NTSQ_LOST};
    ask(run, sample);
    if (is_nak(sample) && !has_failed(run)) {
        /* RFC 8915 §5.7: what was held is of no use any more. */
        sample->new_keys = true;
        if (establish(run)) {
            ask(run, sample);
        }
    }
    run->facts->sample_count += sample->tries > 0;
    if (sample->tries > 0) {
        step(run, NTSQ_STEP_SAMPLE);
    }
    check_dates(run, sample);
    return !has_failed(run) && !is_nak(sample);
}

static void sleep_until(struct mono_ns when)
{
    const struct timespec ts = {.tv_sec = when.ns / NS_PER_S, .tv_nsec = when.ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR) {
    }
}

static void query_all(struct ntsq_run *run)
{
    int64_t interval_ns = (int64_t)run->options->interval_ms * NS_PER_MS;
    for (uint32_t i = 0; i < run->options->count; i++) {
        struct mono_ns next = {.ns = mono_now().ns + interval_ns};
        if (!query(run)) {
            return;
        }
        if (interval_ns > 0 && i + 1 < run->options->count) {
            sleep_until(next);
        }
    }
}

struct ntsq_run *ntsq_run_new(struct ntsq_facts *facts, const struct ntsq_observer *observer)
{
    struct ntsq_run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        return NULL;
    }
    run->facts = facts;
    run->options = facts->options;
    run->observer = *observer;
    run->link.fd = -1;
    run->rng = rng_new();
    if (run->rng == NULL) {
        free(run);
        return NULL;
    }
    return run;
}

void ntsq_run_all(struct ntsq_run *run)
{
    const struct ntsq_options *o = run->options;
    uint16_t port = (uint16_t)o->ke_port;
    if (o->plain) {
        port = o->port != 0 ? (uint16_t)o->port : NTP_PORT;
    }
    const char *why;
    run->facts->started = wall_now();
    if (ntsq_resolve(o->host, family(o), port, &run->facts->resolved, &why) != NTS_OK) {
        fail(run, NTSQ_STAGE_RESOLVE, o->host, why);
        return;
    }
    step(run, NTSQ_STEP_RESOLVED);
    if (!o->plain) {
        if (ntsq_keys_open(&run->keys, run->facts) == NTS_OK && establish(run)) {
            query_all(run);
        }
        return;
    }
    run->servers = run->facts->resolved;
    if (connect_server(run)) {
        query_all(run);
    }
}

void ntsq_run_free(struct ntsq_run *run)
{
    if (run == NULL) {
        return;
    }
    ntsq_link_close(&run->link);
    ntsq_keys_close(&run->keys);
    rng_free(run->rng);
    run->facts->ke = NULL;
    wipe(run, sizeof(*run));
    free(run);
}
