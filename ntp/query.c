/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as a client writes them. See query.h; RFC 8915 §5.7, client's side.
 */
#include "ntp/query.h"

#include "ntp/ntp_auth.h"
#include "ntp/saturate.h"

enum { QUERY_VERSION = 4 };

static enum nts_err write_header(struct rng *rng, struct query *query, struct wr *out)
{
    uint8_t random[sizeof(query->transmit_time)];
    TRY(rng_bytes(rng, random, sizeof(random)));
    struct rd r = rd_init(span_of(random, sizeof(random)));
    *query = (struct query){.transmit_time = rd_u64(&r)};
    const struct ntp_header header = {
        .version = QUERY_VERSION,
        .mode = NTP_MODE_CLIENT,
        .transmit_time = query->transmit_time,
    };
    ntp_header_write(out, &header);
    return out->bad ? NTS_ESPACE : NTS_OK;
}

NODISCARD enum nts_err query_write_plain(struct rng *rng, struct query *query, struct wr *out)
{
    return write_header(rng, query, out);
}

/* RFC 8915 §5.5: as long as the cookie's field, and zero. */
static void write_placeholder(struct wr *out, size_t field_len)
{
    wr_u16(out, NTP_EF_COOKIE_PLACEHOLDER);
    wr_u16(out, (uint16_t)field_len);
    wr_zero(out, field_len - NTP_EF_HEAD_LEN);
}

static enum nts_err seal_request(struct rng *rng, const struct session_keys *keys, struct wr *out)
{
    uint8_t nonce[AEAD_NONCE_LEN];
    TRY(rng_bytes(rng, nonce, keys->alg->nonce_len));
    struct aead_key key;
    TRY(aead_key_init(&key, keys->alg, secret_key_span(&keys->c2s)));
    enum nts_err err =
        ntp_auth_seal(&key, span_of(nonce, keys->alg->nonce_len), span_of(NULL, 0), out);
    aead_key_wipe(&key);
    return err;
}

NODISCARD enum nts_err query_write_nts(struct rng *rng, const struct session_keys *keys,
                                       struct span cookie, size_t placeholders, struct query *query,
                                       struct wr *out)
{
    if (cookie.n > UINT16_MAX - NTP_EF_LEN_MIN) {
        return NTS_ESPACE;
    }
    TRY(write_header(rng, query, out));
    query->nts = true;
    TRY(rng_bytes(rng, query->uid, sizeof(query->uid)));
    ntp_ef_write(out, NTP_EF_UNIQUE_IDENTIFIER, span_of(query->uid, sizeof(query->uid)), 0);
    size_t before = out->n;
    ntp_ef_write(out, NTP_EF_COOKIE, cookie, NTP_EF_LEN_MIN);
    size_t field_len = out->n - before;
    for (size_t i = 0; i < placeholders && !out->bad; i++) {
        write_placeholder(out, field_len);
    }
    if (out->bad) {
        return NTS_ESPACE;
    }
    return seal_request(rng, keys, out);
}

struct query_times query_times(const struct ntp_header *header, struct wall_ns sent,
                               struct wall_ns received)
{
    /* RFC 5905 §8: t1 and t4 are ours, t2 and t3 the server's, in the era nearest to ours. */
    int64_t t2 = ntp_time_to_wall(header->receive_time, received).ns;
    int64_t t3 = ntp_time_to_wall(header->transmit_time, received).ns;
    int64_t there = sat_sub(t2, sent.ns);
    int64_t back = sat_sub(t3, received.ns);
    int64_t away = sat_sub(received.ns, sent.ns);
    return (struct query_times){
        /* The mean without the sum having to fit. */
        .offset_ns = there / 2 + back / 2 + (there % 2 + back % 2) / 2,
        .delay_ns = sat_sub(away, sat_sub(t3, t2)),
    };
}
