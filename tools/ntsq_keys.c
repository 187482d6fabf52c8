/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsq's key establishment. See ntsq_keys.h.
 */
#include "tools/ntsq_keys.h"

#include "tools/ntsq_hint.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static enum nts_err fail(struct ntsq_facts *facts, enum ntsq_stage stage, enum nts_err err,
                         const char *text, const char *hint)
{
    facts->failure.stage = stage;
    facts->failure.hint = hint;
    (void)snprintf(facts->failure.text, sizeof(facts->failure.text), "%s", text);
    return err;
}

NODISCARD enum nts_err ntsq_keys_open(struct ntsq_keys *keys, struct ntsq_facts *facts)
{
    const struct tls_client_options options = {
        .ca_file = facts->options->ca_file,
        .cert_file = facts->options->cert_file,
        .key_file = facts->options->key_file,
        .alpn = KE_ALPN,
        .ignore_dates = facts->options->no_clock,
    };
    struct cert_fault fault = {.kind = CERT_OK};
    enum nts_err err = tls_client_new(&options, &keys->tls, &fault);
    return err == NTS_OK ? NTS_OK : fail(facts, NTSQ_STAGE_TRUST, err, fault.text, NULL);
}

static size_t offer(uint16_t out[static AEAD_MAX])
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    size_t n = count < AEAD_MAX ? count : AEAD_MAX;
    for (size_t i = 0; i < n; i++) {
        out[i] = all[i]->id;
    }
    return n;
}

/* The first address that lets us connect decides: what it answers is the diagnosis. */
static enum nts_err exchange(struct ntsq_keys *keys, struct ntsq_facts *facts,
                             struct ke_client_why *why)
{
    uint16_t aeads[AEAD_MAX];
    struct ke_client_options options = {
        .tls = keys->tls,
        .host = facts->options->host,
        .timeout_ms = facts->options->timeout_ms,
        .aeads = aeads,
        .aead_count = offer(aeads),
    };
    enum nts_err err = NTS_ENOTFOUND;
    for (size_t i = 0; i < facts->resolved.count; i++) {
        facts->ke_addr = facts->resolved.addr[i];
        options.addr = &facts->ke_addr;
        ke_client_result_wipe(&keys->result);
        err = ke_client_exchange(&options, &keys->result, why);
        bool unreachable = err == NTS_ESYSTEM || err == NTS_ELIMIT;
        if (!unreachable || keys->result.connect_ms > 0) {
            break;
        }
    }
    return err;
}

static long verify_result(const struct ntsq_keys *keys)
{
    return keys->result.ssl != NULL ? SSL_get_verify_result(keys->result.ssl) : X509_V_OK;
}

/* "expired" alone does not say whose clock is wrong: which certificate, and its dates, do. */
static void add_dates(const struct ntsq_keys *keys, struct ntsq_facts *facts)
{
    long result = verify_result(keys);
    struct cert_fault fault = {.kind = CERT_OK};
    if (result != X509_V_ERR_CERT_HAS_EXPIRED && result != X509_V_ERR_CERT_NOT_YET_VALID) {
        return;
    }
    int64_t now_s = facts->started.ns / NS_PER_S;
    enum nts_err err = tls_client_check_dates(keys->result.ssl, now_s, &fault);
    if (err != NTS_OK && (fault.kind == CERT_EXPIRED || fault.kind == CERT_NOT_YET_VALID)) {
        char *text = facts->failure.text;
        size_t n = strlen(text);
        (void)snprintf(text + n, sizeof(facts->failure.text) - n, "; %s", fault.text);
    }
}

NODISCARD enum nts_err ntsq_keys_establish(struct ntsq_keys *keys, struct ntsq_facts *facts)
{
    struct ke_client_why why = {.text = ""};
    facts->ke_exchanges++;
    facts->ke = &keys->result;
    facts->dates = facts->options->no_clock ? NTSQ_DATES_PENDING : NTSQ_DATES_AT_HANDSHAKE;
    enum nts_err err = exchange(keys, facts, &why);
    if (err != NTS_OK) {
        err = fail(facts, NTSQ_STAGE_KE, err, why.text[0] != '\0' ? why.text : nts_err_name(err),
                   ntsq_hint_exchange(err, verify_result(keys)));
        add_dates(keys, facts);
        return err;
    }
    struct ntsq_answer_fault fault;
    if (ntsq_answer_fault(&keys->result.answer, &fault) != NULL) {
        return fail(facts, NTSQ_STAGE_KE, NTS_EFORMAT, fault.text, NULL);
    }
    return NTS_OK;
}

NODISCARD enum nts_err ntsq_keys_check_dates(struct ntsq_keys *keys, struct ntsq_facts *facts,
                                             struct wall_ns now)
{
    struct cert_fault fault = {.kind = CERT_OK};
    facts->dates_at = now;
    enum nts_err err = tls_client_check_dates(keys->result.ssl, now.ns / NS_PER_S, &fault);
    facts->dates = err == NTS_OK ? NTSQ_DATES_HOLD : NTSQ_DATES_FAIL;
    if (err == NTS_OK) {
        return NTS_OK;
    }
    return fail(facts, NTSQ_STAGE_DATES, err, fault.text,
                "by the authenticated time itself the certificate does not hold: do not use it");
}

void ntsq_keys_close(struct ntsq_keys *keys)
{
    ke_client_result_wipe(&keys->result);
    SSL_CTX_free(keys->tls);
    keys->tls = NULL;
}
