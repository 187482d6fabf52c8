/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every socket of the daemon, opened once by the parent before it gives up its rights. It keeps
 * them, so that a child that is started again finds its queue as it was. Shell module.
 */
#ifndef NTSD_NTSD_SOCKETS_H
#define NTSD_NTSD_SOCKETS_H

#include "ntp/ntp_service.h"
#include "nts-ke/ke_service.h"
#include "ntsd/role.h"

struct sockets {
    size_t worker_count; /* NTP workers; 0: no NTP service */
    size_t process_count;
    size_t address_count;
    struct net_addr address[CONFIG_ADDRESSES_MAX]; /* port 0 */
    int ntp[CONFIG_THREADS_MAX][CONFIG_ADDRESSES_MAX];
    int ke[CONFIG_KE_PROCESSES_MAX][CONFIG_ADDRESSES_MAX];
    int http; /* -1: none */
};

/* One sentence on what is in the way and what mends it. */
struct sockets_fault {
    char text[256];
};

/* UDP workers this configuration means on this machine. */
size_t sockets_worker_count(const struct config *config);

/*
 * Opens all of them. SO_REUSEPORT would let a second ntsd of the same user take half of the
 * packets unnoticed, so each address is first tried without it, for up to a second: the sockets of
 * a killed predecessor vanish a moment after it. On failure nothing is open.
 */
NODISCARD enum nts_err sockets_open(const struct config *config, struct sockets *sockets,
                                    struct sockets_fault *fault);
void sockets_close(struct sockets *sockets);

/* `addr` with this port. */
struct net_addr sockets_at_port(struct net_addr addr, uint32_t port);

enum { SOCKETS_OF_ROLE_MAX = CONFIG_THREADS_MAX * CONFIG_ADDRESSES_MAX };

/* The descriptors that process `index` of a role keeps; how many. */
size_t sockets_of_role(const struct sockets *sockets, enum role role, size_t index,
                       int fds[static SOCKETS_OF_ROLE_MAX]);

#endif
