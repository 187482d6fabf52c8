/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that resolve, and that do not any more: the name server of this test is in this file, for
 * the program's getaddrinfo() is taken before the C library's.
 */
#include "ntp/clock/ntp_name.h"

#include "common/base/log.h"
#include "ntp/clock/ntp_source.h"

#include <criterion/criterion.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_int asked;
static atomic_bool dead;
static atomic_int addresses; /* that the name has */

int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    (void)name;
    (void)hints;
    atomic_fetch_add(&asked, 1);
    *list = NULL;
    if (atomic_load(&dead)) {
        return EAI_AGAIN;
    }
    for (int i = atomic_load(&addresses); i > 0; i--) {
        struct {
            struct addrinfo info;
            struct sockaddr_in addr;
        } *entry = calloc(1, sizeof(*entry));
        entry->addr.sin_family = AF_INET;
        entry->addr.sin_addr.s_addr = htonl(0x7f000000u + (unsigned)i);
        entry->addr.sin_port = htons((uint16_t)atoi(service));
        entry->info.ai_addr = (struct sockaddr *)&entry->addr;
        entry->info.ai_addrlen = sizeof(entry->addr);
        entry->info.ai_next = *list;
        *list = &entry->info;
    }
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static struct {
    uv_loop_t loop;
    struct ntp_name name;
    int over;
    bool found;
    struct net_addr addr;
} w;

static void on_over(void *ctx, const struct net_addr *addr, const char *reason)
{
    cr_assert_eq(ctx, &w);
    cr_assert_not_null(reason);
    w.over++;
    w.found = addr != NULL;
    if (addr != NULL) {
        w.addr = *addr;
    }
}

static void setup(void)
{
    memset(&w, 0, sizeof(w));
    atomic_store(&asked, 0);
    atomic_store(&dead, false);
    atomic_store(&addresses, 2);
    cr_assert_eq(uv_loop_init(&w.loop), 0);
    w.name = (struct ntp_name){
        .loop = &w.loop, .host = "time.example", .port = 123, .ctx = &w, .over = on_over};
}

static void teardown(void)
{
    cr_assert_eq(uv_loop_close(&w.loop), 0);
}

TestSuite(ntp_name, .init = setup, .fini = teardown);

static const struct mono_ns never = {.ns = INT64_MAX};

static void look_up(void)
{
    int before = w.over;
    cr_assert_eq(ntp_name_look_up(&w.name), NTS_OK);
    cr_assert_not(ntp_name_is_due(&w.name, never), "one at a time");
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    cr_assert_eq(w.over, before + 1);
}

Test(ntp_name, found_is_enough)
{
    cr_assert(ntp_name_is_due(&w.name, mono_raw_now()));
    look_up();
    cr_assert(w.found);
    cr_assert_eq(ntohl(w.addr.v4.sin_addr.s_addr), 0x7f000001u);
    cr_assert_eq(net_addr_port(&w.addr), 123);
    cr_assert_not(ntp_name_is_due(&w.name, never));
}

Test(ntp_name, another_turn_is_another_address)
{
    for (unsigned turn = 0; turn < 5; turn++) {
        look_up();
        cr_assert_eq(ntohl(w.addr.v4.sin_addr.s_addr), 0x7f000001u + turn % 2);
        ntp_name_turn(&w.name);
        cr_assert(ntp_name_is_due(&w.name, mono_raw_now()));
    }
}

Test(ntp_name, a_name_without_addresses)
{
    atomic_store(&addresses, 0);
    look_up();
    cr_assert_not(w.found);
}

Test(ntp_name, a_number_is_never_looked_up)
{
    w.name.numeric = true;
    cr_assert_not(ntp_name_is_due(&w.name, never));
    ntp_name_turn(&w.name);
    cr_assert_not(ntp_name_is_due(&w.name, never));
}

/* Twelve hours of it: a look-up each ten minutes at last, none left behind. */
Test(ntp_name, a_dead_name_server_is_asked_ever_less)
{
    atomic_store(&dead, true);
    int64_t start = mono_raw_now().ns;
    int64_t last = start;
    for (int i = 0; i < 80; i++) {
        look_up();
        cr_assert_not(w.found);
        int64_t wait = w.name.retry.next.ns - mono_raw_now().ns;
        cr_assert_leq(wait, 600 * NS_PER_S);
        cr_assert_geq(wait, i < 9 ? NS_PER_S : 500 * NS_PER_S);
        last += wait;
        cr_assert(ntp_name_is_due(&w.name, w.name.retry.next));
        cr_assert_not(ntp_name_is_due(&w.name, (struct mono_ns){.ns = w.name.retry.next.ns - 1}));
    }
    cr_assert_gt(last - start, 12 * 3600 * NS_PER_S);
    atomic_store(&dead, false);
    look_up();
    cr_assert(w.found);
    cr_assert_eq(atomic_load(&asked), 81);
}

/* ---- a source behind a name: nobody answers there, and then the name server is gone, too */

static struct stats counts;
static struct ntp_source *source;
static unsigned misses;

static void on_miss(void *ctx, size_t index)
{
    (void)ctx;
    (void)index;
    atomic_store(&dead, true);
    if (++misses == 40) {
        uv_stop(&w.loop);
    }
}

static void on_memory(void *ctx, size_t index, const struct ntp_poll_memory *memory)
{
    (void)ctx;
    (void)index;
    (void)memory;
}

Test(ntp_name, the_old_address_is_asked_on)
{
    struct rng *rng = rng_new();
    const struct ntp_source_options options = {
        .loop = &w.loop,
        .rng = rng,
        .stats = &counts,
        .host = "time.example",
        .port = 9,
        .poll = {.minpoll = -7, .maxpoll = -7},
        .events = {.ctx = &w, .miss = on_miss, .memory = on_memory},
    };
    log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    atomic_store(&addresses, 1);
    source = ntp_source_open(&options);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    cr_assert_geq(misses, 40);
    cr_assert_geq(stats_get(&counts, NTP_INQUIRY_SENT), 35);
    cr_assert_eq(stats_get(&counts, NTP_SOURCE_NO_ADDRESS), 0);
    cr_assert_geq(atomic_load(&asked), 2);
    ntp_source_close(source);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    rng_free(rng);
}
