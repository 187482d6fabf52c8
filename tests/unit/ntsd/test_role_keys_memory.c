/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is forgotten is gone from the memory of the keys process: all of it is looked through for
 * chain values and keys, raw and as the hex of the document, after periods have expired, after a
 * new document and after a withdrawal. The process is started before the secrets are made, so that
 * it has none of the test's.
 */
#include "tests/unit/ntsd/keys_process.h"

#include "common/crypto/kdf.h"

#include <inttypes.h>

enum { CHUNK = 1 << 20, NEEDLE_LEN = 16, HELD_S = 3700 };

static struct keys_process k;

static void set_up(void)
{
    keys_make(&k);
    k.config.lifetime_s = 60;
}

static void tear_down(void)
{
    keys_remove(&k);
}

TestSuite(role_keys_memory, .init = set_up, .fini = tear_down, .timeout = 240);

/* Beginnings of secrets. */
struct needles {
    size_t count;
    uint8_t bytes[16][2 * NEEDLE_LEN];
    size_t len[16];
};

static void add_chain(struct needles *needles, const uint8_t *chain)
{
    static const char digits[] = "0123456789abcdef";
    memcpy(needles->bytes[needles->count], chain, NEEDLE_LEN);
    needles->len[needles->count++] = NEEDLE_LEN;
    for (size_t i = 0; i < NEEDLE_LEN; i++) {
        needles->bytes[needles->count][2 * i] = (uint8_t)digits[chain[i] >> 4];
        needles->bytes[needles->count][2 * i + 1] = (uint8_t)digits[chain[i] & 15];
    }
    needles->len[needles->count++] = 2 * NEEDLE_LEN;
}

static void add_key(struct needles *needles, const struct keyring_key *key)
{
    memcpy(needles->bytes[needles->count], key->bytes, NEEDLE_LEN);
    needles->len[needles->count++] = NEEDLE_LEN;
}

static char last_seen[256]; /* where the last one was found */

static size_t count_in(const uint8_t *chunk, size_t n, const struct needles *needles,
                       const char *where)
{
    size_t found = 0;
    for (size_t i = 0; i < needles->count; i++) {
        const uint8_t *at = chunk;
        size_t left = n;
        while ((at = memmem(at, left, needles->bytes[i], needles->len[i])) != NULL) {
            (void)snprintf(last_seen, sizeof(last_seen), "needle %zu in %.200s", i, where);
            found++;
            at++;
            left = n - (size_t)(at - chunk);
        }
    }
    return found;
}

/* How often one of them is in the memory of the process. Mappings overlap a chunk by a needle. */
static size_t count(const struct needles *needles)
{
    static uint8_t chunk[CHUNK + 2 * NEEDLE_LEN];
    char path[64];
    char line[512];
    size_t found = 0;
    uint64_t from = 0;
    uint64_t to = 0;
    char rights = '-';
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)k.pid);
    FILE *maps = fopen(path, "re");
    (void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)k.pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(maps != NULL && mem >= 0);
    while (fgets(line, sizeof(line), maps) != NULL) {
        cr_assert_eq(sscanf(line, "%" SCNx64 "-%" SCNx64 " %c", &from, &to, &rights), 3);
        if (rights != 'r' || to - from > UINT64_C(1) << 30) {
            continue; /* a sanitizer's shadow */
        }
        for (uint64_t at = from; at < to; at += CHUNK) {
            size_t left = to - at < sizeof(chunk) ? (size_t)(to - at) : sizeof(chunk);
            ssize_t n = pread(mem, chunk, left, (off_t)at);
            found += n > 0 ? count_in(chunk, (size_t)n, needles, line) : 0;
        }
    }
    (void)fclose(maps);
    (void)close(mem);
    return found;
}

static void expect_none(const struct needles *needles, const char *what)
{
    size_t found = count(needles);
    cr_expect_eq(found, 0, "%s: %zu times, %s", what, found, last_seen);
}

/* The chain value of a period. */
static struct keydoc_epoch at_index(struct keydoc_epoch epoch, uint32_t index)
{
    while (epoch.index < index) {
        uint8_t next[KEYDOC_CHAIN_LEN];
        hkdf_sha256(span_of(NULL, 0), span_of(epoch.chain, sizeof(epoch.chain)),
                    span_of("ntsd ratchet", 12), next, sizeof(next));
        memcpy(epoch.chain, next, sizeof(next));
        epoch.index++;
    }
    return epoch;
}

static struct keyring_key key_of(const struct keydoc_epoch *epoch)
{
    struct keyring_key key;
    hkdf_sha256(span_of(NULL, 0), span_of(epoch->chain, sizeof(epoch->chain)),
                span_of("ntsd cookie", 11), key.bytes, sizeof(key.bytes));
    return key;
}

/* Chain values and keys of periods `from` to `to`. */
static struct needles needles_of(const struct keydoc_epoch *epoch, uint32_t from, uint32_t to)
{
    struct needles needles = {.count = 0};
    for (uint32_t i = from; i <= to; i++) {
        struct keydoc_epoch at = at_index(*epoch, i);
        struct keyring_key key = key_of(&at);
        add_chain(&needles, at.chain);
        add_key(&needles, &key);
    }
    return needles;
}

static struct needles key_needle(const struct keydoc_epoch *epoch, uint32_t index)
{
    struct needles needles = {.count = 0};
    struct keydoc_epoch at = at_index(*epoch, index);
    struct keyring_key key = key_of(&at);
    add_key(&needles, &key);
    return needles;
}

static void pass(int64_t seconds)
{
    atomic_fetch_add(ahead_ns, seconds * NS_PER_S);
    (void)keys_publish_clock(&k);
    keys_ask(&k);
}

static void take(const struct keydoc *doc)
{
    keys_put(&k, doc);
    keys_ask(&k);
}

Test(role_keys_memory, nothing_that_is_forgotten_is_left)
{
    (void)keys_publish_clock(&k);
    keys_start(&k);
    keys_await_answer(&k, 0);
    /* Two and a half periods ago; an hour later the third one issues. */
    int64_t now_s = keys_publish_clock(&k);
    struct keydoc doc = {.count = 1};
    doc.epoch[0] = sample_epoch(5, now_s - 9000, 3600);
    take(&doc);
    struct needles early = needles_of(&doc.epoch[0], 0, 1);
    struct needles held = key_needle(&doc.epoch[0], 2);
    cr_assert_gt(count(&early), 0, "what is in service is found");
    cr_assert_gt(count(&held), 0);
    struct needles text = {.count = 0};
    add_chain(&text, doc.epoch[0].chain);
    memmove(text.bytes[0], text.bytes[1], 2 * NEEDLE_LEN);
    text.len[0] = 2 * NEEDLE_LEN;
    text.count = 1;
    expect_none(&text, "of the text nothing is left");

    pass(HELD_S);
    pass(1);
    expect_none(&early, "expired");
    expect_none(&held, "expired as well");
    struct needles now = needles_of(&doc.epoch[0], 3, 3);
    cr_expect_gt(count(&now), 0);

    /* The same secret, and a new epoch that issues at once. */
    now_s = keys_publish_clock(&k);
    doc.epoch[doc.count++] = sample_epoch(6, now_s - 10, 3600);
    take(&doc);
    expect_none(&early, "the store still has it");
    cr_expect_gt(count(&now), 0, "held while its cookies open");
    pass(120);
    pass(HELD_S);
    expect_none(&now, "an epoch that is over");

    /* Withdrawn: its keys go, whatever is kept to know it by. */
    struct needles withdrawn = key_needle(&doc.epoch[1], 1);
    cr_expect_gt(count(&withdrawn), 0);
    now_s = keys_publish_clock(&k);
    doc.epoch[1].revoked = true;
    doc.epoch[doc.count++] = sample_epoch(7, now_s - 10, 3600);
    take(&doc);
    expect_none(&withdrawn, "withdrawn");
    struct needles last = key_needle(&doc.epoch[2], 0);
    cr_expect_gt(count(&last), 0);
    cr_expect_eq(keys_status(&k).provider.failing, 0, "each document was taken");
}
