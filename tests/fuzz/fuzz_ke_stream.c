/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One KE connection from its first octet to its last: the pump, the state machine and the issuer as
 * ke_conn.c drives them, against a TLS client in the same memory. Randomness is the same in every
 * run and dates are not looked at, so an input always does the same. The input is
 *
 *   | mode (1) | step (1) | flags (1) | script ...
 *
 *   RAW        the script is what the peer sends, from the first octet on
 *   SHAKE      an honest client shakes hands; the script edits what it sends: | where (2) | xor (1)
 * | TALK       after an honest handshake the script is its plaintext: | length (2) | octets | ...,
 *              each length a TLS record
 *
 * `step` is how many octets the server gets at a time. Properties:
 *
 *   - nothing is answered before a whole request is there, it can no longer become valid, or the
 *     deadline has come; and that once, by one message and the notice of its end;
 *   - what the server understood is what the client wrote;
 *   - cookies hold the keys that the client exports;
 *   - no TLS object before a whole hello; input, buffer and output stay within their limits.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method(): the only way to fixed randomness */
#include "certs/devca.h"
#include "certs/tls_client.h"
#include "nts-ke/ke_export.h"
#include "nts-ke/ke_issuer.h"
#include "nts-ke/ke_pump.h"
#include "tests/fuzz/fuzz_ntp.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <unistd.h>

enum mode { MODE_RAW, MODE_SHAKE, MODE_TALK, MODES };
enum {
    FLAG_KEY_UPDATES = 0x01, /* between records */
    FLAG_CLOSES = 0x02,      /* the client says that it has no more to say */
    FLAG_END_OF_STREAM = 0x04,
    FLAG_DEADLINE = 0x08,
    FLAG_RETRY = 0x10, /* the client guesses a group the server does not want */
    FLAG_NO_ALPN = 0x20,
    FLAG_NO_KEYS = 0x40,
    FLAG_TALKS_ON = 0x80,   /* after the answer */
    TLS_OUTPUT_MAX = 16384, /* a flight, a response, an answer to each of some key updates */
    WIRE_MAX = 256 * 1024,
    KEY_UPDATES_MAX = 64,
};

static const int64_t now_s = INT64_C(1700000000);
static const uint16_t offered[] = {15, 17};

/* Made once. */
static struct tls_server *server;
static SSL_CTX *client_tls;
static struct board *boards[2]; /* one with keys, one without */
static uint64_t random_state;
static struct rng rng;

/* One connection. */
static struct {
    struct ke_pump pump;
    struct ke_issuer issuer;
    enum ke_state state;
    enum ke_request_fault fault;
    struct ke_issued issued;
    size_t responses;
    bool whole; /* the request was complete or hopeless, or the time was up, when it was answered */
    size_t output;
    SSL *client; /* NULL: raw */
    size_t said; /* plaintext by the client, all in all and what may be kept of it */
    uint8_t spoken[KE_REQUEST_MAX + 1];
    size_t key_updates;
    size_t heard_n;
    uint8_t heard[KE_ANSWER_MAX];
} conn;

/* ---- fixed randomness */

static int random_bytes(unsigned char *out, int n)
{
    (void)fuzz_fill(&random_state, out, (size_t)n);
    return 1;
}

static int random_status(void)
{
    return 1;
}

static const RAND_METHOD fixed = {
    .bytes = random_bytes, .pseudorand = random_bytes, .status = random_status};

/* ---- set up */

static void make_board(size_t i, const struct keyring *ring)
{
    size_t size = board_footprint(sizeof(*ring));
    boards[i] = aligned_alloc(64, (size + 63) / 64 * 64);
    check(boards[i] != NULL);
    memset(boards[i], 0, size);
    if (ring != NULL) {
        board_write(boards[i], ring, sizeof(*ring));
    }
}

static void make_tls(void)
{
    char dir[] = "/tmp/ntsd-fuzz-XXXXXX";
    char file[3][64];
    static const char *const names[] = {"ca.pem", "server.pem", "server.key"};
    struct cert_fault fault;
    static struct tls_server_info info;
    check(mkdtemp(dir) != NULL);
    struct devca_options ca = {.dir = dir, .not_before = now_s - 60};
    check(devca_make(&ca, &fault) == NTS_OK);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(file[i], sizeof(file[i]), "%s/%s", dir, names[i]);
    }
    const struct tls_pair_files pair = {.cert = file[1], .key = file[2]};
    const struct tls_server_options options = {
        .files = &pair, .count = 1, .alpn = KE_ALPN, .now_s = now_s};
    check(tls_server_new(&options, &server, &info, &fault) == NTS_OK);
    const struct tls_client_options trust = {
        .ca_file = file[0], .alpn = KE_ALPN, .ignore_dates = true};
    check(tls_client_new(&trust, &client_tls, &fault) == NTS_OK);
    for (size_t i = 0; i < 3; i++) {
        (void)unlink(file[i]);
    }
    (void)rmdir(dir);
}

static void set_up_once(void)
{
    if (server != NULL) {
        return;
    }
    random_state = 5;
    check(RAND_set_rand_method(&fixed) == 1);
    make_tls();
    const struct keyring ring = {.count = 1, .key = {{.id = 0x010203, .bytes = {1, 2, 3}}}};
    make_board(0, &ring);
    make_board(1, NULL);
}

static void set_up(uint8_t flags, bool honest)
{
    random_state = 6;
    rng_init_from(&rng, fuzz_fill, &random_state);
    conn.state = KE_STATE_HANDSHAKE;
    conn.fault = KE_REQUEST_OK;
    conn.responses = conn.output = conn.said = conn.key_updates = conn.heard_n = 0;
    conn.whole = false;
    conn.issuer = (struct ke_issuer){
        .policy = {.aead_count = 2, .aead = {offered[0], offered[1]}},
        .key_board = boards[(flags & FLAG_NO_KEYS) != 0 ? 1 : 0],
        .rng = &rng,
    };
    conn.client = honest ? tls_client_connection(client_tls, "localhost") : NULL;
    if (!honest) {
        return;
    }
    check(conn.client != NULL);
    SSL_set_bio(conn.client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if ((flags & FLAG_NO_ALPN) != 0) {
        check(SSL_set_alpn_protos(conn.client, NULL, 0) == 0);
    }
    if ((flags & FLAG_RETRY) != 0) {
        check(SSL_set1_groups_list(conn.client, "P-521:P-256") == 1);
    }
}

static void tear_down(void)
{
    SSL_free(conn.client);
    ke_pump_wipe(&conn.pump);
    check(conn.pump.ssl == NULL && conn.pump.len == 0 && conn.pump.input == 0);
    cookie_ring_wipe(&conn.issuer.ring);
    ERR_clear_error();
}

/* ---- the server, as ke_conn.c has it */

static struct span spoken(void)
{
    size_t n = conn.said < sizeof(conn.spoken) ? conn.said : sizeof(conn.spoken);
    return span_of(conn.spoken, n);
}

/* ke_stream_scan() once more, in other words. */
static enum ke_stream scan(struct span bytes)
{
    size_t at = 0;
    while (at + KE_RECORD_HEAD_LEN <= KE_REQUEST_MAX && at + KE_RECORD_HEAD_LEN <= bytes.n) {
        unsigned type = (unsigned)(bytes.p[at] & 0x7f) << 8 | bytes.p[at + 1];
        at += KE_RECORD_HEAD_LEN + ((size_t)bytes.p[at + 2] << 8 | bytes.p[at + 3]);
        if (at > KE_REQUEST_MAX) {
            return KE_STREAM_TOO_LONG;
        }
        if (type == KE_END_OF_MESSAGE) {
            return at <= bytes.n ? KE_STREAM_DONE : KE_STREAM_MORE;
        }
    }
    bool hopeless = at + KE_RECORD_HEAD_LEN > KE_REQUEST_MAX && at <= bytes.n;
    return hopeless ? KE_STREAM_TOO_LONG : KE_STREAM_MORE;
}

/* What is to be answered has to be a message, or beyond hope, or cut short by its sender. */
static void check_request(enum ke_event event)
{
    struct span received = ke_pump_received(&conn.pump);
    enum ke_stream stream = scan(received);
    bool cut = event == KE_EVENT_PEER_CLOSED || event == KE_EVENT_DEADLINE;
    check(stream != KE_STREAM_MORE || cut);
    check(received.n > 0 || event == KE_EVENT_DEADLINE);
    check((conn.fault == KE_REQUEST_TOO_LONG) == (stream == KE_STREAM_TOO_LONG && !cut));
    check(received.n <= sizeof(conn.pump.bytes));
    if (conn.client != NULL) { /* not more than was written, and nothing else */
        check(received.n <= spoken().n && span_is(received, conn.spoken, received.n));
    }
    conn.whole = true;
}

static void take_output(void)
{
    struct span output = ke_pump_output(&conn.pump);
    if (output.n == 0) {
        return;
    }
    conn.output += output.n;
    check(conn.output <= TLS_OUTPUT_MAX);
    if (conn.client != NULL) {
        check(BIO_write(SSL_get_rbio(conn.client), output.p, (int)output.n) == (int)output.n);
    }
    ke_pump_sent(&conn.pump);
}

static enum ke_event respond(void)
{
    uint8_t out[KE_RESPONSE_MAX];
    struct wr w = wr_init(out, sizeof(out));
    conn.issued = conn.fault == KE_REQUEST_OK ? ke_issuer_answer(&conn.issuer, conn.pump.ssl,
                                                                 ke_pump_received(&conn.pump), &w)
                                              : ke_issuer_refuse(conn.fault, &w);
    conn.responses++;
    check(conn.responses == 1 && conn.whole && !w.bad && w.n > 0);
    return ke_pump_respond(&conn.pump, wr_done(&w)) ? KE_EVENT_WRITTEN : KE_EVENT_TLS_FAILED;
}

static enum ke_event advance(void)
{
    switch (conn.state) {
    case KE_STATE_HANDSHAKE:
        return ke_pump_handshake(&conn.pump);
    case KE_STATE_REQUEST:
        return ke_pump_request(&conn.pump, &conn.fault);
    case KE_STATE_CLOSING:
        return ke_pump_drain(&conn.pump, span_of(NULL, 0));
    case KE_STATE_RESPONSE:
    case KE_STATE_CLOSED:
        break;
    }
    return KE_EVENT_NONE;
}

/* `cause`: END_OF_STREAM says PEER_CLOSED, the timer DEADLINE, input NONE. */
static void happen(enum ke_event event, enum ke_event cause)
{
    do {
        struct ke_step step = ke_next(conn.state, event);
        conn.state = step.state;
        if (step.action == KE_DO_TIMEOUT_ERROR) {
            conn.fault = KE_REQUEST_TIMEOUT;
        }
        if (step.action == KE_DO_RESPOND || step.action == KE_DO_TIMEOUT_ERROR) {
            bool notice = conn.pump.ssl != NULL &&
                          (SSL_get_shutdown(conn.pump.ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
            check_request(notice ? KE_EVENT_PEER_CLOSED : cause);
            event = respond();
        } else if (step.action == KE_DO_CLOSE) {
            break;
        } else {
            event = advance();
        }
        take_output();
    } while (event != KE_EVENT_NONE);
    take_output();
    check(conn.pump.len <= sizeof(conn.pump.bytes));
    check(conn.pump.ssl != NULL || conn.output == 0);
}

static bool server_listens(void)
{
    return conn.state != KE_STATE_CLOSED;
}

static void take_input(struct span bytes)
{
    bool drained = conn.state == KE_STATE_CLOSING;
    enum ke_event event =
        drained ? ke_pump_drain(&conn.pump, bytes) : ke_pump_feed(&conn.pump, server, bytes);
    check(event == KE_EVENT_TLS_FAILED ||
          conn.pump.input <= (size_t)(drained ? KE_PUMP_DRAIN_MAX : KE_PUMP_INPUT_MAX));
    happen(event, KE_EVENT_NONE);
}

static void send_octets(struct span bytes, size_t step)
{
    struct rd r = rd_init(bytes);
    while (r.left > 0 && server_listens()) {
        take_input(rd_span(&r, r.left < step ? r.left : step));
    }
}

/* ---- the client */

/* Hands over what the client's TLS wants to send, edited by the script. */
static void send_flight(size_t step, struct span edits)
{
    static uint8_t wire[WIRE_MAX];
    int n = BIO_read(SSL_get_wbio(conn.client), wire, sizeof(wire));
    if (n <= 0) {
        return;
    }
    for (struct rd r = rd_init(edits); r.left >= 3;) {
        size_t at = rd_u16(&r);
        uint8_t mask = rd_u8(&r);
        wire[at % (size_t)n] ^= mask;
    }
    send_octets(span_of(wire, (size_t)n), step);
}

static void listen_to_server(void)
{
    size_t got = 0;
    while (conn.heard_n < sizeof(conn.heard) &&
           SSL_read_ex(conn.client, conn.heard + conn.heard_n, sizeof(conn.heard) - conn.heard_n,
                       &got) == 1) {
        conn.heard_n += got;
    }
    check(conn.heard_n == 0 || conn.responses == 1);
    ERR_clear_error();
}

static bool shake_hands(size_t step, struct span edits)
{
    static const struct span none = {NULL, 0};
    struct rd r = rd_init(edits);
    struct span hello = rd_span(&r, edits.n / 2 / 3 * 3);
    for (int flight = 0; flight < 3 && server_listens(); flight++) {
        int rc = SSL_do_handshake(conn.client);
        ERR_clear_error();
        send_flight(step, flight == 0 ? hello : flight == 1 ? rd_rest(&r) : none);
        if (rc == 1) {
            break;
        }
    }
    return SSL_is_init_finished(conn.client) == 1 && conn.state == KE_STATE_REQUEST;
}

/* Who has said all, or too much, has been answered; unless it took too many octets to say it. */
static void check_answered(void)
{
    bool more = scan(spoken()) == KE_STREAM_MORE;
    check(more || conn.responses == 1 || conn.pump.input > KE_PUMP_INPUT_MAX);
}

static void say(struct span record, uint8_t flags, size_t step)
{
    bool updates = (flags & FLAG_KEY_UPDATES) != 0 && conn.key_updates < KEY_UPDATES_MAX;
    if (updates && SSL_key_update(conn.client, SSL_KEY_UPDATE_REQUESTED) == 1) {
        conn.key_updates++;
        (void)SSL_do_handshake(conn.client);
    }
    size_t written = 0;
    if (record.n == 0 || SSL_write_ex(conn.client, record.p, record.n, &written) != 1) {
        return;
    }
    if (conn.said < sizeof(conn.spoken)) {
        size_t room = sizeof(conn.spoken) - conn.said;
        memcpy(conn.spoken + conn.said, record.p, record.n < room ? record.n : room);
    }
    conn.said += record.n;
    send_flight(step, span_of(NULL, 0));
    listen_to_server();
    check_answered();
}

static void talk(struct span script, uint8_t flags, size_t step)
{
    struct rd r = rd_init(script);
    while (r.left >= 2 && server_listens()) {
        if (conn.responses > 0 && (flags & FLAG_TALKS_ON) == 0) {
            break;
        }
        size_t n = rd_u16(&r);
        say(rd_span(&r, n < r.left ? n : r.left), flags, step);
    }
    if ((flags & FLAG_CLOSES) != 0) {
        (void)SSL_shutdown(conn.client);
        send_flight(step, span_of(NULL, 0));
    }
}

/* ---- what came of it */

static void check_keys(const struct ke_answer *answer)
{
    struct session_keys ours;
    struct session_keys theirs;
    size_t slot;
    const struct aead *alg = aead_find(answer->aead);
    check(alg != NULL && answer->cookie_count == KE_COOKIES);
    check(ke_export_keys(conn.client, alg, answer->aead, &ours) == NTS_OK);
    for (size_t i = 0; i < answer->cookie_count; i++) {
        check(cookie_unseal(&conn.issuer.ring, answer->cookie[i], &theirs, &slot) == NTS_OK);
        check(theirs.alg == alg && ct_equal(theirs.c2s.bytes, ours.c2s.bytes, ours.c2s.len));
        check(ct_equal(theirs.s2c.bytes, ours.s2c.bytes, ours.s2c.len));
        check(!ct_equal(ours.s2c.bytes, ours.c2s.bytes, ours.s2c.len));
    }
}

static void check_answer(uint8_t flags)
{
    struct ke_answer answer;
    const char *why = NULL;
    listen_to_server();
    check((conn.heard_n > 0) == (conn.responses == 1));
    if (conn.responses == 0) {
        return;
    }
    check((SSL_get_shutdown(conn.client) & SSL_RECEIVED_SHUTDOWN) != 0);
    enum nts_err err =
        ke_answer_parse(span_of(conn.heard, conn.heard_n), offered, 2, &answer, &why);
    check(err == NTS_OK);
    if (conn.issued.count != KE_COUNT_SERVED) {
        check(answer.cookie_count == 0);
        check(answer.has_error == (conn.issued.count >= KE_COUNT_ERROR_0));
        return;
    }
    check(!answer.has_error && (flags & FLAG_NO_KEYS) == 0);
    check_keys(&answer);
}

static void end(uint8_t flags)
{
    if ((flags & FLAG_END_OF_STREAM) != 0 && server_listens()) {
        bool cut = conn.state == KE_STATE_REQUEST;
        happen(cut ? ke_pump_end(&conn.pump) : KE_EVENT_PEER_CLOSED, KE_EVENT_PEER_CLOSED);
    }
    if ((flags & FLAG_DEADLINE) != 0 && server_listens()) {
        bool asked = conn.state == KE_STATE_REQUEST;
        happen(KE_EVENT_DEADLINE, KE_EVENT_DEADLINE);
        check(!asked || conn.responses == 1); /* RFC 8915 section 4.1.3 */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {KE_PUMP_CHUNK_MAX, 1, 2, 5, 7, 16, 64, 300, 1000, 1460};
    struct rd r = rd_init(span_of(data, size));
    enum mode mode = rd_u8(&r) % MODES;
    size_t step = steps[rd_u8(&r) % (sizeof(steps) / sizeof(steps[0]))];
    uint8_t flags = rd_u8(&r);
    if (r.bad || size > WIRE_MAX) {
        return 0;
    }
    struct span script = rd_rest(&r);
    set_up_once();
    set_up(flags, mode != MODE_RAW);
    if (mode == MODE_RAW) {
        send_octets(script, step);
    } else if (shake_hands(step, mode == MODE_SHAKE ? script : span_of(NULL, 0))) {
        check((flags & FLAG_NO_ALPN) == 0);
        talk(mode == MODE_TALK ? script : span_of(NULL, 0), flags, step);
    }
    end(flags);
    if (mode == MODE_TALK) {
        check_answer(flags);
    }
    tear_down();
    return 0;
}
