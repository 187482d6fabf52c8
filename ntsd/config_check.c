/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directives taken together. See config_check.h.
 */
#include "ntsd/config_check.h"

#include "common/keys/keyring.h"

#include <string.h>
#include <strings.h>

/* The line of a directive, 0 when it was not given. */
static unsigned given(const struct config_lines *lines, const char *name)
{
    size_t count = 0;
    const struct config_directive *d = config_directives(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(d[i].name, name) == 0) {
            return lines->given[i];
        }
    }
    return 0;
}

/* Where to point: the first of the two that was given, or the end of the text. */
static unsigned line_of(const struct config_lines *lines, const char *name, const char *other)
{
    unsigned line = given(lines, name);
    line = line == 0 ? given(lines, other) : line;
    return line == 0 ? lines->last : line;
}

static void check_services(const struct config *config, const struct config_lines *lines,
                           struct config_faults *faults)
{
    if (config->ntp_port == 0 && config->ke_port == 0) {
        config_fault_add(faults, line_of(lines, "ntsport", "port"),
                         "ntsport: nothing to do with port 0 and ntsport 0, allowed: one of them");
    }
}

static void check_pairs(const struct config *config, const struct config_lines *lines,
                        struct config_faults *faults)
{
    size_t certs = config->pair_count;
    size_t keys = config->key_count;
    if (certs != keys) {
        const char *name = certs > keys ? "ntsservercert" : "ntsserverkey";
        config_fault_add(faults, line_of(lines, name, name),
                         "%s: %zu certificates and %zu keys, allowed: as many ntsserverkey lines "
                         "as ntsservercert lines, in the same order",
                         name, certs, keys);
        return;
    }
    if (config->ke_port != 0 && certs == 0) {
        config_fault_add(faults, line_of(lines, "ntsport", "ntsport"),
                         "ntsport: %u needs a certificate, allowed: ntsservercert FILE and "
                         "ntsserverkey FILE, or ntsport 0",
                         config->ke_port);
    }
}

/* A fleet's document has its own rotations, and comes later. */
static void check_lifetime(const struct config *config, const struct config_lines *lines,
                           struct config_faults *faults)
{
    uint64_t most = (uint64_t)config->rotate_s * CONFIG_PAST_KEYS_MAX;
    if (config->keys == CONFIG_KEYS_AUTO && config->rotate_s > 0 &&
        !keyring_fits(config->rotate_s, config->lifetime_s)) {
        config_fault_add(faults, line_of(lines, "ntslifetime", "ntsrotate"),
                         "ntslifetime: %u is more than %d times ntsrotate (%u), allowed: up to "
                         "%llu",
                         config->lifetime_s, CONFIG_PAST_KEYS_MAX, config->rotate_s,
                         (unsigned long long)most);
    }
}

/* One server under two addresses (and a name that stands for others of the same kind). */
static bool is_amazon_link_local(const struct config_source *source)
{
    static const char *const addresses[] = {"169.254.169.123", "fd00:ec2::123"};
    struct net_addr addr;
    struct net_addr known;
    if (source->phc || net_addr_parse(source->name, 0, &addr) != NTS_OK) {
        return false;
    }
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        bool parsed = net_addr_parse(addresses[i], 0, &known) == NTS_OK;
        if (parsed && known.sa.sa_family == addr.sa.sa_family &&
            memcmp(&known, &addr, net_addr_len(&addr)) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_smeared(const struct config *config, const struct config_source *source)
{
    if (source->phc) {
        return false; /* it counts on, whatever the year brings */
    }
    switch (config->smeared) {
    case CONFIG_SMEARED_YES:
        return true;
    case CONFIG_SMEARED_NO:
        return false;
    case CONFIG_SMEARED_BY_NAME:
        break;
    }
    return is_amazon_link_local(source) || strcasecmp(source->name, "time.aws.com") == 0 ||
           strcasecmp(source->name, "time.aws.com.") == 0;
}

/* While a leap second is smeared, sources of both kinds are up to half a second apart. */
static void check_smearing(struct config *config, struct config_faults *faults)
{
    for (size_t i = 0; i < config->source_count; i++) {
        struct config_source *source = &config->source[i];
        const struct config_source *first = &config->source[0];
        source->smeared = is_smeared(config, source);
        if (source->smeared != first->smeared) {
            config_fault_add(faults, source->line,
                             "%s: %.50s %s leap seconds and %.50s (line %u) %s, allowed: sources "
                             "of one kind, see leapsmeared",
                             source->phc ? "refclock" : "server", source->name,
                             source->smeared ? "smears" : "does not smear", first->name,
                             first->line, first->smeared ? "does" : "does not");
            return;
        }
    }
}

/* Between two answers the bound on the error grows by 50 ppm (docs/clock.md). */
static bool is_lost_between(int poll, int64_t max_error_ns)
{
    const int64_t growth_ns = 50000; /* each second */
    return poll >= 0 && growth_ns << poll >= max_error_ns;
}

static void check_polls(const struct config *config, struct config_faults *faults)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->source[i];
        int allowed = (int)source->maxpoll;
        while (is_lost_between(allowed, config->max_error_ns)) {
            allowed--;
        }
        if (allowed < source->maxpoll) {
            config_fault_add(faults, source->line,
                             "%s: asked every 2^%d s the clock is lost between two answers, "
                             "allowed: %s up to %d, or a larger maxclockerror",
                             source->phc ? "refclock" : "server", source->maxpoll,
                             source->phc ? "poll" : "maxpoll", allowed);
        }
    }
}

static void check_sources(struct config *config, const struct config_lines *lines,
                          struct config_faults *faults)
{
    const struct config_source *amazon = NULL;
    bool server = false;
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->source[i];
        server = server || !source->phc;
        if (amazon != NULL && is_amazon_link_local(source)) {
            config_fault_add(faults, source->line,
                             "server: %.50s is the same server as %.50s (line %u), allowed: one of "
                             "them",
                             source->name, amazon->name, amazon->line);
        }
        amazon = is_amazon_link_local(source) ? source : amazon;
    }
    if (config->source_count > 0 && config->clock_system) {
        config_fault_add(faults, line_of(lines, "clock", "clock"),
                         "clock: system beside a server or refclock, allowed: one or the other");
    }
    if (config->smeared != CONFIG_SMEARED_BY_NAME && !server) {
        config_fault_add(faults, line_of(lines, "leapsmeared", "leapsmeared"),
                         "leapsmeared: there is no server it could be about, allowed: with a "
                         "server");
    }
    check_smearing(config, faults);
    check_polls(config, faults);
}

static void seal_access(struct config_access *access)
{
    acl_seal(&access->rules, &access->acl);
    acl_seal(&access->proxy_rules, &access->proxies);
}

void config_complete(struct config *config, const struct config_lines *lines,
                     struct config_faults *faults)
{
    check_services(config, lines, faults);
    check_pairs(config, lines, faults);
    check_lifetime(config, lines, faults);
    check_sources(config, lines, faults);
    seal_access(&config->access);
    if (config->aead_count == 0) {
        size_t count = 0;
        const struct aead *const *all = aead_all(&count);
        for (size_t i = 0; i < count && i < AEAD_MAX; i++) {
            config->aead[config->aead_count++] = all[i]->id;
        }
    }
    /* An explicit `local` alone means: do not even look at what the kernel says. */
    if (config->local_stratum == 0 && config->source_count == 0) {
        config->clock_system = true;
    }
}
