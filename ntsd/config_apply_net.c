/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives of addresses, networks, rates and time sources. Core.
 *
 * Those whose feature does not exist yet check every word and keep nothing: the parser refuses them
 * afterwards, so that a mistake is reported as what it is.
 */
#include "ntsd/config_apply.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { OPTIONS_MAX = 8 };

/* A keyword with a number after it, or alone (`alone`). */
struct option {
    const char *name;
    bool alone;
    bool needed;
    int64_t min;
    int64_t max;
};

static bool same_address(const struct net_addr *a, const struct net_addr *b)
{
    return a->sa.sa_family == b->sa.sa_family && memcmp(a, b, net_addr_len(a)) == 0;
}

bool config_apply_bind(struct config_line *line)
{
    struct config *config = line->config;
    struct net_addr addr = {0};
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (net_addr_parse(line->word[0], 0, &addr) != NTS_OK) {
        return config_fail(line, "'%.60s' is not an IPv4 or IPv6 address", line->word[0]);
    }
    if (config->address_count == CONFIG_ADDRESSES_MAX) {
        return config_fail(line, "too many, at most %d may be given", CONFIG_ADDRESSES_MAX);
    }
    for (size_t i = 0; i < config->address_count; i++) {
        if (same_address(&config->address[i], &addr)) {
            return config_fail(line, "%s is given twice", line->word[0]);
        }
    }
    config->address[config->address_count++] = addr;
    return true;
}

/* RFC 8915 §4.1.7: an address without a zone, or a fully qualified name. */
bool config_apply_ntp_server(struct config_line *line)
{
    struct net_addr addr;
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    const char *word = line->word[0];
    bool address = strpbrk(word, "[]%") == NULL && net_addr_parse(word, 0, &addr) == NTS_OK;
    if (!address && !config_is_host_name(word)) {
        return config_fail(line, "'%.60s' is not a host name or an address", word);
    }
    line->config->ntp_server = config_keep(line, word);
    return line->config->ntp_server != NULL;
}

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

bool config_apply_http(struct config_line *line)
{
    struct config *config = line->config;
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (net_addr_port_parse(line->word[0], &config->http) != NTS_OK ||
        net_addr_port(&config->http) == 0) {
        return config_fail(line, "'%.60s' is not ADDR:PORT, such as 127.0.0.1:9460 or [::1]:9460",
                           line->word[0]);
    }
    config->has_http = true;
    return true;
}

static bool is_network(const char *word)
{
    char text[NET_ADDR_TEXT_MAX];
    struct net_addr addr;
    size_t len = strcspn(word, "/");
    int64_t bits = 0;
    if (len >= sizeof(text)) {
        return false;
    }
    memcpy(text, word, len);
    text[len] = '\0';
    if (strpbrk(text, "[]%") != NULL || net_addr_parse(text, 0, &addr) != NTS_OK) {
        return false;
    }
    int64_t bits_max = addr.sa.sa_family == AF_INET ? 32 : 128;
    return word[len] == '\0' || config_number(word + len + 1, 0, bits_max, &bits);
}

bool config_apply_network(struct config_line *line)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (!is_network(line->word[0])) {
        return config_fail(line, "'%.60s' is not ADDR or ADDR/BITS, such as 192.0.2.0/24",
                           line->word[0]);
    }
    return true;
}

bool config_apply_access(struct config_line *line)
{
    return line->count == 0 || config_apply_network(line);
}

static size_t find_option(const struct option *options, size_t count, const char *word)
{
    size_t i = 0;
    while (i < count && strcasecmp(options[i].name, word) != 0) {
        i++;
    }
    return i;
}

/* The words from `at` on: options in any order, each at most once, the needed ones all. */
static bool check_options(struct config_line *line, size_t at, const struct option *options,
                          size_t count, int64_t value[static OPTIONS_MAX])
{
    bool seen[OPTIONS_MAX] = {false};
    while (at < line->count) {
        size_t i = find_option(options, count, line->word[at]);
        if (i == count) {
            return config_fail(line, "'%.40s' is unknown, allowed: %s %s", line->word[at],
                               line->directive->name, line->directive->args);
        }
        if (seen[i]) {
            return config_fail(line, "%s is given twice", options[i].name);
        }
        seen[i] = true;
        at++;
        if (options[i].alone) {
            continue;
        }
        const char *word = at < line->count ? line->word[at] : "";
        if (!config_number(word, options[i].min, options[i].max, &value[i])) {
            return config_fail(line,
                               "%s '%.40s' is not a whole number from %" PRId64 " to %" PRId64,
                               options[i].name, word, options[i].min, options[i].max);
        }
        at++;
    }
    for (size_t i = 0; i < count; i++) {
        if (options[i].needed && !seen[i]) {
            return config_fail(line, "%s is missing, allowed: %s %s", options[i].name,
                               line->directive->name, line->directive->args);
        }
    }
    return true;
}

static const struct option rate_options[] = {
    {.name = "interval", .needed = true, .min = -19, .max = 12},
    {.name = "burst", .needed = true, .min = 1, .max = 255},
    {.name = "leak", .needed = true, .min = 1, .max = 4},
};

bool config_apply_rate_limit(struct config_line *line)
{
    int64_t value[OPTIONS_MAX] = {0};
    return check_options(line, 0, rate_options, 3, value);
}

bool config_apply_nts_rate_limit(struct config_line *line)
{
    int64_t value[OPTIONS_MAX] = {0};
    return check_options(line, 0, rate_options, 2, value);
}

bool config_apply_server(struct config_line *line)
{
    enum { PORT, MINPOLL, MAXPOLL, IBURST, PREFER, NTS, COUNT };
    static const struct option options[COUNT] = {
        [PORT] = {.name = "port", .min = 1, .max = 65535},
        [MINPOLL] = {.name = "minpoll", .min = -7, .max = 24},
        [MAXPOLL] = {.name = "maxpoll", .min = -7, .max = 24},
        [IBURST] = {.name = "iburst", .alone = true},
        [PREFER] = {.name = "prefer", .alone = true},
        [NTS] = {.name = "nts", .alone = true},
    };
    int64_t value[OPTIONS_MAX] = {[MINPOLL] = -7, [MAXPOLL] = 24}; /* what is not given fits */
    struct net_addr addr;
    if (!config_has_words(line, 1, CONFIG_WORDS_MAX)) {
        return false;
    }
    if (net_addr_parse(line->word[0], 0, &addr) != NTS_OK && !config_is_host_name(line->word[0])) {
        return config_fail(line, "'%.60s' is not a host name or an address", line->word[0]);
    }
    if (!check_options(line, 1, options, COUNT, value)) {
        return false;
    }
    if (value[MINPOLL] > value[MAXPOLL]) {
        return config_fail(line, "minpoll %" PRId64 " is above maxpoll %" PRId64, value[MINPOLL],
                           value[MAXPOLL]);
    }
    return true;
}

/* Seconds from -1 to 1 as a decimal fraction. */
static bool is_offset(const char *word)
{
    const char *digits = word + (word[0] == '-' ? 1 : 0);
    size_t whole = strspn(digits, "0123456789");
    size_t fraction = digits[whole] == '.' ? strspn(digits + whole + 1, "0123456789") : 0;
    bool point = digits[whole] == '.';
    size_t len = whole + (point ? 1 + fraction : 0);
    bool zero = digits[0] == '0';
    bool one = digits[0] == '1' && strspn(digits + whole + (point ? 1 : 0), "0") == fraction;
    return whole == 1 && (!point || fraction > 0) && fraction <= 9 && strlen(digits) == len &&
           (zero || one);
}

bool config_apply_refclock(struct config_line *line)
{
    static const struct option options[] = {{.name = "poll", .min = -7, .max = 24}};
    int64_t value[OPTIONS_MAX] = {0};
    if (!config_has_words(line, 2, CONFIG_WORDS_MAX)) {
        return false;
    }
    if (strcasecmp(line->word[0], "PHC") != 0) {
        return config_fail(line, "'%.40s' is not a driver, allowed: refclock %s", line->word[0],
                           line->directive->args);
    }
    /* `offset` takes a fraction; what is left of the line goes the way of all options. */
    struct config_line rest = *line;
    rest.count = 2;
    bool seen = false;
    for (size_t i = 2; i < line->count; i++) {
        if (strcasecmp(line->word[i], "offset") != 0) {
            rest.word[rest.count++] = line->word[i];
            continue;
        }
        const char *word = i + 1 < line->count ? line->word[i + 1] : "";
        if (seen || !is_offset(word)) {
            return config_fail(line, "offset '%.40s' is not one number of seconds from -1 to 1",
                               word);
        }
        seen = true;
        i++;
    }
    return check_options(&rest, 2, options, 1, value);
}
