/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See keys_show.h.
 */
#include "tools/keys_show.h"

#include "certs/info.h"
#include "common/keys/keyring.h"

#include <inttypes.h>
#include <jansson.h>

enum { SPAN_TEXT_MAX = 32, HEX_MAX = 2 * KEYRING_FINGERPRINT_LEN + 1 };

/* The key that issues now. */
struct issuing {
    uint32_t id;
    int64_t until;
    char fingerprint[HEX_MAX];
};

static void hex(const uint8_t *bytes, size_t n, char *text)
{
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
}

void keys_show_check(const struct keydoc_epoch *epoch, char text[static KEYS_SHOW_CHECK_MAX])
{
    uint8_t check[KEYDOC_CHECK_LEN];
    keydoc_check(epoch, check);
    hex(check, sizeof(check), text);
}

static struct issuing issuing_of(const struct keydoc *doc, const struct keyedit_wish *wish)
{
    struct keyring ring;
    struct issuing issuing;
    uint8_t fingerprint[KEYRING_FINGERPRINT_LEN];
    keyring_derive(doc, wish->now_s, wish->lifetime_s, &ring);
    issuing.id = ring.key[ring.issuing].id;
    issuing.until = ring.key[ring.issuing].issues_until;
    keyring_fingerprint(&ring.key[ring.issuing], fingerprint);
    hex(fingerprint, sizeof(fingerprint), issuing.fingerprint);
    keyring_wipe(&ring);
    return issuing;
}

/* "90 s", "59 min", "26 h", "31 d" */
static void span_text(int64_t s, char text[static SPAN_TEXT_MAX])
{
    static const struct {
        int64_t below;
        int64_t size;
        const char *unit;
    } scales[] = {{120, 1, "s"}, {120 * 60, 60, "min"}, {48 * 3600, 3600, "h"}};
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        if (s < scales[i].below) {
            (void)snprintf(text, SPAN_TEXT_MAX, "%" PRId64 " %s", s / scales[i].size,
                           scales[i].unit);
            return;
        }
    }
    (void)snprintf(text, SPAN_TEXT_MAX, "%" PRId64 " d", s / 86400);
}

void keys_show_when(int64_t time_s, int64_t now_s, char text[static KEYS_SHOW_WHEN_MAX])
{
    char date[CERT_TIME_TEXT_MAX];
    char span[SPAN_TEXT_MAX];
    int64_t ahead;
    cert_time_text(time_s, date);
    if (time_s == INT64_MAX || __builtin_sub_overflow(time_s, now_s, &ahead) ||
        ahead == INT64_MIN) {
        (void)snprintf(text, KEYS_SHOW_WHEN_MAX, "%s", time_s == INT64_MAX ? "-" : date);
        return;
    }
    span_text(ahead < 0 ? -ahead : ahead, span);
    (void)snprintf(text, KEYS_SHOW_WHEN_MAX, "%s (%s%s%s)", date, ahead > 0 ? "in " : "", span,
                   ahead > 0 ? "" : " ago");
}

static void print_epoch(const struct keydoc *doc, size_t e, const struct keyedit_wish *wish,
                        FILE *out)
{
    const struct keydoc_epoch *epoch = &doc->epoch[e];
    char begins[KEYS_SHOW_WHEN_MAX];
    char opens[KEYS_SHOW_WHEN_MAX];
    char check[KEYS_SHOW_CHECK_MAX];
    int64_t until;
    enum keyedit_state state = keyedit_state_of(doc, e, wish, &until);
    keys_show_when(epoch->not_before, wish->now_s, begins);
    keys_show_when(until, wish->now_s, opens);
    keys_show_check(epoch, check);
    (void)fprintf(out, "%5u  %-8s %-33s %8" PRIu32 " s  %-33s %s\n", epoch->id,
                  keyedit_state_name(state), begins, epoch->rotate_s, opens, check);
}

void keys_show_table(const struct keydoc *doc, const struct keyedit_wish *wish, FILE *out)
{
    struct issuing issuing = issuing_of(doc, wish);
    char until[KEYS_SHOW_WHEN_MAX];
    (void)fprintf(out, "%5s  %-8s %-33s %10s  %-33s %s\n", "Epoch", "State", "Begins", "Rotates",
                  "Cookies open until", "Check");
    for (size_t e = 0; e < doc->count; e++) {
        print_epoch(doc, e, wish, out);
    }
    (void)fprintf(out, "\nKey %06" PRIx32 " issues now, fingerprint %s", issuing.id,
                  issuing.fingerprint);
    keys_show_when(issuing.until, wish->now_s, until);
    (void)fprintf(out, issuing.until == INT64_MAX ? "\n" : ", until %s\n", until);
}

/* NULL is taken for a failure by all of the library's functions, so the end is tested alone. */
static json_t *json_when(int64_t time_s)
{
    char date[CERT_TIME_TEXT_MAX];
    if (time_s == INT64_MAX) {
        return json_null();
    }
    cert_time_text(time_s, date);
    return json_string(date);
}

static json_t *json_epoch(const struct keydoc *doc, size_t e, const struct keyedit_wish *wish)
{
    const struct keydoc_epoch *epoch = &doc->epoch[e];
    char check[KEYS_SHOW_CHECK_MAX];
    int64_t until;
    enum keyedit_state state = keyedit_state_of(doc, e, wish, &until);
    keys_show_check(epoch, check);
    return json_pack("{s:i, s:s, s:o, s:I, s:I, s:I, s:o, s:s}", "id", epoch->id, "state",
                     keyedit_state_name(state), "begins", json_when(epoch->not_before),
                     "not_before", (json_int_t)epoch->not_before, "rotate",
                     (json_int_t)epoch->rotate_s, "index", (json_int_t)epoch->index,
                     "cookies_open_until", json_when(until), "check", check);
}

NODISCARD enum nts_err keys_show_json(const struct keydoc *doc, const struct keyedit_wish *wish,
                                      FILE *out)
{
    struct issuing issuing = issuing_of(doc, wish);
    char id[16];
    json_t *epochs = json_array();
    bool bad = epochs == NULL;
    for (size_t e = 0; e < doc->count && !bad; e++) {
        bad = json_array_append_new(epochs, json_epoch(doc, e, wish)) != 0;
    }
    (void)snprintf(id, sizeof(id), "%06" PRIx32, issuing.id);
    json_t *root =
        json_pack("{s:o, s:I, s:{s:s, s:s, s:o}, s:o}", "now", json_when(wish->now_s), "lifetime",
                  (json_int_t)wish->lifetime_s, "issuing", "id", id, "fingerprint",
                  issuing.fingerprint, "until", json_when(issuing.until), "epochs", epochs);
    bad = bad || root == NULL || json_dumpf(root, out, JSON_INDENT(2)) != 0;
    json_decref(root);
    (void)fprintf(out, bad ? "" : "\n");
    return bad ? NTS_EINTERNAL : NTS_OK;
}
