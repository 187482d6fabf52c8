/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of a simulated fleet. See fleet_clients.h.
 */
#include "tests/sim/fleet_clients.h"

#include <stdlib.h>

enum { REAL_ONE_IN = 64 };

/* Counts twice: for the kind of client, and for what is going on. */
#define COUNT(field, client, member)                                                               \
    do {                                                                                           \
        (field)->now->member++;                                                                    \
        (client)->figures->member++;                                                               \
    } while (0)

static struct session_keys session(void)
{
    struct session_keys keys = {.alg = aead_find(AEAD_AES_SIV_CMAC_256)};
    keys.c2s.len = keys.alg->key_len;
    keys.s2c.len = keys.alg->key_len;
    memset(keys.c2s.bytes, 'c', keys.c2s.len);
    memset(keys.s2c.bytes, 's', keys.s2c.len);
    return keys;
}

/* Any host that is in service; NULL when there is none. */
static struct fleet_host *choose(struct fleet_field *field)
{
    size_t ready = 0;
    for (size_t i = 0; i < FLEET_HOSTS; i++) {
        ready += field->host[i].is_ready;
    }
    if (ready == 0) {
        return NULL;
    }
    size_t n = sim_random_u64(&field->random) % ready;
    size_t i = 0;
    while (!field->host[i].is_ready || n-- > 0) {
        i++;
    }
    return &field->host[i];
}

/* That the key is the one of the rules: the period of the epoch that issues by the host's clock. */
static bool is_right(const struct fleet_store *store, const struct fleet_host *host,
                     const struct fleet_cookie *cookie)
{
    if (host->terms->believes_all || host->terms->ignores_withdrawals) {
        return true; /* which such a host cannot keep to */
    }
    size_t issuer = fleet_rules_issuer(store, host->version, cookie->sealed.clock);
    if (issuer == store->epochs) {
        return false;
    }
    const struct fleet_epoch *epoch = &store->epoch[issuer];
    int64_t since = cookie->sealed.clock - epoch->not_before;
    int64_t period = since < 0 ? 0 : since / epoch->rotate_s;
    return issuer == cookie->sealed.epoch &&
           cookie->key_id == ((uint32_t)epoch->id << 16 | (uint32_t)period);
}

static void seal(struct fleet_field *field, struct fleet_client *client,
                 const struct fleet_host *host, int64_t t)
{
    const struct keyring_key *key = &host->ring.key[host->ring.issuing];
    struct fleet_cookie *cookie =
        &client->jar[(client->first + client->held++) % client->kind->jar];
    cookie->sealed.at = t;
    cookie->sealed.clock = fleet_host_clock(host, t);
    cookie->sealed.epoch = fleet_store_epoch(field->store, host->version, (uint8_t)(key->id >> 16));
    cookie->key_id = key->id;
    memcpy(cookie->key, key->bytes, sizeof(cookie->key));
    cookie->is_real = sim_random_u64(&field->random) % REAL_ONE_IN == 0;
    if (cookie->is_real) {
        struct session_keys keys = session();
        struct wr out = wr_init(cookie->text, sizeof(cookie->text));
        if (cookie_seal(&host->sealing, &field->rng, &keys, &out) != NTS_OK) {
            abort();
        }
    }
    COUNT(field, client, issued);
    if (cookie->sealed.epoch == field->store->epochs || !is_right(field->store, host, cookie)) {
        COUNT(field, client, wrong);
    }
}

static bool opens(const struct fleet_host *host, const struct fleet_cookie *cookie)
{
    const struct keyring_key *key = fleet_host_find(host, cookie->key_id);
    return key != NULL && ct_equal(key->bytes, cookie->key, sizeof(cookie->key));
}

static bool opens_really(const struct fleet_host *host, const struct fleet_cookie *cookie)
{
    struct session_keys keys;
    size_t slot;
    return cookie_unseal(&host->sealing, span_of(cookie->text, sizeof(cookie->text)), &keys,
                         &slot) == NTS_OK;
}

static void judge_opened(struct fleet_field *field, struct fleet_client *client,
                         const struct fleet_host *host, const struct fleet_cookie *cookie,
                         int64_t t)
{
    size_t revoked_in = field->store->epoch[cookie->sealed.epoch].revoked_in;
    bool must_know = t >= fleet_rules_withdrawn_at(field->store, cookie->sealed.epoch);
    COUNT(field, client, opened);
    if (fleet_rules_judge(field->store, &field->terms->limits, &cookie->sealed, t) ==
        FLEET_EXPIRED) {
        COUNT(field, client, too_late);
    }
    if (host->version >= revoked_in || must_know) {
        COUNT(field, client, revived);
    }
}

static void judge_refused(struct fleet_field *field, struct fleet_client *client,
                          const struct fleet_cookie *cookie, int64_t t)
{
    switch (fleet_rules_judge(field->store, &field->terms->limits, &cookie->sealed, t)) {
    case FLEET_OPENS:
        COUNT(field, client, refused);
        return;
    case FLEET_MAY:
    case FLEET_EXPIRED:
        COUNT(field, client, expired);
        return;
    case FLEET_WITHDRAWN:
        COUNT(field, client, withdrawn);
        return;
    case FLEET_UNSETTLED:
        COUNT(field, client, unsettled);
        return;
    }
}

/* RFC 8915 section 4: as many cookies as the client keeps, all from one instance. */
static void shake_hands(struct fleet_field *field, struct fleet_client *client, int64_t t)
{
    const struct fleet_host *host = choose(field);
    client->held = 0;
    while (host != NULL && client->held < client->kind->jar) {
        seal(field, client, host, t);
    }
}

static void show(struct fleet_field *field, struct fleet_client *client,
                 const struct fleet_host *host, int64_t t)
{
    const struct fleet_cookie cookie = client->jar[client->first];
    bool opened = opens(host, &cookie);
    client->first = (client->first + 1) % client->kind->jar;
    client->held--;
    COUNT(field, client, shown);
    if (cookie.is_real && opens_really(host, &cookie) != opened) {
        COUNT(field, client, wrong);
    }
    if (opened) {
        judge_opened(field, client, host, &cookie, t);
        seal(field, client, host, t);
    } else {
        judge_refused(field, client, &cookie, t);
        shake_hands(field, client, t);
    }
}

int64_t fleet_client_tick(struct fleet_field *field, struct fleet_client *client, int64_t t)
{
    const struct fleet_host *host = choose(field);
    uint64_t spread = (uint64_t)client->kind->spread_s + 1;
    if (client->held == 0) {
        shake_hands(field, client, t);
    } else if (host != NULL) {
        show(field, client, host, t);
    }
    return t + client->kind->gap_s + (int64_t)(sim_random_u64(&field->random) % spread);
}
