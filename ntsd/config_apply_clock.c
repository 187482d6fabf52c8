/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives of where the time comes from. Core.
 */
#include "ntsd/config_apply.h"
#include "ntsd/config_options.h"

#include "common/base/time.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum {
    POLL_MIN = -7, /* log2 seconds, as chrony has them */
    POLL_MAX = 24,
    POLL_UNSET = 127,
    MINPOLL_DEFAULT = 6,
    MAXPOLL_DEFAULT = 6, /* at chrony's 10 the bound passes maxclockerror between two polls */
    NTP_PORT_DEFAULT = 123,
    KE_PORT_DEFAULT = 4460,
    PHC_POLL_LEAST = -6, /* at most 100 readings a second */
};

#define MAX_ERROR_LEAST_NS INT64_C(100000)
#define MAX_ERROR_MOST_NS  (10 * NS_PER_S)

bool config_apply_clock(struct config_line *line)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (strcasecmp(line->word[0], "system") != 0) {
        return config_fail(line, "'%.40s' is not a clock, allowed: clock system", line->word[0]);
    }
    line->config->clock_system = true;
    return true;
}

bool config_apply_local(struct config_line *line)
{
    const struct config_directive *d = line->directive;
    int64_t stratum = 0;
    if (!config_has_words(line, 2, 2)) {
        return false;
    }
    if (strcasecmp(line->word[0], "stratum") != 0) {
        return config_fail(line, "'%.40s' is unknown, allowed: local stratum N", line->word[0]);
    }
    if (!config_number(line->word[1], d->min, d->max, &stratum)) {
        return config_fail(line,
                           "stratum '%.40s' is not a whole number from %" PRId64 " to %" PRId64,
                           line->word[1], d->min, d->max);
    }
    line->config->local_stratum = (uint32_t)stratum;
    return true;
}

bool config_apply_smeared(struct config_line *line)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    bool yes = strcasecmp(line->word[0], "yes") == 0;
    if (!yes && strcasecmp(line->word[0], "no") != 0) {
        return config_fail(line, "'%.40s' is not one of yes|no", line->word[0]);
    }
    line->config->smeared = yes ? CONFIG_SMEARED_YES : CONFIG_SMEARED_NO;
    return true;
}

bool config_apply_max_error(struct config_line *line)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (!config_seconds(line->word[0], MAX_ERROR_LEAST_NS, MAX_ERROR_MOST_NS,
                        &line->config->max_error_ns)) {
        return config_fail(line, "'%.40s' is not a number of seconds from 0.0001 to 10",
                           line->word[0]);
    }
    return true;
}

/* A place in the list, unless it is full or has the same one already. */
static struct config_source *add_source(struct config_line *line,
                                        const struct config_source *source)
{
    struct config *config = line->config;
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *other = &config->source[i];
        if (strcasecmp(other->name, line->word[source->phc ? 1 : 0]) == 0 &&
            other->port == source->port) {
            (void)config_fail(line, "%.60s is given twice", other->name);
            return NULL;
        }
    }
    if (config->source_count == CONFIG_SOURCES_MAX) {
        (void)config_fail(line, "too many sources of time, at most %d may be given, allowed: fewer",
                          CONFIG_SOURCES_MAX);
        return NULL;
    }
    const char *name = config_keep(line, line->word[source->phc ? 1 : 0]);
    if (name == NULL) {
        return NULL;
    }
    struct config_source *kept = &config->source[config->source_count++];
    *kept = *source;
    kept->name = name;
    kept->line = line->number;
    return kept;
}

/* One that is given moves the other one's default out of its way. */
static bool choose_polls(struct config_line *line, int64_t *min, int64_t *max)
{
    if (*min == POLL_UNSET) {
        *min = *max < MINPOLL_DEFAULT ? *max : MINPOLL_DEFAULT;
    }
    if (*max == POLL_UNSET) {
        *max = *min > MAXPOLL_DEFAULT ? *min : MAXPOLL_DEFAULT;
    }
    return *min <= *max ||
           config_fail(line, "minpoll %" PRId64 " is above maxpoll %" PRId64, *min, *max);
}

bool config_apply_server(struct config_line *line)
{
    enum { PORT, MINPOLL, MAXPOLL, IBURST, PREFER, NTS, NTSPORT, COUNT };
    static const struct config_option options[COUNT] = {
        [PORT] = {.name = "port", .min = 1, .max = 65535},
        [MINPOLL] = {.name = "minpoll", .min = POLL_MIN, .max = POLL_MAX},
        [MAXPOLL] = {.name = "maxpoll", .min = POLL_MIN, .max = POLL_MAX},
        [IBURST] = {.name = "iburst", .kind = CONFIG_OPTION_ALONE},
        [PREFER] = {.name = "prefer", .kind = CONFIG_OPTION_ALONE},
        [NTS] = {.name = "nts", .kind = CONFIG_OPTION_ALONE},
        [NTSPORT] = {.name = "ntsport", .min = 1, .max = 65535},
    };
    int64_t value[CONFIG_OPTIONS_MAX] = {
        [PORT] = NTP_PORT_DEFAULT, [MINPOLL] = POLL_UNSET, [MAXPOLL] = POLL_UNSET};
    struct net_addr addr;
    if (!config_has_words(line, 1, CONFIG_WORDS_MAX)) {
        return false;
    }
    if (net_addr_parse(line->word[0], 0, &addr) != NTS_OK && !config_is_host_name(line->word[0])) {
        return config_fail(line, "'%.60s' is not a host name or an address", line->word[0]);
    }
    if (!config_options_read(line, 1, options, COUNT, value)) {
        return false;
    }
    if (!choose_polls(line, &value[MINPOLL], &value[MAXPOLL])) {
        return false;
    }
    if (value[NTSPORT] != 0 && value[NTS] == 0) {
        return config_fail(line, "ntsport without nts, allowed: both");
    }
    const struct config_source source = {
        .port = (uint16_t)value[PORT],
        .ke_port = value[NTSPORT] != 0 ? (uint16_t)value[NTSPORT] : KE_PORT_DEFAULT,
        .minpoll = (int8_t)value[MINPOLL],
        .maxpoll = (int8_t)value[MAXPOLL],
        .iburst = value[IBURST] != 0,
        .prefer = value[PREFER] != 0,
        .nts = value[NTS] != 0,
    };
    return add_source(line, &source) != NULL;
}

bool config_apply_refclock(struct config_line *line)
{
    enum { POLL, OFFSET, PREFER, COUNT };
    static const struct config_option options[COUNT] = {
        [POLL] = {.name = "poll", .min = PHC_POLL_LEAST, .max = POLL_MAX},
        [OFFSET] = {.name = "offset",
                    .kind = CONFIG_OPTION_SECONDS,
                    .min = -NS_PER_S,
                    .max = NS_PER_S},
        [PREFER] = {.name = "prefer", .kind = CONFIG_OPTION_ALONE},
    };
    int64_t value[CONFIG_OPTIONS_MAX] = {0};
    if (!config_has_words(line, 2, CONFIG_WORDS_MAX)) {
        return false;
    }
    if (strcasecmp(line->word[0], "PHC") != 0) {
        return config_fail(line, "'%.40s' is not a driver, allowed: refclock %s", line->word[0],
                           line->directive->args);
    }
    if (!config_options_read(line, 2, options, COUNT, value)) {
        return false;
    }
    const struct config_source source = {
        .phc = true,
        .minpoll = (int8_t)value[POLL],
        .maxpoll = (int8_t)value[POLL],
        .prefer = value[PREFER] != 0,
        .offset_ns = value[OFFSET],
    };
    return add_source(line, &source) != NULL;
}
