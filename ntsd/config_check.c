/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directives taken together. See config_check.h.
 */
#include "ntsd/config_check.h"

#include "common/keys/keyring.h"

#include <string.h>

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

static void check_lifetime(const struct config *config, const struct config_lines *lines,
                           struct config_faults *faults)
{
    uint64_t most = (uint64_t)config->rotate_s * CONFIG_PAST_KEYS_MAX;
    if (config->rotate_s > 0 && !keyring_fits(config->rotate_s, config->lifetime_s)) {
        config_fault_add(faults, line_of(lines, "ntslifetime", "ntsrotate"),
                         "ntslifetime: %u is more than %d times ntsrotate (%u), allowed: up to "
                         "%llu",
                         config->lifetime_s, CONFIG_PAST_KEYS_MAX, config->rotate_s,
                         (unsigned long long)most);
    }
}

void config_complete(struct config *config, const struct config_lines *lines,
                     struct config_faults *faults)
{
    check_services(config, lines, faults);
    check_pairs(config, lines, faults);
    check_lifetime(config, lines, faults);
    if (config->aead_count == 0) {
        size_t count = 0;
        const struct aead *const *all = aead_all(&count);
        for (size_t i = 0; i < count && i < AEAD_MAX; i++) {
            config->aead[config->aead_count++] = all[i]->id;
        }
    }
    /* An explicit `local` alone means: do not even look at what the kernel says. */
    if (config->local_stratum == 0) {
        config->clock_system = true;
    }
}
