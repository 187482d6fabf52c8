/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a datagram as a worker runs it: access list, rate limit, answer_prepare() for a whole
 * batch and then answer_finish(), with a real ring. The input is
 *
 *   | options | from whom (1) | how often (1) | the datagram as it is on the wire ...
 *
 * and mutated by ntp_shape.h, so that most datagrams verify. The same datagram is asked several
 * times, in batches, with time between them. Properties:
 *
 *   - who is denied hears nothing; nobody hears more than the rate limit allows;
 *   - every answer has the form of fuzz_answer.h and stays within the request's length;
 *   - what is answered as authentic opens with the server-to-client key of its cookie, holds
 *     cookies of the same session under the issuing key and nothing else;
 *   - a bit of it changed, and there is no authentic answer.
 */
#include "common/net/acl.h"
#include "tests/fuzz/fuzz_answer.h"
#include "tests/fuzz/ntp_shape.h"

enum {
    OPTION_NTS_ONLY = 0x01,
    OPTION_LIMIT = 0x02,
    OPTION_UNSYNCHRONISED = 0x04,
    OPTION_NO_RING = 0x08,
    OPTION_LEAK = 0x10,
    OPTION_ISSUING = 0x60, /* which key issues */
    BATCH = 4,
    CLIENTS = 16,
    LIMIT_MEMORY = 4096,
    LIMIT_BURST = 3,
};

static const struct {
    const char *text; /* NULL: neither IPv4 nor IPv6 */
    bool denied;
} sources[] = {
    {"192.0.2.1", false},      {"198.51.100.7", true},      {"2001:db8::1", false},
    {"2001:db8:bad::1", true}, {"::ffff:192.0.2.1", false}, {"::ffff:198.51.100.7", true},
    {"198.51.100.128", false}, {"0.0.0.0", false},          {NULL, true},
};

/* What a worker has. */
static struct {
    struct rng rng;
    uint64_t random_state;
    struct acl acl;
    struct ratelimit limit;
    _Alignas(64) uint8_t limit_memory[LIMIT_MEMORY];
    struct answer_env env;
    uint8_t reply[BATCH][FUZZ_PACKET_MAX];
    struct pending pending[BATCH];
    enum ntp_verdict verdict[BATCH];
} worker;

/* What was said so far to the client of this input. */
struct tally {
    enum ntp_verdict first;
    size_t asked;
    size_t answers;
    bool told; /* a kiss, and no answer since */
};

static void add_rule(struct acl_rules *rules, const char *text, bool allow)
{
    struct net_prefix prefix;
    check(net_prefix_parse(text, &prefix) == NTS_OK && acl_add(rules, &prefix, allow) == NTS_OK);
}

static void set_up_acl(void)
{
    static struct acl_rules rules;
    if (worker.acl.count > 0) {
        return;
    }
    add_rule(&rules, "0.0.0.0/0", true);
    add_rule(&rules, "::/0", true);
    add_rule(&rules, "198.51.100.0/24", false);
    add_rule(&rules, "198.51.100.128", true);
    add_rule(&rules, "2001:db8:bad::/48", false);
    acl_seal(&rules, &worker.acl);
}

static void set_up(uint8_t options)
{
    static struct cookie_ring nothing;
    static const struct ratelimit_options limit = {
        .interval = 0, .burst = LIMIT_BURST, .v4_bits = 32, .v6_bits = 64, .hash_key = {7}};
    struct ratelimit_options chosen = limit;
    chosen.leak = (options & OPTION_LEAK) != 0 ? 1 : 0;
    set_up_acl();
    worker.random_state = 3;
    rng_init_from(&worker.rng, fuzz_fill, &worker.random_state);
    struct cookie_ring *ring = shape_ring();
    ring->issuing = (options & OPTION_ISSUING) / 0x20U % ring->count;
    worker.env = (struct answer_env){
        .ring = (options & OPTION_NO_RING) != 0 ? &nothing : ring,
        .nts_only = (options & OPTION_NTS_ONLY) != 0,
        .now = {.ns = NS_PER_S},
        .clock = {.stratum = 2, .reference_id = 1},
    };
    if ((options & OPTION_UNSYNCHRONISED) != 0) {
        worker.env.clock = (struct ntp_clock_fields){.leap = NTP_LEAP_UNKNOWN};
    }
    if ((options & OPTION_LIMIT) != 0) {
        check(ratelimit_size(CLIENTS) <= LIMIT_MEMORY);
        check(ratelimit_init(&worker.limit, &chosen, worker.limit_memory,
                             ratelimit_size(CLIENTS)) == NTS_OK);
        worker.env.limit = &worker.limit;
    }
}

/* The keys of the one cookie of a request that was found authentic. */
static void find_keys(struct span request, struct session_keys *keys)
{
    struct rd r = rd_init(request);
    rd_skip(&r, NTP_HEADER_LEN);
    size_t found = 0;
    size_t slot;
    struct ntp_ef ef;
    while (ntp_ef_next(&r, request.n, &ef) == NTS_OK && ef.type != NTP_EF_AUTHENTICATOR) {
        if (ef.type == NTP_EF_COOKIE) {
            found++;
            check(cookie_unseal(worker.env.ring, ef.body, keys, &slot) == NTS_OK);
        }
    }
    check(found == 1);
}

static void check_cookie(const struct ntp_ef *ef, const struct session_keys *keys)
{
    struct session_keys opened;
    size_t slot;
    check(ef->type == NTP_EF_COOKIE);
    check(cookie_unseal(worker.env.ring, ef->body, &opened, &slot) == NTS_OK);
    check(slot == worker.env.ring->issuing && opened.alg == keys->alg);
    check(ct_equal(opened.s2c.bytes, keys->s2c.bytes, keys->s2c.len));
    check(ct_equal(opened.c2s.bytes, keys->c2s.bytes, keys->c2s.len));
}

static void check_opens(struct span request, struct span reply, const struct ntp_ef *ef,
                        size_t cookies)
{
    struct session_keys keys;
    struct ntp_authenticator auth;
    uint8_t plain[NTP_DATAGRAM_MAX];
    find_keys(request, &keys);
    check(ntp_authenticator_parse(ef->body, &auth) == NTS_OK);
    check(ef->offset + NTP_EF_HEAD_LEN + ef->body.n == reply.n);
    check(ntp_auth_open(keys.alg, &keys.s2c, &auth, span_of(reply.p, ef->offset), plain) == NTS_OK);
    struct span inner = span_of(plain, auth.ciphertext.n - AEAD_TAG_LEN);
    struct rd r = rd_init(inner);
    size_t found = 0;
    struct ntp_ef field;
    while (ntp_ef_next_encrypted(&r, inner.n, &field) == NTS_OK) {
        check_cookie(&field, &keys);
        found++;
    }
    check(rd_end(&r) && found == cookies && found >= 1 && found <= NTP_COOKIES_MAX);
}

/* One request is judged like the other, but for the limit of its client. */
static void check_verdict(struct tally *tally, enum ntp_verdict verdict)
{
    check(verdict < NTP_VERDICTS && verdict != NTP_DROP_INTERNAL && verdict != NTP_DROP_NO_RANDOM);
    check(verdict != NTP_ANSWER_PLAIN || !worker.env.nts_only);
    if (tally->asked++ == 0) {
        tally->first = verdict;
    }
    bool limited = verdict == NTP_RATE_KISS || verdict == NTP_DROP_LIMITED;
    check(verdict == tally->first || (limited && worker.env.limit != NULL));
    check(!limited || (tally->asked > LIMIT_BURST && ntp_verdict_is_answer(tally->first)));
    if (verdict == NTP_RATE_KISS) {
        check(!tally->told && !fuzz_is_nak(tally->first));
        tally->told = true;
        return;
    }
    if (ntp_verdict_is_answer(verdict)) {
        tally->answers++;
        tally->told = false;
    }
}

static void check_limit(const struct tally *tally)
{
    const struct answer_env *env = &worker.env;
    if (env->limit != NULL && env->limit->options.leak == 0) {
        check((int64_t)tally->answers <= LIMIT_BURST + (env->now.ns - NS_PER_S) / NS_PER_S);
    }
}

static void finish(struct span request, struct tally *tally, size_t i)
{
    enum ntp_verdict verdict = worker.verdict[i];
    check_verdict(tally, verdict);
    if (ntp_verdict_is_answer(verdict)) {
        size_t cookies = worker.pending[i].cookie_count;
        bool authentic = tally->first == NTP_ANSWER_NTS;
        struct span reply = answer_finish(&worker.pending[i], 6);
        struct ntp_ef ef = fuzz_check_reply(request, verdict, authentic, reply);
        if (authentic) {
            check_opens(request, reply, &ef, cookies);
        }
    }
    for (size_t at = request.n; at < FUZZ_PACKET_MAX; at++) {
        check(worker.reply[i][at] == 0xcc);
    }
}

static void serve_batch(const struct net_addr *source, struct span request, size_t n,
                        struct tally *tally)
{
    for (size_t i = 0; i < n; i++) {
        memset(worker.reply[i], 0xcc, FUZZ_PACKET_MAX);
        if (worker.env.limit != NULL) {
            worker.env.address = ratelimit_key_of_address(worker.env.limit, source);
        }
        worker.verdict[i] = answer_prepare(&worker.env, &worker.rng, request, 5, worker.reply[i],
                                           &worker.pending[i]);
    }
    for (size_t i = 0; i < n; i++) {
        finish(request, tally, i);
    }
}

/* Any bit of an authentic request that the authenticator covers, or of the ciphertext. */
static void check_damaged(struct span request, uint64_t which)
{
    static uint8_t copy[FUZZ_PACKET_MAX];
    struct rd r = rd_init(request);
    rd_skip(&r, NTP_HEADER_LEN);
    struct ntp_ef ef;
    struct ntp_authenticator auth;
    do {
        check(ntp_ef_next(&r, request.n, &ef) == NTS_OK);
    } while (ef.type != NTP_EF_AUTHENTICATOR);
    check(ntp_authenticator_parse(ef.body, &auth) == NTS_OK);
    uint64_t bit = which % ((ef.offset + auth.ciphertext.n) * 8);
    size_t at = (size_t)(bit / 8);
    at = at < ef.offset ? at : (size_t)(auth.ciphertext.p - request.p) + at - ef.offset;
    memcpy(copy, request.p, request.n);
    copy[at] ^= (uint8_t)(1U << bit % 8);
    worker.env.limit = NULL;
    enum ntp_verdict verdict = answer_prepare(&worker.env, &worker.rng, span_of(copy, request.n), 5,
                                              worker.reply[0], &worker.pending[0]);
    check(verdict != NTP_ANSWER_NTS);
    if (ntp_verdict_is_answer(verdict)) {
        struct span damaged = span_of(copy, request.n);
        (void)fuzz_check_reply(damaged, verdict, false, answer_finish(&worker.pending[0], 6));
    }
}

/* Which bit: another one for every input, and the same for the same. */
static uint64_t hash_of(struct span bytes)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < bytes.n; i++) {
        hash = (hash ^ bytes.p[i]) * 1099511628211U;
    }
    return hash >> 16;
}

static struct net_addr source_of(size_t i)
{
    struct net_addr source = net_addr_any(AF_UNSPEC, 0);
    check(sources[i].text == NULL || net_addr_parse(sources[i].text, 5000, &source) == NTS_OK);
    return source;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return shape_mutate(data, size, max, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < SHAPE_HEAD || size > SHAPE_MAX) {
        return 0;
    }
    set_up(data[0]);
    size_t who = data[1] % (sizeof(sources) / sizeof(sources[0]));
    struct net_addr source = source_of(who);
    check(acl_allows(&worker.acl, &source) == !sources[who].denied);
    if (sources[who].denied) {
        return 0;
    }
    struct span request = span_of(data + SHAPE_HEAD, size - SHAPE_HEAD);
    struct tally tally = {.asked = 0};
    for (size_t left = data[2] % 16U + 1; left > 0;) {
        size_t n = left < BATCH ? left : BATCH;
        serve_batch(&source, request, n, &tally);
        check_limit(&tally);
        worker.env.now.ns += (int64_t)(data[2] / 16U) * NS_PER_S / 4;
        left -= n;
    }
    if (tally.first == NTP_ANSWER_NTS) {
        check_damaged(request, hash_of(span_of(data, size)));
    }
    return 0;
}
