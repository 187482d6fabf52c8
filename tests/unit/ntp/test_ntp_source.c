/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source on its loop, with a server on loopback in the same thread that answers as each test
 * wants: what is counted, what is dropped, how often it asks, and that every request has its own
 * port and its own 64 bits.
 */
#include "common/base/log.h"
#include "ntp/clock/ntp_source.h"
#include "tests/unit/ntp/ntp_sample.h"

#include <arpa/inet.h>
#include <unistd.h>

enum { REQUESTS_MAX = 64 };

enum mood {
    HONEST,
    SILENT,
    TWICE,        /* the answer, and a copy of it */
    FORGED_FIRST, /* one with a wrong origin, then the answer */
    NOISE_FIRST,  /* short and senseless ones, then the answer */
    KISS,
    UNSYNCHRONISED,
    NAK_FIRST, /* NTS: a forged NAK, then the answer */
    NAK_ONLY,
    NAK_FROM_THIRD, /* NTS: answers two requests and then only that */
    FORGED_DENY,    /* NTS: a kiss nobody vouches for, then the answer */
};

struct request {
    uint16_t port;
    uint64_t transmit;
    int64_t at_ns;
};

struct world {
    uv_loop_t loop;
    uv_poll_t server_poll;
    uv_timer_t end;
    int server;
    struct net_addr addr;
    char host[16];
    enum mood mood;
    uint32_t kiss;
    struct sample s;
    struct request request[REQUESTS_MAX];
    size_t requests;
    struct stats stats;
    struct ntp_poll_memory memory;
    int64_t asked_ns[REQUESTS_MAX]; /* when each request left, by that memory */
    unsigned samples;
    unsigned misses;
    unsigned establishes;
    struct clock_sample last;
    size_t stop_after; /* samples and misses together */
    struct ntp_source *source;
};

static struct world w;

/* --- The server --- */

static void reply_to(const struct net_addr *to, struct span bytes)
{
    cr_assert_eq(sendto(w.server, bytes.p, bytes.n, 0, &to->sa, net_addr_len(to)),
                 (ssize_t)bytes.n);
}

static struct ntp_header answer_to(const struct ntp_header *request)
{
    struct ntp_header h = {.version = 4,
                           .mode = NTP_MODE_SERVER,
                           .stratum = 2,
                           .precision = -20,
                           .reference_id = 0x01020304,
                           .origin_time = request->transmit_time};
    h.receive_time = ntp_time_from_wall((struct wall_ns){.ns = wall_now().ns + NS_PER_S});
    h.transmit_time = h.receive_time;
    h.reference_time = h.receive_time - 1;
    return h;
}

static void send_header(const struct net_addr *to, const struct ntp_header *header)
{
    uint8_t packet[NTP_HEADER_LEN];
    struct wr out = wr_init(packet, sizeof(packet));
    ntp_header_write(&out, header);
    reply_to(to, wr_done(&out));
}

static void send_kiss(const struct net_addr *to, const struct ntp_header *request, uint32_t code)
{
    struct ntp_header h = answer_to(request);
    h.stratum = 0;
    h.leap = 3;
    h.reference_id = code;
    send_header(to, &h);
}

/* RFC 8915 by our own server. */
static void send_nts(const struct net_addr *to, struct span request)
{
    uint8_t packet[SAMPLE_PACKET_MAX];
    uint64_t now = ntp_time_from_wall(wall_now());
    enum ntp_verdict verdict =
        answer_prepare(&w.s.env, &w.s.rng, request, now, packet, &w.s.pending);
    cr_assert_eq(verdict, NTP_ANSWER_NTS);
    reply_to(to, answer_finish(&w.s.pending, now + 1000));
}

/* NTSN with the right unique identifier, as anyone could send who sees the request. */
static void send_forged_kiss(const struct net_addr *to, struct span request, uint32_t code)
{
    uint8_t packet[NTP_HEADER_LEN + NTP_EF_HEAD_LEN + NTP_UID_LEN_MIN];
    struct rd r = rd_init(request);
    struct ntp_header asked = ntp_header_read(&r);
    struct ntp_header h = answer_to(&asked);
    struct wr out = wr_init(packet, sizeof(packet));
    h.stratum = 0;
    h.leap = 3;
    h.reference_id = code;
    ntp_header_write(&out, &h);
    wr_bytes(&out, span_of(request.p + NTP_HEADER_LEN, NTP_EF_HEAD_LEN + NTP_UID_LEN_MIN));
    reply_to(to, wr_done(&out));
}

static void serve(const struct net_addr *to, struct span bytes)
{
    static const uint8_t noise[200] = {0x24, 1, 2, 3};
    struct rd r = rd_init(bytes);
    struct ntp_header request = ntp_header_read(&r);
    struct ntp_header h = answer_to(&request);
    switch (w.mood) {
    case SILENT:
        return;
    case TWICE:
        send_header(to, &h);
        break;
    case FORGED_FIRST:
        h.origin_time ^= 1;
        send_header(to, &h);
        h.origin_time ^= 1;
        break;
    case NOISE_FIRST:
        for (size_t n = 0; n < sizeof(noise); n += 13) {
            reply_to(to, span_of(noise, n));
        }
        break;
    case KISS:
        send_kiss(to, &request, w.kiss);
        return;
    case UNSYNCHRONISED:
        h.leap = 3;
        break;
    case NAK_FIRST:
        send_forged_kiss(to, bytes, NTP_KISS_NTSN);
        send_nts(to, bytes);
        return;
    case NAK_FROM_THIRD:
        if (w.requests == 3) {
            send_forged_kiss(to, bytes, NTP_KISS_NTSN);
        } else {
            send_nts(to, bytes);
        }
        return;
    case NAK_ONLY:
        send_forged_kiss(to, bytes, NTP_KISS_NTSN);
        return;
    case FORGED_DENY:
        send_forged_kiss(to, bytes, NTP_KISS_DENY);
        send_nts(to, bytes);
        return;
    case HONEST:
        break;
    }
    send_header(to, &h);
}

static void on_request(uv_poll_t *poll, int status, int events)
{
    uint8_t bytes[2048];
    struct net_addr from = {0};
    socklen_t len = sizeof(from);
    (void)poll;
    (void)status;
    (void)events;
    ssize_t got = recvfrom(w.server, bytes, sizeof(bytes), 0, &from.sa, &len);
    if (got < NTP_HEADER_LEN || w.requests == REQUESTS_MAX) {
        return;
    }
    struct rd r = rd_init(span_of(bytes, (size_t)got));
    struct ntp_header request = ntp_header_read(&r);
    w.request[w.requests++] = (struct request){.port = net_addr_port(&from),
                                               .transmit = request.transmit_time,
                                               .at_ns = mono_raw_now().ns};
    serve(&from, span_of(bytes, (size_t)got));
}

/* --- The client's events --- */

static void finish(void)
{
    ntp_source_close(w.source);
    if (!uv_is_closing((uv_handle_t *)&w.server_poll)) {
        uv_close((uv_handle_t *)&w.server_poll, NULL);
        uv_close((uv_handle_t *)&w.end, NULL);
    }
}

static void on_end(uv_timer_t *timer)
{
    (void)timer;
    finish();
}

static void maybe_finish(void)
{
    if (w.samples + w.misses >= w.stop_after) {
        /* Not from within: the source may not be closed by its own event. */
        (void)uv_timer_start(&w.end, on_end, 1, 0);
    }
}

static void on_sample(void *ctx, size_t index, const struct clock_sample *sample)
{
    cr_assert_eq(ctx, &w);
    cr_assert_eq(index, 5);
    w.samples++;
    w.last = *sample;
    maybe_finish();
}

static void on_miss(void *ctx, size_t index)
{
    cr_assert_eq(ctx, &w);
    cr_assert_eq(index, 5);
    w.misses++;
    maybe_finish();
}

static void on_memory(void *ctx, size_t index, const struct ntp_poll_memory *memory)
{
    (void)ctx;
    (void)index;
    if (memory->asked > w.memory.asked && memory->asked <= REQUESTS_MAX) {
        w.asked_ns[memory->asked - 1] = memory->asked_raw_ns;
    }
    w.memory = *memory;
    cr_assert_geq(w.memory.asked, w.requests, "remembered before it leaves");
}

static void on_establish(void *ctx, size_t index)
{
    struct ntp_session session = {.addr = w.addr, .keys = w.s.keys};
    (void)ctx;
    (void)index;
    w.establishes++;
    for (size_t i = 0; i < NTP_COOKIES_MAX; i++) {
        sample_make_cookie(&w.s, &w.s.ring);
        ntp_session_keep(&session, span_of(w.s.cookie, w.s.cookie_len));
    }
    ntp_source_established(w.source, &session);
}

/* --- A run --- */

static void open_server(void)
{
    socklen_t len = sizeof(w.addr);
    cr_assert_eq(net_addr_parse("127.0.0.1", 0, &w.addr), NTS_OK);
    w.server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(w.server, 0);
    cr_assert_eq(bind(w.server, &w.addr.sa, net_addr_len(&w.addr)), 0);
    cr_assert_eq(getsockname(w.server, &w.addr.sa, &len), 0);
}

static struct ntp_source_options plain_options(int8_t poll)
{
    return (struct ntp_source_options){
        .loop = &w.loop,
        .rng = &w.s.rng,
        .stats = &w.stats,
        .host = "127.0.0.1",
        .port = net_addr_port(&w.addr),
        .index = 5,
        .poll = {.minpoll = poll, .maxpoll = poll},
        .events = {.ctx = &w,
                   .sample = on_sample,
                   .miss = on_miss,
                   .memory = on_memory,
                   .establish = on_establish},
    };
}

static void setup(void)
{
    memset(&w, 0, sizeof(w));
    log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    sample_init(&w.s, sample_alg(AEAD_AES_SIV_CMAC_256));
    w.s.env.clock.reference_time = 0;
    cr_assert_eq(uv_loop_init(&w.loop), 0);
    open_server();
}

static void run(const struct ntp_source_options *options, enum mood mood, size_t stop_after)
{
    w.mood = mood;
    w.stop_after = stop_after;
    cr_assert_eq(uv_poll_init(&w.loop, &w.server_poll, w.server), 0);
    cr_assert_eq(uv_poll_start(&w.server_poll, UV_READABLE, on_request), 0);
    cr_assert_eq(uv_timer_init(&w.loop, &w.end), 0);
    cr_assert_eq(uv_timer_start(&w.end, on_end, 5000, 0), 0);
    w.source = ntp_source_open(options);
    cr_assert_not_null(w.source);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    cr_expect_geq(w.samples + w.misses, stop_after, "in time");
}

static void teardown(void)
{
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&w.loop), 0, "everything was closed");
    (void)close(w.server);
}

TestSuite(ntp_source, .init = setup, .fini = teardown);

static uint64_t counted(unsigned index)
{
    return stats_get(&w.stats, index);
}

Test(ntp_source, measures)
{
    struct ntp_source_options options = plain_options(-6);
    run(&options, HONEST, 10);
    cr_expect_eq(w.samples, 10);
    cr_expect_eq(counted(NTP_EXCHANGE_OK), 10);
    cr_expect_eq(counted(NTP_INQUIRY_SENT), w.requests);
    struct clock_pair pair = clock_pair_read();
    int64_t ahead = w.last.wall_ns - w.last.raw_ns - (pair.wall_ns - pair.raw_ns);
    cr_expect(ahead > NS_PER_S - 50 * NS_PER_MS && ahead < NS_PER_S + 50 * NS_PER_MS, "%ld",
              (long)ahead);
    cr_expect_eq(w.last.reference_id, 0x7f000001);
    cr_expect_lt(w.last.delay_ns, 100 * NS_PER_MS);
    cr_expect_eq(w.last.root_dispersion_ns, 954);
}

Test(ntp_source, kernel_stamps_both_ways)
{
    struct ntp_source_options options = plain_options(-6);
    int keep = ntp_udp_keep_stamping();
    run(&options, HONEST, 10);
    cr_expect_eq(counted(NTP_INQUIRY_NO_STAMP), 0);
    (void)close(keep);
}

Test(ntp_source, every_request_has_its_own_port_and_bits)
{
    struct ntp_source_options options = plain_options(-7);
    size_t ports = 0;
    run(&options, HONEST, 30);
    for (size_t i = 0; i < w.requests; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++) {
            cr_expect_neq(w.request[i].transmit, w.request[j].transmit);
            again = again || w.request[i].port == w.request[j].port;
        }
        ports += again ? 0 : 1;
    }
    cr_expect_geq(ports, w.requests - 2, "the kernel draws them: a repetition is rare");
}

Test(ntp_source, never_faster_than_its_minpoll)
{
    struct ntp_source_options options = plain_options(-5);
    run(&options, HONEST, 12);
    for (size_t i = 1; i < w.requests; i++) {
        int64_t gap = w.asked_ns[i] - w.asked_ns[i - 1];
        cr_expect_geq(gap, NS_PER_S / 32, "%ld", (long)gap);
    }
}

Test(ntp_source, a_successor_waits)
{
    struct ntp_source_options options = plain_options(-2);
    options.poll.iburst = true;
    options.memory = (struct ntp_poll_memory){.asked = 1, .asked_raw_ns = mono_raw_now().ns};
    int64_t asked = options.memory.asked_raw_ns;
    run(&options, HONEST, 1);
    cr_expect_geq(w.request[0].at_ns - asked, NS_PER_S / 4);
    cr_expect_eq(w.memory.asked, 2);
}

Test(ntp_source, drops_what_is_not_the_answer)
{
    static const struct {
        enum mood mood;
        unsigned counter;
        uint64_t least;
    } cases[] = {
        {TWICE, NTP_EXCHANGE_OK, 4}, /* the copy finds a closed port: no more than one each */
        {FORGED_FIRST, NTP_EXCHANGE_ORIGIN, 4},
        {NOISE_FIRST, NTP_EXCHANGE_SHORT, 16},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (i > 0) {
            teardown();
            setup();
        }
        struct ntp_source_options options = plain_options(-5);
        run(&options, cases[i].mood, 4);
        cr_expect_eq(w.samples, 4, "case %zu", i);
        cr_expect_eq(counted(NTP_EXCHANGE_OK), 4, "case %zu", i);
        cr_expect_geq(counted(cases[i].counter), cases[i].least, "case %zu", i);
    }
}

Test(ntp_source, silence_is_a_miss)
{
    struct ntp_source_options options = plain_options(-5);
    run(&options, SILENT, 3);
    cr_expect_eq(w.misses, 3);
    cr_expect_eq(counted(NTP_SOURCE_TIMEOUT), 3);
}

Test(ntp_source, nobody_there)
{
    struct ntp_source_options options = plain_options(-5);
    options.port = 1; /* nothing listens; the kernel reports a closed port */
    run(&options, HONEST, 3);
    cr_expect_eq(w.misses, 3);
    cr_expect_geq(counted(NTP_INQUIRY_ERROR), 1);
    cr_expect_eq(counted(NTP_SOURCE_TIMEOUT), 3, "an error may be forged: it ends nothing");
}

Test(ntp_source, unsynchronised_is_a_miss)
{
    struct ntp_source_options options = plain_options(-5);
    run(&options, UNSYNCHRONISED, 2);
    cr_expect_eq(w.misses, 2);
    cr_expect_eq(counted(NTP_EXCHANGE_UNSYNCHRONISED), 2);
}

Test(ntp_source, rate_kiss_slows_it_down)
{
    struct ntp_source_options options = plain_options(-6);
    w.kiss = NTP_KISS_RATE;
    run(&options, KISS, 3);
    cr_expect_eq(counted(NTP_EXCHANGE_RATE), 3);
    cr_expect_geq(w.asked_ns[1] - w.asked_ns[0], NS_PER_S / 32);
    cr_expect_geq(w.asked_ns[2] - w.asked_ns[1], NS_PER_S / 16);
    cr_expect_eq(w.memory.rate_kisses, 3);
}

Test(ntp_source, deny_kiss_silences_it)
{
    static const uint32_t kisses[] = {NTP_KISS_DENY, NTP_KISS_RSTR};
    for (size_t i = 0; i < 2; i++) {
        if (i > 0) {
            teardown();
            setup();
        }
        struct ntp_source_options options = plain_options(-6);
        w.kiss = kisses[i];
        run(&options, KISS, 6);
        cr_expect_eq(w.requests, 1);
        cr_expect_eq(w.misses, 6, "it is missed all the same");
        cr_expect_geq(counted(NTP_SOURCE_SILENCED), 5);
        cr_expect_gt(w.memory.silent_until, mono_raw_now().ns + 3590 * NS_PER_S);
    }
}

Test(ntp_source, names)
{
    struct ntp_source_options options = plain_options(-5);
    options.host = "localhost";
    run(&options, HONEST, 2);
    cr_expect_geq(w.samples + w.misses, 2);
}

Test(ntp_source, a_name_that_is_none)
{
    struct ntp_source_options options = plain_options(-5);
    options.host = "no-such-host.invalid";
    run(&options, HONEST, 2);
    cr_expect_eq(w.requests, 0);
    cr_expect_geq(counted(NTP_SOURCE_NO_ADDRESS), 2);
}

/* --- NTS --- */

Test(ntp_source, nts)
{
    struct ntp_source_options options = plain_options(-5);
    options.nts = true;
    run(&options, NAK_FIRST, 12);
    cr_expect_eq(w.samples, 12, "a forged NAK changes nothing when the answer comes");
    cr_expect_eq(counted(NTP_EXCHANGE_NAK), 12);
    cr_expect_eq(w.establishes, 1, "the jar is filled up again");
    cr_expect_eq(counted(NTP_SOURCE_ESTABLISHED), 1);
}

Test(ntp_source, nts_kiss_that_is_not_authentic)
{
    struct ntp_source_options options = plain_options(-5);
    options.nts = true;
    run(&options, FORGED_DENY, 4);
    cr_expect_eq(w.samples, 4);
    cr_expect_eq(counted(NTP_EXCHANGE_UNPROVEN), 4);
    cr_expect_eq(w.memory.silent_until, 0);
}

Test(ntp_source, nts_new_keys_after_a_nak_and_not_too_often)
{
    struct ntp_source_options options = plain_options(-5);
    options.nts = true;
    run(&options, NAK_ONLY, 6);
    cr_expect_eq(w.establishes, 1, "the next one after ten seconds: these keys were no good");
    cr_expect_eq(w.requests, 1);
    cr_expect_geq(counted(NTP_SOURCE_NO_KEYS), 1);
}

Test(ntp_source, nts_new_keys_at_once_when_the_old_ones_were_good)
{
    struct ntp_source_options options = plain_options(-5);
    options.nts = true;
    run(&options, NAK_FROM_THIRD, 6);
    cr_expect_eq(w.establishes, 2);
    cr_expect_eq(w.samples, 5);
    cr_expect_eq(w.memory.key_failures, 0);
}

Test(ntp_source, nts_a_successor_does_not_hurry_either)
{
    struct ntp_source_options options = plain_options(-5);
    options.nts = true;
    options.memory = (struct ntp_poll_memory){.key_failures = 2,
                                              .key_retry_next = mono_raw_now().ns + 20 * NS_PER_S};
    run(&options, HONEST, 4);
    cr_expect_eq(w.establishes, 0);
    cr_expect_eq(counted(NTP_SOURCE_NO_KEYS), 4);
}

Test(ntp_source, count_names)
{
    for (unsigned i = 0; i < NTP_SOURCE_COUNTERS; i++) {
        cr_assert_not_null(ntp_source_count_name(i), "%u", i);
        for (unsigned j = 0; j < i; j++) {
            cr_expect_str_neq(ntp_source_count_name(i), ntp_source_count_name(j));
        }
    }
    cr_expect_null(ntp_source_count_name(NTP_SOURCE_COUNTERS));
}
