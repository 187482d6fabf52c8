/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary octets as an NTS-KE request, and what the server would answer. Properties: a fault is
 * answered by Error 0 or 1 and leaves nothing in the result; what is accepted is one message to its
 * last octet; the answer to it is one that our client accepts, for an algorithm the request has;
 * and a request that our client writes is accepted with all that it offers.
 */
#include "nts-ke/ke_negotiate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool list_has(const struct ke_list *list, uint16_t value)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->value[i] == value) {
            return true;
        }
    }
    return false;
}

static void check_refused(enum ke_request_fault fault, const struct ke_request *request)
{
    static const struct ke_request nothing;
    require(fault > KE_REQUEST_OK && fault < KE_REQUEST_TOO_LONG);
    enum ke_error_code code = ke_request_fault_code(fault);
    require(code == KE_ERROR_BAD_REQUEST || code == KE_ERROR_UNRECOGNISED_CRITICAL);
    require(request->protocols.count == 0 && request->aeads.count == 0);
    require(request->has_aeads == nothing.has_aeads &&
            request->wants_compliant_gcm_siv == nothing.wants_compliant_gcm_siv);
}

static void check_answer(const struct ke_request *request)
{
    static const struct ke_policy policy = {.aead_count = 4, .aead = {30, 15, 17, 31}};
    static const uint8_t cookie[100];
    struct ke_agreement agreement = ke_negotiate(request, &policy);
    require(agreement.ntpv4 == list_has(&request->protocols, KE_PROTOCOL_NTPV4));
    require(agreement.alg == NULL || list_has(&request->aeads, agreement.alg->id));
    struct ke_response response = {.ntpv4 = agreement.ntpv4,
                                   .aead = agreement.alg != NULL ? agreement.alg->id : 0,
                                   .compliant_gcm_siv = agreement.compliant_gcm_siv,
                                   .cookie_count = 1,
                                   .cookie = {span_of(cookie, sizeof(cookie))}};
    uint8_t out[KE_RESPONSE_MAX];
    struct wr w = wr_init(out, sizeof(out));
    ke_response_write(&w, &response);
    struct ke_answer answer;
    const char *why = NULL;
    require(ke_answer_parse(wr_done(&w), request->aeads.value, request->aeads.count, &answer,
                            &why) == NTS_OK);
    require(answer.ntpv4 == response.ntpv4 && answer.aead == response.aead);
    require(answer.compliant_gcm_siv == response.compliant_gcm_siv);
}

static void check_accepted(struct span message, const struct ke_request *request)
{
    require(request->protocols.count > 0 && request->protocols.count <= KE_LIST_MAX);
    require(request->aeads.count <= KE_LIST_MAX);
    require(request->has_aeads == (request->aeads.count > 0));
    size_t at = 0;
    size_t len = 0;
    require(ke_stream_scan(message, SIZE_MAX, &at, &len) == KE_STREAM_DONE);
    require(len == message.n);
    check_answer(request);
}

static void check_written(struct span numbers)
{
    uint16_t aeads[KE_LIST_MAX];
    size_t count = 0;
    for (struct rd r = rd_init(numbers); r.left >= 2 && count < KE_LIST_MAX;) {
        aeads[count++] = rd_u16(&r);
    }
    uint8_t out[256];
    struct wr w = wr_init(out, sizeof(out));
    ke_request_write(&w, aeads, count);
    struct ke_request request;
    enum ke_request_fault fault = ke_request_parse(wr_done(&w), &request);
    require(fault == (count > 0 ? KE_REQUEST_OK : KE_REQUEST_BAD_LENGTH));
    require(request.aeads.count == count && !request.aeads.truncated);
    require(count == 0 || memcmp(request.aeads.value, aeads, count * sizeof(aeads[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span message = span_of(data, size);
    struct ke_request request;
    memset(&request, 0xa5, sizeof(request));
    enum ke_request_fault fault = ke_request_parse(message, &request);
    if (fault == KE_REQUEST_OK) {
        check_accepted(message, &request);
    } else {
        check_refused(fault, &request);
    }
    check_written(message);
    return 0;
}
