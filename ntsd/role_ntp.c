/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `ntp` process: hands the time service its sockets and boards.
 */
#include "ntsd/role.h"

#include "common/base/log.h"
#include "ntsd/sockets.h"

#include <stdlib.h>
#include <string.h>

int role_ntp_run(const struct role_context *context)
{
    const struct sockets *sockets = context->sockets;
    const struct config_access *access = &context->config->access;
    struct stats *stats = context->board[BOARDS_NTP_STATS];
    struct ntp_service_options *options = calloc(1, sizeof(*options));
    if (options == NULL) {
        log_event(LOG_LEVEL_ERROR, "out of memory", NULL);
        return 1;
    }
    options->worker_count = sockets->worker_count;
    options->nts_only = context->config->nts_only;
    options->acl = access->has_acl ? &access->acl : NULL;
    options->limit = access->has_ntp_limit ? &access->ntp_limit : NULL;
    options->key_board = context->board[BOARDS_KEYS];
    options->clock_board = context->board[BOARDS_CLOCK];
    for (size_t w = 0; w < sockets->worker_count; w++) {
        struct ntp_worker_options *worker = &options->worker[w];
        worker->socket_count = sockets->address_count;
        memcpy(worker->socket, sockets->ntp[w], sockets->address_count * sizeof(int));
        worker->stats = &stats[w];
    }
    int status = ntp_service_run(options);
    free(options);
    return status;
}
