/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See clock_sources.h.
 */
#include "ntsd/clock_sources.h"

#include "common/base/log.h"
#include "ntp/clock/ntp_source.h"
#include "ntp/clock/ntp_udp.h"
#include "ntp/clock/phc_source.h"
#include "ntsd/clock_keys.h"
#include "ntsd/clock_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The clock that goes on while the host sleeps gains on the one that does not. */
#define SLEEP_MIN_NS NS_PER_S

_Static_assert((int)CONFIG_SOURCES_MAX == (int)CLOCK_SOURCES_MAX, "one for each");

/* Of one source: exactly one of the two is open. */
struct source_slot {
    struct clock_sources *owner;
    struct ntp_source *server;
    struct phc_source *device;
    uint8_t verdict; /* as last said in the log */
};

struct clock_sources {
    struct clock_sources_options options;
    struct rng *rng;
    int stamping; /* keeps the kernel stamping datagrams */
    struct clock_discipline discipline;
    struct clock_memory memory;
    struct clock_store store;
    struct clock_model line; /* served by the word of the sources; CLOCK_STARTING: none */
    bool line_is_news;       /* the store does not know it yet */
    struct clock_report report;
    struct source_slot slot[CLOCK_SOURCES_MAX];
    size_t count;
    int64_t asleep_ns; /* how long the host has slept since its start */
    struct log_limit verdicts;
    struct log_limit keys;
};

static int64_t asleep_ns(void)
{
    int64_t mono = mono_now().ns;
    return boot_now().ns - mono;
}

static struct clock_kept kept_of(const struct clock_sources *s)
{
    return (struct clock_kept){.memory = &s->memory, .line = &s->line, .asleep_ns = asleep_ns()};
}

/* --- Events of the sources --- */

static void on_sample(void *ctx, size_t index, const struct clock_sample *sample)
{
    struct clock_sources *s = ctx;
    clock_discipline_sample(&s->discipline, index, sample);
    s->options.measured(s->options.ctx);
}

static void on_miss(void *ctx, size_t index)
{
    struct clock_sources *s = ctx;
    clock_discipline_miss(&s->discipline, index, mono_raw_now());
}

static void on_memory(void *ctx, size_t index, const struct ntp_poll_memory *memory)
{
    struct clock_sources *s = ctx;
    s->memory.source[index] = *memory;
    board_write(s->options.memory, &s->memory, sizeof(s->memory));
    const struct clock_kept kept = kept_of(s);
    clock_store_note(&s->store, index, &kept);
}

static void on_keys(void *ctx, const struct ntp_session *session, const char *why)
{
    struct source_slot *slot = ctx;
    struct clock_sources *s = slot->owner;
    const struct config_source *source = &s->options.config->source[slot - s->slot];
    uint64_t suppressed = 0;
    bool say = log_limit_allows(&s->keys, mono_now(), &suppressed);
    if (slot->server == NULL) {
        return; /* closed meanwhile */
    }
    if (session == NULL) {
        if (say) {
            log_event(LOG_LEVEL_WARN, "no keys for time source", "source", source->name, "reason",
                      why, NULL);
        }
        ntp_source_not_established(slot->server);
        return;
    }
    if (say) {
        log_event(LOG_LEVEL_INFO, "keys for time source", "source", source->name, "aead",
                  log_fmt(LOG_BUF, "%u", session->keys.alg->id), "cookies",
                  log_fmt(LOG_BUF, "%zu", session->cookie_count), NULL);
    }
    ntp_source_established(slot->server, session);
}

static void on_establish(void *ctx, size_t index)
{
    struct clock_sources *s = ctx;
    const struct config *config = s->options.config;
    if (clock_keys_begin(s->options.loop, &config->source[index], config->trusted_certs, on_keys,
                         &s->slot[index]) != NTS_OK) {
        ntp_source_not_established(s->slot[index].server);
    }
}

/* --- Opening --- */

static bool open_server(struct clock_sources *s, size_t i, const struct config_source *source)
{
    const struct ntp_source_options options = {
        .loop = s->options.loop,
        .rng = s->rng,
        .stats = &s->options.stats[1 + i],
        .host = source->name,
        .port = source->port,
        .nts = source->nts,
        .index = i,
        .poll = {.minpoll = source->minpoll, .maxpoll = source->maxpoll, .iburst = source->iburst},
        .memory = s->memory.source[i],
        .events = {.ctx = s,
                   .sample = on_sample,
                   .miss = on_miss,
                   .memory = on_memory,
                   .establish = on_establish},
    };
    s->slot[i].server = ntp_source_open(&options);
    return s->slot[i].server != NULL;
}

static bool open_device(struct clock_sources *s, size_t i, const struct config_source *source)
{
    const struct phc_source_options options = {
        .loop = s->options.loop,
        .stats = &s->options.stats[1 + i],
        .path = source->name,
        .poll = source->minpoll,
        .offset_ns = source->offset_ns,
        .index = i,
        .events = {.ctx = s, .sample = on_sample, .miss = on_miss},
    };
    s->slot[i].device = phc_source_open(&options);
    return s->slot[i].device != NULL;
}

static int64_t poll_ns(int8_t poll)
{
    return poll < 0 ? NS_PER_S >> -poll : NS_PER_S << poll;
}

static void start_discipline(struct clock_sources *s)
{
    const struct config *config = s->options.config;
    struct clock_discipline_options options = {.source_count = config->source_count,
                                               .max_error_ns = config->max_error_ns,
                                               .precision = s->options.precision};
    for (size_t i = 0; i < config->source_count; i++) {
        struct clock_source_options *o = &options.source[i];
        (void)snprintf(o->name, sizeof(o->name), "%s", config->source[i].name);
        o->prefer = config->source[i].prefer;
        o->smeared = config->source[i].smeared;
        o->poll_ns = poll_ns(config->source[i].maxpoll);
    }
    clock_discipline_init(&s->discipline, &options, s->options.before, mono_raw_now());
}

/* By a process of this daemon, otherwise by the last daemon. */
static void remember(struct clock_sources *s)
{
    uint64_t generation = 0;
    if (board_read(s->options.memory, &s->memory, sizeof(s->memory), &generation) != NTS_OK ||
        generation == 0) {
        clock_store_memory(&s->store, &s->memory);
    }
}

/* The line of the last daemon is gone on with as that of a process would be. */
static void inherit(struct clock_sources *s)
{
    if (s->options.first && clock_store_line(&s->store, s->asleep_ns, &s->line)) {
        struct mono_ns raw = mono_raw_now();
        s->options.before = &s->line;
        log_event(LOG_LEVEL_INFO, "clock goes on with the line of the last run", "age_ms",
                  log_fmt(LOG_BUF, "%" PRId64, (raw.ns - s->line.anchor_raw_ns) / NS_PER_MS),
                  "error_bound_us",
                  log_fmt(LOG_BUF, "%" PRId64, clock_model_bound_ns(&s->line, raw) / 1000), NULL);
    } else if (s->options.before != NULL) {
        s->line = *s->options.before;
    }
}

struct clock_sources *clock_sources_open(const struct clock_sources_options *options)
{
    const struct config *config = options->config;
    struct clock_sources *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->options = *options;
    s->verdicts = (struct log_limit){.interval_s = 60, .burst = 10};
    s->keys = (struct log_limit){.interval_s = 60, .burst = 10};
    s->asleep_ns = asleep_ns();
    s->stamping = ntp_udp_keep_stamping();
    s->rng = rng_new();
    clock_store_open(&s->store, config, &options->stats[0]);
    remember(s);
    inherit(s);
    start_discipline(s);
    bool good = s->rng != NULL;
    for (size_t i = 0; good && i < config->source_count; i++) {
        const struct config_source *source = &config->source[i];
        s->slot[i].owner = s;
        s->count = i + 1;
        good = source->phc ? open_device(s, i, source) : open_server(s, i, source);
    }
    if (!good) {
        clock_sources_close(s);
        return NULL;
    }
    return s;
}

/* Not freed: the sources end with the loop's next turns, a key establishment when it is done, and
 * the process is about to end. */
void clock_sources_close(struct clock_sources *sources)
{
    const struct clock_kept kept = kept_of(sources);
    clock_store_close(&sources->store, &kept);
    for (size_t i = 0; i < sources->count; i++) {
        ntp_source_close(sources->slot[i].server);
        phc_source_close(sources->slot[i].device);
        sources->slot[i].server = NULL;
        sources->slot[i].device = NULL;
    }
    if (sources->stamping >= 0) {
        (void)close(sources->stamping);
        sources->stamping = -1;
    }
}

/* --- Each second --- */

static bool is_worth_a_line(uint8_t before, uint8_t now)
{
    return (before == CLOCK_SOURCE_FALSETICKER) != (now == CLOCK_SOURCE_FALSETICKER) ||
           (before == CLOCK_SOURCE_FAR) != (now == CLOCK_SOURCE_FAR) ||
           (now == CLOCK_SOURCE_SELECTED && before != CLOCK_SOURCE_SELECTED) ||
           (now == CLOCK_SOURCE_SILENT && before > CLOCK_SOURCE_SILENT);
}

static void say_verdict(struct clock_sources *s, size_t i)
{
    const struct clock_source_report *r = &s->report.source[i];
    uint8_t before = s->slot[i].verdict;
    uint64_t suppressed = 0;
    bool bad = r->verdict == CLOCK_SOURCE_FALSETICKER || r->verdict == CLOCK_SOURCE_FAR ||
               r->verdict == CLOCK_SOURCE_SILENT;
    s->slot[i].verdict = r->verdict;
    if (is_worth_a_line(before, r->verdict) &&
        log_limit_allows(&s->verdicts, mono_now(), &suppressed)) {
        log_event(bad ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "time source", "source", r->name,
                  "verdict", clock_verdict_name((enum clock_verdict)r->verdict), "offset_us",
                  log_fmt(LOG_BUF, "%.3f", (double)r->offset_ns / 1e3), "distance_us",
                  log_fmt(LOG_BUF, "%.3f", (double)r->root_distance_ns / 1e3), NULL);
    }
}

static void notice_sleep(struct clock_sources *s, struct mono_ns raw)
{
    int64_t asleep = asleep_ns();
    if (asleep - s->asleep_ns > SLEEP_MIN_NS) {
        clock_discipline_suspended(&s->discipline, raw);
    }
    s->asleep_ns = asleep;
}

static bool is_unsettling(const struct clock_update *update, const struct clock_model *model)
{
    return update->step_ns != 0 || (update->changed && model->state != CLOCK_SYNCHRONISED);
}

/* What was noted before is not what a successor should go on with. */
static void note_line(struct clock_sources *s, const struct clock_update *update,
                      const struct clock_model *model)
{
    s->line = *model;
    s->line_is_news = s->line_is_news || update->changed || update->step_ns != 0;
    if (s->line_is_news) {
        const struct clock_kept kept = kept_of(s);
        s->line_is_news = !clock_store_note_line(&s->store, &kept);
    }
}

struct clock_update clock_sources_update(struct clock_sources *sources, struct clock_model *model)
{
    struct mono_ns raw = mono_raw_now();
    notice_sleep(sources, raw);
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->slot[i].server != NULL) {
            clock_discipline_poll_ns(&sources->discipline, i,
                                     ntp_source_interval_ns(sources->slot[i].server));
        }
    }
    struct clock_update update = clock_discipline_update(&sources->discipline, raw, model);
    note_line(sources, &update, model);
    clock_discipline_report(&sources->discipline, raw, &sources->report);
    board_write(sources->options.report, &sources->report, sizeof(sources->report));
    for (size_t i = 0; i < sources->count; i++) {
        say_verdict(sources, i);
        if (is_unsettling(&update, model) && sources->slot[i].server != NULL) {
            ntp_source_unsettled(sources->slot[i].server);
        }
    }
    return update;
}

const char *clock_sources_followed(const struct clock_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->report.source[i].verdict == CLOCK_SOURCE_SELECTED) {
            return sources->report.source[i].name;
        }
    }
    return "none";
}
