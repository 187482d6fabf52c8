/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directive of certificates that clients have to come with. Core.
 */
#include "ntsd/config_apply.h"

#include <strings.h>

/* FILE [crl FILE] */
bool config_apply_clients(struct config_line *line)
{
    struct config *config = line->config;
    if (!config_has_words(line, 1, 3)) {
        return false;
    }
    if (line->count > 1 && (line->count == 2 || strcasecmp(line->word[1], "crl") != 0)) {
        return config_fail(line, "'%.60s' is unknown or without a file, allowed: %s %s",
                           line->word[1], line->directive->name, line->directive->args);
    }
    config->client_ca = config_keep(line, line->word[0]);
    if (config->client_ca == NULL) {
        return false;
    }
    config->client_crl = line->count > 1 ? config_keep(line, line->word[2]) : NULL;
    return line->count == 1 || config->client_crl != NULL;
}
