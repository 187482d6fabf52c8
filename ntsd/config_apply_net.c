/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives of addresses, networks and rates. Core.
 *
 * Those whose feature does not exist yet check every word and keep nothing: the parser refuses them
 * afterwards, so that a mistake is reported as what it is.
 */
#include "ntsd/config_apply.h"
#include "ntsd/config_options.h"

#include <string.h>

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

static const struct config_option rate_options[] = {
    {.name = "interval", .needed = true, .min = -19, .max = 12},
    {.name = "burst", .needed = true, .min = 1, .max = 255},
    {.name = "leak", .needed = true, .min = 1, .max = 4},
};

bool config_apply_rate_limit(struct config_line *line)
{
    int64_t value[CONFIG_OPTIONS_MAX] = {0};
    return config_options_read(line, 0, rate_options, 3, value);
}

bool config_apply_nts_rate_limit(struct config_line *line)
{
    int64_t value[CONFIG_OPTIONS_MAX] = {0};
    return config_options_read(line, 0, rate_options, 2, value);
}
