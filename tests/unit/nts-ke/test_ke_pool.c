/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who keeps a place when all places are taken: from the outside, with strangers that only hold
 * connections and an honest client.
 */
#include "tests/unit/nts-ke/ke_visit.h"

enum { POOL = 6, LONG_MS = 60000 };

static struct ke_fixture fixture;

static void run(size_t address_max, size_t network_max)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.connections_max = POOL;
    options.admission.address_max = address_max;
    options.admission.network_max = network_max;
    options.timeout_ms = LONG_MS;
    options.drain_ms = 100;
    fixture_run(&fixture, &options);
}

/* A stranger who connects, from an address of this host, and says nothing. Once he is served there
 * is an order: who came first is older. */
static int hold(const char *from)
{
    struct net_addr source;
    uint64_t before = fixture_count(&fixture, KE_COUNT_ACCEPTED);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(net_addr_parse(from, 0, &source), NTS_OK);
    cr_assert_eq(bind(fd, &source.sa, net_addr_len(&source)), 0);
    cr_assert_eq(connect(fd, &fixture.addr.sa, net_addr_len(&fixture.addr)), 0);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_ACCEPTED) == before + 1);
    return fd;
}

static bool is_gone(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, 0) > 0;
}

/* How many of those in a row are gone; they have to be the first ones. */
static size_t gone_of(const int *fd, size_t count)
{
    size_t gone = 0;
    while (gone < count && is_gone(fd[gone])) {
        gone++;
    }
    for (size_t i = gone; i < count; i++) {
        cr_expect_not(is_gone(fd[i]), "%zu is gone though it is not the oldest", i);
    }
    return gone;
}

Test(ke_pool, the_newest_is_served_and_the_oldest_makes_room)
{
    int fd[2 * POOL];
    run(0, 0);
    for (size_t i = 0; i < 2 * POOL; i++) {
        fd[i] = hold("127.0.0.1");
    }
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_DISPLACED) == POOL);
    FIXTURE_AWAIT(gone_of(fd, 2 * POOL) == POOL);
    for (size_t i = 0; i < 3; i++) {
        fixture_canary(&fixture);
    }
    cr_expect_geq(fixture_count(&fixture, KE_COUNT_DISPLACED), POOL + 1);
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_POOL_FULL), 0);
    fixture_stop(&fixture);
}

Test(ke_pool, who_comes_alone_outlasts_a_crowd)
{
    int crowd[3 * POOL];
    run(0, 0);
    int alone = hold("127.0.9.1");
    for (size_t i = 0; i < 3 * POOL; i++) {
        char from[16];
        (void)snprintf(from, sizeof(from), "127.0.1.%zu", i + 1); /* one network */
        crowd[i] = hold(from);
    }
    FIXTURE_AWAIT(gone_of(crowd, 3 * POOL) == 2 * POOL + 1);
    cr_expect_not(is_gone(alone));
    fixture_stop(&fixture);
}

Test(ke_pool, one_address_may_have_so_many_and_another_is_not_concerned)
{
    run(2, 3);
    int first = hold("127.0.0.1");
    int second = hold("127.0.0.1");
    int third = hold("127.0.0.1");
    FIXTURE_AWAIT(is_gone(third));
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_CROWDED), 1);
    int neighbour = hold("127.0.0.2");
    cr_expect_not(is_gone(neighbour));
    int fourth = hold("127.0.0.3"); /* the fourth of its network */
    FIXTURE_AWAIT(is_gone(fourth));
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_CROWDED), 2);
    int stranger = hold("127.0.9.1");
    cr_expect_not(is_gone(stranger) || is_gone(first) || is_gone(second));
    (void)close(first);
    (void)close(second);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_PEER_CLOSED) == 2);
    int fifth = hold("127.0.0.1");
    cr_expect_not(is_gone(fifth), "a place that was left is free");
    fixture_stop(&fixture);
}
