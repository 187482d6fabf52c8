/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: every record present, missing, doubled, reordered, short, long, critical and not.
 */
#include "common/crypto/aead.h"
#include "nts-ke/ke_message.h"

#include <criterion/criterion.h>

/* Records for tables of cases, as string literals: their length is sizeof - 1. */
#define NEXT   "\x80\x01\x00\x02\x00\x00"
#define AEAD15 "\x80\x04\x00\x02\x00\x0f"
#define END    "\x80\x00\x00\x00"
#define BYTES(s)                                                                                   \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

struct bytes {
    const char *p;
    size_t n;
};

struct request_case {
    const char *name;
    struct bytes bytes;
    enum ke_request_fault fault;
};

static const struct request_case cases[] = {
    {"plain", BYTES(NEXT AEAD15 END), KE_REQUEST_OK},
    {"reordered", BYTES(AEAD15 NEXT END), KE_REQUEST_OK},
    {"aead not critical", BYTES(NEXT "\x00\x04\x00\x02\x00\x0f" END), KE_REQUEST_OK},
    {"several protocols", BYTES("\x80\x01\x00\x06\x7f\x00\x00\x00\x00\x01" AEAD15 END),
     KE_REQUEST_OK},
    {"other protocol, no aead", BYTES("\x80\x01\x00\x02\x7f\x00" END), KE_REQUEST_OK},
    {"other protocol, aead", BYTES("\x80\x01\x00\x02\x7f\x00" AEAD15 END), KE_REQUEST_OK},
    {"several aeads", BYTES(NEXT "\x80\x04\x00\x06\x00\x1e\x00\x0f\x00\x11" END), KE_REQUEST_OK},

    {"nothing", BYTES(""), KE_REQUEST_SHORT},
    {"end only", BYTES(END), KE_REQUEST_NO_PROTOCOL},
    {"no next protocol", BYTES(AEAD15 END), KE_REQUEST_NO_PROTOCOL},
    {"no aead", BYTES(NEXT END), KE_REQUEST_NO_AEAD},
    {"no end", BYTES(NEXT AEAD15), KE_REQUEST_SHORT},
    {"head of one octet", BYTES(NEXT AEAD15 "\x80"), KE_REQUEST_SHORT},
    {"head of three octets", BYTES(NEXT AEAD15 "\x80\x00\x00"), KE_REQUEST_SHORT},
    {"body past the end", BYTES(NEXT AEAD15 "\x00\x63\x00\x05" END), KE_REQUEST_SHORT},

    {"two next", BYTES(NEXT NEXT AEAD15 END), KE_REQUEST_DUPLICATE},
    {"two aead", BYTES(NEXT AEAD15 AEAD15 END), KE_REQUEST_DUPLICATE},
    {"two server", BYTES(NEXT AEAD15 "\x00\x06\x00\x01x\x00\x06\x00\x01x" END),
     KE_REQUEST_DUPLICATE},
    {"two port", BYTES(NEXT AEAD15 "\x00\x07\x00\x02\x00\x7b\x00\x07\x00\x02\x00\x7b" END),
     KE_REQUEST_DUPLICATE},
    {"two 1024", BYTES(NEXT AEAD15 "\x04\x00\x00\x00\x04\x00\x00\x00" END), KE_REQUEST_DUPLICATE},
    {"two end", BYTES(NEXT AEAD15 END END), KE_REQUEST_TRAILING},
    {"data after end", BYTES(NEXT AEAD15 END "\x00"), KE_REQUEST_TRAILING},

    {"next empty", BYTES("\x80\x01\x00\x00" AEAD15 END), KE_REQUEST_BAD_LENGTH},
    {"next one octet", BYTES("\x80\x01\x00\x01\x00" AEAD15 END), KE_REQUEST_BAD_LENGTH},
    {"next three octets", BYTES("\x80\x01\x00\x03\x00\x00\x00" AEAD15 END), KE_REQUEST_BAD_LENGTH},
    {"aead empty", BYTES(NEXT "\x80\x04\x00\x00" END), KE_REQUEST_BAD_LENGTH},
    {"aead one octet", BYTES(NEXT "\x80\x04\x00\x01\x0f" END), KE_REQUEST_BAD_LENGTH},
    {"aead three octets", BYTES(NEXT "\x80\x04\x00\x03\x00\x0f\x00" END), KE_REQUEST_BAD_LENGTH},
    {"end with a body", BYTES(NEXT AEAD15 "\x80\x00\x00\x01\x00"), KE_REQUEST_BAD_LENGTH},

    {"next not critical", BYTES("\x00\x01\x00\x02\x00\x00" AEAD15 END), KE_REQUEST_NOT_CRITICAL},
    {"end not critical", BYTES(NEXT AEAD15 "\x00\x00\x00\x00"), KE_REQUEST_NOT_CRITICAL},

    {"error", BYTES(NEXT AEAD15 "\x80\x02\x00\x02\x00\x01" END), KE_REQUEST_UNEXPECTED},
    {"error, not critical", BYTES(NEXT AEAD15 "\x00\x02\x00\x02\x00\x01" END),
     KE_REQUEST_UNEXPECTED},
    {"warning", BYTES(NEXT AEAD15 "\x80\x03\x00\x02\x00\x01" END), KE_REQUEST_UNEXPECTED},
    {"cookie", BYTES(NEXT AEAD15 "\x00\x05\x00\x04\x01\x02\x03\x04" END), KE_REQUEST_UNEXPECTED},

    {"server wish",
     BYTES(NEXT AEAD15 "\x00\x06\x00\x09"
                       "127.0.0.1" END),
     KE_REQUEST_OK},
    {"server wish, critical", BYTES(NEXT AEAD15 "\x80\x06\x00\x04time" END), KE_REQUEST_OK},
    {"server wish, junk", BYTES(NEXT AEAD15 "\x00\x06\x00\x03\x00\xff\n" END), KE_REQUEST_OK},
    {"server wish, empty", BYTES(NEXT AEAD15 "\x00\x06\x00\x00" END), KE_REQUEST_BAD_LENGTH},
    {"port wish", BYTES(NEXT AEAD15 "\x00\x07\x00\x02\x00\x7b" END), KE_REQUEST_OK},
    {"port wish, zero", BYTES(NEXT AEAD15 "\x00\x07\x00\x02\x00\x00" END), KE_REQUEST_OK},
    {"port empty", BYTES(NEXT AEAD15 "\x00\x07\x00\x00" END), KE_REQUEST_BAD_LENGTH},
    {"port one octet", BYTES(NEXT AEAD15 "\x00\x07\x00\x01\x7b" END), KE_REQUEST_BAD_LENGTH},
    {"port three octets", BYTES(NEXT AEAD15 "\x00\x07\x00\x03\x00\x7b\x00" END),
     KE_REQUEST_BAD_LENGTH},
    {"1024", BYTES(NEXT AEAD15 "\x04\x00\x00\x00" END), KE_REQUEST_OK},
    {"1024, critical", BYTES(NEXT AEAD15 "\x84\x00\x00\x00" END), KE_REQUEST_OK},
    {"1024 with a body", BYTES(NEXT AEAD15 "\x04\x00\x00\x01\x00" END), KE_REQUEST_BAD_LENGTH},

    {"unknown", BYTES(NEXT AEAD15 "\x00\x63\x00\x02\x01\x02" END), KE_REQUEST_OK},
    {"unknown, twice", BYTES("\x00\x63\x00\x00\x00\x63\x00\x00" NEXT AEAD15 END), KE_REQUEST_OK},
    {"unknown, critical", BYTES(NEXT AEAD15 "\x80\x63\x00\x00" END), KE_REQUEST_CRITICAL},
    {"pool draft, critical", BYTES("\x80\x0c\x00\x00" NEXT AEAD15 END), KE_REQUEST_CRITICAL},
    {"pool draft", BYTES("\x00\x08\x00\x00" NEXT AEAD15 END), KE_REQUEST_OK},
    {"private use, critical", BYTES(NEXT AEAD15 "\xff\xff\x00\x00" END), KE_REQUEST_CRITICAL},

    /* The first fault in the message decides. */
    {"critical, then two next", BYTES("\x80\x63\x00\x00" NEXT NEXT END), KE_REQUEST_CRITICAL},
    {"two next, then critical", BYTES(NEXT NEXT "\x80\x63\x00\x00" END), KE_REQUEST_DUPLICATE},
    {"critical, then the end of input", BYTES("\x80\x63\x00\x00\x80"), KE_REQUEST_CRITICAL},
    {"critical, then nothing else", BYTES("\x80\x63\x00\x00" END), KE_REQUEST_CRITICAL},
};

Test(ke_request, table)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct request_case *c = &cases[i];
        struct ke_request request;
        memset(&request, 0xee, sizeof(request));
        enum ke_request_fault fault = ke_request_parse(span_of(c->bytes.p, c->bytes.n), &request);
        cr_expect_eq(fault, c->fault, "%s: %s", c->name, ke_request_fault_name(fault));
        bool zeroed = request.protocols.count == 0 && request.aeads.count == 0 &&
                      !request.has_aeads && !request.wants_compliant_gcm_siv;
        cr_expect(fault == KE_REQUEST_OK || zeroed, "%s: left something behind", c->name);
    }
}

Test(ke_request, a_cut_request_is_short)
{
    static const char whole[] = NEXT AEAD15 END;
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        struct ke_request request;
        cr_assert_eq(ke_request_parse(span_of(whole, n), &request), KE_REQUEST_SHORT, "%zu", n);
    }
}

Test(ke_request, keeps_lists_in_order)
{
    static const char bytes[] = "\x80\x01\x00\x04\x7f\x00\x00\x00"
                                "\x80\x04\x00\x06\x00\x1e\x00\x0f\x00\x11\x04\x00\x00\x00" END;
    struct ke_request request;
    cr_assert_eq(ke_request_parse(span_of(bytes, sizeof(bytes) - 1), &request), KE_REQUEST_OK);
    cr_assert_eq(request.protocols.count, 2);
    cr_assert_eq(request.protocols.value[0], 0x7f00);
    cr_assert_eq(request.protocols.value[1], KE_PROTOCOL_NTPV4);
    cr_assert(request.has_aeads);
    cr_assert_eq(request.aeads.count, 3);
    cr_assert_eq(request.aeads.value[0], 30);
    cr_assert_eq(request.aeads.value[1], 15);
    cr_assert_eq(request.aeads.value[2], 17);
    cr_assert(request.wants_compliant_gcm_siv);
}

Test(ke_request, a_long_list_is_cut_not_refused)
{
    for (size_t count = KE_LIST_MAX - 1; count <= KE_LIST_MAX + 1; count++) {
        uint8_t list[2 * (KE_LIST_MAX + 1)] = {0};
        list[1] = 15;
        uint8_t out[256];
        struct wr w = wr_init(out, sizeof(out));
        ke_record_write_u16(&w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
        ke_record_write(&w, true, KE_AEAD_ALGORITHM, span_of(list, 2 * count));
        ke_record_write(&w, true, KE_END_OF_MESSAGE, span_of(NULL, 0));
        struct ke_request request;
        cr_assert_eq(ke_request_parse(wr_done(&w), &request), KE_REQUEST_OK);
        cr_assert_eq(request.aeads.count, count < KE_LIST_MAX ? count : KE_LIST_MAX);
        cr_assert_eq(request.aeads.truncated, count > KE_LIST_MAX);
        cr_assert_eq(request.aeads.value[0], 15);
    }
}

Test(ke_request, server_wish_length)
{
    uint8_t name[KE_SERVER_NAME_MAX + 1];
    memset(name, 'a', sizeof(name));
    for (size_t n = KE_SERVER_NAME_MAX - 1; n <= KE_SERVER_NAME_MAX + 1; n++) {
        uint8_t out[512];
        struct wr w = wr_init(out, sizeof(out));
        ke_record_write(&w, false, KE_NTPV4_SERVER, span_of(name, n));
        wr_bytes(&w, span_of(NEXT AEAD15 END, sizeof(NEXT AEAD15 END) - 1));
        struct ke_request request;
        enum ke_request_fault want =
            n <= KE_SERVER_NAME_MAX ? KE_REQUEST_OK : KE_REQUEST_BAD_LENGTH;
        cr_assert_eq(ke_request_parse(wr_done(&w), &request), want);
    }
}

Test(ke_request, a_request_as_long_as_allowed_of_empty_records)
{
    static uint8_t out[KE_REQUEST_MAX];
    struct wr w = wr_init(out, sizeof(out));
    wr_bytes(&w, span_of(NEXT AEAD15, 12));
    while (w.cap - w.n > KE_RECORD_HEAD_LEN) {
        ke_record_write(&w, false, 0x4000, span_of(NULL, 0));
    }
    ke_record_write(&w, true, KE_END_OF_MESSAGE, span_of(NULL, 0));
    cr_assert_eq(wr_done(&w).n, KE_REQUEST_MAX);
    struct ke_request request;
    cr_assert_eq(ke_request_parse(wr_done(&w), &request), KE_REQUEST_OK);
}

Test(ke_request, what_the_client_writes_the_server_reads)
{
    static const uint16_t aeads[] = {AEAD_AES_128_GCM_SIV, AEAD_AES_SIV_CMAC_256,
                                     AEAD_AES_256_GCM_SIV};
    for (size_t count = 1; count <= 3; count++) {
        for (size_t from = 0; from + count <= 3; from++) {
            uint8_t out[128];
            struct wr w = wr_init(out, sizeof(out));
            ke_request_write(&w, aeads + from, count);
            struct ke_request request;
            cr_assert_eq(ke_request_parse(wr_done(&w), &request), KE_REQUEST_OK);
            cr_assert_eq(request.protocols.count, 1);
            cr_assert_eq(request.protocols.value[0], KE_PROTOCOL_NTPV4);
            cr_assert_eq(request.aeads.count, count);
            cr_assert_arr_eq(request.aeads.value, aeads + from, count * sizeof(aeads[0]));
            bool only_cmac = from == 1 && count == 1;
            cr_assert_eq(request.wants_compliant_gcm_siv, !only_cmac);
        }
    }
}

Test(ke_request, writer_knows_its_limits)
{
    uint16_t aeads[KE_LIST_MAX + 1] = {15};
    uint8_t out[256];
    struct wr w = wr_init(out, sizeof(out));
    ke_request_write(&w, aeads, KE_LIST_MAX);
    cr_assert_not(w.bad);
    struct wr beyond = wr_init(out, sizeof(out));
    ke_request_write(&beyond, aeads, KE_LIST_MAX + 1);
    cr_assert(beyond.bad);
    struct wr room = wr_init(out, 15);
    ke_request_write(&room, aeads, 1);
    cr_assert(room.bad);
}

Test(ke_request, fault_names_and_codes)
{
    for (int f = 0; f < KE_REQUEST_FAULTS; f++) {
        const char *name = ke_request_fault_name((enum ke_request_fault)f);
        cr_assert_not_null(name);
        cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        for (int g = 0; g < f; g++) {
            cr_assert_str_neq(name, ke_request_fault_name((enum ke_request_fault)g));
        }
        cr_assert_eq(ke_request_fault_code((enum ke_request_fault)f),
                     f == KE_REQUEST_CRITICAL ? KE_ERROR_UNRECOGNISED_CRITICAL
                                              : KE_ERROR_BAD_REQUEST);
    }
    cr_assert_null(ke_request_fault_name(KE_REQUEST_FAULTS));
}
