/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: all there, each role its own, and never a silent share of somebody else's port.
 */
#include "tests/unit/ntsd/config_text.h"

#include "ntsd/sockets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct parsed p;
static struct sockets sockets;
static struct sockets other;
static struct sockets_fault fault;

/* Two ports that were free a moment ago. */
static void free_ports(unsigned *udp, unsigned *tcp)
{
    struct net_addr addr = net_addr_any(AF_INET, 0);
    socklen_t len = sizeof(addr);
    int u = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(u, &addr.sa, net_addr_len(&addr)), 0);
    cr_assert_eq(getsockname(u, &addr.sa, &len), 0);
    *udp = net_addr_port(&addr);
    int t = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    addr = net_addr_any(AF_INET, 0);
    cr_assert_eq(bind(t, &addr.sa, net_addr_len(&addr)), 0);
    cr_assert_eq(getsockname(t, &addr.sa, &len), 0);
    *tcp = net_addr_port(&addr);
    (void)close(u);
    (void)close(t);
}

static void configure(const char *more)
{
    char text[512];
    unsigned udp = 0;
    unsigned tcp = 0;
    free_ports(&udp, &tcp);
    (void)snprintf(text, sizeof(text),
                   CONFIG_BASE "port %u\nntsport %u\nbindaddress 127.0.0.1\n"
                               "bindaddress 127.0.0.2\nthreads 3\n%s",
                   udp, tcp, more);
    cr_assert_eq(parse_text(&p, text), NTS_OK);
}

Test(sockets, each_role_gets_its_own)
{
    static int fds[SOCKETS_OF_ROLE_MAX];
    configure("ntsprocesses 2\n");
    cr_assert_eq(sockets_open(&p.config, &sockets, &fault), NTS_OK, "%s", fault.text);
    cr_expect_eq(sockets.worker_count, 3);
    cr_expect_eq(sockets.process_count, 2);
    cr_expect_eq(sockets_of_role(&sockets, ROLE_NTP, 0, fds), 6);
    cr_expect_eq(sockets_of_role(&sockets, ROLE_KE, 1, fds), 2);
    cr_expect_eq(fds[0], sockets.ke[1][0]);
    cr_expect_eq(sockets_of_role(&sockets, ROLE_KEYS, 0, fds), 0);
    cr_expect_eq(sockets_of_role(&sockets, ROLE_CLOCK, 0, fds), 0);
    cr_expect_eq(sockets_of_role(&sockets, ROLE_STATUS, 0, fds), 0);
    sockets_close(&sockets);
    sockets_close(&sockets);
}

Test(sockets, a_second_daemon_is_refused)
{
    configure("");
    cr_assert_eq(sockets_open(&p.config, &sockets, &fault), NTS_OK, "%s", fault.text);
    cr_expect_neq(sockets_open(&p.config, &other, &fault), NTS_OK);
    cr_expect_eq(strncmp(fault.text, "NTP on UDP 127.0.0.1:", 21), 0, "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, "Address already in use"));
    cr_expect_eq(other.ntp[0][0], -1, "nothing stays open");
    p.config.ntp_port = 0;
    cr_expect_neq(sockets_open(&p.config, &other, &fault), NTS_OK);
    cr_expect_eq(strncmp(fault.text, "NTS-KE on TCP 127.0.0.1:", 24), 0, "%s", fault.text);
    sockets_close(&sockets);
    cr_expect_eq(sockets_open(&p.config, &other, &fault), NTS_OK);
    sockets_close(&other);
}

Test(sockets, an_address_of_somebody_else)
{
    configure("bindaddress 192.0.2.1\n");
    cr_expect_neq(sockets_open(&p.config, &sockets, &fault), NTS_OK);
    cr_expect_not_null(strstr(fault.text, "192.0.2.1:"), "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, "no interface has this address"), "%s", fault.text);
}

Test(sockets, everywhere_when_nothing_is_said)
{
    configure("");
    p.config.address_count = 0;
    cr_assert_eq(sockets_open(&p.config, &sockets, &fault), NTS_OK, "%s", fault.text);
    cr_expect_geq(sockets.address_count, 1);
    cr_expect_leq(sockets.address_count, 2);
    sockets_close(&sockets);
}

Test(sockets, workers_follow_the_processors)
{
    configure("");
    p.config.threads = 0;
    size_t count = sockets_worker_count(&p.config);
    cr_expect_geq(count, 1);
    cr_expect_leq(count, CONFIG_THREADS_MAX);
    p.config.ntp_port = 0;
    cr_expect_eq(sockets_worker_count(&p.config), 0);
}
