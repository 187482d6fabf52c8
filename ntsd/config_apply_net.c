/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives of addresses, networks and rates. Core.
 */
#include "ntsd/config_apply.h"
#include "ntsd/config_options.h"

#include <string.h>
#include <strings.h>

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

/* One word that is a network, or none, which means everyone: NULL in `*prefix`. */
static bool read_network(struct config_line *line, struct net_prefix *storage,
                         const struct net_prefix **prefix)
{
    *prefix = NULL;
    if (line->count == 0) {
        return true;
    }
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (net_prefix_parse(line->word[0], storage) != NTS_OK) {
        return config_fail(line, "'%.60s' is not ADDR or ADDR/BITS, such as 192.0.2.0/24",
                           line->word[0]);
    }
    *prefix = storage;
    return true;
}

static bool too_many_rules(struct config_line *line)
{
    return config_fail(line, "too many, at most %d networks may be given", ACL_RULES_MAX);
}

/* `allow`, `allow CIDR`; with `all` before the network, rules for parts of it are forgotten. */
static bool apply_rule(struct config_line *line, bool allow)
{
    struct acl_rules *rules = &line->config->access.rules;
    struct net_prefix storage;
    const struct net_prefix *prefix = NULL;
    bool all = line->count > 0 && strcasecmp(line->word[0], "all") == 0;
    struct config_line rest = *line;
    if (all) {
        rest.count = line->count - 1;
        rest.word[0] = line->word[1];
    }
    if (!read_network(&rest, &storage, &prefix)) {
        return false;
    }
    line->config->access.has_acl = true;
    enum nts_err err = all ? acl_override(rules, prefix, allow) : acl_add(rules, prefix, allow);
    return err == NTS_OK || too_many_rules(line);
}

bool config_apply_allow(struct config_line *line)
{
    return apply_rule(line, true);
}

bool config_apply_deny(struct config_line *line)
{
    return apply_rule(line, false);
}

bool config_apply_proxy(struct config_line *line)
{
    struct config_access *access = &line->config->access;
    struct net_prefix storage;
    const struct net_prefix *prefix = NULL;
    if (!config_has_words(line, 1, 1) || !read_network(line, &storage, &prefix)) {
        return false;
    }
    access->has_proxies = true;
    return acl_add(&access->proxy_rules, prefix, true) == NTS_OK || too_many_rules(line);
}

static const struct config_option rate_options[] = {
    {.name = "interval", .min = RATELIMIT_INTERVAL_MIN, .max = RATELIMIT_INTERVAL_MAX},
    {.name = "burst", .min = 1, .max = RATELIMIT_BURST_MAX},
    {.name = "ipv4", .min = 1, .max = NET_PREFIX_V4_BITS},
    {.name = "ipv6", .min = 1, .max = NET_PREFIX_V6_BITS},
    {.name = "leak", .min = 1, .max = RATELIMIT_LEAK_MAX},
};
enum { RATE_INTERVAL, RATE_BURST, RATE_IPV4, RATE_IPV6, RATE_LEAK, RATE_OPTIONS };

/* All options have chrony's defaults; `limit` comes with those for interval and leak. */
static bool apply_rate(struct config_line *line, size_t options, struct ratelimit_options *limit)
{
    int64_t value[CONFIG_OPTIONS_MAX] = {[RATE_INTERVAL] = limit->interval,
                                         [RATE_BURST] = RATELIMIT_BURST,
                                         [RATE_IPV4] = RATELIMIT_V4_BITS,
                                         [RATE_IPV6] = RATELIMIT_V6_BITS,
                                         [RATE_LEAK] = limit->leak};
    if (!config_options_read(line, 0, rate_options, options, value)) {
        return false;
    }
    *limit = (struct ratelimit_options){.interval = (int)value[RATE_INTERVAL],
                                        .burst = (unsigned)value[RATE_BURST],
                                        .leak = (unsigned)value[RATE_LEAK],
                                        .v4_bits = (unsigned)value[RATE_IPV4],
                                        .v6_bits = (unsigned)value[RATE_IPV6]};
    return true;
}

bool config_apply_rate_limit(struct config_line *line)
{
    struct config_access *access = &line->config->access;
    access->has_ntp_limit = true;
    access->ntp_limit.interval = RATELIMIT_INTERVAL;
    access->ntp_limit.leak = RATELIMIT_LEAK;
    return apply_rate(line, RATE_OPTIONS, &access->ntp_limit);
}

/* A TCP connection's source is not forged, so nothing has to leak. */
bool config_apply_nts_rate_limit(struct config_line *line)
{
    enum { NTS_INTERVAL = 6 };
    struct config_access *access = &line->config->access;
    access->has_ke_limit = true;
    access->ke_limit.interval = NTS_INTERVAL;
    access->ke_limit.leak = 0;
    return apply_rate(line, RATE_LEAK, &access->ke_limit);
}

bool config_apply_connections(struct config_line *line)
{
    enum { CONNECTIONS_MAX = 100000 };
    static const struct config_option options[] = {
        {.name = "peraddress", .min = 1, .max = CONNECTIONS_MAX},
        {.name = "pernetwork", .min = 1, .max = CONNECTIONS_MAX},
    };
    int64_t value[CONFIG_OPTIONS_MAX] = {0};
    int64_t count = 0;
    if (!config_has_words(line, 1, 5)) {
        return false;
    }
    if (!config_number(line->word[0], 1, CONNECTIONS_MAX, &count)) {
        return config_fail(line, "'%.40s' is out of range, allowed: 1 to %d", line->word[0],
                           CONNECTIONS_MAX);
    }
    if (!config_options_read(line, 1, options, 2, value)) {
        return false;
    }
    line->config->ke_connections_max = (uint32_t)count;
    line->config->access.ke_address_max = (uint32_t)value[0];
    line->config->access.ke_network_max = (uint32_t)value[1];
    return true;
}
