/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a configuration: it is either refused with faults that can be shown, or good, and
 * then every value is within its limits.
 */
#include "ntsd/config.h"

#include <stdlib.h>
#include <string.h>

#define DEMAND(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static struct config config;
static struct config again;
static struct config_faults faults;

static unsigned count_lines(const uint8_t *data, size_t size)
{
    unsigned lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n' ? 1 : 0;
    }
    return lines;
}

static void check_faults(unsigned lines)
{
    DEMAND(faults.count > 0 && faults.count <= CONFIG_FAULTS_MAX);
    unsigned last = 1;
    for (size_t i = 0; i < faults.count; i++) {
        const struct config_fault *f = &faults.fault[i];
        DEMAND(f->line >= last && f->line <= lines);
        last = f->line;
        size_t n = strnlen(f->text, sizeof(f->text));
        DEMAND(n > 0 && n < sizeof(f->text));
        for (size_t c = 0; c < n; c++) {
            DEMAND(f->text[c] >= ' ' && f->text[c] <= '~');
        }
    }
}

static void check_text(const struct config *c, const char *text)
{
    DEMAND(text >= c->arena && text < c->arena + c->arena_used);
    DEMAND(strlen(text) > 0 && text + strlen(text) < c->arena + c->arena_used);
}

static void check_sources(const struct config *c)
{
    DEMAND(c->source_count <= CONFIG_SOURCES_MAX && (c->source_count == 0 || !c->clock_system));
    DEMAND(c->max_error_ns >= 100000 && c->max_error_ns <= 10000000000);
    for (size_t i = 0; i < c->source_count; i++) {
        const struct config_source *s = &c->source[i];
        check_text(c, s->name);
        DEMAND(s->minpoll >= -7 && s->minpoll <= s->maxpoll && s->maxpoll <= 24);
        DEMAND(s->smeared == c->source[0].smeared && !(s->phc && s->smeared));
        DEMAND(s->phc || (s->port > 0 && s->ke_port > 0));
        DEMAND(s->offset_ns >= -1000000000 && s->offset_ns <= 1000000000);
    }
    if (c->trusted_certs != NULL) {
        check_text(c, c->trusted_certs);
    }
}

static void check_keys(const struct config *c)
{
    bool aws = c->keys == CONFIG_KEYS_AWS || c->keys == CONFIG_KEYS_AWS_AGENT;
    bool command = c->keys == CONFIG_KEYS_COMMAND;
    if (c->keys == CONFIG_KEYS_AUTO) {
        DEMAND(c->lifetime_s / CONFIG_PAST_KEYS_MAX <= c->rotate_s && !c->keys_cache);
        return;
    }
    DEMAND((c->keys_source == NULL) == command && (c->keys_argv[0] != NULL) == command);
    if (!command) {
        check_text(c, c->keys_source);
    }
    for (size_t i = 0; i < CONFIG_WORDS_MAX && c->keys_argv[i] != NULL; i++) {
        check_text(c, c->keys_argv[i]);
    }
    DEMAND(c->keys_argv[CONFIG_WORDS_MAX - 1] == NULL);
    DEMAND(!aws || strncmp(c->keys_source, "arn:", 4) == 0);
}

static void check_config(const struct config *c)
{
    DEMAND(c->ntp_port <= 65535 && c->ke_port <= 65535 && c->ntp_port + c->ke_port > 0);
    DEMAND(c->threads <= CONFIG_THREADS_MAX);
    DEMAND(c->address_count <= CONFIG_ADDRESSES_MAX);
    for (size_t i = 0; i < c->address_count; i++) {
        DEMAND(net_addr_port(&c->address[i]) == 0);
    }
    DEMAND(c->ke_processes >= 1 && c->ke_processes <= CONFIG_KE_PROCESSES_MAX);
    DEMAND(c->ke_connections_max >= 1 && c->ke_connections_max <= 100000);
    DEMAND(c->pair_count == c->key_count && c->pair_count <= CONFIG_PAIRS_MAX);
    DEMAND(c->ke_port == 0 || c->pair_count > 0);
    for (size_t i = 0; i < c->pair_count; i++) {
        check_text(c, c->cert[i]);
        check_text(c, c->key[i]);
    }
    DEMAND(c->aead_count > 0 && c->aead_count <= AEAD_MAX);
    for (size_t i = 0; i < c->aead_count; i++) {
        DEMAND(aead_find(c->aead[i]) != NULL);
    }
    DEMAND(c->rotate_s >= 60 && c->lifetime_s >= 60);
    check_keys(c);
    DEMAND(c->local_stratum <= 15);
    DEMAND(c->clock_system || c->local_stratum > 0 || c->source_count > 0);
    check_sources(c);
    DEMAND(!c->has_http || net_addr_port(&c->http) > 0);
    DEMAND(c->log_level <= 3 && c->log_format <= 1);
    check_text(c, c->state_dir);
    if (c->user != NULL) {
        check_text(c, c->user);
    }
    if (c->ntp_server != NULL) {
        check_text(c, c->ntp_server);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (config_parse(span_of(data, size), &config, &faults) != NTS_OK) {
        check_faults(count_lines(data, size));
        return 0;
    }
    DEMAND(faults.count == 0 && faults.dropped == 0);
    check_config(&config);
    /* Nothing is carried over from one text to the next. */
    DEMAND(config_parse(span_of(data, size), &again, &faults) == NTS_OK);
    DEMAND(memcmp(config.arena, again.arena, sizeof(config.arena)) == 0);
    DEMAND(config.ntp_port == again.ntp_port && config.ke_port == again.ke_port);
    return 0;
}
