/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The five roles: who they are, which boards each may see and how, and how each is run.
 */
#ifndef NTSD_NTSD_ROLE_H
#define NTSD_NTSD_ROLE_H

#include "ntsd/boards.h"
#include "ntsd/config.h"

/* In the order in which they are started. */
enum role { ROLE_CLOCK, ROLE_KEYS, ROLE_KE, ROLE_NTP, ROLE_STATUS, ROLE_COUNT };

enum { ROLE_CHILDREN_MAX = ROLE_COUNT - 1 + CONFIG_KE_PROCESSES_MAX };

const char *role_name(enum role role);         /* "ke": in logs and metrics */
const char *role_process_name(enum role role); /* "ntsd: ke": 15 octets at most */

/* How many processes of a role this configuration asks for. */
size_t role_process_count(enum role role, const struct config *config);

/* What process `index` of a role may do with a board; the whole policy is one table. */
enum boards_access role_access(enum role role, size_t index, enum boards_id board);

struct sockets;

/* All that a child is given. Lives as long as the process. */
struct role_context {
    const struct config *config;
    const struct sockets *sockets; /* only this role's descriptors are still open */
    size_t index;                  /* of the process within its role */
    bool restarted;                /* takes the place of one that died */
    size_t worker_count;           /* blocks in BOARDS_NTP_STATS */
    void *board[BOARDS_COUNT];     /* NULL: none of its business; read-only ones fault on a write */
};

/* Run until SIGTERM; the process's exit status. */
int role_keys_run(const struct role_context *context);
int role_clock_run(const struct role_context *context);
int role_ke_run(const struct role_context *context);
int role_ntp_run(const struct role_context *context);
int role_status_run(const struct role_context *context);

int role_run(enum role role, const struct role_context *context);

#endif
