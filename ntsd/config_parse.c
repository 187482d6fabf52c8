/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines and words, and whose they are. See config.h.
 */
#include "ntsd/config_check.h"
#include "ntsd/config_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DIRECTIVES_MAX = 48, NAME_LEN_MAX = 24 };

struct parser {
    const struct config_directive *table;
    size_t count;
    unsigned given[DIRECTIVES_MAX]; /* line of the last appearance; 0: none */
    struct config_line line;
    char text[CONFIG_LINE_MAX + 1]; /* the line under work, cut into words in place */
};

__attribute__((format(printf, 4, 0))) static void add_fault(struct config_faults *faults,
                                                            unsigned number, const char *name,
                                                            const char *format, va_list args)
{
    if (faults->count == CONFIG_FAULTS_MAX) {
        faults->dropped++;
        return;
    }
    struct config_fault *fault = &faults->fault[faults->count++];
    fault->line = number;
    int used =
        snprintf(fault->text, sizeof(fault->text), "%s%s", name, name[0] == '\0' ? "" : ": ");
    size_t at = used > 0 && (size_t)used < sizeof(fault->text) ? (size_t)used : 0;
    (void)vsnprintf(fault->text + at, sizeof(fault->text) - at, format, args);
    for (char *c = fault->text; *c != '\0'; c++) {
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    }
}

bool config_fail(struct config_line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_fault(line->faults, line->number, line->directive->name, format, args);
    va_end(args);
    return false;
}

void config_fault_add(struct config_faults *faults, unsigned line_number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_fault(faults, line_number, "", format, args);
    va_end(args);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein distance of two short lower-case words, for "did you mean". */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_LEN_MAX + 1];
    size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            char c = a[i] >= 'A' && a[i] <= 'Z' ? (char)(a[i] - 'A' + 'a') : a[i];
            size_t replaced = diagonal + (c == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, least(diagonal, row[j]) + 1);
        }
    }
    return row[n];
}

/* The closest directive, or NULL when none is close. */
static const char *suggestion(const struct parser *p, const char *word)
{
    const char *best = NULL;
    size_t best_distance = 3; /* two slips of the finger are a typing mistake, three another word */
    if (strlen(word) > NAME_LEN_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < p->count; i++) {
        size_t d = distance(word, p->table[i].name);
        if (d < best_distance && d * 2 <= strlen(p->table[i].name)) {
            best = p->table[i].name;
            best_distance = d;
        }
    }
    return best;
}

static void parse_directive(struct parser *p, const char *name)
{
    size_t i = 0;
    while (i < p->count && strcasecmp(p->table[i].name, name) != 0) {
        i++;
    }
    if (i == p->count) {
        const char *close = suggestion(p, name);
        config_fault_add(p->line.faults, p->line.number, "%.40s: unknown directive%s%s%s", name,
                         close == NULL ? ", see ntsd --help for those allowed" : ", did you mean '",
                         close == NULL ? "" : close, close == NULL ? "" : "'?");
        return;
    }
    const struct config_directive *d = &p->table[i];
    p->line.directive = d;
    if (p->given[i] != 0 && !d->repeatable) {
        (void)config_fail(&p->line, "already given in line %u, allowed: once", p->given[i]);
        return;
    }
    p->given[i] = p->line.number;
    (void)d->apply(&p->line);
}

/* Cuts p->text into words; false after a fault. The first word goes to `name`. */
static bool split(struct parser *p, char **name)
{
    static const char blanks[] = " \t";
    p->line.count = 0;
    *name = NULL;
    char *at = p->text + strspn(p->text, blanks);
    if (*at != '\0' && strchr("#!;%", *at) != NULL) {
        return true;
    }
    while (*at != '\0' && *at != '#') {
        char *word = at;
        at += strcspn(at, blanks);
        char *next = at + strspn(at, blanks);
        *at = '\0';
        at = next;
        if (*name == NULL) {
            *name = word;
            continue;
        }
        if (p->line.count == CONFIG_WORDS_MAX) {
            config_fault_add(p->line.faults, p->line.number,
                             "more than %d words in one line, allowed: fewer", CONFIG_WORDS_MAX);
            return false;
        }
        p->line.word[p->line.count++] = word;
    }
    return true;
}

/* One line without its end. */
static void parse_line(struct parser *p, struct span text)
{
    char *name = NULL;
    if (text.n > 0 && text.p[text.n - 1] == '\r') {
        text.n--;
    }
    if (text.n > CONFIG_LINE_MAX) {
        config_fault_add(p->line.faults, p->line.number, "line of %zu octets, allowed: up to %d",
                         text.n, CONFIG_LINE_MAX);
        return;
    }
    for (size_t i = 0; i < text.n; i++) {
        if ((text.p[i] < ' ' && text.p[i] != '\t') || text.p[i] == 0x7f) {
            config_fault_add(p->line.faults, p->line.number,
                             "control character 0x%02x in column %zu, allowed: plain text",
                             text.p[i], i + 1);
            return;
        }
    }
    if (text.n > 0) {
        memcpy(p->text, text.p, text.n);
    }
    p->text[text.n] = '\0';
    if (split(p, &name) && name != NULL) {
        parse_directive(p, name);
    }
}

/* Defaults go the way of the file's own lines. */
static void apply_presets(struct parser *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct config_directive *d = &p->table[i];
        if (d->preset != NULL) {
            p->line.directive = d;
            p->line.count = 1;
            p->line.word[0] = d->preset;
            bool applied = d->apply(&p->line);
            assert(applied); /* our own table */
            (void)applied;
        }
    }
}

/* By line, keeping the order within one: the checks of the whole point back into the text. */
static void sort_faults(struct config_faults *faults)
{
    for (size_t i = 1; i < faults->count; i++) {
        struct config_fault moving = faults->fault[i];
        size_t at = i;
        while (at > 0 && faults->fault[at - 1].line > moving.line) {
            faults->fault[at] = faults->fault[at - 1];
            at--;
        }
        faults->fault[at] = moving;
    }
}

NODISCARD enum nts_err config_parse(struct span text, struct config *config,
                                    struct config_faults *faults)
{
    struct parser p = {.line = {.config = config, .faults = faults}};
    p.table = config_directives(&p.count);
    assert(p.count <= DIRECTIVES_MAX);
    memset(config, 0, sizeof(*config));
    memset(faults, 0, sizeof(*faults));
    apply_presets(&p);
    struct rd r = rd_init(text);
    while (r.left > 0) {
        const uint8_t *end = memchr(r.p, '\n', r.left);
        size_t len = end == NULL ? r.left : (size_t)(end - r.p);
        p.line.number++;
        parse_line(&p, rd_span(&r, len));
        rd_skip(&r, end == NULL ? 0 : 1);
    }
    struct config_lines lines = {.last = p.line.number > 0 ? p.line.number : 1, .given = p.given};
    /* Values that did not parse contradict others by accident; those faults come first. */
    if (faults->count == 0) {
        config_complete(config, &lines, faults);
    }
    sort_faults(faults);
    return faults->count == 0 ? NTS_OK : NTS_EFORMAT;
}
