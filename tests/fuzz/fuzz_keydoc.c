/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: the secret document. The first octet chooses what the rest is:
 *
 *   '{' or blank  a text. If it parses, writing and parsing again is identity.
 *   even          epochs, as a struct: written with a true check value, which no mutation of a text
 *                 would ever hit. It parses exactly when the numbers are in range and in order, and
 *                 then rings are derived from it at a moment of the input's choice.
 *   odd           a good document and a list of edits to its text: it parses to the same document
 *                 or not at all.
 */
#include "common/keys/keyring.h"

#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static bool docs_are_same(const struct keydoc *a, const struct keydoc *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct keydoc_epoch *x = &a->epoch[i];
        const struct keydoc_epoch *y = &b->epoch[i];
        same = x->id == y->id && x->not_before == y->not_before && x->rotate_s == y->rotate_s &&
               x->index == y->index && x->revoked == y->revoked &&
               memcmp(x->chain, y->chain, sizeof(x->chain)) == 0;
    }
    return same;
}

static bool parses(struct span text, struct keydoc *doc)
{
    struct keydoc_fault fault;
    enum nts_err err = keydoc_parse(text, doc, &fault);
    CHECK(memchr(fault.text, '\0', sizeof(fault.text)) != NULL);
    CHECK((err == NTS_OK) == (fault.text[0] == '\0'));
    CHECK(err == NTS_OK || (err == NTS_EFORMAT && doc->count == 0));
    for (const char *p = fault.text; *p != '\0'; p++) {
        CHECK(*p >= ' ' && *p <= '~');
    }
    return err == NTS_OK;
}

static struct span write_doc(const struct keydoc *doc, uint8_t buf[static KEYDOC_WRITTEN_MAX])
{
    struct wr out = wr_init(buf, KEYDOC_WRITTEN_MAX);
    CHECK(keydoc_write(doc, &out) == NTS_OK);
    return wr_done(&out);
}

static void check_text(struct span text)
{
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct keydoc doc;
    struct keydoc again;
    if (parses(text, &doc)) {
        CHECK(parses(write_doc(&doc, buf), &again));
        CHECK(docs_are_same(&doc, &again));
    }
}

static bool is_valid(const struct keydoc *doc)
{
    bool any_left = false;
    for (size_t i = 0; i < doc->count; i++) {
        const struct keydoc_epoch *e = &doc->epoch[i];
        bool in_range = e->id > 0 && e->not_before >= 0 && e->not_before <= KEYDOC_NOT_BEFORE_MAX &&
                        e->rotate_s >= KEYDOC_ROTATE_MIN_S && e->rotate_s <= KEYDOC_ROTATE_MAX_S &&
                        e->index <= KEYDOC_INDEX_MAX;
        if (!in_range || (i > 0 && e->not_before <= doc->epoch[i - 1].not_before)) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (doc->epoch[j].id == e->id) {
                return false;
            }
        }
        any_left |= !e->revoked;
    }
    return any_left;
}

static bool is_revoked(const struct keydoc *doc, uint32_t key_id)
{
    for (size_t i = 0; i < doc->count; i++) {
        if (doc->epoch[i].id == key_id >> 16) {
            return doc->epoch[i].revoked;
        }
    }
    return true;
}

static void check_ring(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    struct keyring ring;
    int64_t next = keyring_next_change(doc, now_s, lifetime_s);
    CHECK(next > now_s || next == INT64_MAX);
    keyring_derive(doc, now_s, lifetime_s, &ring);
    CHECK(ring.left_out == 0 || ring.count == KEYRING_MAX);
    CHECK(ring.count >= 1 && ring.count <= KEYRING_MAX && ring.issuing < ring.count);
    for (uint32_t i = 0; i < ring.count; i++) {
        CHECK(!is_revoked(doc, ring.key[i].id));
        CHECK(ring.key[i].issues_from < ring.key[i].issues_until);
        CHECK(i == 0 || ring.key[i - 1].issues_until <= ring.key[i].issues_from);
        CHECK(i >= ring.issuing || ring.key[i].issues_until <= now_s);
    }
    CHECK(ring.key[ring.issuing].issues_until > now_s || now_s == INT64_MAX);
    struct keydoc advanced = *doc;
    struct keyring after;
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    bool changed = keydoc_advance(&advanced, now_s, lifetime_s);
    CHECK(changed == !docs_are_same(&advanced, doc));
    keyring_derive(&advanced, now_s, lifetime_s, &after);
    CHECK(memcmp(&ring, &after, sizeof(ring)) == 0);
    struct keydoc again;
    CHECK(parses(write_doc(&advanced, buf), &again) && docs_are_same(&advanced, &again));
}

/* The ratchet takes a step a period: a run has to stay short. */
static bool is_quick(const struct keydoc *doc, int64_t now_s)
{
    uint64_t steps = 0;
    for (size_t i = 0; i < doc->count; i++) {
        const struct keydoc_epoch *e = &doc->epoch[i];
        int64_t period = now_s < e->not_before ? 0 : (now_s - e->not_before) / e->rotate_s;
        steps += period < e->index ? 0 : (uint64_t)period - e->index;
    }
    return steps < 500;
}

/* | count | now | lifetime | then epochs: | id | not_before | rotate | index | secret octet |
 * The highest bit of an index says revoked. */
static void check_epochs(struct rd in)
{
    struct keydoc doc = {.count = 1 + rd_u8(&in) % KEYDOC_EPOCHS_MAX};
    int64_t now_s = (int64_t)rd_u64(&in);
    int64_t lifetime_s = (int64_t)rd_u64(&in);
    for (size_t i = 0; i < doc.count; i++) {
        struct keydoc_epoch *e = &doc.epoch[i];
        e->id = rd_u8(&in);
        e->not_before = (int64_t)rd_u64(&in);
        e->rotate_s = rd_u32(&in);
        uint32_t index = rd_u32(&in);
        e->index = index & INT32_MAX;
        e->revoked = index > INT32_MAX;
        memset(e->chain, rd_u8(&in), sizeof(e->chain));
    }
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct keydoc read;
    bool good = parses(write_doc(&doc, buf), &read);
    CHECK(good == is_valid(&doc));
    CHECK(!good || docs_are_same(&doc, &read));
    if (good && is_quick(&doc, now_s)) {
        check_ring(&doc, now_s, lifetime_s);
    }
}

/* | length, 0: as it is (2) | then edits: | place (2) | octet to xor | ... */
static void check_edits(struct rd in)
{
    struct keydoc doc = {.count = 2};
    doc.epoch[0] = (struct keydoc_epoch){.id = 1, .not_before = 1767225600, .rotate_s = 86400};
    doc.epoch[1] = (struct keydoc_epoch){.id = 2, .not_before = 1767657600, .rotate_s = 3600};
    memset(doc.epoch[0].chain, 0xa7, KEYDOC_CHAIN_LEN);
    memset(doc.epoch[1].chain, 0x3c, KEYDOC_CHAIN_LEN);
    doc.epoch[0].revoked = true;
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct span text = write_doc(&doc, buf);
    size_t len = rd_u16(&in);
    while (in.left >= 3) {
        size_t place = rd_u16(&in);
        buf[place % text.n] ^= rd_u8(&in);
    }
    struct keydoc read;
    if (parses(span_of(buf, len == 0 || len > text.n ? text.n : len), &read)) {
        CHECK(docs_are_same(&doc, &read));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd in = rd_init(span_of(data, size));
    uint8_t kind = rd_u8(&in);
    if (kind == '{' || kind == ' ' || kind == '\n') {
        check_text(span_of(data, size));
    } else if (kind % 2 == 0) {
        check_epochs(in);
    } else {
        check_edits(in);
    }
    return 0;
}
