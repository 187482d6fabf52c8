/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: our key establishment service in a process of its own on loopback, with certificates
 * made for the test and one cookie key.
 */
#ifndef NTSD_TESTS_UNIT_TOOLS_NTSQ_KE_H
#define NTSD_TESTS_UNIT_TOOLS_NTSQ_KE_H

#include "certs/devca.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "common/keys/keyring.h"
#include "common/net/addr.h"
#include "nts-ke/ke_service.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct ntsq_ke {
    char dir[32];
    char ca[64];
    char cert[64];
    char key[64];
    struct keyring ring;
    struct net_addr addr;
    struct board *key_board;
    struct board *status_board;
    struct stats *stats;
    pid_t pid;
};

static inline void *ntsq_ke_shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

static inline void ntsq_ke_prepare(struct ntsq_ke *ke)
{
    struct cert_fault fault;
    *ke = (struct ntsq_ke){.dir = "/tmp/ntsq-test-XXXXXX"};
    cr_assert_not_null(mkdtemp(ke->dir));
    (void)snprintf(ke->ca, sizeof(ke->ca), "%s/ca.pem", ke->dir);
    (void)snprintf(ke->cert, sizeof(ke->cert), "%s/server.pem", ke->dir);
    (void)snprintf(ke->key, sizeof(ke->key), "%s/server.key", ke->dir);
    const struct devca_options options = {
        .dir = ke->dir, .not_before = wall_now().ns / NS_PER_S - 3600, .days = 90};
    cr_assert_eq(devca_make(&options, &fault), NTS_OK, "%s", fault.text);
    ke->key_board = ntsq_ke_shared(board_footprint(sizeof(struct keyring)));
    ke->status_board = ntsq_ke_shared(board_footprint(sizeof(struct ke_status)));
    ke->stats = ntsq_ke_shared(sizeof(struct stats));
    ke->ring = (struct keyring){.count = 1, .key = {{.id = 0x010203, .bytes = {1, 2, 3}}}};
    board_write(ke->key_board, &ke->ring, sizeof(ke->ring));
}

/* Names `ntp_port` in its answers. Returns when it serves. Before any thread is started. */
static inline void ntsq_ke_start(struct ntsq_ke *ke, uint16_t ntp_port)
{
    int listener;
    ntsq_ke_prepare(ke);
    socklen_t len = sizeof(ke->addr);
    cr_assert_eq(net_addr_parse("127.0.0.1", 0, &ke->addr), NTS_OK);
    cr_assert_eq(ke_listener_open(&ke->addr, &listener), NTS_OK);
    cr_assert_eq(getsockname(listener, &ke->addr.sa, &len), 0);
    const struct ke_service_options options = {
        .listener = {listener},
        .listener_count = 1,
        .pair = {{ke->cert, ke->key}},
        .pair_count = 1,
        .policy = {.aead_count = 1, .aead = {AEAD_AES_SIV_CMAC_256}},
        .ntp_port = ntp_port,
        .connections_max = 16,
        .key_board = ke->key_board,
        .status_board = ke->status_board,
        .stats = ke->stats,
    };
    ke->pid = fork();
    cr_assert_geq(ke->pid, 0);
    if (ke->pid == 0) {
        log_setup("ke", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        _exit(ke_service_run(&options));
    }
    (void)close(listener);
    for (int ms = 0; board_generation(ke->status_board) == 0; ms++) {
        cr_assert_lt(ms, 10000, "the service does not start");
        (void)poll(NULL, 0, 1);
    }
}

static inline void ntsq_ke_stop(const struct ntsq_ke *ke)
{
    int status = -1;
    cr_assert_eq(kill(ke->pid, SIGTERM), 0);
    cr_assert_eq(waitpid(ke->pid, &status, 0), ke->pid);
    (void)unlink(ke->ca);
    (void)unlink(ke->cert);
    (void)unlink(ke->key);
    (void)rmdir(ke->dir);
}

#endif
