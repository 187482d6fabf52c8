/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses, octet by octet.
 */
#include "nts-ke/ke_message.h"

#include <criterion/criterion.h>

static void expect(const struct ke_response *response, const char *bytes, size_t n)
{
    uint8_t out[KE_RESPONSE_MAX];
    struct wr w = wr_init(out, sizeof(out));
    ke_response_write(&w, response);
    cr_assert(span_is(wr_done(&w), bytes, n));
}
#define EXPECT(response, bytes) expect(response, bytes, sizeof(bytes) - 1)

Test(ke_response, no_protocol_in_common)
{
    EXPECT(&((struct ke_response){.ntpv4 = false, .aead = 15, .port = 1}),
           "\x80\x01\x00\x00\x80\x00\x00\x00");
}

Test(ke_response, no_aead_in_common_means_no_cookie)
{
    uint8_t cookie[4] = {1, 2, 3, 4};
    EXPECT(&((struct ke_response){.ntpv4 = true,
                                  .aead = 0,
                                  .cookie_count = 1,
                                  .cookie = {span_of(cookie, sizeof(cookie))}}),
           "\x80\x01\x00\x02\x00\x00\x80\x04\x00\x00\x80\x00\x00\x00");
}

Test(ke_response, everything)
{
    uint8_t cookie[4] = {1, 2, 3, 4};
    EXPECT(&((struct ke_response){.ntpv4 = true,
                                  .aead = 30,
                                  .compliant_gcm_siv = true,
                                  .server = "t.example",
                                  .port = 11123,
                                  .cookie_count = 2,
                                  .cookie = {span_of(cookie, sizeof(cookie)), span_of(cookie, 3)}}),
           "\x80\x01\x00\x02\x00\x00"
           "\x80\x04\x00\x02\x00\x1e"
           "\x04\x00\x00\x00"
           "\x80\x06\x00\x09t.example"
           "\x80\x07\x00\x02\x2b\x73"
           "\x00\x05\x00\x04\x01\x02\x03\x04"
           "\x00\x05\x00\x03\x01\x02\x03"
           "\x80\x00\x00\x00");
}

Test(ke_response, errors)
{
    static const char *const want[] = {"\x80\x02\x00\x02\x00\x00\x80\x00\x00\x00",
                                       "\x80\x02\x00\x02\x00\x01\x80\x00\x00\x00",
                                       "\x80\x02\x00\x02\x00\x02\x80\x00\x00\x00"};
    for (int code = 0; code < 3; code++) {
        uint8_t out[10];
        struct wr w = wr_init(out, sizeof(out));
        ke_response_write_error(&w, (enum ke_error_code)code);
        cr_assert(span_is(wr_done(&w), want[code], 10));
    }
}

Test(ke_response, without_room_there_is_nothing)
{
    uint8_t out[64];
    for (size_t cap = 0; cap < 16; cap++) {
        struct wr w = wr_init(out, cap);
        ke_response_write(&w, &(struct ke_response){.ntpv4 = true, .aead = 15});
        cr_assert_eq(wr_done(&w).n, 0);
    }
}

Test(ke_response, the_largest_one_fits)
{
    uint8_t cookie[164] = {0};
    char name[KE_SERVER_NAME_MAX + 1];
    memset(name, 'a', KE_SERVER_NAME_MAX);
    name[KE_SERVER_NAME_MAX] = '\0';
    struct ke_response response = {.ntpv4 = true,
                                   .aead = 17,
                                   .compliant_gcm_siv = true,
                                   .server = name,
                                   .port = 1,
                                   .cookie_count = KE_COOKIES};
    for (size_t i = 0; i < KE_COOKIES; i++) {
        response.cookie[i] = span_of(cookie, sizeof(cookie));
    }
    uint8_t out[KE_RESPONSE_MAX];
    struct wr w = wr_init(out, sizeof(out));
    ke_response_write(&w, &response);
    cr_assert_not(w.bad);
}
