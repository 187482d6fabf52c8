/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of the PROXY protocol, version 2. See proxy2.h.
 */
#include "common/net/proxy2.h"

#include "common/net/crc32c.h"

enum {
    SIGNATURE_LEN = 12,
    TEXT_LEN = 5,
    VERSION = 2,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    FAMILY_UNSPEC = 0,
    FAMILY_INET = 1,
    FAMILY_INET6 = 2,
    FAMILY_UNIX = 3,
    TRANSPORT_UNSPEC = 0,
    TRANSPORT_MAX = 2, /* stream and datagram */
    INET_LEN = 4,
    INET6_LEN = 16,
    PORT_LEN = 2,
    UNIX_PATH_LEN = 108,
    TYPE_CRC32C = 0x03,
    CRC32C_LEN = 4,
    OFFSET_VERSION = 12,
    OFFSET_FAMILY = 13,
};

static const uint8_t signature[SIGNATURE_LEN] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
static const uint8_t text[TEXT_LEN] = {'P', 'R', 'O', 'X', 'Y'};

/* The fixed part, cut into its fields. */
struct fixed {
    uint8_t version;
    uint8_t command;
    uint8_t family;
    uint8_t transport;
    size_t len; /* of what follows */
};

static enum proxy2_verdict bad(struct proxy2_header *header, enum proxy2_fault fault)
{
    memset(header, 0, sizeof(*header));
    header->fault = fault;
    return PROXY2_BAD;
}

static enum proxy2_verdict more(struct proxy2_header *header, size_t missing)
{
    memset(header, 0, sizeof(*header));
    header->missing = missing;
    return PROXY2_MORE;
}

/* As far as both go. */
static bool begins_as(struct span bytes, const uint8_t *pattern, size_t len)
{
    size_t n = bytes.n < len ? bytes.n : len;
    return n == 0 || memcmp(bytes.p, pattern, n) == 0;
}

static struct fixed fixed_of(struct span bytes)
{
    struct rd r = rd_init(bytes);
    rd_skip(&r, SIGNATURE_LEN);
    uint8_t version_command = rd_u8(&r);
    uint8_t family_transport = rd_u8(&r);
    return (struct fixed){
        .version = version_command >> 4,
        .command = version_command & 0x0f,
        .family = family_transport >> 4,
        .transport = family_transport & 0x0f,
        .len = rd_u16(&r),
    };
}

/* LOCAL: "the protocol block is discarded". UNSPEC: what the block holds is not known, so there are
 * no TLVs to be found in it either. */
static bool is_opaque(const struct fixed *fixed)
{
    return fixed->command == COMMAND_LOCAL || fixed->family == FAMILY_UNSPEC ||
           fixed->transport == TRANSPORT_UNSPEC;
}

/* Of source and destination, with their ports. */
static size_t addresses_len(uint8_t family)
{
    static const uint8_t len[] = {
        [FAMILY_UNSPEC] = 0,
        [FAMILY_INET] = 2 * (INET_LEN + PORT_LEN),
        [FAMILY_INET6] = 2 * (INET6_LEN + PORT_LEN),
        [FAMILY_UNIX] = 2 * UNIX_PATH_LEN,
    };
    return len[family];
}

/* What is wrong with those octets of the fixed part that are there, after the signature. */
static enum proxy2_fault fault_of(const struct fixed *fixed, size_t there)
{
    if (there > OFFSET_VERSION && fixed->version != VERSION) {
        return PROXY2_FAULT_VERSION;
    }
    if (there > OFFSET_VERSION && fixed->command > COMMAND_PROXY) {
        return PROXY2_FAULT_COMMAND; /* "receivers must drop" */
    }
    /* With LOCAL "the family is ignored", whatever it is. */
    if (there > OFFSET_FAMILY && fixed->command == COMMAND_PROXY &&
        (fixed->family > FAMILY_UNIX || fixed->transport > TRANSPORT_MAX)) {
        return PROXY2_FAULT_FAMILY; /* "must be rejected as invalid" */
    }
    if (there < PROXY2_FIXED_LEN) {
        return PROXY2_FAULT_NONE;
    }
    if (fixed->len > PROXY2_HEADER_MAX - PROXY2_FIXED_LEN) {
        return PROXY2_FAULT_LONG;
    }
    return !is_opaque(fixed) && fixed->len < addresses_len(fixed->family) ? PROXY2_FAULT_SHORT
                                                                          : PROXY2_FAULT_NONE;
}

/* --- Addresses: source and destination, then their ports. They are all there. --- */

static void read_inet(struct rd *r, struct net_addr *source)
{
    struct span address = rd_span(r, INET_LEN);
    rd_skip(r, INET_LEN);
    struct span port = rd_span(r, PORT_LEN);
    rd_skip(r, PORT_LEN);
    source->v4.sin_family = AF_INET;
    memcpy(&source->v4.sin_addr, address.p, address.n);
    memcpy(&source->v4.sin_port, port.p, port.n);
}

static void read_inet6(struct rd *r, struct net_addr *source)
{
    struct span address = rd_span(r, INET6_LEN);
    rd_skip(r, INET6_LEN);
    struct span port = rd_span(r, PORT_LEN);
    rd_skip(r, PORT_LEN);
    source->v6.sin6_family = AF_INET6;
    memcpy(&source->v6.sin6_addr, address.p, address.n);
    memcpy(&source->v6.sin6_port, port.p, port.n);
}

/* True when there is one that we know how to use. */
static bool read_source(struct rd *r, uint8_t family, struct net_addr *source)
{
    if (family == FAMILY_INET) {
        read_inet(r, source);
    } else if (family == FAMILY_INET6) {
        read_inet6(r, source);
    } else {
        rd_skip(r, addresses_len(family));
    }
    return source->sa.sa_family != AF_UNSPEC;
}

/* --- TLVs --- */

/* The sum over the header, with zeros in the place of `stored`, which is a part of it. */
static uint32_t checksum(struct span header, struct span stored)
{
    static const uint8_t zeros[CRC32C_LEN] = {0};
    size_t before = (size_t)(stored.p - header.p);
    size_t after = before + CRC32C_LEN;
    uint32_t sum = crc32c(0, span_of(header.p, before));
    sum = crc32c(sum, span_of(zeros, sizeof(zeros)));
    return crc32c(sum, span_of(header.p + after, header.n - after));
}

/* All of them to the end. Of what they say only the checksum is looked at. */
static enum proxy2_fault check_tlvs(struct rd *r, struct span header)
{
    struct span stored = {0};
    while (!r->bad && r->left > 0) {
        uint8_t type = rd_u8(r);
        uint16_t len = rd_u16(r);
        struct span value = rd_span(r, len);
        if (type == TYPE_CRC32C && (len != CRC32C_LEN || stored.n > 0)) {
            return PROXY2_FAULT_TLV;
        }
        stored = type == TYPE_CRC32C ? value : stored;
    }
    if (r->bad) {
        return PROXY2_FAULT_TLV;
    }
    if (stored.n == 0) {
        return PROXY2_FAULT_NONE;
    }
    struct rd sum = rd_init(stored);
    return rd_u32(&sum) == checksum(header, stored) ? PROXY2_FAULT_NONE : PROXY2_FAULT_CHECKSUM;
}

/* --- The whole --- */

/* What follows the fixed part. `bytes` are the whole header. */
static enum proxy2_verdict parse_rest(const struct fixed *fixed, struct span bytes,
                                      struct proxy2_header *header)
{
    memset(header, 0, sizeof(*header));
    header->len = bytes.n;
    header->local = fixed->command == COMMAND_LOCAL;
    if (is_opaque(fixed)) {
        return PROXY2_DONE;
    }
    struct rd r = rd_init(bytes);
    rd_skip(&r, PROXY2_FIXED_LEN);
    header->has_source = read_source(&r, fixed->family, &header->source);
    enum proxy2_fault fault = check_tlvs(&r, bytes);
    return fault == PROXY2_FAULT_NONE ? PROXY2_DONE : bad(header, fault);
}

enum proxy2_verdict proxy2_parse(struct span bytes, struct proxy2_header *header)
{
    if (bytes.n > 0 && begins_as(bytes, text, TEXT_LEN)) {
        return bytes.n >= TEXT_LEN ? bad(header, PROXY2_FAULT_TEXT)
                                   : more(header, TEXT_LEN - bytes.n);
    }
    if (!begins_as(bytes, signature, SIGNATURE_LEN)) {
        return bad(header, PROXY2_FAULT_SIGNATURE);
    }
    struct fixed fixed = fixed_of(bytes);
    enum proxy2_fault fault = fault_of(&fixed, bytes.n);
    if (fault != PROXY2_FAULT_NONE) {
        return bad(header, fault);
    }
    if (bytes.n < PROXY2_FIXED_LEN) {
        return more(header, PROXY2_FIXED_LEN - bytes.n);
    }
    size_t whole = PROXY2_FIXED_LEN + fixed.len;
    if (bytes.n < whole) {
        return more(header, whole - bytes.n);
    }
    return parse_rest(&fixed, span_of(bytes.p, whole), header);
}

const char *proxy2_fault_name(enum proxy2_fault fault)
{
    static const char *const names[PROXY2_FAULTS] = {
        [PROXY2_FAULT_NONE] = "none",       [PROXY2_FAULT_SIGNATURE] = "signature",
        [PROXY2_FAULT_TEXT] = "version_1",  [PROXY2_FAULT_VERSION] = "version",
        [PROXY2_FAULT_COMMAND] = "command", [PROXY2_FAULT_FAMILY] = "family",
        [PROXY2_FAULT_LONG] = "long",       [PROXY2_FAULT_SHORT] = "short",
        [PROXY2_FAULT_TLV] = "tlv",         [PROXY2_FAULT_CHECKSUM] = "checksum",
    };
    return (unsigned)fault < PROXY2_FAULTS ? names[fault] : NULL;
}
