/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keywords behind a directive's first words: in any order, each at most once, alone or with a
 * value. Core.
 */
#ifndef NTSD_NTSD_CONFIG_OPTIONS_H
#define NTSD_NTSD_CONFIG_OPTIONS_H

#include "ntsd/config_table.h"

enum { CONFIG_OPTIONS_MAX = 8 };

enum config_option_kind {
    CONFIG_OPTION_NUMBER,  /* a whole number from min to max */
    CONFIG_OPTION_SECONDS, /* seconds with a fraction; min, max and value in nanoseconds */
    CONFIG_OPTION_ALONE,   /* no value; 1 when given */
};

struct config_option {
    const char *name;
    enum config_option_kind kind;
    bool needed;
    int64_t min;
    int64_t max;
};

/* Reads the words from `at` on; `value` of an option that is not given stays as it is. False after
 * a fault. */
bool config_options_read(struct config_line *line, size_t at, const struct config_option *options,
                         size_t count, int64_t value[static CONFIG_OPTIONS_MAX]);

/* Seconds as a decimal fraction, up to nine digits behind the point, in nanoseconds; a sign only
 * where min is negative. */
bool config_seconds(const char *word, int64_t min_ns, int64_t max_ns, int64_t *ns);

/* "0.05", "-1", "0.000001": for the text of a fault. */
enum { CONFIG_SECONDS_TEXT_MAX = 32 };
void config_seconds_text(int64_t ns, char text[static CONFIG_SECONDS_TEXT_MAX]);

#endif
