/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary octets as an NTS-KE response. Properties: what is accepted names a protocol or an
 * error, an algorithm that was offered, cookies inside the message, a server name of printable
 * octets; and written by our server it is accepted again as the same. What is refused has a reason.
 */
#include "nts-ke/ke_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t offered[] = {30, 15, 17};
enum { OFFERED = sizeof(offered) / sizeof(offered[0]) };

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_offered(uint16_t aead)
{
    return aead == offered[0] || aead == offered[1] || aead == offered[2];
}

static void check_parts(struct span message, const struct ke_answer *answer)
{
    require(!answer->has_warning || answer->has_error);
    require(answer->aead == 0 || is_offered(answer->aead));
    require(answer->cookie_count <= KE_COOKIES && answer->port != 0);
    require(answer->has_error || !answer->ntpv4 || answer->aead == 0 || answer->cookie_count > 0);
    for (size_t i = 0; i < answer->cookie_count; i++) {
        struct span cookie = answer->cookie[i];
        require(cookie.n > 0 && cookie.p >= message.p &&
                cookie.p + cookie.n <= message.p + message.n);
    }
    size_t len = strnlen(answer->server, sizeof(answer->server));
    require(len <= KE_SERVER_NAME_MAX);
    for (size_t i = 0; i < len; i++) {
        require(answer->server[i] > ' ' && answer->server[i] < 0x7f);
    }
}

/* Only what a server of ours would say: NTPv4 with an algorithm. */
static void check_again(const struct ke_answer *answer, size_t room)
{
    struct ke_response response = {.ntpv4 = true,
                                   .aead = answer->aead,
                                   .compliant_gcm_siv = answer->compliant_gcm_siv,
                                   .server = answer->server[0] != '\0' ? answer->server : NULL,
                                   .port = answer->port,
                                   .cookie_count = answer->cookie_count};
    memcpy(response.cookie, answer->cookie, sizeof(response.cookie));
    size_t cap = room + 64; /* a message says no more than the one it was read from, but the port */
    uint8_t *out = malloc(cap);
    require(out != NULL);
    struct wr w = wr_init(out, cap);
    ke_response_write(&w, &response);
    struct ke_answer again;
    const char *why = NULL;
    require(!w.bad);
    require(ke_answer_parse(wr_done(&w), offered, OFFERED, &again, &why) == NTS_OK);
    require(again.aead == answer->aead && again.port == answer->port);
    require(strcmp(again.server, answer->server) == 0);
    require(again.cookie_count == answer->cookie_count);
    for (size_t i = 0; i < again.cookie_count; i++) {
        require(span_is(again.cookie[i], answer->cookie[i].p, answer->cookie[i].n));
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span message = span_of(data, size);
    struct ke_answer answer;
    const char *why = NULL;
    memset(&answer, 0xa5, sizeof(answer));
    enum nts_err err = ke_answer_parse(message, offered, OFFERED, &answer, &why);
    require(err == NTS_OK || err == NTS_EFORMAT);
    require((err == NTS_OK) == (why == NULL));
    if (err != NTS_OK) {
        require(!answer.ntpv4 && answer.cookie_count == 0 && answer.aead == 0);
        return 0;
    }
    check_parts(message, &answer);
    if (!answer.has_error && answer.ntpv4 && answer.aead != 0) {
        check_again(&answer, size);
    }
    return 0;
}
