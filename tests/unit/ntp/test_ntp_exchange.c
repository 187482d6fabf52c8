/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server's answer is worth: each field of it out of order, every kiss, and what follows from
 * four timestamps.
 */
#include "tests/unit/ntp/ntp_sample.h"

#include "ntp/clock/ntp_exchange.h"

static struct sample s;
static struct query_reply reply;
static uint8_t packet[SAMPLE_PACKET_MAX];

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
}

TestSuite(ntp_exchange, .init = setup);

#define SENT_RAW INT64_C(5000000000)
#define WALL     (INT64_C(1800000000) * NS_PER_S)

static uint64_t stamp(int64_t ns)
{
    return ntp_time_from_wall((struct wall_ns){.ns = ns});
}

/* An answer of a server a second behind, 400 us away, that kept the request for 100 us. */
static struct ntp_header good(void)
{
    return (struct ntp_header){.version = 4,
                               .mode = NTP_MODE_SERVER,
                               .stratum = 3,
                               .precision = -20,
                               .root_delay = 0x100,
                               .root_dispersion = 0x200,
                               .reference_id = 0x01020304,
                               .reference_time = stamp(WALL - NS_PER_S),
                               .origin_time = SAMPLE_TRANSMIT,
                               .receive_time = stamp(WALL),
                               .transmit_time = stamp(WALL + 100000)};
}

static const struct ntp_exchange_frame frame = {.sent = {.ns = SENT_RAW},
                                                .received = {.ns = SENT_RAW + 500000},
                                                .server_id = 0xa9fea97b,
                                                .own_id = 0x0a000001};

/* Names, so that a table can say which field is spoilt. */
enum field {
    NOTHING,
    LEAP,
    VERSION,
    MODE,
    STRATUM,
    KISS,
    ORIGIN,
    ROOT_DELAY,
    ROOT_DISPERSION,
    REFERENCE_ID,
    REFERENCE_TIME,
    RECEIVE,
    TRANSMIT,
    PRECISION,
};

static struct ntp_header spoilt(enum field field, uint64_t value)
{
    struct ntp_header h = good();
    switch (field) {
    case NOTHING:
        break;
    case LEAP:
        h.leap = (uint8_t)value;
        break;
    case VERSION:
        h.version = (uint8_t)value;
        break;
    case MODE:
        h.mode = (uint8_t)value;
        break;
    case STRATUM:
        h.stratum = (uint8_t)value;
        break;
    case KISS:
        h.stratum = 0;
        h.reference_id = (uint32_t)value;
        break;
    case ORIGIN:
        h.origin_time = value;
        break;
    case ROOT_DELAY:
        h.root_delay = (uint32_t)value;
        break;
    case ROOT_DISPERSION:
        h.root_dispersion = (uint32_t)value;
        break;
    case REFERENCE_ID:
        h.reference_id = (uint32_t)value;
        break;
    case REFERENCE_TIME:
        h.reference_time = value;
        break;
    case RECEIVE:
        h.receive_time = value;
        break;
    case TRANSMIT:
        h.transmit_time = value;
        break;
    case PRECISION:
        h.precision = (int8_t)value;
        break;
    }
    return h;
}

struct row {
    enum field field;
    uint64_t value;
    enum ntp_exchange_verdict verdict;
};

static const struct row rows[] = {
    {NOTHING, 0, NTP_EXCHANGE_OK},
    {LEAP, NTP_LEAP_INSERT, NTP_EXCHANGE_OK},
    {LEAP, NTP_LEAP_DELETE, NTP_EXCHANGE_OK},
    {LEAP, NTP_LEAP_UNKNOWN, NTP_EXCHANGE_UNSYNCHRONISED},
    {VERSION, 3, NTP_EXCHANGE_MODE},
    {VERSION, 5, NTP_EXCHANGE_MODE},
    {MODE, 1, NTP_EXCHANGE_MODE},
    {MODE, 2, NTP_EXCHANGE_MODE},
    {MODE, 3, NTP_EXCHANGE_MODE},
    {MODE, 5, NTP_EXCHANGE_MODE},
    {MODE, 6, NTP_EXCHANGE_MODE},
    {STRATUM, 1, NTP_EXCHANGE_OK},
    {STRATUM, 15, NTP_EXCHANGE_OK},
    {STRATUM, 16, NTP_EXCHANGE_UNSYNCHRONISED},
    {STRATUM, 255, NTP_EXCHANGE_UNSYNCHRONISED},
    {KISS, 0, NTP_EXCHANGE_UNSYNCHRONISED},
    {KISS, NTP_KISS_RATE, NTP_EXCHANGE_RATE},
    {KISS, NTP_KISS_DENY, NTP_EXCHANGE_DENY},
    {KISS, NTP_KISS_RSTR, NTP_EXCHANGE_DENY},
    {KISS, NTP_KISS_NTSN, NTP_EXCHANGE_KISS}, /* to somebody who did not ask over NTS */
    {KISS, 0x494e4954, NTP_EXCHANGE_KISS},    /* INIT */
    {KISS, 1, NTP_EXCHANGE_KISS},
    {ORIGIN, 0, NTP_EXCHANGE_ORIGIN},
    {ORIGIN, SAMPLE_TRANSMIT ^ 1, NTP_EXCHANGE_ORIGIN},
    {ORIGIN, SAMPLE_TRANSMIT ^ UINT64_C(1) << 63, NTP_EXCHANGE_ORIGIN},
    {ROOT_DELAY, 0, NTP_EXCHANGE_OK},
    {ROOT_DELAY, 0x2f000, NTP_EXCHANGE_OK},
    {ROOT_DELAY, 0x30000, NTP_EXCHANGE_DISTANCE},
    {ROOT_DELAY, UINT32_MAX, NTP_EXCHANGE_DISTANCE},
    {ROOT_DISPERSION, 0x17f00, NTP_EXCHANGE_OK},
    {ROOT_DISPERSION, 0x18000, NTP_EXCHANGE_DISTANCE},
    {ROOT_DISPERSION, UINT32_MAX, NTP_EXCHANGE_DISTANCE},
    {REFERENCE_ID, 0, NTP_EXCHANGE_OK},
    {REFERENCE_ID, 0x0a000001, NTP_EXCHANGE_LOOP}, /* that is us */
    {REFERENCE_TIME, 0, NTP_EXCHANGE_OK},
    {RECEIVE, 0, NTP_EXCHANGE_STAMPS},
    {TRANSMIT, 0, NTP_EXCHANGE_STAMPS},
    {PRECISION, 0x80, NTP_EXCHANGE_OK}, /* 2^-128 s */
    {PRECISION, 0, NTP_EXCHANGE_OK},    /* a whole second: of no use, but within 1.5 s */
    {PRECISION, 127, NTP_EXCHANGE_OK},
};

static enum ntp_exchange_verdict verdict_on(const struct ntp_header *header,
                                            struct clock_sample *sample)
{
    const struct query query = {.transmit_time = SAMPLE_TRANSMIT};
    struct wr w = wr_init(packet, sizeof(packet));
    ntp_header_write(&w, header);
    enum ntp_exchange_verdict verdict = ntp_exchange_judge(&query, NULL, wr_done(&w), &reply);
    return verdict == NTP_EXCHANGE_OK ? ntp_exchange_sample(&reply.header, &frame, sample)
                                      : verdict;
}

Test(ntp_exchange, each_field)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct clock_sample sample = {.stratum = 99};
        struct ntp_header header = spoilt(rows[i].field, rows[i].value);
        enum ntp_exchange_verdict verdict = verdict_on(&header, &sample);
        cr_expect_eq(verdict, rows[i].verdict, "row %zu: %s", i,
                     ntp_exchange_verdict_name(verdict));
        cr_expect(verdict == NTP_EXCHANGE_OK || sample.stratum == 99, "row %zu: touched", i);
    }
}

Test(ntp_exchange, stamps_against_each_other)
{
    static const struct {
        int64_t received_ns; /* by the server, from WALL */
        int64_t sent_ns;
        int64_t set_ns;
        enum ntp_exchange_verdict verdict;
    } cases[] = {
        {0, 0, 0, NTP_EXCHANGE_OK},
        {0, -1000, -2000, NTP_EXCHANGE_STAMPS},   /* answered before it was asked */
        {0, 100000, 100001, NTP_EXCHANGE_STAMPS}, /* set after the answer */
        {0, 500000, 0, NTP_EXCHANGE_OK},          /* no delay at all */
        {0, 1499000, 0, NTP_EXCHANGE_OK},         /* a little below nothing: clocks differ */
        {0, 1501000, 0, NTP_EXCHANGE_DELAY},      /* kept it longer than we waited */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntp_header header = good();
        struct clock_sample sample = {0};
        header.receive_time = stamp(WALL + cases[i].received_ns);
        header.transmit_time = stamp(WALL + cases[i].sent_ns);
        header.reference_time = stamp(WALL + cases[i].set_ns);
        cr_expect_eq(verdict_on(&header, &sample), cases[i].verdict, "case %zu", i);
        cr_expect_geq(sample.delay_ns, 0, "case %zu", i);
    }
}

Test(ntp_exchange, too_long_under_way)
{
    struct clock_sample sample;
    struct ntp_header header = good();
    struct ntp_exchange_frame slow = frame;
    slow.received.ns = SENT_RAW + NS_PER_S + 100000;
    cr_expect_eq(ntp_exchange_sample(&header, &slow, &sample), NTP_EXCHANGE_OK);
    slow.received.ns += 1000;
    cr_expect_eq(ntp_exchange_sample(&header, &slow, &sample), NTP_EXCHANGE_DELAY);
    slow.received.ns = SENT_RAW - 1;
    cr_expect_eq(ntp_exchange_sample(&header, &slow, &sample), NTP_EXCHANGE_DELAY);
}

static bool near(int64_t a, int64_t b)
{
    return a - b <= 1 && b - a <= 1; /* the wire has 233 ps */
}

Test(ntp_exchange, what_is_measured)
{
    struct clock_sample sample;
    struct ntp_header header = good();
    cr_assert_eq(verdict_on(&header, &sample), NTP_EXCHANGE_OK);
    cr_expect_eq(sample.raw_ns, SENT_RAW + 250000);
    cr_expect(near(sample.wall_ns, WALL + 50000));
    cr_expect(near(sample.delay_ns, 400000));
    cr_expect_eq(sample.root_delay_ns, 3906250);
    cr_expect_eq(sample.root_dispersion_ns, 7812500 + 954, "and the server's precision");
    cr_expect_eq(sample.reference_id, 0xa9fea97b);
    cr_expect_eq(sample.stratum, 3);
    cr_expect_eq(sample.leap, NTP_LEAP_NONE);
}

/* Whatever the host believes, a server says which of the eras is meant: the one around 2058. */
Test(ntp_exchange, years)
{
    static const int64_t years_s[] = {
        INT64_C(631152000),  /* 1990 */
        INT64_C(1800000000), /* 2027 */
        INT64_C(2085978494), /* two seconds before the era ends */
        INT64_C(2085978497), /* a second after its end: the very end is "not set" */
        INT64_C(2147483648), /* 2038 */
        INT64_C(4922985600), /* 2126 */
    };
    for (size_t i = 0; i < sizeof(years_s) / sizeof(years_s[0]); i++) {
        struct clock_sample sample;
        struct ntp_header header = good();
        int64_t wall = years_s[i] * NS_PER_S;
        header.reference_time = stamp(wall - 64 * NS_PER_S);
        header.receive_time = stamp(wall);
        header.transmit_time = stamp(wall + 1000);
        cr_assert_eq(verdict_on(&header, &sample), NTP_EXCHANGE_OK, "%zu", i);
        cr_expect(near(sample.wall_ns, wall + 500), "%zu", i);
    }
}

/* The end of an era between two stamps. */
Test(ntp_exchange, across_the_end_of_an_era)
{
    struct clock_sample sample;
    struct ntp_header header = good();
    int64_t end = INT64_C(2085978496) * NS_PER_S;
    header.reference_time = stamp(end - NS_PER_S);
    header.receive_time = stamp(end - 50000);
    header.transmit_time = stamp(end + 50000);
    cr_assert_eq(verdict_on(&header, &sample), NTP_EXCHANGE_OK);
    cr_expect(near(sample.wall_ns, end));
    cr_expect(near(sample.delay_ns, 400000));
}

Test(ntp_exchange, short_and_cut)
{
    const struct query query = {.transmit_time = SAMPLE_TRANSMIT};
    struct ntp_header header = good();
    struct wr w = wr_init(packet, sizeof(packet));
    ntp_header_write(&w, &header);
    for (size_t n = 0; n < NTP_HEADER_LEN; n++) {
        cr_expect_eq(ntp_exchange_judge(&query, NULL, span_of(packet, n), &reply),
                     NTP_EXCHANGE_SHORT);
    }
}

/* --- NTS --- */

enum { SEALED = 1, FORGED = 2, OTHER_UID = 4, NO_UID = 8 };

static enum ntp_exchange_verdict nts_verdict(uint32_t kiss, unsigned how)
{
    struct query query = {.transmit_time = SAMPLE_TRANSMIT, .nts = true};
    struct ntp_header header = kiss == 0 ? good() : spoilt(KISS, kiss);
    struct wr w = wr_init(packet, sizeof(packet));
    uint8_t uid[NTP_UID_LEN_MIN] = {7};
    const uint8_t nonce[16] = {1};
    memset(query.uid, 7, sizeof(query.uid));
    memset(uid, (how & OTHER_UID) != 0 ? 8 : 7, sizeof(uid));
    ntp_header_write(&w, &header);
    if ((how & NO_UID) == 0) {
        ntp_ef_write(&w, NTP_EF_UNIQUE_IDENTIFIER, span_of(uid, sizeof(uid)), 0);
    }
    if ((how & (SEALED | FORGED)) != 0) {
        struct aead_key key;
        const struct secret_key *secret = (how & FORGED) != 0 ? &s.keys.c2s : &s.keys.s2c;
        cr_assert_eq(aead_key_init(&key, s.keys.alg, secret_key_span(secret)), NTS_OK);
        cr_assert_eq(
            ntp_auth_seal(&key, span_of(nonce, s.keys.alg->nonce_len), span_of(NULL, 0), &w),
            NTS_OK);
    }
    return ntp_exchange_judge(&query, &s.keys, wr_done(&w), &reply);
}

/* Who sees the request can forge a kiss, but not its seal: it must not silence the source. */
Test(ntp_exchange, kisses_over_nts)
{
    static const struct {
        uint32_t kiss;
        unsigned how;
        enum ntp_exchange_verdict verdict;
    } cases[] = {
        {0, SEALED, NTP_EXCHANGE_OK},
        {0, FORGED, NTP_EXCHANGE_UNPROVEN},
        {0, 0, NTP_EXCHANGE_UNPROVEN},
        {0, SEALED | OTHER_UID, NTP_EXCHANGE_UNPROVEN},
        {0, SEALED | NO_UID, NTP_EXCHANGE_UNPROVEN},
        {NTP_KISS_NTSN, 0, NTP_EXCHANGE_NAK},
        {NTP_KISS_NTSN, OTHER_UID, NTP_EXCHANGE_UNPROVEN},
        {NTP_KISS_NTSN, NO_UID, NTP_EXCHANGE_UNPROVEN},
        {NTP_KISS_RATE, SEALED, NTP_EXCHANGE_RATE},
        {NTP_KISS_RATE, 0, NTP_EXCHANGE_UNPROVEN},
        {NTP_KISS_DENY, SEALED, NTP_EXCHANGE_DENY},
        {NTP_KISS_DENY, 0, NTP_EXCHANGE_UNPROVEN},
        {NTP_KISS_DENY, FORGED, NTP_EXCHANGE_UNPROVEN},
        {NTP_KISS_RSTR, 0, NTP_EXCHANGE_UNPROVEN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum ntp_exchange_verdict verdict = nts_verdict(cases[i].kiss, cases[i].how);
        cr_expect_eq(verdict, cases[i].verdict, "case %zu: %s", i,
                     ntp_exchange_verdict_name(verdict));
    }
}

Test(ntp_exchange, names_and_ends)
{
    for (int v = 0; v < NTP_EXCHANGE_VERDICTS; v++) {
        const char *name = ntp_exchange_verdict_name((enum ntp_exchange_verdict)v);
        cr_expect(name != NULL && name[0] != '\0');
        for (int w = 0; w < v; w++) {
            cr_expect_str_neq(name, ntp_exchange_verdict_name((enum ntp_exchange_verdict)w));
        }
    }
    cr_expect_not(ntp_exchange_goes_on(NTP_EXCHANGE_OK));
    cr_expect(ntp_exchange_goes_on(NTP_EXCHANGE_ORIGIN));
    cr_expect(ntp_exchange_goes_on(NTP_EXCHANGE_NAK));
    cr_expect_not(ntp_exchange_goes_on(NTP_EXCHANGE_RATE));
}
