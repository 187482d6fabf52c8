/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing a configuration given as text, for tests.
 */
#ifndef NTSD_TESTS_UNIT_NTSD_CONFIG_TEXT_H
#define NTSD_TESTS_UNIT_NTSD_CONFIG_TEXT_H

#include "ntsd/config.h"

/* What a good configuration has at least. */
#define CONFIG_BASE "ntsservercert c.pem\nntsserverkey c.key\n"

/* The parser's two outputs; static in a test, because they are large. */
struct parsed {
    struct config config;
    struct config_faults faults;
};

static inline enum nts_err parse_bytes(struct parsed *p, const char *text, size_t n)
{
    return config_parse(span_of(text, n), &p->config, &p->faults);
}

static inline enum nts_err parse_text(struct parsed *p, const char *text)
{
    return parse_bytes(p, text, strlen(text));
}

#endif
