/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document as it is shown: what is in the table and the JSON object, and that no secret is.
 */
#include "tools/keys_show.h"

#include "common/keys/keyring.h"

#include <criterion/criterion.h>
#include <jansson.h>

#define DAY INT64_C(86400)
#define B   INT64_C(1767225600) /* 2026-01-01 */

enum { TEXT_MAX = 8192 };

static char text[TEXT_MAX];

static struct keydoc sample(void)
{
    struct keydoc doc = {.count = 4};
    static const int64_t begins[] = {B, B + 10 * DAY, B + 20 * DAY, B + 30 * DAY};
    for (size_t e = 0; e < doc.count; e++) {
        doc.epoch[e] = (struct keydoc_epoch){
            .id = (uint8_t)(e * 50 + 5), .not_before = begins[e], .rotate_s = 86400};
        memset(doc.epoch[e].chain, 0x41 + (int)e, KEYDOC_CHAIN_LEN);
    }
    doc.epoch[1].revoked = true;
    return doc;
}

static void shown(const struct keydoc *doc, int64_t now_s, bool json)
{
    const struct keyedit_wish wish = {.now_s = now_s, .lifetime_s = KEYEDIT_LIFETIME_S};
    memset(text, 0, sizeof(text));
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert_not_null(out);
    if (json) {
        cr_assert_eq(keys_show_json(doc, &wish, out), NTS_OK);
    } else {
        keys_show_table(doc, &wish, out);
    }
    (void)fclose(out);
}

/* Neither as octets nor as digits, nor a key made of it. */
static void expect_no_secret(const struct keydoc *doc, int64_t now_s)
{
    struct keyring ring;
    keyring_derive(doc, now_s, KEYEDIT_LIFETIME_S, &ring);
    for (size_t e = 0; e < doc->count; e++) {
        char hex[2 * 4 + 1];
        const uint8_t *c = doc->epoch[e].chain;
        (void)snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", c[0], c[1], c[2], c[3]);
        cr_expect_null(strstr(text, hex));
        cr_expect_null(memmem(text, sizeof(text), c, 4));
    }
    for (size_t k = 0; k < ring.count; k++) {
        char hex[2 * 4 + 1];
        const uint8_t *c = ring.key[k].bytes;
        (void)snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", c[0], c[1], c[2], c[3]);
        cr_expect_null(strstr(text, hex));
    }
}

Test(keys_show, table)
{
    struct keydoc doc = sample();
    shown(&doc, B + 21 * DAY + 5, false);
    cr_expect_not_null(strstr(text, "    5  past     2026-01-01T00:00:00Z (21 d ago) "), "%s",
                       text);
    cr_expect_not_null(strstr(text, " 2026-01-29T00:00:00Z (in 6 d) "), "%s", text);
    cr_expect_not_null(strstr(text, "   55  revoked  2026-01-11T00:00:00Z (11 d ago) "));
    cr_expect_not_null(strstr(text, "  105  issuing  2026-01-21T00:00:00Z (24 h ago) "));
    cr_expect_not_null(strstr(text, "  155  waiting  2026-01-31T00:00:00Z (in 8 d) "));
    cr_expect_not_null(strstr(text, "\nKey 690001 issues now, fingerprint "));
    cr_expect_not_null(strstr(text, ", until 2026-01-23T00:00:00Z (in 23 h)\n"));
    expect_no_secret(&doc, B + 21 * DAY + 5);
}

/* What is shown is what a host shows of the same document. */
Test(keys_show, fingerprints_are_those_of_the_ring)
{
    struct keydoc doc = sample();
    struct keyring ring;
    uint8_t f[KEYRING_FINGERPRINT_LEN];
    char hex[2 * KEYRING_FINGERPRINT_LEN + 1];
    char check[KEYS_SHOW_CHECK_MAX];
    keyring_derive(&doc, B, 0, &ring);
    keyring_fingerprint(&ring.key[ring.issuing], f);
    for (size_t i = 0; i < sizeof(f); i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", f[i]);
    }
    shown(&doc, B, false);
    cr_expect_not_null(strstr(text, hex));
    for (size_t e = 0; e < doc.count; e++) {
        keys_show_check(&doc.epoch[e], check);
        cr_expect_not_null(strstr(text, check));
    }
}

Test(keys_show, json)
{
    struct keydoc doc = sample();
    int64_t now = B + 21 * DAY + 5;
    shown(&doc, now, true);
    expect_no_secret(&doc, now);
    json_t *root = json_loads(text, 0, NULL);
    cr_assert_not_null(root, "%s", text);
    const char *date;
    const char *id;
    int lifetime;
    json_t *epochs;
    cr_assert_eq(json_unpack(root, "{s:s, s:i, s:{s:s}, s:o}", "now", &date, "lifetime", &lifetime,
                             "issuing", "id", &id, "epochs", &epochs),
                 0);
    cr_expect_str_eq(date, "2026-01-22T00:00:05Z");
    cr_expect_eq(lifetime, KEYEDIT_LIFETIME_S);
    cr_expect_str_eq(id, "690001");
    cr_assert_eq(json_array_size(epochs), 4);
    static const char *const states[] = {"past", "revoked", "issuing", "waiting"};
    for (size_t e = 0; e < 4; e++) {
        json_t *epoch = json_array_get(epochs, e);
        cr_expect_str_eq(json_string_value(json_object_get(epoch, "state")), states[e]);
        cr_expect_eq(json_integer_value(json_object_get(epoch, "id")), doc.epoch[e].id);
        cr_expect_eq(json_is_string(json_object_get(epoch, "cookies_open_until")), e == 0);
        cr_expect_null(json_object_get(epoch, "secret"));
    }
    json_decref(root);
}

Test(keys_show, when)
{
    static const struct {
        int64_t time;
        int64_t now;
        const char *text;
    } rows[] = {
        {B, B, "2026-01-01T00:00:00Z (0 s ago)"},
        {B, B + 119, "2026-01-01T00:00:00Z (119 s ago)"},
        {B + 120, B, "2026-01-01T00:02:00Z (in 2 min)"},
        {B, B + 2 * 3600, "2026-01-01T00:00:00Z (2 h ago)"},
        {B, B + 2 * DAY, "2026-01-01T00:00:00Z (2 d ago)"},
        {INT64_MAX, B, "-"},
        {0, INT64_MIN, "1970-01-01T00:00:00Z"},
        {1, INT64_MIN + 1, "1970-01-01T00:00:01Z"},
        {0, INT64_MAX, "1970-01-01T00:00:00Z (106751991167300 d ago)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char when[KEYS_SHOW_WHEN_MAX];
        keys_show_when(rows[i].time, rows[i].now, when);
        cr_expect_str_eq(when, rows[i].text, "row %zu: %s", i, when);
    }
}
