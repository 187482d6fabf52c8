/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of roles. See role.h.
 */
#include "ntsd/role.h"

struct duty {
    const char *name;
    const char *process_name;
    int (*run)(const struct role_context *context);
    enum boards_access access[BOARDS_COUNT]; /* not named: BOARDS_NONE */
};

static const struct duty duties[ROLE_COUNT] = {
    [ROLE_CLOCK] = {.name = "clock",
                    .process_name = "ntsd: clock",
                    .run = role_clock_run,
                    .access = {[BOARDS_CLOCK] = BOARDS_WRITE,
                               [BOARDS_CLOCK_REPORT] = BOARDS_WRITE,
                               [BOARDS_CLOCK_MEMORY] = BOARDS_WRITE,
                               [BOARDS_CLOCK_STATS] = BOARDS_WRITE}},
    [ROLE_KEYS] = {.name = "keys",
                   .process_name = "ntsd: keys",
                   .run = role_keys_run,
                   .access = {[BOARDS_KEYS] = BOARDS_WRITE,
                              [BOARDS_KEY_DOC] = BOARDS_WRITE,
                              [BOARDS_KEY_STATUS] = BOARDS_WRITE,
                              [BOARDS_CLOCK] = BOARDS_READ}},
    [ROLE_KE] = {.name = "ke",
                 .process_name = "ntsd: ke",
                 .run = role_ke_run,
                 .access = {[BOARDS_KEYS] = BOARDS_READ,
                            [BOARDS_KE_STATUS] = BOARDS_WRITE,
                            [BOARDS_KE_STATS] = BOARDS_WRITE}},
    [ROLE_NTP] = {.name = "ntp",
                  .process_name = "ntsd: ntp",
                  .run = role_ntp_run,
                  .access = {[BOARDS_KEYS] = BOARDS_READ,
                             [BOARDS_CLOCK] = BOARDS_READ,
                             [BOARDS_NTP_STATS] = BOARDS_WRITE}},
    [ROLE_STATUS] = {.name = "status",
                     .process_name = "ntsd: status",
                     .run = role_status_run,
                     .access = {[BOARDS_CLOCK] = BOARDS_READ,
                                [BOARDS_CLOCK_REPORT] = BOARDS_READ,
                                [BOARDS_CLOCK_STATS] = BOARDS_READ,
                                [BOARDS_KEY_STATUS] = BOARDS_READ,
                                [BOARDS_KE_STATUS] = BOARDS_READ,
                                [BOARDS_SUPERVISOR] = BOARDS_READ,
                                [BOARDS_NTP_STATS] = BOARDS_READ,
                                [BOARDS_KE_STATS] = BOARDS_READ}},
};

const char *role_name(enum role role)
{
    return role < ROLE_COUNT ? duties[role].name : "unknown";
}

const char *role_process_name(enum role role)
{
    return role < ROLE_COUNT ? duties[role].process_name : "ntsd";
}

size_t role_process_count(enum role role, const struct config *config)
{
    switch (role) {
    case ROLE_CLOCK:
    case ROLE_KEYS:
        return 1;
    case ROLE_KE:
        return config->ke_port == 0 ? 0 : config->ke_processes;
    case ROLE_NTP:
        return config->ntp_port == 0 ? 0 : 1;
    case ROLE_STATUS:
        return config->has_http ? 1 : 0;
    case ROLE_COUNT:
        break;
    }
    return 0;
}

enum boards_access role_access(enum role role, size_t index, enum boards_id board)
{
    /* One writer a board: the first KE process speaks for all, they serve the same files. */
    if (board == BOARDS_KE_STATUS && role == ROLE_KE && index > 0) {
        return BOARDS_NONE;
    }
    return duties[role].access[board];
}

int role_run(enum role role, const struct role_context *context)
{
    return duties[role].run(context);
}
