/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server agrees to. RFC 8915 §4.1.2, §4.1.5, §5.1.
 */
#include "nts-ke/ke_negotiate.h"

static bool list_has(const struct ke_list *list, uint16_t value)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->value[i] == value) {
            return true;
        }
    }
    return false;
}

static const struct aead *choose(const struct ke_list *offered, const struct ke_policy *policy)
{
    for (size_t i = 0; i < policy->aead_count && i < AEAD_MAX; i++) {
        const struct aead *alg = aead_find(policy->aead[i]);
        if (alg != NULL && list_has(offered, alg->id)) {
            return alg;
        }
    }
    return NULL;
}

struct ke_agreement ke_negotiate(const struct ke_request *request, const struct ke_policy *policy)
{
    struct ke_agreement agreement = {.ntpv4 = list_has(&request->protocols, KE_PROTOCOL_NTPV4)};
    if (!agreement.ntpv4) {
        return agreement;
    }
    agreement.alg = choose(&request->aeads, policy);
    if (agreement.alg == NULL) {
        return agreement;
    }
    uint16_t id = agreement.alg->id;
    agreement.compliant_gcm_siv = id == AEAD_AES_128_GCM_SIV && request->wants_compliant_gcm_siv;
    agreement.exporter_aead = ke_exporter_aead(id, agreement.compliant_gcm_siv);
    return agreement;
}

uint16_t ke_exporter_aead(uint16_t aead, bool compliant_gcm_siv)
{
    return aead == AEAD_AES_128_GCM_SIV && !compliant_gcm_siv ? AEAD_AES_SIV_CMAC_256 : aead;
}

void ke_exporter_context(uint16_t exporter_aead, bool s2c,
                         uint8_t out[static KE_EXPORTER_CONTEXT_LEN])
{
    struct wr w = wr_init(out, KE_EXPORTER_CONTEXT_LEN);
    wr_u16(&w, KE_PROTOCOL_NTPV4);
    wr_u16(&w, exporter_aead);
    wr_u8(&w, s2c ? 1 : 0);
}
