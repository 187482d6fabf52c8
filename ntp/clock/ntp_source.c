/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ntp_source.h.
 *
 *   idle -> (resolving | establishing) -> idle -> waiting -> idle
 */
#include "ntp/clock/ntp_source.h"

#include "common/base/log.h"
#include "ntp/clock/ntp_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_NS    (3 * NS_PER_S / 2) /* a later answer says little about the time */
#define KEYS_FIRST_NS (10 * NS_PER_S)
#define KEYS_MOST_NS  (3600 * NS_PER_S)

enum { MISSES_MAX = 8 }; /* then another address is tried, or new keys */

enum phase {
    PHASE_IDLE,
    PHASE_RESOLVING,
    PHASE_ESTABLISHING,
    PHASE_WAITING, /* for the answer */
    PHASE_CLOSED,
};

struct ntp_source {
    struct ntp_source_options options;
    enum phase phase;
    bool ticking; /* the loop has the timer */
    uv_timer_t timer;
    uv_timer_cb on_timer;
    struct ntp_poll schedule;
    struct ntp_name name;
    struct retry keys;
    uint8_t misses; /* in a row, since the address or the keys are new */
    bool has_addr;
    struct net_addr addr;
    struct ntp_session session;
    struct ntp_inquiry inquiry;
    struct log_limit complaints;
};

static void count(struct ntp_source *source, unsigned index)
{
    stats_add(source->options.stats, index, 1);
}

static void complain(struct ntp_source *source, const char *event, const char *reason)
{
    uint64_t suppressed = 0;
    if (log_limit_allows(&source->complaints, mono_now(), &suppressed)) {
        log_event(LOG_LEVEL_WARN, event, "source", source->options.host, "reason", reason, NULL);
    }
}

static void remember(struct ntp_source *source)
{
    const struct ntp_source_events *events = &source->options.events;
    events->memory(events->ctx, source->options.index, &source->schedule.memory);
}

static void report_miss(struct ntp_source *source)
{
    const struct ntp_source_events *events = &source->options.events;
    events->miss(events->ctx, source->options.index);
}

/* A moment of the raw clock on libuv's, rounded up. */
static void wake_at(struct ntp_source *source, int64_t raw_ns)
{
    int64_t wait = sat_sub(raw_ns, mono_raw_now().ns);
    uint64_t ms = wait > 0 ? (uint64_t)(sat_add(wait, NS_PER_MS - 1) / NS_PER_MS) : 0;
    uv_update_time(source->options.loop);
    (void)uv_timer_start(&source->timer, source->on_timer, ms, 0);
}

static void become_idle(struct ntp_source *source)
{
    source->phase = PHASE_IDLE;
    wake_at(source, source->schedule.next.ns);
}

/* It was time to ask, and that is impossible. */
static void skip(struct ntp_source *source, enum ntp_source_count why)
{
    count(source, why);
    ntp_poll_skipped(&source->schedule, mono_raw_now());
    report_miss(source);
}

static void release(struct ntp_source *source)
{
    if (source->phase == PHASE_CLOSED && !source->ticking && !source->name.held &&
        !ntp_inquiry_is_held(&source->inquiry)) {
        ntp_session_wipe(&source->session);
        free(source);
    }
}

/* --- The end of an exchange --- */

/* Keys come with an address. Otherwise the old one is asked on until there is another. */
static void try_elsewhere(struct ntp_source *source)
{
    source->misses = 0;
    if (source->options.nts) {
        ntp_session_wipe(&source->session);
    } else {
        ntp_name_turn(&source->name);
    }
}

static void missed(struct ntp_source *source)
{
    bool refused = ntp_inquiry_abandon(&source->inquiry);
    ntp_poll_missed(&source->schedule);
    source->misses++;
    if (refused || source->misses >= MISSES_MAX) {
        try_elsewhere(source);
    }
    report_miss(source);
    become_idle(source);
}

static void kissed(struct ntp_source *source, enum ntp_poll_kiss kiss)
{
    ntp_poll_kissed(&source->schedule, kiss, mono_raw_now());
    remember(source);
    complain(source, "time source sent a kiss",
             kiss == NTP_POLL_RATE ? "RATE: it is asked less often"
                                   : "DENY or RSTR: it is left alone for an hour");
    missed(source);
}

/* Only now: keys that the server does not take would be asked for again and again. */
static void keys_are_good(struct ntp_source *source)
{
    retry_succeeded(&source->keys);
    source->schedule.memory.key_failures = 0;
    remember(source);
}

static void on_over(void *ctx, enum ntp_exchange_verdict verdict, const struct clock_sample *sample)
{
    struct ntp_source *source = ctx;
    const struct ntp_source_events *events = &source->options.events;
    if (verdict == NTP_EXCHANGE_RATE || verdict == NTP_EXCHANGE_DENY) {
        kissed(source, verdict == NTP_EXCHANGE_RATE ? NTP_POLL_RATE : NTP_POLL_DENY);
        return;
    }
    if (verdict != NTP_EXCHANGE_OK) {
        complain(source, "time source is of no use", ntp_exchange_verdict_name(verdict));
        missed(source);
        return;
    }
    source->misses = 0;
    ntp_poll_answered(&source->schedule);
    if (source->keys.failures > 0) {
        keys_are_good(source);
    }
    become_idle(source);
    events->sample(events->ctx, source->options.index, sample);
}

static void on_released(void *ctx)
{
    release(ctx);
}

/* --- What asking needs: an address, keys --- */

static void on_name(void *ctx, const struct net_addr *addr, const char *reason)
{
    struct ntp_source *source = ctx;
    if (source->phase == PHASE_CLOSED) {
        release(source);
        return;
    }
    if (addr != NULL) {
        source->addr = *addr;
        source->has_addr = true;
    } else {
        complain(source, "time source has no address", reason);
        if (!source->has_addr) {
            skip(source, NTP_SOURCE_NO_ADDRESS);
        }
    }
    become_idle(source);
}

static void begin_resolving(struct ntp_source *source)
{
    if (ntp_name_look_up(&source->name) != NTS_OK) {
        skip(source, NTP_SOURCE_NO_ADDRESS);
        become_idle(source);
        return;
    }
    source->phase = PHASE_RESOLVING;
    wake_at(source, mono_raw_now().ns + ntp_poll_interval_ns(&source->schedule));
}

void ntp_source_established(struct ntp_source *source, const struct ntp_session *session)
{
    if (source->phase == PHASE_CLOSED) {
        return;
    }
    count(source, NTP_SOURCE_ESTABLISHED);
    source->session = *session;
    source->addr = session->addr;
    source->misses = 0;
    become_idle(source);
}

void ntp_source_not_established(struct ntp_source *source)
{
    if (source->phase == PHASE_CLOSED) {
        return;
    }
    count(source, NTP_SOURCE_KEYS_REFUSED);
    skip(source, NTP_SOURCE_NO_KEYS);
    become_idle(source);
}

/* Counted as failed until it is not: a process that dies of one does not try again at once. */
static void begin_establishing(struct ntp_source *source)
{
    const struct ntp_source_events *events = &source->options.events;
    retry_failed(&source->keys, mono_raw_now());
    source->schedule.memory.key_failures = source->keys.failures;
    source->schedule.memory.key_retry_next = source->keys.next.ns;
    remember(source);
    source->phase = PHASE_ESTABLISHING;
    wake_at(source, mono_raw_now().ns + ntp_poll_interval_ns(&source->schedule));
    events->establish(events->ctx, source->options.index);
}

/* --- Asking --- */

static void ask(struct ntp_source *source)
{
    int64_t spare = ntp_poll_interval_ns(&source->schedule) / 4 * 3;
    struct mono_ns now = mono_raw_now();
    ntp_poll_sent(&source->schedule, now);
    remember(source); /* first: whatever happens now, the successor waits its time */
    enum nts_err err = ntp_inquiry_begin(&source->inquiry, &source->addr);
    if (err != NTS_OK) {
        const char *reason = err == NTS_ESYSTEM ? strerror(errno) : nts_err_name(err);
        count(source, NTP_SOURCE_SEND_FAILED);
        complain(source, "time source cannot be asked", reason);
        missed(source);
        return;
    }
    source->phase = PHASE_WAITING;
    wake_at(source, now.ns + (spare < TIMEOUT_NS ? spare : TIMEOUT_NS));
}

static void prepare(struct ntp_source *source, struct mono_ns now)
{
    bool nts = source->options.nts;
    bool due = nts ? retry_is_due(&source->keys, now) : ntp_name_is_due(&source->name, now);
    if (!due) {
        skip(source, nts ? NTP_SOURCE_NO_KEYS : NTP_SOURCE_NO_ADDRESS);
        become_idle(source);
    } else if (nts) {
        begin_establishing(source);
    } else {
        begin_resolving(source);
    }
}

static void step_idle(struct ntp_source *source)
{
    struct mono_ns now = mono_raw_now();
    bool armed = source->options.nts ? source->session.cookie_count > 0
                                     : source->has_addr && !ntp_name_is_due(&source->name, now);
    if (now.ns < source->schedule.next.ns) {
        wake_at(source, source->schedule.next.ns);
    } else if (ntp_inquiry_is_held(&source->inquiry)) {
        wake_at(source, now.ns + NS_PER_MS);
    } else if (ntp_poll_is_silenced(&source->schedule, now)) {
        skip(source, NTP_SOURCE_SILENCED);
        become_idle(source);
    } else if (!armed) {
        prepare(source, now);
    } else {
        ask(source);
    }
}

/* The time has come for whatever is next. */
static void on_timer(uv_timer_t *timer)
{
    struct ntp_source *source = timer->data;
    switch (source->phase) {
    case PHASE_IDLE:
        step_idle(source);
        return;
    case PHASE_RESOLVING:
    case PHASE_ESTABLISHING:
        skip(source, source->phase == PHASE_RESOLVING ? NTP_SOURCE_NO_ADDRESS : NTP_SOURCE_NO_KEYS);
        wake_at(source, source->schedule.next.ns);
        return;
    case PHASE_WAITING:
        count(source, NTP_SOURCE_TIMEOUT);
        missed(source);
        return;
    case PHASE_CLOSED:
        return;
    }
}

/* --- Life --- */

struct ntp_source *ntp_source_open(const struct ntp_source_options *options)
{
    struct ntp_source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return NULL;
    }
    source->options = *options;
    source->on_timer = on_timer;
    source->complaints = (struct log_limit){.interval_s = 600, .burst = 3};
    source->name = (struct ntp_name){.loop = options->loop,
                                     .host = options->host,
                                     .port = options->port,
                                     .ctx = source,
                                     .over = on_name};
    source->keys = (struct retry){.first_ns = KEYS_FIRST_NS,
                                  .most_ns = KEYS_MOST_NS,
                                  .failures = options->memory.key_failures,
                                  .next = {.ns = options->memory.key_retry_next}};
    source->inquiry = (struct ntp_inquiry){.loop = options->loop,
                                           .rng = options->rng,
                                           .stats = options->stats,
                                           .session = options->nts ? &source->session : NULL,
                                           .ctx = source,
                                           .over = on_over,
                                           .released = on_released};
    ntp_poll_init(&source->schedule, &options->poll, &options->memory, mono_raw_now());
    source->has_addr = net_addr_parse(options->host, options->port, &source->addr) == NTS_OK;
    source->name.numeric = source->has_addr;
    (void)uv_timer_init(options->loop, &source->timer); /* cannot fail */
    source->timer.data = source;
    source->ticking = true;
    become_idle(source);
    return source;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct ntp_source *source = handle->data;
    source->ticking = false;
    release(source);
}

void ntp_source_close(struct ntp_source *source)
{
    if (source == NULL || source->phase == PHASE_CLOSED) {
        return;
    }
    ntp_name_cancel(&source->name);
    source->phase = PHASE_CLOSED;
    (void)ntp_inquiry_abandon(&source->inquiry);
    uv_close((uv_handle_t *)&source->timer, on_timer_closed);
}

void ntp_source_unsettled(struct ntp_source *source)
{
    ntp_poll_unsettled(&source->schedule);
}

int64_t ntp_source_interval_ns(const struct ntp_source *source)
{
    return ntp_poll_interval_ns(&source->schedule);
}

const char *ntp_source_count_name(unsigned index)
{
    static const char *const names[] = {
        [NTP_INQUIRY_SENT] = "sent",
        [NTP_INQUIRY_ERROR] = "network_error",
        [NTP_INQUIRY_NO_STAMP] = "no_stamp",
        [NTP_SOURCE_TIMEOUT] = "timeout",
        [NTP_SOURCE_SEND_FAILED] = "send_failed",
        [NTP_SOURCE_NO_ADDRESS] = "no_address",
        [NTP_SOURCE_NO_KEYS] = "no_keys",
        [NTP_SOURCE_SILENCED] = "silenced",
        [NTP_SOURCE_ESTABLISHED] = "established",
        [NTP_SOURCE_KEYS_REFUSED] = "keys_refused",
    };
    if (index < NTP_EXCHANGE_VERDICTS) {
        return ntp_exchange_verdict_name((enum ntp_exchange_verdict)index);
    }
    return index < NTP_SOURCE_COUNTERS ? names[index] : NULL;
}
