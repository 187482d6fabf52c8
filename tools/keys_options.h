/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of `ntsctl keys`. Core; thread-safe.
 */
#ifndef NTSD_TOOLS_KEYS_OPTIONS_H
#define NTSD_TOOLS_KEYS_OPTIONS_H

#include "common/keys/keyedit.h"

enum keys_command {
    KEYS_INIT,
    KEYS_ADD,
    KEYS_SHOW,
    KEYS_PRUNE,
    KEYS_REVOKE,
    KEYS_ROTATE,
    KEYS_COMMANDS
};
const char *keys_command_name(enum keys_command command); /* static */

struct keys_options {
    enum keys_command command;
    const char *file;         /* NULL: the secret */
    const char *secret;       /* --aws; NULL: the file */
    uint8_t id;               /* revoke */
    bool json;                /* show */
    int64_t at_s;             /* init; -1: not said */
    struct keyedit_wish wish; /* all but the time; a `rotate_s` of 0 was not said */
};

struct keys_options_fault {
    char text[256];
};

extern const char keys_options_usage[];

/* `argv` is what stands behind `keys`; strings are borrowed. NTS_EFORMAT: wrong usage, see `fault`.
 */
NODISCARD enum nts_err keys_options_parse(int argc, char *const argv[],
                                          struct keys_options *options,
                                          struct keys_options_fault *fault);

/* Seconds since 1970, as such or as YYYY-MM-DD or YYYY-MM-DDTHH:MM[:SS]Z (UTC). */
bool keys_options_time(const char *text, int64_t *time_s);

#endif
