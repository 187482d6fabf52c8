/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See keys_options.h.
 */
#include "tools/keys_options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum { SECONDS_DIGITS_MAX = 12 };
#define YEARS_10 INT64_C(315360000)

const char keys_options_usage[] =
    "  ntsctl keys init FILE [--rotate S] [--at TIME]\n"
    "      makes a secret document for a fleet, mode 0600; never replaces one. Its keys seal\n"
    "      cookies for S seconds each (86400)\n"
    "  ntsctl keys show FILE [--json] [--lifetime S]\n"
    "      its epochs, their times and fingerprints, no secret; - is standard input\n"
    "  ntsctl keys add FILE [--in S] [--rotate S] [--again]\n"
    "      adds a new secret that all hosts use S seconds from now on (86400); when one waits\n"
    "      already, nothing is done but with --again\n"
    "  ntsctl keys rotate FILE|--aws ARN [--every S] [--in S] [--lifetime S]\n"
    "      from a timer: adds a new secret when the newest one is S seconds old (2592000), and\n"
    "      forgets what has expired\n"
    "  ntsctl keys prune FILE [--lifetime S]\n"
    "      forgets what has expired for hosts with an ntslifetime of S seconds (691200)\n"
    "  ntsctl keys revoke FILE ID\n"
    "      withdraws an epoch: its cookies are refused at once, and a new secret is added if\n"
    "      none would be left\n";

enum kind { KIND_FLAG, KIND_SECONDS, KIND_ROTATE, KIND_TIME, KIND_TEXT };

struct option {
    const char *name;
    enum kind kind;
    unsigned commands; /* a bit each */
    int64_t min;
    int64_t max;
    size_t offset;
};

#define AT(field)   offsetof(struct keys_options, field)
#define FOR(letter) (1U << (letter))

static const struct option table[] = {
    {"--json", KIND_FLAG, FOR(KEYS_SHOW), 0, 0, AT(json)},
    {"--again", KIND_FLAG, FOR(KEYS_ADD), 0, 0, AT(wish.again)},
    {"--aws", KIND_TEXT, FOR(KEYS_ROTATE), 0, 0, AT(secret)},
    {"--at", KIND_TIME, FOR(KEYS_INIT), 0, KEYDOC_NOT_BEFORE_MAX, AT(at_s)},
    {"--rotate", KIND_ROTATE, FOR(KEYS_INIT) | FOR(KEYS_ADD), KEYDOC_ROTATE_MIN_S,
     KEYDOC_ROTATE_MAX_S, AT(wish.rotate_s)},
    {"--in", KIND_SECONDS, FOR(KEYS_ADD) | FOR(KEYS_ROTATE), 0, YEARS_10, AT(wish.ahead_s)},
    {"--every", KIND_SECONDS, FOR(KEYS_ROTATE), 0, YEARS_10, AT(wish.every_s)},
    {"--lifetime", KIND_SECONDS, FOR(KEYS_SHOW) | FOR(KEYS_PRUNE) | FOR(KEYS_ROTATE),
     KEYDOC_ROTATE_MIN_S, KEYDOC_ROTATE_MAX_S, AT(wish.lifetime_s)},
};

__attribute__((format(printf, 2, 3))) static enum nts_err wrong(struct keys_options_fault *fault,
                                                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return NTS_EFORMAT;
}

const char *keys_command_name(enum keys_command command)
{
    static const char *const names[KEYS_COMMANDS] = {
        [KEYS_INIT] = "init",   [KEYS_ADD] = "add",       [KEYS_SHOW] = "show",
        [KEYS_PRUNE] = "prune", [KEYS_REVOKE] = "revoke", [KEYS_ROTATE] = "rotate",
    };
    return (unsigned)command < KEYS_COMMANDS ? names[command] : "?";
}

/* Decimal digits up to the end; -1: not that. */
static int64_t digits(const char *text)
{
    int64_t value = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < SECONDS_DIGITS_MAX; n++) {
        value = value * 10 + (text[n] - '0');
    }
    return n > 0 && text[n] == '\0' ? value : -1;
}

/* `count` digits at *p, and `*p` behind them; -1: not that. */
static int64_t field(const char **p, unsigned count)
{
    int64_t value = 0;
    for (; count > 0; count--, (*p)++) {
        if (**p < '0' || **p > '9') {
            return -1;
        }
        value = value * 10 + (**p - '0');
    }
    return value;
}

/* A mark and two digits behind it. */
static int64_t marked(const char **p, char mark)
{
    if (**p != mark) {
        return -1;
    }
    (*p)++;
    return field(p, 2);
}

/* Days since 1970 of a date of the Gregorian calendar, by counting leap days up to the March before
 * it; -1 when there is no such day. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    static const int64_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const int64_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    if (year < 1970 || month < 1 || month > 12) {
        return -1;
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > lengths[month - 1] + (leap && month == 2)) {
        return -1;
    }
    int64_t y = year - 1;
    int64_t leaps = y / 4 - y / 100 + y / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    return (year - 1970) * 365 + leaps + before[month - 1] + (leap && month > 2) + day - 1;
}

/* "THH:MM[:SS]Z" or nothing: seconds of the day; -1: not that. */
static int64_t time_of_day(const char *p)
{
    if (*p == '\0') {
        return 0;
    }
    int64_t hours = marked(&p, 'T');
    int64_t minutes = hours >= 0 ? marked(&p, ':') : -1;
    int64_t seconds = minutes >= 0 && *p == ':' ? marked(&p, ':') : 0;
    bool good = minutes >= 0 && seconds >= 0 && hours < 24 && minutes < 60 && seconds < 60;
    return good && strcmp(p, "Z") == 0 ? (hours * 60 + minutes) * 60 + seconds : -1;
}

bool keys_options_time(const char *text, int64_t *time_s)
{
    const char *p = text;
    *time_s = digits(text);
    if (*time_s >= 0) {
        return true;
    }
    int64_t year = field(&p, 4);
    int64_t month = year >= 0 ? marked(&p, '-') : -1;
    int64_t day = month >= 0 ? marked(&p, '-') : -1;
    int64_t days = day >= 0 ? days_of(year, month, day) : -1;
    int64_t seconds = days >= 0 ? time_of_day(p) : -1;
    *time_s = days * 86400 + seconds;
    return seconds >= 0;
}

static enum nts_err set_number(const struct option *option, const char *value,
                               struct keys_options *options, struct keys_options_fault *fault)
{
    int64_t number = digits(value);
    if (number < option->min || number > option->max) {
        return wrong(fault, "%s takes seconds from %" PRId64 " to %" PRId64 ", not '%.32s'",
                     option->name, option->min, option->max, value);
    }
    uint32_t narrow = (uint32_t)number;
    void *to = (uint8_t *)options + option->offset;
    memcpy(to, option->kind == KIND_ROTATE ? (const void *)&narrow : (const void *)&number,
           option->kind == KIND_ROTATE ? sizeof(narrow) : sizeof(number));
    return NTS_OK;
}

static enum nts_err set_time(const struct option *option, const char *value,
                             struct keys_options *options, struct keys_options_fault *fault)
{
    if (!keys_options_time(value, &options->at_s) || options->at_s > option->max) {
        return wrong(fault,
                     "%s takes a time such as 2030-12-31T23:59:00Z, 2030-12-31, or seconds since "
                     "1970, not '%.32s'",
                     option->name, value);
    }
    return NTS_OK;
}

static enum nts_err set(const struct option *option, const char *value,
                        struct keys_options *options, struct keys_options_fault *fault)
{
    switch (option->kind) {
    case KIND_FLAG:
        *(bool *)((uint8_t *)options + option->offset) = true;
        return NTS_OK;
    case KIND_TEXT:
        memcpy((uint8_t *)options + option->offset, (const void *)&value, sizeof(value));
        return NTS_OK;
    case KIND_TIME:
        return set_time(option, value, options, fault);
    case KIND_SECONDS:
    case KIND_ROTATE:
        return set_number(option, value, options, fault);
    }
    return NTS_EINTERNAL;
}

static const struct option *find(const char *arg, size_t len)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strlen(table[i].name) == len && memcmp(table[i].name, arg, len) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

/* argv[*i] is an option; its value is behind '=' or the next argument. */
static enum nts_err parse_option(int argc, char *const argv[], int *i, struct keys_options *options,
                                 struct keys_options_fault *fault)
{
    const char *arg = argv[*i];
    size_t len = strcspn(arg, "=");
    const struct option *option = find(arg, len);
    const char *value = arg[len] == '=' ? arg + len + 1 : NULL;
    if (option == NULL || (option->commands & FOR(options->command)) == 0) {
        return wrong(fault, "%s has no option %.64s", keys_command_name(options->command), arg);
    }
    if (option->kind == KIND_FLAG && value != NULL) {
        return wrong(fault, "%s takes no value", option->name);
    }
    if (option->kind != KIND_FLAG && value == NULL && *i + 1 < argc) {
        value = argv[++*i];
    }
    if (option->kind != KIND_FLAG && (value == NULL || value[0] == '\0')) {
        return wrong(fault, "%s needs a value", option->name);
    }
    return set(option, value, options, fault);
}

static enum nts_err parse_id(const char *text, struct keys_options *options,
                             struct keys_options_fault *fault)
{
    int64_t id = digits(text);
    if (id < 1 || id > UINT8_MAX) {
        return wrong(fault, "an epoch's id is a number from 1 to %d, not '%.32s'", UINT8_MAX, text);
    }
    options->id = (uint8_t)id;
    return NTS_OK;
}

static enum nts_err parse_word(const char *word, struct keys_options *options,
                               struct keys_options_fault *fault)
{
    if (word[0] != '\0' && options->file == NULL) {
        options->file = word;
        return NTS_OK;
    }
    if (options->command == KEYS_REVOKE && options->file != NULL && options->id == 0) {
        return parse_id(word, options, fault);
    }
    return wrong(fault, "%s does not know what to do with \"%.64s\"",
                 keys_command_name(options->command), word);
}

static enum nts_err check(const struct keys_options *options, struct keys_options_fault *fault)
{
    bool file = options->file != NULL;
    if (options->command == KEYS_ROTATE && file == (options->secret != NULL)) {
        return wrong(fault, "rotate needs either a file or --aws with the ARN of a secret");
    }
    if (options->command != KEYS_ROTATE && !file) {
        return wrong(fault, "the file is missing");
    }
    if (options->command == KEYS_REVOKE && options->id == 0) {
        return wrong(fault, "the id of the epoch is missing; ntsctl keys show %.64s lists them",
                     options->file);
    }
    return NTS_OK;
}

static enum nts_err parse_command(const char *word, enum keys_command *command,
                                  struct keys_options_fault *fault)
{
    for (int i = 0; i < KEYS_COMMANDS; i++) {
        if (strcmp(word, keys_command_name((enum keys_command)i)) == 0) {
            *command = (enum keys_command)i;
            return NTS_OK;
        }
    }
    return wrong(fault, "keys has the commands init, add, show, prune, revoke and rotate%s%.32s",
                 word[0] != '\0' ? ", not " : "", word);
}

NODISCARD enum nts_err keys_options_parse(int argc, char *const argv[],
                                          struct keys_options *options,
                                          struct keys_options_fault *fault)
{
    *options = (struct keys_options){.at_s = -1,
                                     .wish = {.ahead_s = KEYEDIT_AHEAD_S,
                                              .every_s = KEYEDIT_EVERY_S,
                                              .lifetime_s = KEYEDIT_LIFETIME_S}};
    TRY(parse_command(argc > 0 ? argv[0] : "", &options->command, fault));
    for (int i = 1; i < argc; i++) {
        bool is_option = argv[i][0] == '-' && argv[i][1] != '\0'; /* a dash is a file's name */
        if (is_option) {
            TRY(parse_option(argc, argv, &i, options, fault));
        } else {
            TRY(parse_word(argv[i], options, fault));
        }
    }
    return check(options, fault);
}
