/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic directives, those of files and names, and the helpers of all. Core.
 */
#include "ntsd/config_apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool config_number(const char *word, int64_t min, int64_t max, int64_t *value)
{
    bool negative = min < 0 && word[0] == '-';
    const char *digits = word + (negative ? 1 : 0);
    size_t len = strlen(digits);
    if (len == 0 || len > 18 || strspn(digits, "0123456789") != len) {
        return false;
    }
    int64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        v = v * 10 + (digits[i] - '0');
    }
    v = negative ? -v : v;
    if (v < min || v > max) {
        return false;
    }
    *value = v;
    return true;
}

const char *config_keep(struct config_line *line, const char *text)
{
    struct config *config = line->config;
    size_t len = strlen(text) + 1;
    if (CONFIG_ARENA_LEN - config->arena_used < len) {
        (void)config_fail(line, "all names together are too long, at most %d octets",
                          CONFIG_ARENA_LEN);
        return NULL;
    }
    char *kept = config->arena + config->arena_used;
    memcpy(kept, text, len);
    config->arena_used += len;
    return kept;
}

bool config_has_words(struct config_line *line, size_t min, size_t max)
{
    if (line->count >= min && line->count <= max) {
        return true;
    }
    const struct config_directive *d = line->directive;
    return config_fail(line, "%s, allowed: %s%s%s",
                       line->count < min ? "an argument is missing" : "too many arguments", d->name,
                       d->args == NULL ? "" : " ", d->args == NULL ? "" : d->args);
}

bool config_is_host_name(const char *word)
{
    size_t len = strlen(word);
    size_t label = 0;
    bool numeric = true;
    if (len == 0 || len > 253) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = word[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && (c != '.' || label == 0)) {
            return false;
        }
        label = c == '.' ? 0 : label + 1;
        /* A last label of digits alone is an address that was mistyped, never a name. */
        numeric = c == '.' ? true : numeric && digit;
        if (label > 63) {
            return false;
        }
    }
    return !(numeric && label > 0);
}

static void *field(struct config_line *line)
{
    return (uint8_t *)line->config + line->directive->offset;
}

bool config_apply_number(struct config_line *line)
{
    const struct config_directive *d = line->directive;
    int64_t value = 0;
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (!config_number(line->word[0], d->min, d->max, &value)) {
        return config_fail(line, "'%.40s' is not a whole number from %" PRId64 " to %" PRId64,
                           line->word[0], d->min, d->max);
    }
    *(uint32_t *)field(line) = (uint32_t)value;
    return true;
}

bool config_apply_flag(struct config_line *line)
{
    if (!config_has_words(line, 0, 0)) {
        return false;
    }
    *(bool *)field(line) = true;
    return true;
}

bool config_apply_text(struct config_line *line)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    const char *kept = config_keep(line, line->word[0]);
    if (kept == NULL) {
        return false;
    }
    *(const char **)field(line) = kept;
    return true;
}

bool config_apply_choice(struct config_line *line)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    const char *choice = line->directive->args;
    for (uint32_t index = 0;; index++) {
        size_t len = strcspn(choice, "|");
        if (strlen(line->word[0]) == len && strncasecmp(line->word[0], choice, len) == 0) {
            *(uint32_t *)field(line) = index;
            return true;
        }
        if (choice[len] == '\0') {
            return config_fail(line, "'%.40s' is not one of %s", line->word[0],
                               line->directive->args);
        }
        choice += len + 1;
    }
}

/* The n-th certificate or key file. */
static bool keep_file(struct config_line *line, const char **list, size_t *count)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    if (*count == CONFIG_PAIRS_MAX) {
        return config_fail(line, "too many, at most %d may be given", CONFIG_PAIRS_MAX);
    }
    list[*count] = config_keep(line, line->word[0]);
    if (list[*count] == NULL) {
        return false;
    }
    *count += 1;
    return true;
}

bool config_apply_cert(struct config_line *line)
{
    return keep_file(line, line->config->cert, &line->config->pair_count);
}

bool config_apply_key(struct config_line *line)
{
    return keep_file(line, line->config->key, &line->config->key_count);
}

static bool is_listed(const struct config *config, uint16_t id)
{
    for (size_t i = 0; i < config->aead_count; i++) {
        if (config->aead[i] == id) {
            return true;
        }
    }
    return false;
}

/* "30 15 17": what the build has, for the fault text. */
static void list_aeads(char *text, size_t cap)
{
    size_t count = 0;
    size_t used = 0;
    const struct aead *const *all = aead_all(&count);
    text[0] = '\0';
    for (size_t i = 0; i < count && used < cap; i++) {
        int n = snprintf(text + used, cap - used, "%s%u", i == 0 ? "" : " ", all[i]->id);
        used += n > 0 ? (size_t)n : 0;
    }
}

bool config_apply_aeads(struct config_line *line)
{
    struct config *config = line->config;
    char built[64];
    list_aeads(built, sizeof(built));
    if (!config_has_words(line, 1, AEAD_MAX)) {
        return false;
    }
    for (size_t i = 0; i < line->count; i++) {
        int64_t id = 0;
        bool found = config_number(line->word[i], 0, UINT16_MAX, &id);
        if (!found || aead_find((uint16_t)id) == NULL) {
            return config_fail(line, "'%.40s' is not an AEAD of this build, which has %s",
                               line->word[i], built);
        }
        if (is_listed(config, (uint16_t)id)) {
            return config_fail(line, "%s is given twice", line->word[i]);
        }
        config->aead[config->aead_count++] = (uint16_t)id;
    }
    return true;
}

bool config_apply_user(struct config_line *line)
{
    if (!config_has_words(line, 1, 1)) {
        return false;
    }
    const char *name = line->word[0];
    size_t len = strlen(name);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_.-$";
    if (len > 32 || strspn(name, allowed) != len || name[0] == '-') {
        return config_fail(line, "'%.40s' is not the name of an account", name);
    }
    line->config->user = config_keep(line, name);
    return line->config->user != NULL;
}
