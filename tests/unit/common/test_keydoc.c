/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret document: what is written can be read, and nothing else can.
 */
#include "common/keys/keydoc.h"

#include "common/base/secret.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

/* The document of the manual: docs/keys.md shows it, so the format cannot change unnoticed. */
static const char golden[] =
    "{\n"
    "  \"ntsd_keys\": 1,\n"
    "  \"epochs\": [\n"
    "    { \"id\": 1, \"not_before\": 1767225600, \"rotate\": 86400, \"index\": 0,\n"
    "      \"secret\": \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\n"
    "      \"check\": \"9ee7772ae1c64d64\" }\n"
    "  ]\n"
    "}\n";

/* And the same one, withdrawn, beside another. */
static const char golden_revoked[] =
    "{\n"
    "  \"ntsd_keys\": 1,\n"
    "  \"epochs\": [\n"
    "    { \"id\": 1, \"not_before\": 1767225600, \"rotate\": 86400, \"index\": 0, \"revoked\": "
    "true,\n"
    "      \"secret\": \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\n"
    "      \"check\": \"3271a4db15804e7b\" },\n"
    "    { \"id\": 2, \"not_before\": 1767225601, \"rotate\": 86400, \"index\": 0,\n"
    "      \"secret\": \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\n"
    "      \"check\": \"cd9d79fa6ada8b3b\" }\n"
    "  ]\n"
    "}\n";

static struct span text_of(const char *text)
{
    return span_of(text, strlen(text));
}

static struct span write_doc(const struct keydoc *doc, uint8_t *buf, size_t cap)
{
    struct wr out = wr_init(buf, cap);
    cr_assert_eq(keydoc_write(doc, &out), NTS_OK);
    return wr_done(&out);
}

static struct keydoc golden_doc(void)
{
    struct keydoc doc = {.count = 1};
    doc.epoch[0] = (struct keydoc_epoch){.id = 1, .not_before = SAMPLE_BEGIN, .rotate_s = 86400};
    for (size_t i = 0; i < KEYDOC_CHAIN_LEN; i++) {
        doc.epoch[0].chain[i] = (uint8_t)i;
    }
    return doc;
}

static bool doc_is_wiped(const struct keydoc *doc)
{
    struct keydoc zero;
    memset(&zero, 0, sizeof(zero));
    return memcmp(doc, &zero, sizeof(zero)) == 0;
}

static void expect_refused(struct span text, const char *why)
{
    struct keydoc doc = sample_doc();
    struct keydoc_fault fault;
    cr_expect_eq(keydoc_parse(text, &doc, &fault), NTS_EFORMAT, "%.*s", (int)text.n, text.p);
    cr_expect(doc_is_wiped(&doc));
    cr_expect_not_null(strstr(fault.text, why), "said '%s', expected '%s'", fault.text, why);
}

Test(keydoc, the_text_is_the_one_of_the_manual)
{
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct keydoc doc = golden_doc();
    struct span text = write_doc(&doc, buf, sizeof(buf));
    cr_assert(span_is(text, golden, strlen(golden)), "%.*s", (int)text.n, text.p);
}

Test(keydoc, a_revoked_epoch_is_the_one_of_the_manual)
{
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct keydoc doc = golden_doc();
    doc.epoch[1] = doc.epoch[0];
    doc.epoch[0].revoked = true;
    doc.epoch[1].id = 2;
    doc.epoch[1].not_before++;
    doc.count = 2;
    struct span text = write_doc(&doc, buf, sizeof(buf));
    cr_assert(span_is(text, golden_revoked, strlen(golden_revoked)), "%.*s", (int)text.n, text.p);
}

Test(keydoc, what_is_written_is_read)
{
    struct keydoc docs[] = {sample_doc(), sample_doc_of_three(), golden_doc(), {.count = 0}};
    docs[1].epoch[0].revoked = true;
    docs[1].epoch[2].revoked = true;
    for (size_t i = 0; i < KEYDOC_EPOCHS_MAX; i++) {
        docs[3].epoch[i] = sample_epoch(
            (uint8_t)(UINT8_MAX - i), KEYDOC_NOT_BEFORE_MAX - 15 + (int64_t)i, KEYDOC_ROTATE_MAX_S);
        docs[3].epoch[i].index = KEYDOC_INDEX_MAX;
        docs[3].epoch[i].revoked = i > 0; /* the longest text there is */
    }
    docs[3].count = KEYDOC_EPOCHS_MAX;
    for (size_t i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        uint8_t buf[KEYDOC_WRITTEN_MAX];
        struct keydoc read;
        struct keydoc_fault fault;
        struct span text = write_doc(&docs[i], buf, sizeof(buf));
        cr_assert_eq(keydoc_parse(text, &read, &fault), NTS_OK, "%s", fault.text);
        cr_expect(sample_docs_are_same(&docs[i], &read));
        cr_expect_str_empty(fault.text);
    }
}

/* Upper case for the `len` characters of a string member's value. */
static void raise_case(struct span text, uint8_t *buf, const char *member, size_t len)
{
    const uint8_t *at = memmem(text.p, text.n, member, strlen(member));
    cr_assert_not_null(at);
    uint8_t *value = buf + (at - text.p) + strlen(member);
    for (size_t i = 0; i < len; i++) {
        value[i] = (uint8_t)toupper(value[i]);
    }
}

Test(keydoc, layout_and_case_are_free)
{
    struct keydoc doc = golden_doc();
    struct keydoc read;
    struct keydoc_fault fault;
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct span text = write_doc(&doc, buf, sizeof(buf));
    raise_case(text, buf, "\"secret\": \"", 2 * KEYDOC_CHAIN_LEN);
    raise_case(text, buf, "\"check\": \"", 2 * KEYDOC_CHECK_LEN);
    for (size_t i = 0; i < text.n; i++) {
        buf[i] = buf[i] == '\n' ? '\t' : buf[i];
    }
    cr_assert(!span_is(text, golden, strlen(golden)));
    cr_assert_eq(keydoc_parse(text, &read, &fault), NTS_OK, "%s", fault.text);
    cr_expect(sample_docs_are_same(&doc, &read));
}

Test(keydoc, every_room_too_small_is_told)
{
    struct keydoc doc = sample_doc_of_three();
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    size_t len = write_doc(&doc, buf, sizeof(buf)).n;
    for (size_t cap = 0; cap < len; cap++) {
        struct wr out = wr_init(buf, cap);
        cr_assert_eq(keydoc_write(&doc, &out), NTS_ESPACE);
        cr_assert_eq(wr_done(&out).n, 0);
    }
}

Test(keydoc, a_flipped_bit_is_found_or_means_nothing)
{
    struct keydoc doc = sample_doc_of_three();
    doc.epoch[1].revoked = true;
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct span text = write_doc(&doc, buf, sizeof(buf));
    size_t meaningless = 0;
    for (size_t bit = 0; bit < 8 * text.n; bit++) {
        struct keydoc read;
        struct keydoc_fault fault;
        buf[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (keydoc_parse(text, &read, &fault) == NTS_OK) {
            cr_assert(sample_docs_are_same(&doc, &read), "bit %zu of octet %zu", bit % 8, bit / 8);
            meaningless++;
        } else {
            cr_assert(doc_is_wiped(&read));
            cr_assert_str_not_empty(fault.text);
        }
        buf[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    /* The case of hex letters, and nothing else: fewer than there are hex digits. */
    cr_expect_leq(meaningless, 3 * 2 * (KEYDOC_CHAIN_LEN + KEYDOC_CHECK_LEN));
    cr_expect_gt(meaningless, 0);
}

Test(keydoc, every_truncation_is_found)
{
    struct keydoc doc = sample_doc_of_three();
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct span text = write_doc(&doc, buf, sizeof(buf));
    struct keydoc read;
    struct keydoc_fault fault;
    for (size_t len = 0; len + 1 < text.n; len++) {
        expect_refused(span_of(text.p, len), len == 0 ? "empty" : "ends in the middle");
    }
    /* Only the final newline is missing: nothing is lost. */
    cr_assert_eq(keydoc_parse(span_of(text.p, text.n - 1), &read, &fault), NTS_OK);
    cr_expect(sample_docs_are_same(&doc, &read));
}

/* An epoch as text with a true check, one member replaced by `member`. */
struct epoch_text {
    char text[512];
};

static struct epoch_text epoch_text(const struct keydoc_epoch *epoch)
{
    struct epoch_text out;
    uint8_t check[KEYDOC_CHECK_LEN];
    char secret[2 * KEYDOC_CHAIN_LEN + 1];
    char check_text[2 * KEYDOC_CHECK_LEN + 1];
    keydoc_check(epoch, check);
    for (size_t i = 0; i < KEYDOC_CHAIN_LEN; i++) {
        (void)snprintf(secret + 2 * i, 3, "%02x", epoch->chain[i]);
    }
    for (size_t i = 0; i < KEYDOC_CHECK_LEN; i++) {
        (void)snprintf(check_text + 2 * i, 3, "%02x", check[i]);
    }
    (void)snprintf(out.text, sizeof(out.text),
                   "{\"id\":%u,\"not_before\":%" PRId64 ",\"rotate\":%u,\"index\":%u,"
                   "\"secret\":\"%s\",\"check\":\"%s\"}",
                   epoch->id, epoch->not_before, epoch->rotate_s, epoch->index, secret, check_text);
    return out;
}

Test(keydoc, numbers_out_of_range_are_refused_though_their_check_is_true)
{
    static const struct {
        struct keydoc_epoch epoch;
        const char *why;
    } cases[] = {
        {{.id = 0, .not_before = 5, .rotate_s = 60},
         "epochs[0]: \"id\" is 0, allowed are 1 to 255"},
        {{.id = 1, .not_before = -1, .rotate_s = 60}, "\"not_before\" is -1"},
        {{.id = 1, .not_before = KEYDOC_NOT_BEFORE_MAX + 1, .rotate_s = 60}, "\"not_before\" is"},
        {{.id = 1, .rotate_s = 59}, "\"rotate\" is 59, allowed are 60 to 31622400"},
        {{.id = 1, .rotate_s = 0}, "\"rotate\" is 0"},
        {{.id = 1, .rotate_s = KEYDOC_ROTATE_MAX_S + 1}, "\"rotate\" is"},
        {{.id = 1, .rotate_s = 60, .index = KEYDOC_INDEX_MAX + 1}, "\"index\" is 65536"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct epoch_text epoch = epoch_text(&cases[i].epoch);
        char text[640];
        (void)snprintf(text, sizeof(text), "{\"ntsd_keys\":1,\"epochs\":[%s]}", epoch.text);
        expect_refused(text_of(text), cases[i].why);
    }
}

Test(keydoc, epochs_are_unique_and_in_order)
{
    static const struct {
        uint8_t id;
        int64_t not_before;
        const char *why; /* NULL: good */
    } second[] = {
        {2, SAMPLE_BEGIN + 1, NULL},
        {255, SAMPLE_BEGIN + 1, NULL},
        {1, SAMPLE_BEGIN + 1, "epochs[1]: \"id\" 1 is epochs[0]'s already"},
        {2, SAMPLE_BEGIN, "epochs[1]: \"not_before\" is not later"},
        {2, SAMPLE_BEGIN - 1, "epochs[1]: \"not_before\" is not later"},
    };
    struct keydoc_epoch a = sample_epoch(1, SAMPLE_BEGIN, SAMPLE_ROTATE_S);
    struct epoch_text first = epoch_text(&a);
    for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
        struct keydoc_epoch b = sample_epoch(second[i].id, second[i].not_before, SAMPLE_ROTATE_S);
        struct epoch_text other = epoch_text(&b);
        char text[1200];
        (void)snprintf(text, sizeof(text), "{\"epochs\":[%s,%s],\"ntsd_keys\":1}", first.text,
                       other.text);
        struct keydoc doc;
        struct keydoc_fault fault;
        if (second[i].why == NULL) {
            cr_expect_eq(keydoc_parse(text_of(text), &doc, &fault), NTS_OK, "%s", fault.text);
        } else {
            expect_refused(text_of(text), second[i].why);
        }
    }
}

#define SECRET      "\"secret\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\""
#define NUMBERS     "\"id\":1,\"not_before\":1767225600,\"rotate\":86400,\"index\":0"
#define CHECK       "\"check\":\"0011223344556677\""
#define DOC(epochs) "{\"ntsd_keys\":1,\"epochs\":[" epochs "]}"

Test(keydoc, what_is_not_a_document_is_refused_by_name)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "it is empty"},
        {" ", "ends in the middle, at line 1"},
        {"\xef\xbb\xbf{}", "it is not JSON"},
        {"keys 1 2 3", "it is not JSON, at line 1"},
        {"[]", "must be a JSON object"},
        {"{}", "document: member \"ntsd_keys\" is missing"},
        {"{\"ntsd_keys\":1}", "member \"epochs\" is missing"},
        {"{\"ntsd_keys\":\"1\",\"epochs\":[]}", "\"ntsd_keys\" must be a whole number"},
        {"{\"ntsd_keys\":1.0,\"epochs\":[]}", "\"ntsd_keys\" must be a whole number"},
        {"{\"ntsd_keys\":true,\"epochs\":[]}", "\"ntsd_keys\" must be a whole number"},
        {"{\"ntsd_keys\":0,\"epochs\":[]}", "\"ntsd_keys\" is 0"},
        {"{\"ntsd_keys\":2,\"novel\":[]}", "made by a newer ntsd"},
        {"{\"ntsd_keys\":99999999999999999999,\"epochs\":[]}", "it is not JSON"},
        {"{\"ntsd_keys\":1,\"epochs\":{}}", "must be an array of 1 to 16"},
        {DOC(""), "must be an array of 1 to 16"},
        {DOC("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"), "must be an array of 1 to 16"},
        {DOC("1"), "epochs[0]: must be an object"},
        {DOC("{" NUMBERS "," SECRET "," CHECK "}") "x", "it is not JSON"},
        {DOC("{" NUMBERS "," SECRET "," CHECK "}"), "epochs[0] (id 1): \"check\" does not fit"},
        {DOC("{" NUMBERS "," SECRET "}"), "epochs[0]: member \"check\" is missing"},
        {DOC("{" NUMBERS "," CHECK "}"), "epochs[0]: member \"secret\" is missing"},
        {DOC("{" SECRET "," CHECK "}"), "epochs[0]: member \"id\" is missing"},
        {DOC("{" NUMBERS "," SECRET "," SECRET "," CHECK "}"), "a member occurs twice"},
        {DOC("{\"id\":1," NUMBERS "," SECRET "," CHECK "}"), "a member occurs twice"},
        {"{\"ntsd_keys\":1,\"ntsd_keys\":1}", "a member occurs twice"},
        {DOC("{" NUMBERS "," SECRET "," CHECK ",\"comment\":\"\"}"),
         "epochs[0]: unknown member \"comment\""},
        {DOC("{" NUMBERS "," SECRET "," CHECK ",\"\\u0001\\\"\\u00e9\":0}"),
         "unknown member \"?\"??\""},
        {"{\"ntsd_keys\":1,\"epoch\":[]}", "document: unknown member \"epoch\""},
        {DOC("{" NUMBERS ",\"revoked\":1," SECRET "," CHECK "}"),
         "epochs[0]: \"revoked\" must be true or false"},
        {DOC("{" NUMBERS ",\"revoked\":\"true\"," SECRET "," CHECK "}"), "must be true or false"},
        {DOC("{" NUMBERS ",\"revoked\":null," SECRET "," CHECK "}"), "must be true or false"},
        {DOC("{" NUMBERS ",\"revoked\":true,\"revoked\":true," SECRET "," CHECK "}"),
         "a member occurs twice"},
        /* the check of an epoch that is not revoked, and the other way round */
        {DOC("{" NUMBERS ",\"revoked\":true," SECRET ",\"check\":\"9ee7772ae1c64d64\"}"),
         "\"check\" does not fit"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"3271a4db15804e7b\"}"), "\"check\" does not fit"},
        {DOC("{" NUMBERS ",\"revoked\":false," SECRET ",\"check\":\"3271a4db15804e7b\"}"),
         "\"check\" does not fit"},
        {DOC("{" NUMBERS ",\"revoked\":true," SECRET ",\"check\":\"3271a4db15804e7b\"}"),
         "every epoch is revoked, so there is no key"},
        {DOC("{" NUMBERS ",\"secret\":17," CHECK "}"), "\"secret\" must be a string of 64 hex"},
        {DOC("{" NUMBERS ",\"secret\":\"00\"," CHECK "}"), "\"secret\" must be a string of 64 hex"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"00112233445566\"}"), "string of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"001122334455667788\"}"), "of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"001122334455667g\"}"), "of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"001122334455667/\"}"), "of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"00112233445566:7\"}"), "of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"0011223344556@77\"}"), "of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"0x11223344556677\"}"), "of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":\"0\\u00e911223344556\"}"), "of 16 hex digits"},
        {DOC("{" NUMBERS "," SECRET ",\"check\":null}"), "of 16 hex digits"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_refused(text_of(cases[i].text), cases[i].why);
    }
}

Test(keydoc, that_it_is_not_revoked_may_be_said)
{
    struct keydoc doc = golden_doc();
    struct keydoc read;
    struct keydoc_fault fault;
    struct span text =
        text_of(DOC("{" NUMBERS ",\"revoked\":false," SECRET ",\"check\":\"9ee7772ae1c64d64\"}"));
    cr_assert_eq(keydoc_parse(text, &read, &fault), NTS_OK, "%s", fault.text);
    cr_expect(sample_docs_are_same(&doc, &read));
}

Test(keydoc, a_long_or_deep_text_is_refused)
{
    static uint8_t text[KEYDOC_TEXT_MAX + 1];
    memset(text, ' ', sizeof(text));
    expect_refused(span_of(text, sizeof(text)), "longer than 65536 octets");
    expect_refused(span_of(text, sizeof(text) - 1), "ends in the middle");
    memset(text, '[', sizeof(text));
    expect_refused(span_of(text, sizeof(text) - 1), "it is not JSON");
    memset(text, '\0', sizeof(text));
    expect_refused(span_of(text, 1), "");
    expect_refused(span_of(text, sizeof(text) - 1), "");
}

/* Where the secret stands among garbage, the fault must not quote it. */
Test(keydoc, no_fault_quotes_a_secret)
{
    static const char secret[] = "cafe0123babe4567deadbeef89abcdefcafe0123babe4567deadbeef89abcdef";
    static const char *const around[] = {"%s",
                                         "\"%s\"",
                                         "{\"%s",
                                         "{\"%s\":1,\"%s\":2}",
                                         "{\"ntsd_keys\":\"%s\" \"%s\"",
                                         "{\"ntsd_keys\":%s}",
                                         "{\"ntsd_keys\":1,\"%s\":1}"};
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
        char text[256] = {0};
        struct wr out = wr_init((uint8_t *)text, sizeof(text) - 1);
        for (const char *p = around[i]; *p != '\0'; p++) {
            bool is_mark = p[0] == '%';
            wr_bytes(&out, is_mark ? text_of(secret) : span_of(p, 1));
            p += is_mark ? 1 : 0;
        }
        struct keydoc doc;
        struct keydoc_fault fault;
        cr_assert_eq(keydoc_parse(wr_done(&out), &doc, &fault), NTS_EFORMAT);
        for (size_t at = 0; at + 17 <= strlen(secret); at++) {
            char part[18] = {0};
            memcpy(part, secret + at, 17);
            cr_expect_null(strstr(fault.text, part), "%s", fault.text);
        }
    }
}

Test(keydoc, the_check_covers_every_member)
{
    const struct keydoc_epoch base = sample_epoch(3, SAMPLE_BEGIN, SAMPLE_ROTATE_S);
    struct keydoc_epoch other[6] = {base, base, base, base, base, base};
    other[0].id++;
    other[1].not_before++;
    other[2].rotate_s++;
    other[3].index++;
    other[4].chain[KEYDOC_CHAIN_LEN - 1] ^= 1;
    other[5].revoked = true;
    uint8_t check[KEYDOC_CHECK_LEN];
    keydoc_check(&base, check);
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        uint8_t changed[KEYDOC_CHECK_LEN];
        keydoc_check(&other[i], changed);
        cr_expect(!ct_equal(check, changed, sizeof(check)), "member %zu", i);
    }
}

Test(keydoc, any_free_id_may_be_drawn_and_no_other)
{
    struct keydoc docs[] = {{.count = 0}, sample_doc_of_three() /* 1, 2, 7 */};
    docs[1].epoch[1].revoked = true; /* as taken as the others */
    for (size_t d = 0; d < 2; d++) {
        unsigned drawn[UINT8_MAX + 1] = {0};
        for (unsigned draw = 0; draw <= UINT8_MAX; draw++) {
            drawn[keydoc_free_id(&docs[d], (uint8_t)draw)]++;
        }
        for (unsigned id = 0; id <= UINT8_MAX; id++) {
            bool taken = id == 0 || (d == 1 && (id == 1 || id == 2 || id == 7));
            cr_expect_eq(drawn[id] == 0, taken, "id %u", id);
            cr_expect_leq(drawn[id], 2, "id %u", id);
        }
    }
}
