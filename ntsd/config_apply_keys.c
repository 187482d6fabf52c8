/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directive that says where the master secret comes from. Core.
 *
 *   ntskeys auto
 *   ntskeys [cache] file PATH                      ntskeys file PATH [cache]
 *   ntskeys [cache] aws-secretsmanager ARN [agent] ntskeys aws-secretsmanager ARN [agent] [cache]
 *   ntskeys [cache] command CMD [ARG]...
 *
 * All words behind `command` are the command's, so for that one `cache` can only stand in front.
 */
#include "ntsd/config_apply.h"

#include <string.h>
#include <strings.h>

enum {
    ARN_PARTS = 7, /* arn, partition, service, region, account, kind, name */
    ARN_MAX = 700, /* with a name of 512 octets */
    ACCOUNT_LEN = 12,
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/* What each part consists of; a literal when it has no `allowed`. */
static const struct {
    const char *literal;
    const char *allowed;
} arn_parts[ARN_PARTS] = {
    {.literal = "arn"},
    {.allowed = LOWER DIGIT "-"},
    {.literal = "secretsmanager"},
    {.allowed = LOWER DIGIT "-"},
    {.allowed = DIGIT},
    {.literal = "secret"},
    {.allowed = LOWER UPPER DIGIT "/_+=.@-"}, /* so no colon */
};

static bool is_part(const char *text, size_t len, int part)
{
    if (arn_parts[part].literal != NULL) {
        return len == strlen(arn_parts[part].literal) &&
               strncmp(text, arn_parts[part].literal, len) == 0;
    }
    bool all_allowed = strspn(text, arn_parts[part].allowed) >= len;
    return len > 0 && all_allowed && (part != 4 || len == ACCOUNT_LEN);
}

static bool is_arn(const char *text)
{
    if (strlen(text) > ARN_MAX) {
        return false;
    }
    for (int part = 0; part < ARN_PARTS; part++) {
        bool last = part == ARN_PARTS - 1;
        size_t len = last ? strlen(text) : strcspn(text, ":");
        if (!is_part(text, len, part) || (!last && text[len] != ':')) {
            return false;
        }
        text += len + (last ? 0 : 1);
    }
    return true;
}

/* The words that are left to read. */
struct words {
    struct config_line *line;
    size_t at;
};

static const char *next(struct words *words)
{
    return words->at < words->line->count ? words->line->word[words->at++] : NULL;
}

static bool is(const char *word, const char *name)
{
    return word != NULL && strcasecmp(word, name) == 0;
}

static bool fail_missing(struct config_line *line)
{
    return config_has_words(line, line->count + 1, CONFIG_WORDS_MAX);
}

/* What may follow the source, each of it once. */
static bool apply_options(struct words *words, bool aws)
{
    struct config *config = words->line->config;
    for (const char *word = next(words); word != NULL; word = next(words)) {
        bool agent = aws && is(word, "agent");
        if (!agent && !is(word, "cache")) {
            return config_fail(words->line, "'%.40s' is not one of %s", word,
                               aws ? "agent, cache" : "cache");
        }
        if (agent ? config->keys == CONFIG_KEYS_AWS_AGENT : config->keys_cache) {
            return config_fail(words->line, "%s is given twice", agent ? "agent" : "cache");
        }
        config->keys = agent ? CONFIG_KEYS_AWS_AGENT : config->keys;
        config->keys_cache = config->keys_cache || !agent;
    }
    return true;
}

static bool apply_source(struct words *words, bool aws)
{
    struct config *config = words->line->config;
    const char *source = next(words);
    if (source == NULL) {
        return fail_missing(words->line);
    }
    if (aws && !is_arn(source)) {
        return config_fail(words->line,
                           "'%.80s' is not the ARN of a secret, "
                           "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME",
                           source);
    }
    config->keys = aws ? CONFIG_KEYS_AWS : CONFIG_KEYS_FILE;
    config->keys_source = config_keep(words->line, source);
    return config->keys_source != NULL && apply_options(words, aws);
}

static bool apply_command(struct words *words)
{
    struct config *config = words->line->config;
    size_t count = 0;
    config->keys = CONFIG_KEYS_COMMAND;
    for (const char *word = next(words); word != NULL; word = next(words)) {
        /* There is room: `command` itself is one of the words that a line can have. */
        config->keys_argv[count] = config_keep(words->line, word);
        if (config->keys_argv[count++] == NULL) {
            return false;
        }
    }
    config->keys_argv[count] = NULL;
    return count > 0 || fail_missing(words->line);
}

bool config_apply_keys(struct config_line *line)
{
    struct words words = {.line = line};
    const char *provider = next(&words);
    if (is(provider, "cache")) {
        line->config->keys_cache = true;
        provider = next(&words);
    }
    if (provider == NULL) {
        return fail_missing(line);
    }
    if (is(provider, "auto")) {
        line->config->keys = CONFIG_KEYS_AUTO;
        return line->config->keys_cache
                   ? config_fail(line, "auto has no store that could fail, allowed: cache with the "
                                       "other providers")
                   : config_has_words(line, 1, 1);
    }
    if (is(provider, "file") || is(provider, "aws-secretsmanager")) {
        return apply_source(&words, !is(provider, "file"));
    }
    if (is(provider, "command")) {
        return apply_command(&words);
    }
    return config_fail(line, "'%.40s' is not one of auto, file, aws-secretsmanager, command",
                       provider);
}
