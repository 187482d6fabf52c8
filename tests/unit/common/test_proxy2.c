/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PROXY protocol headers: as load balancers send them, cut everywhere, and wrong everywhere.
 */
#include "common/net/proxy2.h"

#include "common/net/crc32c.h"

#include "tests/unit/common/hex.h"

#define SIGNATURE "0d0a0d0a000d0a515549540a"

/* 192.0.2.1:40000 to 198.51.100.1:4460, and the same in IPv6 */
#define INET                                                                                       \
    "c0000201"                                                                                     \
    "c6336401"                                                                                     \
    "9c40"                                                                                         \
    "116c"
#define INET6                                                                                      \
    "20010db8000000000000000000000001"                                                             \
    "20010db8000000000000000000000002"                                                             \
    "9c40"                                                                                         \
    "116c"
#define X8   "0000000000000000"
#define X36  X8 X8 X8 X8 "00000000"
#define X108 X36 X36 X36
#define X216 X108 X108

/* What AWS publishes as a header of its Network Load Balancer: CRC32C, the id of the VPC endpoint,
 * and NOOP for padding. */
#define AWS                                                                                        \
    SIGNATURE "2111"                                                                               \
              "0054"                                                                               \
              "ac1f0771"                                                                           \
              "ac1f0a1f"                                                                           \
              "c8f2"                                                                               \
              "0050"                                                                               \
              "030004e8d6892d"                                                                     \
              "ea001701767063652d3038643262663135666163353030316339"                               \
              "040024" X36

/* As HAProxy sends it for a client with a certificate: TLVs within a TLV. */
#define TLS_CLIENT                                                                                 \
    SIGNATURE "2111"                                                                               \
              "0040"                                                                               \
              "7f000001"                                                                           \
              "7f000001"                                                                           \
              "cc8a"                                                                               \
              "232e"                                                                               \
              "200031"                                                                             \
              "07"                                                                                 \
              "00000000"                                                                           \
              "210007"                                                                             \
              "544c5376312e33"                                                                     \
              "22001f"                                                                             \
              "4578616d706c6520436f6d6d6f6e204e616d6520436c69656e742043657274"

struct good {
    const char *octets;
    const char *source; /* NULL: none */
    bool local;
};

static const struct good good[] = {
    {SIGNATURE "2111000c" INET, "192.0.2.1:40000", false},
    {SIGNATURE "2112000c" INET, "192.0.2.1:40000", false}, /* datagram */
    {SIGNATURE "21210024" INET6, "[2001:db8::1]:40000", false},
    {SIGNATURE "21220024" INET6, "[2001:db8::1]:40000", false},
    {SIGNATURE "213100d8" X216, NULL, false}, /* AF_UNIX */
    {SIGNATURE "213200d8" X216, NULL, false},
    {SIGNATURE "213100db" X216 "040000", NULL, false},
    {SIGNATURE "21000000", NULL, false}, /* AF_UNSPEC */
    {SIGNATURE "21000003"
               "ffffff",
     NULL, false},
    {SIGNATURE "21010000", NULL, false},
    {SIGNATURE "2110000c" INET, NULL, false}, /* a transport that is not known */
    {SIGNATURE "21100001"
               "ff",
     NULL, false},
    {SIGNATURE "20000000", NULL, true}, /* health checks */
    {SIGNATURE "2011000c" INET, NULL, true},
    {SIGNATURE "20110003"
               "c00002",
     NULL, true}, /* addresses cut short */
    {SIGNATURE "20ff0005"
               "deadbeef00",
     NULL, true},                                                   /* no such family */
    {SIGNATURE "2011000e" INET "0300", NULL, true},                 /* no TLV */
    {SIGNATURE "20110013" INET "03000400000000", NULL, true},       /* a checksum that is wrong */
    {SIGNATURE "2111000f" INET "040000", "192.0.2.1:40000", false}, /* TLVs */
    {SIGNATURE "21110015" INET "ff0003"
               "010203"
               "040000",
     "192.0.2.1:40000", false},
    {SIGNATURE "2111000c"
               "00000000"
               "00000000"
               "0000"
               "0000",
     "0.0.0.0:0", false},
    {SIGNATURE "21210024"
               "00000000000000000000ffffc0000201" X8 X8 "9c40"
               "116c",
     "[::ffff:192.0.2.1]:40000", false},
    {AWS, "172.31.7.113:51442", false},
    {TLS_CLIENT, "127.0.0.1:52362", false},
};

static void check_good(const struct good *c, const struct proxy2_header *header, size_t len)
{
    cr_assert_eq(header->len, len, "%s", c->octets);
    cr_assert_eq(header->missing, 0);
    cr_assert_eq(header->fault, PROXY2_FAULT_NONE);
    cr_assert_eq(header->local, c->local, "%s", c->octets);
    cr_assert_eq(header->has_source, c->source != NULL, "%s", c->octets);
    char text[NET_ADDR_TEXT_MAX];
    net_addr_format(&header->source, text);
    cr_assert_str_eq(text, c->source != NULL ? c->source : "?");
}

Test(proxy2, good_headers)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct bytes octets = unhex(good[i].octets);
        struct proxy2_header header;
        memset(&header, 0x5a, sizeof(header));
        cr_assert_eq(proxy2_parse(bytes_span(&octets), &header), PROXY2_DONE, "%s", good[i].octets);
        check_good(&good[i], &header, octets.n);
    }
}

/* At every octet: what is missing is said, and when that has come there is more to say. */
Test(proxy2, headers_come_in_pieces)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct bytes octets = unhex(good[i].octets);
        struct proxy2_header header;
        for (size_t n = 0; n < octets.n; n++) {
            cr_assert_eq(proxy2_parse(span_of(octets.p, n), &header), PROXY2_MORE, "%zu", n);
            size_t known = n < PROXY2_FIXED_LEN ? PROXY2_FIXED_LEN : octets.n;
            cr_assert_eq(header.missing, known - n);
            cr_assert(header.len == 0 && !header.has_source && !header.local);
            cr_assert_eq(header.fault, PROXY2_FAULT_NONE);
        }
    }
    struct proxy2_header header;
    cr_assert_eq(proxy2_parse(span_of(NULL, 0), &header), PROXY2_MORE);
    cr_assert_eq(header.missing, PROXY2_FIXED_LEN);
}

/* What follows the header is the client's, whatever it is. */
Test(proxy2, the_clients_octets_are_left_alone)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct bytes octets = unhex(good[i].octets);
        uint8_t more[sizeof(octets.p) + 512];
        memset(more, 0x16, sizeof(more));
        memcpy(more, octets.p, octets.n);
        struct proxy2_header header;
        cr_assert_eq(proxy2_parse(span_of(more, sizeof(more)), &header), PROXY2_DONE);
        check_good(&good[i], &header, octets.n);
    }
}

struct wrong {
    const char *octets;
    enum proxy2_fault fault;
    size_t seen_at; /* octets after which it is known */
};

static const struct wrong wrong[] = {
    {"160301", PROXY2_FAULT_SIGNATURE, 1}, /* TLS: no header at all */
    {"474554202f20485454502f312e310d0a", PROXY2_FAULT_SIGNATURE, 1},
    {"00", PROXY2_FAULT_SIGNATURE, 1},
    {"50524f58592054435034203139322e302e322e312031", PROXY2_FAULT_TEXT, 5},
    {"50524f58", PROXY2_FAULT_NONE, 0}, /* could still become one */
    {"50524f5900", PROXY2_FAULT_SIGNATURE, 4},
    {SIGNATURE "1111000c" INET, PROXY2_FAULT_VERSION, 13},
    {SIGNATURE "0111000c" INET, PROXY2_FAULT_VERSION, 13},
    {SIGNATURE "3111000c" INET, PROXY2_FAULT_VERSION, 13},
    {SIGNATURE "f011000c" INET, PROXY2_FAULT_VERSION, 13},
    {SIGNATURE "2211000c" INET, PROXY2_FAULT_COMMAND, 13},
    {SIGNATURE "2f11000c" INET, PROXY2_FAULT_COMMAND, 13},
    {SIGNATURE "2141000c" INET, PROXY2_FAULT_FAMILY, 14},
    {SIGNATURE "21f1000c" INET, PROXY2_FAULT_FAMILY, 14},
    {SIGNATURE "2113000c" INET, PROXY2_FAULT_FAMILY, 14},
    {SIGNATURE "211f000c" INET, PROXY2_FAULT_FAMILY, 14},
    {SIGNATURE "2103000c" INET, PROXY2_FAULT_FAMILY, 14},
    {SIGNATURE "21110401", PROXY2_FAULT_LONG, 16},
    {SIGNATURE "2111ffff", PROXY2_FAULT_LONG, 16},
    {SIGNATURE "2100ffff", PROXY2_FAULT_LONG, 16},
    {SIGNATURE "2000ffff", PROXY2_FAULT_LONG, 16},
    {SIGNATURE "21110000", PROXY2_FAULT_SHORT, 16},
    {SIGNATURE "2111000b", PROXY2_FAULT_SHORT, 16},
    {SIGNATURE "2121000c" INET, PROXY2_FAULT_SHORT, 16},
    {SIGNATURE "21210023", PROXY2_FAULT_SHORT, 16},
    {SIGNATURE "213100d7", PROXY2_FAULT_SHORT, 16},
    {SIGNATURE "21310000", PROXY2_FAULT_SHORT, 16},
    {SIGNATURE "2111000d" INET "04", PROXY2_FAULT_TLV, 29},
    {SIGNATURE "2111000e" INET "0400", PROXY2_FAULT_TLV, 30},
    {SIGNATURE "2111000f" INET "040001", PROXY2_FAULT_TLV, 31},
    {SIGNATURE "2111000f" INET "04ffff", PROXY2_FAULT_TLV, 31},
    {SIGNATURE "21110010" INET "04000000", PROXY2_FAULT_TLV, 32},
    {SIGNATURE "213100d9" X216 "04", PROXY2_FAULT_TLV, 233},
    {SIGNATURE "2111000f" INET "030000", PROXY2_FAULT_TLV, 31},
    {SIGNATURE "21110012" INET "030003000000", PROXY2_FAULT_TLV, 34},
    {SIGNATURE "21110014" INET "0300050000000000", PROXY2_FAULT_TLV, 36},
    {SIGNATURE "2111001a" INET "03000400000000"
               "03000400000000",
     PROXY2_FAULT_TLV, 42},
    {SIGNATURE "21110013" INET "03000400000000", PROXY2_FAULT_CHECKSUM, 35},
};

Test(proxy2, bad_headers)
{
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct bytes octets = unhex(wrong[i].octets);
        bool is_wrong = wrong[i].fault != PROXY2_FAULT_NONE;
        for (size_t n = 0; n <= octets.n; n++) {
            struct proxy2_header header;
            memset(&header, 0x5a, sizeof(header));
            enum proxy2_verdict verdict = proxy2_parse(span_of(octets.p, n), &header);
            bool seen = is_wrong && n >= wrong[i].seen_at;
            cr_assert_eq(verdict, seen ? PROXY2_BAD : PROXY2_MORE, "%s: %zu", wrong[i].octets, n);
            cr_assert_eq(header.fault, seen ? wrong[i].fault : PROXY2_FAULT_NONE, "%s: %zu",
                         wrong[i].octets, n);
            cr_assert(header.len == 0 && !header.has_source && !header.local);
            cr_assert_eq(header.source.sa.sa_family, AF_UNSPEC);
            cr_assert_eq(header.missing == 0, seen);
        }
    }
}

Test(proxy2, a_signature_is_wrong_at_every_octet)
{
    struct bytes octets = unhex(SIGNATURE "2111000c" INET);
    for (size_t at = 0; at < 12; at++) {
        for (unsigned value = 0; value < 256; value++) {
            struct bytes changed = octets;
            changed.p[at] = (uint8_t)value;
            struct proxy2_header header;
            bool same = value == octets.p[at];
            bool text = at == 0 && value == 'P';
            enum proxy2_verdict verdict = proxy2_parse(span_of(changed.p, at + 1), &header);
            cr_assert_eq(verdict, same || text ? PROXY2_MORE : PROXY2_BAD, "%zu %u", at, value);
            verdict = proxy2_parse(bytes_span(&changed), &header);
            cr_assert_eq(verdict, same ? PROXY2_DONE : PROXY2_BAD);
            cr_assert_eq(header.fault, same ? PROXY2_FAULT_NONE : PROXY2_FAULT_SIGNATURE);
        }
    }
}

/* Each bit of a header with a checksum. */
Test(proxy2, a_checksum_finds_every_flipped_bit)
{
    struct bytes octets = unhex(AWS);
    for (size_t bit = 0; bit < 8 * octets.n; bit++) {
        struct bytes flipped = octets;
        flipped.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct proxy2_header header;
        enum proxy2_verdict verdict = proxy2_parse(bytes_span(&flipped), &header);
        /* In the fixed part are bits that turn it into another header: LOCAL, UNSPEC, a shorter or
         * a longer one; and the type of the checksum can become another type. */
        bool fixed = bit / 8 == 12 || bit / 8 == 13 || bit / 8 == 14 || bit / 8 == 15;
        bool type = bit / 8 == 28;
        cr_assert(fixed || type || verdict == PROXY2_BAD, "bit %zu", bit);
    }
}

/* As long as is allowed, and one octet longer; with a checksum that stands last. */
Test(proxy2, the_longest_header)
{
    enum { ADDRESSES_LEN = 12, NOOP_LEN = PROXY2_HEADER_MAX - 16 - ADDRESSES_LEN - 7 - 3 };
    uint8_t octets[PROXY2_HEADER_MAX + 1];
    struct bytes start = unhex(SIGNATURE "21110400" INET);
    struct wr w = wr_init(octets, sizeof(octets));
    wr_bytes(&w, bytes_span(&start));
    wr_u8(&w, 0x04);
    wr_u16(&w, NOOP_LEN);
    wr_zero(&w, NOOP_LEN);
    wr_u8(&w, 0x03);
    wr_u16(&w, 4);
    wr_zero(&w, 4);
    cr_assert_eq(w.n, PROXY2_HEADER_MAX);
    uint32_t sum = crc32c(0, span_of(octets, w.n));
    w.n -= 4;
    wr_u32(&w, sum);

    struct proxy2_header header;
    cr_assert_eq(proxy2_parse(span_of(octets, w.n - 1), &header), PROXY2_MORE);
    cr_assert_eq(header.missing, 1);
    cr_assert_eq(proxy2_parse(span_of(octets, w.n), &header), PROXY2_DONE);
    cr_assert_eq(header.len, PROXY2_HEADER_MAX);
    cr_assert(header.has_source);
    octets[w.n - 1] ^= 1;
    cr_assert_eq(proxy2_parse(span_of(octets, w.n), &header), PROXY2_BAD);
    cr_assert_eq(header.fault, PROXY2_FAULT_CHECKSUM);
    octets[15]++;
    cr_assert_eq(proxy2_parse(span_of(octets, 16), &header), PROXY2_BAD);
    cr_assert_eq(header.fault, PROXY2_FAULT_LONG);
}

/* Every pair of command and family octets ends in one of the verdicts the specification has. */
Test(proxy2, every_command_and_family)
{
    static const size_t len_of[] = {0, 12, 36, 216};
    for (unsigned command = 0; command < 256; command++) {
        for (unsigned family = 0; family < 256; family++) {
            struct bytes octets = unhex(SIGNATURE);
            octets.p[12] = (uint8_t)command;
            octets.p[13] = (uint8_t)family;
            octets.p[14] = 0;
            octets.p[15] = (uint8_t)(family >> 4 <= 3 ? len_of[family >> 4] : 0);
            memset(octets.p + 16, 1, 216);
            struct proxy2_header header;
            enum proxy2_verdict verdict =
                proxy2_parse(span_of(octets.p, 16U + octets.p[15]), &header);
            bool local = command == 0x20;
            bool known = family >> 4 <= 3 && (family & 15) <= 2;
            bool address = (family >> 4 == 1 || family >> 4 == 2) && (family & 15) != 0;
            bool done = local || (command == 0x21 && known);
            cr_assert_eq(verdict, done ? PROXY2_DONE : PROXY2_BAD, "%x %x", command, family);
            cr_assert_eq(header.local, local);
            cr_assert_eq(header.has_source, done && !local && address);
        }
    }
}

Test(proxy2, faults_have_names)
{
    for (unsigned i = 0; i < PROXY2_FAULTS; i++) {
        const char *name = proxy2_fault_name((enum proxy2_fault)i);
        cr_assert_not_null(name);
        for (unsigned j = 0; j < i; j++) {
            cr_assert_str_neq(name, proxy2_fault_name((enum proxy2_fault)j));
        }
    }
    cr_assert_null(proxy2_fault_name(PROXY2_FAULTS));
}
