/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of directives, from which parser, defaults, `--help` and manual page are made, and the
 * line under work that a directive's function is given. Core.
 */
#ifndef NTSD_NTSD_CONFIG_TABLE_H
#define NTSD_NTSD_CONFIG_TABLE_H

#include "ntsd/config.h"

struct config_line;

struct config_directive {
    const char *name;
    const char *args;   /* as in the manual: capitals are placeholders, a|b is a choice */
    const char *preset; /* the default, in the directive's own syntax; applied before the file */
    const char *absent; /* what not giving it means, in words, when there is no preset */
    const char *unit;   /* of the number, or NULL */
    const char *help;   /* whole sentences, one blank between words */
    int64_t min;        /* of the number */
    int64_t max;
    size_t offset; /* of the field in struct config that the generic functions set */
    bool repeatable;
    /* Reads line->word[]; false after config_fail(). Sets fields of line->config. */
    bool (*apply)(struct config_line *line);
};

/* One line, split. */
struct config_line {
    const struct config_directive *directive;
    unsigned number;
    size_t count; /* words after the directive */
    const char *word[CONFIG_WORDS_MAX];
    struct config *config;
    struct config_faults *faults;
};

const struct config_directive *config_directives(size_t *count);

/* Adds a fault of this line; what is not printable ASCII is shown as `?`. Returns false. */
bool config_fail(struct config_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same without a line at hand. */
void config_fault_add(struct config_faults *faults, unsigned line_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
