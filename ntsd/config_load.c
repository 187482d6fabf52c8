/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See config_load.h.
 */
#include "ntsd/config_load.h"

#include "common/base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void tell_unread(const char *path, enum nts_err err, FILE *errors)
{
    switch (err) {
    case NTS_ENOTFOUND:
        fprintf(errors, "%s: does not exist, give the file with -c FILE\n", path);
        return;
    case NTS_ELIMIT:
        fprintf(errors, "%s: too long, at most %d octets\n", path, CONFIG_FILE_MAX);
        return;
    case NTS_EFORMAT:
        fprintf(errors, "%s: not a regular file\n", path);
        return;
    case NTS_OK:
    case NTS_ESHORT:
    case NTS_EAUTH:
    case NTS_ESPACE:
    case NTS_ESYSTEM:
    case NTS_EINTERNAL:
        fprintf(errors, "%s: cannot be read: %s\n", path, strerror(errno));
        return;
    }
}

static void tell_faults(const char *path, const struct config_faults *faults, FILE *errors)
{
    for (size_t i = 0; i < faults->count; i++) {
        fprintf(errors, "%s:%u: %s\n", path, faults->fault[i].line, faults->fault[i].text);
    }
    if (faults->dropped > 0) {
        fprintf(errors, "%s: %zu more\n", path, faults->dropped);
    }
}

struct config *config_load(const char *path, FILE *errors)
{
    struct config_faults faults = {0};
    size_t n = 0;
    uint8_t *text = malloc(CONFIG_FILE_MAX);
    struct config *config = malloc(sizeof(*config));
    bool good = false;
    if (text == NULL || config == NULL) {
        fprintf(errors, "%s: out of memory\n", path);
        goto out;
    }
    enum nts_err err = file_read(path, text, CONFIG_FILE_MAX, &n);
    if (err != NTS_OK) {
        tell_unread(path, err, errors);
        goto out;
    }
    good = config_parse(span_of(text, n), config, &faults) == NTS_OK;
    config->credentials = getenv("CREDENTIALS_DIRECTORY"); /* systemd.exec(5) */
    config->ca_bundle = getenv("AWS_CA_BUNDLE");
    tell_faults(path, &faults, errors);
out:
    free(text);
    if (!good) {
        config_free(config);
        return NULL;
    }
    return config;
}

void config_free(struct config *config)
{
    free(config);
}
