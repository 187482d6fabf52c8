/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See config_print.h.
 */
#include "ntsd/config_print.h"

#include "ntsd/config_table.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_WIDTH = 78 };

static bool has_range(const struct config_directive *d)
{
    return d->max > 0;
}

static void print_range(const struct config_directive *d, FILE *out)
{
    if (has_range(d)) {
        fprintf(out, "%" PRId64 " to %" PRId64 "%s%s", d->min, d->max, d->unit == NULL ? "" : " ",
                d->unit == NULL ? "" : d->unit);
    }
}

void config_print_help(FILE *out)
{
    size_t count = 0;
    const struct config_directive *d = config_directives(&count);
    for (size_t i = 0; i < count; i++, d++) {
        fprintf(out, "  %s%s%s\n      default: %s", d->name, d->args == NULL ? "" : " ",
                d->args == NULL ? "" : d->args, d->preset != NULL ? d->preset : d->absent);
        if (has_range(d)) {
            fprintf(out, "; ");
            print_range(d, out);
        }
        fprintf(out, "\n");
    }
}

/* Punctuation of the syntax in mdoc's words; the length of what was printed. */
static size_t print_mark(const char *at, FILE *out)
{
    size_t dots = strspn(at, ".");
    switch (at[0]) {
    case '[':
        fprintf(out, " Oo");
        return 1;
    case ']':
        fprintf(out, " Oc");
        return 1;
    case '|':
        fprintf(out, " |");
        return 1;
    default:
        if (dots > 0) {
            fprintf(out, " No %.*s", (int)dots, at);
        }
        return dots > 0 ? dots : 1;
    }
}

/* Words in capitals are placeholders, brackets are options, the rest is typed as it is. */
static void print_syntax(const struct config_directive *d, FILE *out)
{
    static const char marks[] = " []|.";
    fprintf(out, ".It Ic %s", d->name);
    const char *at = d->args == NULL ? "" : d->args;
    while (*at != '\0') {
        size_t len = strcspn(at, marks);
        if (len == 0) {
            at += print_mark(at, out);
            continue;
        }
        bool placeholder = at[0] >= 'A' && at[0] <= 'Z' && strncmp(at, "PHC", 3) != 0;
        fprintf(out, " %s %.*s", placeholder ? "Ar" : "Cm", (int)len, at);
        at += len;
    }
    fprintf(out, "\n");
}

/* Sentences begin on a new line, as roff wants it, and lines stay short. */
static void print_text(const char *text, FILE *out)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        bool fits = column + len < TEXT_WIDTH;
        fprintf(out, "%s%.*s", column == 0 ? "" : (fits ? " " : "\n"), (int)len, text);
        column = fits ? column + len + 1 : len + 1;
        if (text[len - 1] == '.') {
            fprintf(out, "\n");
            column = 0;
        }
        text += len + strspn(text + len, " ");
    }
}

void config_print_mdoc(FILE *out)
{
    size_t count = 0;
    const struct config_directive *d = config_directives(&count);
    for (size_t i = 0; i < count; i++, d++) {
        print_syntax(d, out);
        print_text(d->help, out);
        fprintf(out, "Default: %s.\n", d->preset != NULL ? d->preset : d->absent);
        if (has_range(d)) {
            fprintf(out, "Range: ");
            print_range(d, out);
            fprintf(out, ".\n");
        }
        if (d->repeatable) {
            fprintf(out, "May be given more than once.\n");
        }
    }
}
