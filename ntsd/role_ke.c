/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `ke` process: hands the key-establishment service its listeners, files and boards.
 */
#include "ntsd/role.h"

#include "common/base/log.h"
#include "ntp/ntp_proto.h"
#include "ntsd/sockets.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)CONFIG_PAIRS_MAX <= (int)TLS_PAIRS_MAX, "room for every pair");

static void fill(struct ke_service_options *options, const struct role_context *context)
{
    const struct config *config = context->config;
    const struct config_access *access = &config->access;
    const struct sockets *sockets = context->sockets;
    options->listener_count = sockets->address_count;
    memcpy(options->listener, sockets->ke[context->index], sockets->address_count * sizeof(int));
    options->pair_count = config->pair_count;
    for (size_t i = 0; i < config->pair_count; i++) {
        options->pair[i] = (struct tls_pair_files){.cert = config->cert[i], .key = config->key[i]};
    }
    options->clients = (struct client_ca_files){.ca = config->client_ca, .crl = config->client_crl};
    options->policy.aead_count = config->aead_count;
    memcpy(options->policy.aead, config->aead, sizeof(config->aead));
    options->ntp_server = config->ntp_server;
    /* 123 is what a client assumes; 0 means that another host serves the time, on its own port. */
    options->ntp_port = config->ntp_port == NTP_PORT ? 0 : (uint16_t)config->ntp_port;
    options->restarted = context->restarted;
    options->connections_max = config->ke_connections_max;
    options->admission = (struct ke_admission_options){
        .acl = access->has_acl ? &access->acl : NULL,
        .proxies = access->has_proxies ? &access->proxies : NULL,
        .limit = access->has_ke_limit ? &access->ke_limit : NULL,
        .address_max = access->ke_address_max,
        .network_max = access->ke_network_max,
    };
    options->key_board = context->board[BOARDS_KEYS];
    options->status_board = context->board[BOARDS_KE_STATUS]; /* NULL after the first process */
    options->stats = context->board[BOARDS_KE_STATS];
}

int role_ke_run(const struct role_context *context)
{
    struct ke_service_options *options = calloc(1, sizeof(*options));
    if (options == NULL) {
        log_event(LOG_LEVEL_ERROR, "out of memory", NULL);
        return 1;
    }
    fill(options, context);
    int status = ke_service_run(options);
    free(options);
    return status;
}
