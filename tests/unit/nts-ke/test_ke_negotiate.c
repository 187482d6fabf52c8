/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is agreed to, for every pair of wishes, and the exporter context that follows.
 */
#include "nts-ke/ke_negotiate.h"

#include <criterion/criterion.h>

struct negotiate_case {
    const char *name;
    struct ke_list protocols;
    struct ke_list aeads;
    struct ke_policy policy;
    bool ntpv4;
    uint16_t aead; /* 0: none */
};

#define LIST(n, ...)                                                                               \
    {                                                                                              \
        .count = n, .value = { __VA_ARGS__ }                                                       \
    }
#define POLICY(n, ...)                                                                             \
    {                                                                                              \
        .aead_count = n, .aead = { __VA_ARGS__ }                                                   \
    }

static const struct negotiate_case cases[] = {
    {"plain", LIST(1, 0), LIST(1, 15), POLICY(1, 15), true, 15},
    {"ours decides", LIST(1, 0), LIST(2, 15, 17), POLICY(2, 17, 15), true, 17},
    {"ours decides, other order", LIST(1, 0), LIST(2, 15, 17), POLICY(2, 15, 17), true, 15},
    {"second choice", LIST(1, 0), LIST(1, 15), POLICY(2, 17, 15), true, 15},
    {"last of many", LIST(1, 0), LIST(4, 1, 2, 3, 15), POLICY(1, 15), true, 15},
    {"none fits", LIST(1, 0), LIST(2, 1, 2), POLICY(2, 17, 15), true, 0},
    {"nothing allowed", LIST(1, 0), LIST(1, 15), POLICY(0, 0), true, 0},
    {"never built", LIST(1, 0), LIST(2, 16, 15), POLICY(2, 16, 15), true, 15},
    {"unknown in the policy", LIST(1, 0), LIST(1, 999), POLICY(1, 999), true, 0},
    {"protocol among others", LIST(3, 5, 0, 7), LIST(1, 15), POLICY(1, 15), true, 15},
    {"no protocol", LIST(2, 5, 7), LIST(1, 15), POLICY(1, 15), false, 0},
    {"no protocol at all", LIST(0, 0), LIST(1, 15), POLICY(1, 15), false, 0},
};

Test(ke_negotiate, table)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct negotiate_case *c = &cases[i];
        struct ke_request request = {
            .protocols = c->protocols, .aeads = c->aeads, .has_aeads = true};
        struct ke_agreement agreement = ke_negotiate(&request, &c->policy);
        cr_expect_eq(agreement.ntpv4, c->ntpv4, "%s", c->name);
        cr_expect_eq(agreement.alg == NULL ? 0 : agreement.alg->id, c->aead, "%s", c->name);
        cr_expect_eq(agreement.exporter_aead, c->aead, "%s", c->name);
        cr_expect_not(agreement.compliant_gcm_siv, "%s", c->name);
    }
}

Test(ke_negotiate, gcm_siv_when_built)
{
    for (int wants = 0; wants < 2; wants++) {
        struct ke_request request = {.protocols = LIST(1, 0),
                                     .aeads = LIST(3, 31, 30, 15),
                                     .has_aeads = true,
                                     .wants_compliant_gcm_siv = wants == 1};
        bool built = aead_find(AEAD_AES_128_GCM_SIV) != NULL;
        struct ke_policy policy = POLICY(2, 30, 15);
        struct ke_agreement agreement = ke_negotiate(&request, &policy);
        cr_assert_eq(agreement.alg->id, built ? 30 : 15);
        cr_assert_eq(agreement.compliant_gcm_siv, built && wants == 1);
        cr_assert_eq(agreement.exporter_aead, built && wants == 1 ? 30 : 15);
        /* Record 1024 is about AEAD 30 alone. */
        struct ke_policy other = POLICY(1, 31);
        struct ke_agreement second = ke_negotiate(&request, &other);
        cr_assert_not(second.compliant_gcm_siv);
        cr_assert_eq(second.exporter_aead, built ? 31 : 0);
    }
}

Test(ke_negotiate, exporter_number)
{
    static const uint16_t ids[] = {15, 16, 17, 31, 0xffff};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        cr_assert_eq(ke_exporter_aead(ids[i], false), ids[i]);
        cr_assert_eq(ke_exporter_aead(ids[i], true), ids[i]);
    }
    cr_assert_eq(ke_exporter_aead(30, true), 30);
    cr_assert_eq(ke_exporter_aead(30, false), 15);
}

Test(ke_negotiate, exporter_context)
{
    uint8_t out[KE_EXPORTER_CONTEXT_LEN];
    ke_exporter_context(15, false, out);
    cr_assert_arr_eq(out, "\x00\x00\x00\x0f\x00", sizeof(out));
    ke_exporter_context(15, true, out);
    cr_assert_arr_eq(out, "\x00\x00\x00\x0f\x01", sizeof(out));
    ke_exporter_context(0x1234, true, out);
    cr_assert_arr_eq(out, "\x00\x00\x12\x34\x01", sizeof(out));
}
