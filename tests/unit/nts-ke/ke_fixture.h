/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a KE service in a process of its own on a loopback port, with a development CA and
 * boards in shared memory, as ntsd would start it.
 */
#ifndef NTSD_TESTS_UNIT_KE_FIXTURE_H
#define NTSD_TESTS_UNIT_KE_FIXTURE_H

#include "certs/devca.h"
#include "certs/tls_client.h"
#include "common/base/log.h"
#include "common/keys/keyring.h"
#include "common/net/addr.h"
#include "nts-ke/ke_service.h"

#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

struct ke_fixture {
    char dir[64];
    char ca[96];
    char cert[96];
    char key[96];
    struct board *key_board;
    struct board *status_board;
    struct stats *stats;
    struct keyring ring;
    struct net_addr addr;
    int listener;
    pid_t pid;
    SSL_CTX *tls; /* trusts the CA as it was at the start */
};

static inline void *fixture_shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

static inline void fixture_certs(const struct ke_fixture *f, int64_t not_before, int64_t days)
{
    struct cert_fault fault;
    struct devca_options options = {.dir = f->dir, .not_before = not_before, .days = days};
    cr_assert_eq(devca_make(&options, &fault), NTS_OK, "%s", fault.text);
}

static inline SSL_CTX *fixture_client_tls(const struct ke_fixture *f)
{
    SSL_CTX *tls = NULL;
    struct cert_fault fault;
    struct tls_client_options options = {.ca_file = f->ca, .alpn = KE_ALPN};
    cr_assert_eq(tls_client_new(&options, &tls, &fault), NTS_OK, "%s", fault.text);
    return tls;
}

/* Everything but the process: the caller may change what it likes before fixture_run(). */
static inline struct ke_service_options fixture_prepare(struct ke_fixture *f)
{
    *f = (struct ke_fixture){.dir = "/tmp/ntsd-ke-XXXXXX"};
    cr_assert_not_null(mkdtemp(f->dir));
    (void)snprintf(f->ca, sizeof(f->ca), "%s/ca.pem", f->dir);
    (void)snprintf(f->cert, sizeof(f->cert), "%s/server.pem", f->dir);
    (void)snprintf(f->key, sizeof(f->key), "%s/server.key", f->dir);
    fixture_certs(f, wall_now().ns / NS_PER_S - 3600, 90);
    f->tls = fixture_client_tls(f);
    f->key_board = fixture_shared(board_footprint(sizeof(struct keyring)));
    f->status_board = fixture_shared(board_footprint(sizeof(struct ke_status)));
    f->stats = fixture_shared(sizeof(struct stats));
    f->ring = (struct keyring){.count = 1, .key = {{.id = 0x010203, .bytes = {1, 2, 3}}}};
    board_write(f->key_board, &f->ring, sizeof(f->ring));
    cr_assert_eq(net_addr_port_parse("127.0.0.1:0", &f->addr), NTS_OK);
    cr_assert_eq(ke_listener_open(&f->addr, &f->listener), NTS_OK);
    socklen_t len = sizeof(f->addr);
    cr_assert_eq(getsockname(f->listener, &f->addr.sa, &len), 0);
    return (struct ke_service_options){.listener = {f->listener},
                                       .listener_count = 1,
                                       .pair = {{f->cert, f->key}},
                                       .pair_count = 1,
                                       .policy = {.aead_count = 2, .aead = {15, 17}},
                                       .connections_max = 600,
                                       .key_board = f->key_board,
                                       .status_board = f->status_board,
                                       .stats = f->stats};
}

static inline void fixture_run(struct ke_fixture *f, const struct ke_service_options *options)
{
    f->pid = fork();
    cr_assert_geq(f->pid, 0);
    if (f->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
        log_setup("ke", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        _exit(ke_service_run(options));
    }
    (void)close(f->listener); /* or connections would be queued after it is gone */
}

static inline void fixture_clean(const struct ke_fixture *f)
{
    SSL_CTX_free(f->tls);
    (void)unlink(f->ca);
    (void)unlink(f->cert);
    (void)unlink(f->key);
    (void)rmdir(f->dir);
}

#endif
