/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of a run that went well, to take as they are or to spoil: what the reports and the
 * verdict are tested with.
 */
#ifndef NTSD_TESTS_UNIT_TOOLS_NTSQ_FIXTURE_H
#define NTSD_TESTS_UNIT_TOOLS_NTSQ_FIXTURE_H

#include "tools/ntsq_verdict.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { FIXTURE_SAMPLES = 5 };

#define FIXTURE_NOW_S INT64_C(1735689600) /* 2025-01-01 */

struct fixture {
    struct ntsq_options options;
    struct ke_client_result ke;
    struct ntsq_sample sample[FIXTURE_SAMPLES];
    struct ntsq_facts facts;
    struct ntsq_summary summary;
    struct ntsq_verdict verdict;
};

static inline struct ntsq_sample fixture_answer(int64_t offset_ns, int64_t delay_ns)
{
    const struct wall_ns sent = {.ns = FIXTURE_NOW_S * NS_PER_S};
    return (struct ntsq_sample){
        .outcome = NTSQ_ANSWERED,
        .verdict = QUERY_OK,
        .tries = 1,
        .kernel_stamp = true,
        .request_len = 228,
        .reply_len = 228,
        .cookies_received = 1,
        .cookies_left = 8,
        .sent = sent,
        .received = {.ns = sent.ns + delay_ns},
        .header = {.version = 4,
                   .mode = NTP_MODE_SERVER,
                   .stratum = 1,
                   .precision = -24,
                   .root_dispersion = 66,
                   .reference_id = 0x47505300},
        .times = {.offset_ns = offset_ns, .delay_ns = delay_ns},
    };
}

static inline void fixture_message(struct ke_client_result *ke)
{
    static const uint8_t cookie[100] = {0};
    struct wr w = wr_init(ke->message, sizeof(ke->message));
    struct ke_response response = {
        .ntpv4 = true, .aead = AEAD_AES_SIV_CMAC_256, .port = 11123, .cookie_count = KE_COOKIES};
    for (size_t i = 0; i < KE_COOKIES; i++) {
        response.cookie[i] = span_of(cookie, sizeof(cookie));
    }
    ke_response_write(&w, &response);
    ke->message_len = wr_done(&w).n;
    ke->answer = (struct ke_answer){
        .ntpv4 = true, .aead = AEAD_AES_SIV_CMAC_256, .port = 11123, .cookie_count = KE_COOKIES};
    ke->cookie_count = KE_COOKIES;
}

/* `count` queries, the first `count` of FIXTURE_SAMPLES answered alike but for their times. */
static inline void fixture_init(struct fixture *f, unsigned count)
{
    memset(f, 0, sizeof(*f));
    f->options.count = count;
    f->options.timeout_ms = NTSQ_TIMEOUT_MS;
    (void)snprintf(f->options.host, sizeof(f->options.host), "time.example");
    f->ke.tls = (struct tls_client_info){
        .version = "TLSv1.3",
        .group = "X25519",
        .cipher = "TLS_AES_256_GCM_SHA384",
        .names = "DNS:time.example",
        .issuer = "CN=test CA",
        .not_after = FIXTURE_NOW_S + 90 * 86400,
    };
    f->ke.connect_ms = 0.1;
    f->ke.tls_ms = 2.5;
    f->ke.total_ms = 3.0;
    fixture_message(&f->ke);
    for (unsigned i = 0; i < FIXTURE_SAMPLES; i++) {
        f->sample[i] = fixture_answer(12000 + 1000 * (int64_t)i, 110000 - 10000 * (int64_t)i);
    }
    f->facts = (struct ntsq_facts){
        .options = &f->options,
        .started = {.ns = FIXTURE_NOW_S * NS_PER_S},
        .resolved = {.count = 1},
        .ke_exchanges = 1,
        .ke = &f->ke,
        .has_server = true,
        .sample_count = count,
        .sample = f->sample,
    };
    cr_assert_eq(net_addr_parse("192.0.2.1", 4460, &f->facts.resolved.addr[0]), NTS_OK);
    f->facts.ke_addr = f->facts.resolved.addr[0];
    cr_assert_eq(net_addr_parse("192.0.2.1", 11123, &f->facts.server), NTS_OK);
}

static inline void fixture_judge(struct fixture *f)
{
    int64_t scratch[FIXTURE_SAMPLES];
    f->summary = ntsq_summarise(&f->facts, scratch);
    f->verdict = ntsq_judge(&f->facts, &f->summary);
}

static inline void fixture_fail(struct fixture *f, enum ntsq_stage stage, const char *text)
{
    f->facts.failure.stage = stage;
    (void)snprintf(f->facts.failure.text, sizeof(f->facts.failure.text), "%s", text);
}

#endif
