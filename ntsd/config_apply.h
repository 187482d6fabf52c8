/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the directives do with their words. The generic ones set the field at the directive's
 * offset; the others know their field. All return false after config_fail(). Core.
 */
#ifndef NTSD_NTSD_CONFIG_APPLY_H
#define NTSD_NTSD_CONFIG_APPLY_H

#include "ntsd/config_table.h"

bool config_apply_number(struct config_line *line); /* one number min..max, into a uint32_t */
bool config_apply_flag(struct config_line *line);   /* no word, into a bool */
bool config_apply_text(struct config_line *line);   /* one word, into a const char * */
bool config_apply_choice(struct config_line *line); /* one of args a|b|c, its index: uint32_t */

bool config_apply_bind(struct config_line *line);
bool config_apply_cert(struct config_line *line);
bool config_apply_key(struct config_line *line);
bool config_apply_ntp_server(struct config_line *line);
bool config_apply_aeads(struct config_line *line);
bool config_apply_keys(struct config_line *line);
bool config_apply_clock(struct config_line *line);
bool config_apply_local(struct config_line *line);
bool config_apply_http(struct config_line *line);
bool config_apply_user(struct config_line *line);

bool config_apply_server(struct config_line *line);
bool config_apply_refclock(struct config_line *line);
bool config_apply_smeared(struct config_line *line);
bool config_apply_max_error(struct config_line *line);
bool config_apply_rate_limit(struct config_line *line);
bool config_apply_nts_rate_limit(struct config_line *line);
bool config_apply_connections(struct config_line *line);
bool config_apply_allow(struct config_line *line);
bool config_apply_deny(struct config_line *line);
bool config_apply_clients(struct config_line *line);
bool config_apply_proxy(struct config_line *line);

/* Helpers of the above. */

/* A whole decimal number: `-` only where min is negative, no `+`, no blanks, no other base. */
bool config_number(const char *word, int64_t min, int64_t max, int64_t *value);

/* Copies `text` into the arena and returns it, or NULL when the arena is full (a fault then). */
const char *config_keep(struct config_line *line, const char *text);

/* True when the line has min..max words; otherwise a fault that shows the syntax. */
bool config_has_words(struct config_line *line, size_t min, size_t max);

/* A DNS name: letters, digits, `-` and `_` in labels, not looking like an IPv4 address. */
bool config_is_host_name(const char *word);

#endif
