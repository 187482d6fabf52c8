/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See config_options.h.
 */
#include "ntsd/config_options.h"

#include "common/base/time.h"
#include "ntsd/config_apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FRACTION_DIGITS = 9, WHOLE_DIGITS_MAX = 9 };

bool config_seconds(const char *word, int64_t min_ns, int64_t max_ns, int64_t *ns)
{
    bool negative = min_ns < 0 && word[0] == '-';
    const char *digits = word + (negative ? 1 : 0);
    size_t whole = strspn(digits, "0123456789");
    bool point = digits[whole] == '.';
    size_t fraction = point ? strspn(digits + whole + 1, "0123456789") : 0;
    size_t len = whole + (point ? 1 + fraction : 0);
    if (whole == 0 || whole > WHOLE_DIGITS_MAX || fraction > FRACTION_DIGITS ||
        (point && fraction == 0) || strlen(digits) != len) {
        return false;
    }
    int64_t value = 0;
    for (size_t i = 0; i < whole + FRACTION_DIGITS; i++) {
        size_t at = i < whole ? i : i + 1;
        value = value * 10 + (at < len ? digits[at] - '0' : 0);
    }
    value = negative ? -value : value;
    if (value < min_ns || value > max_ns) {
        return false;
    }
    *ns = value;
    return true;
}

void config_seconds_text(int64_t ns, char text[static CONFIG_SECONDS_TEXT_MAX])
{
    uint64_t size = ns < 0 ? (uint64_t)-ns : (uint64_t)ns;
    int n = snprintf(text, CONFIG_SECONDS_TEXT_MAX, "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "",
                     size / (uint64_t)NS_PER_S, size % (uint64_t)NS_PER_S);
    while (n > 0 && text[n - 1] == '0') {
        n--;
    }
    text[n > 0 && text[n - 1] == '.' ? n - 1 : n] = '\0';
}

static size_t find(const struct config_option *options, size_t count, const char *word)
{
    size_t i = 0;
    while (i < count && strcasecmp(options[i].name, word) != 0) {
        i++;
    }
    return i;
}

static bool read_seconds(struct config_line *line, const struct config_option *option,
                         const char *word, int64_t *value)
{
    char least[CONFIG_SECONDS_TEXT_MAX];
    char most[CONFIG_SECONDS_TEXT_MAX];
    if (config_seconds(word, option->min, option->max, value)) {
        return true;
    }
    config_seconds_text(option->min, least);
    config_seconds_text(option->max, most);
    return config_fail(line, "%s '%.40s' is not one number of seconds from %s to %s", option->name,
                       word, least, most);
}

static bool read_value(struct config_line *line, const struct config_option *option,
                       const char *word, int64_t *value)
{
    if (option->kind == CONFIG_OPTION_SECONDS) {
        return read_seconds(line, option, word, value);
    }
    return config_number(word, option->min, option->max, value) ||
           config_fail(line, "%s '%.40s' is not a whole number from %" PRId64 " to %" PRId64,
                       option->name, word, option->min, option->max);
}

bool config_options_read(struct config_line *line, size_t at, const struct config_option *options,
                         size_t count, int64_t value[static CONFIG_OPTIONS_MAX])
{
    bool seen[CONFIG_OPTIONS_MAX] = {false};
    while (at < line->count) {
        size_t i = find(options, count, line->word[at]);
        if (i == count) {
            return config_fail(line, "'%.40s' is unknown, allowed: %s %s", line->word[at],
                               line->directive->name, line->directive->args);
        }
        if (seen[i]) {
            return config_fail(line, "%s is given twice", options[i].name);
        }
        seen[i] = true;
        at++;
        if (options[i].kind == CONFIG_OPTION_ALONE) {
            value[i] = 1;
            continue;
        }
        if (!read_value(line, &options[i], at < line->count ? line->word[at] : "", &value[i])) {
            return false;
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
