/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing of the secret document. See keydoc.h.
 *
 * Strict: a member that is not known, missing, doubled, of another type or out of range refuses the
 * whole document, because a key read wrongly is a key no other host has. The JSON library's own
 * error texts quote the input, secrets included, so only its error codes and lines are used.
 */
#include "common/keys/keydoc.h"

#include "common/base/secret.h"
#include "common/crypto/kdf.h"
#include "common/keys/jsonwipe.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

enum { FORMAT_VERSION = 1, NAME_SHOWN_MAX = 16, ID_MIN = 1 };

static const char *const root_members[] = {"ntsd_keys", "epochs", NULL};
static const char *const epoch_members[] = {"id",      "not_before", "rotate", "index",
                                            "revoked", "secret",     "check",  NULL};

/* An object of the document: what it is called in a fault, and where faults go. */
struct part {
    json_t *object;
    char name[16];
    struct keydoc_fault *fault;
};

struct range {
    int64_t min;
    int64_t max;
};

__attribute__((format(printf, 2, 3))) static enum nts_err refuse(struct keydoc_fault *fault,
                                                                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return NTS_EFORMAT;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Refuses a member we do not know. Its name is shown in part: it might be a misplaced secret. */
static enum nts_err check_members(const struct part *part, const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach(part->object, name, value)
    {
        if (is_one_of(name, known)) {
            continue;
        }
        char shown[NAME_SHOWN_MAX + 1] = {0};
        for (size_t i = 0; i < NAME_SHOWN_MAX && name[i] != '\0'; i++) {
            shown[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
        }
        return refuse(part->fault, "%s: unknown member \"%s\"%s", part->name, shown,
                      strlen(name) > NAME_SHOWN_MAX ? " (shortened)" : "");
    }
    return NTS_OK;
}

static enum nts_err get_member(const struct part *part, const char *name, json_t **value)
{
    *value = json_object_get(part->object, name);
    if (*value == NULL) {
        return refuse(part->fault, "%s: member \"%s\" is missing", part->name, name);
    }
    return NTS_OK;
}

static enum nts_err get_int(const struct part *part, const char *name, struct range allowed,
                            int64_t *out)
{
    json_t *value;
    TRY(get_member(part, name, &value));
    if (!json_is_integer(value)) {
        return refuse(part->fault, "%s: \"%s\" must be a whole number", part->name, name);
    }
    *out = json_integer_value(value);
    if (*out < allowed.min || *out > allowed.max) {
        return refuse(part->fault, "%s: \"%s\" is %" PRId64 ", allowed are %" PRId64 " to %" PRId64,
                      part->name, name, *out, allowed.min, allowed.max);
    }
    return NTS_OK;
}

/* The value of a hex digit of either case, or a negative number. Does not branch on the digit. */
static int nibble(char c)
{
    int digit = c - '0';
    int letter = (c | 0x20) - 'a';
    int is_digit = -(int)((unsigned)(~digit & (digit - 10)) >> 31);
    int is_letter = -(int)((unsigned)(~letter & (letter - 6)) >> 31);
    return (is_digit & digit) | (is_letter & (letter + 10)) | ~(is_digit | is_letter);
}

static enum nts_err get_hex(const struct part *part, const char *name, uint8_t *out, size_t len)
{
    json_t *value;
    TRY(get_member(part, name, &value));
    const char *text = json_string_value(value);
    int wrong = text == NULL || json_string_length(value) != 2 * len ? -1 : 0;
    for (size_t i = 0; wrong == 0 && i < len; i++) {
        int high = nibble(text[2 * i]);
        int low = nibble(text[2 * i + 1]);
        wrong = (high | low) < 0 ? -1 : 0;
        out[i] = (uint8_t)(((unsigned)high << 4 | (unsigned)low) & 0xff);
    }
    if (wrong != 0) {
        return refuse(part->fault, "%s: \"%s\" must be a string of %zu hex digits", part->name,
                      name, 2 * len);
    }
    return NTS_OK;
}

/* A member that may be missing, and is false then. */
static enum nts_err get_flag(const struct part *part, const char *name, bool *out)
{
    json_t *value = json_object_get(part->object, name);
    if (value != NULL && !json_is_boolean(value)) {
        return refuse(part->fault, "%s: \"%s\" must be true or false", part->name, name);
    }
    *out = json_is_true(value);
    return NTS_OK;
}

static enum nts_err read_numbers(const struct part *part, struct keydoc_epoch *epoch)
{
    int64_t id = 0;
    int64_t rotate = 0;
    int64_t index = 0;
    TRY(get_int(part, "id", (struct range){ID_MIN, UINT8_MAX}, &id));
    TRY(get_int(part, "not_before", (struct range){0, KEYDOC_NOT_BEFORE_MAX}, &epoch->not_before));
    TRY(get_int(part, "rotate", (struct range){KEYDOC_ROTATE_MIN_S, KEYDOC_ROTATE_MAX_S}, &rotate));
    TRY(get_int(part, "index", (struct range){0, KEYDOC_INDEX_MAX}, &index));
    epoch->id = (uint8_t)id;
    epoch->rotate_s = (uint32_t)rotate;
    epoch->index = (uint32_t)index;
    return NTS_OK;
}

static enum nts_err read_epoch(const struct part *part, struct keydoc_epoch *epoch)
{
    if (!json_is_object(part->object)) {
        return refuse(part->fault, "%s: must be an object", part->name);
    }
    TRY(check_members(part, epoch_members));
    TRY(read_numbers(part, epoch));
    TRY(get_flag(part, "revoked", &epoch->revoked));
    TRY(get_hex(part, "secret", epoch->chain, sizeof(epoch->chain)));
    uint8_t said[KEYDOC_CHECK_LEN];
    uint8_t computed[KEYDOC_CHECK_LEN];
    TRY(get_hex(part, "check", said, sizeof(said)));
    keydoc_check(epoch, computed);
    if (!ct_equal(said, computed, sizeof(said))) {
        return refuse(part->fault,
                      "%s (id %u): \"check\" does not fit the other members, so one of them is "
                      "damaged",
                      part->name, epoch->id);
    }
    return NTS_OK;
}

/* What can only be told beside the epochs read so far. */
static enum nts_err check_order(const struct keydoc *doc, const struct keydoc_epoch *epoch,
                                const struct part *part)
{
    for (size_t i = 0; i < doc->count; i++) {
        if (doc->epoch[i].id == epoch->id) {
            return refuse(part->fault, "%s: \"id\" %u is epochs[%zu]'s already", part->name,
                          epoch->id, i);
        }
    }
    if (doc->count > 0 && epoch->not_before <= doc->epoch[doc->count - 1].not_before) {
        return refuse(part->fault, "%s: \"not_before\" is not later than that of the epoch before",
                      part->name);
    }
    return NTS_OK;
}

static enum nts_err read_version(const struct part *root)
{
    int64_t version = 0;
    TRY(get_int(root, "ntsd_keys", (struct range){FORMAT_VERSION, INT64_MAX}, &version));
    if (version > FORMAT_VERSION) {
        return refuse(root->fault,
                      "format %" PRId64 " was made by a newer ntsd, this one reads format %d",
                      version, FORMAT_VERSION);
    }
    return NTS_OK;
}

static enum nts_err read_epochs(const struct part *root, json_t *epochs, struct keydoc *doc)
{
    size_t count = json_array_size(epochs); /* 0 as well when it is no array */
    bool any_valid = false;
    if (count < 1 || count > KEYDOC_EPOCHS_MAX) {
        return refuse(root->fault, "\"epochs\" must be an array of 1 to %d epochs",
                      KEYDOC_EPOCHS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct part part = {.object = json_array_get(epochs, i), .fault = root->fault};
        (void)snprintf(part.name, sizeof(part.name), "epochs[%zu]", i % KEYDOC_EPOCHS_MAX);
        TRY(read_epoch(&part, &doc->epoch[i]));
        TRY(check_order(doc, &doc->epoch[i], &part));
        doc->count = i + 1;
        any_valid |= !doc->epoch[i].revoked;
    }
    if (!any_valid) {
        return refuse(root->fault, "every epoch is revoked, so there is no key to issue with");
    }
    return NTS_OK;
}

static enum nts_err read_root(const struct part *root, struct keydoc *doc)
{
    if (!json_is_object(root->object)) {
        return refuse(root->fault, "must be a JSON object");
    }
    /* Before anything else: a newer format may have other members. */
    TRY(read_version(root));
    TRY(check_members(root, root_members));
    json_t *epochs;
    TRY(get_member(root, "epochs", &epochs));
    return read_epochs(root, epochs, doc);
}

static enum nts_err refuse_syntax(const json_error_t *error, struct keydoc_fault *fault)
{
    enum json_error_code code = json_error_code(error);
    if (code == json_error_out_of_memory) {
        (void)refuse(fault, "memory ran out while it was read");
        return NTS_EINTERNAL;
    }
    if (code == json_error_premature_end_of_input) {
        return refuse(fault, "it ends in the middle, at line %d", error->line);
    }
    if (code == json_error_duplicate_key) {
        return refuse(fault, "a member occurs twice, at line %d", error->line);
    }
    return refuse(fault, "it is not JSON, at line %d column %d", error->line, error->column);
}

NODISCARD enum nts_err keydoc_parse(struct span text, struct keydoc *doc,
                                    struct keydoc_fault *fault)
{
    jsonwipe_setup();
    keydoc_wipe(doc);
    fault->text[0] = '\0';
    if (text.n == 0) {
        return refuse(fault, "it is empty");
    }
    if (text.n > KEYDOC_TEXT_MAX) {
        return refuse(fault, "it is longer than %d octets", KEYDOC_TEXT_MAX);
    }
    json_error_t error;
    struct part root = {.name = "document", .fault = fault};
    root.object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    enum nts_err err = root.object == NULL ? refuse_syntax(&error, fault) : read_root(&root, doc);
    json_decref(root.object);
    wipe(&error, sizeof(error));
    if (err != NTS_OK) {
        keydoc_wipe(doc);
    }
    return err;
}

static void wr_text(struct wr *out, const char *text)
{
    wr_bytes(out, span_of(text, strlen(text)));
}

/* A member and the comma after it; `gap` goes before. */
static void wr_number(struct wr *out, const char *gap, const char *name, int64_t value)
{
    char text[48];
    (void)snprintf(text, sizeof(text), "%s\"%s\": %" PRId64 ",", gap, name, value);
    wr_text(out, text);
}

/* Does not branch on what it writes. */
static void wr_hex(struct wr *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < 2 * len; i++) {
        int value = bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf;
        int is_letter = -(int)((unsigned)(9 - value) >> 31);
        wr_u8(out, (uint8_t)('0' + value + (is_letter & ('a' - '0' - 10))));
    }
}

static void wr_epoch(struct wr *out, const struct keydoc_epoch *epoch)
{
    uint8_t check[KEYDOC_CHECK_LEN];
    keydoc_check(epoch, check);
    wr_number(out, "    { ", "id", epoch->id);
    wr_number(out, " ", "not_before", epoch->not_before);
    wr_number(out, " ", "rotate", epoch->rotate_s);
    wr_number(out, " ", "index", epoch->index);
    wr_text(out, epoch->revoked ? " \"revoked\": true," : "");
    wr_text(out, "\n      \"secret\": \"");
    wr_hex(out, epoch->chain, sizeof(epoch->chain));
    wr_text(out, "\",\n      \"check\": \"");
    wr_hex(out, check, sizeof(check));
    wr_text(out, "\" }");
}

NODISCARD enum nts_err keydoc_write(const struct keydoc *doc, struct wr *out)
{
    assert(doc->count >= 1 && doc->count <= KEYDOC_EPOCHS_MAX);
    wr_number(out, "{\n  ", "ntsd_keys", FORMAT_VERSION);
    wr_text(out, "\n  \"epochs\": [\n");
    for (size_t i = 0; i < doc->count; i++) {
        wr_epoch(out, &doc->epoch[i]);
        wr_text(out, i + 1 < doc->count ? ",\n" : "\n");
    }
    wr_text(out, "  ]\n}\n");
    return out->bad ? NTS_ESPACE : NTS_OK;
}

/* HKDF of the secret with the other members as its context; docs/keys.md has the octets. The last
 * one only when it says something: what was written before epochs could be revoked stays valid. */
void keydoc_check(const struct keydoc_epoch *epoch, uint8_t check[static KEYDOC_CHECK_LEN])
{
    static const char label[] = {'n', 't', 's', 'd', ' ', 'c', 'h', 'e', 'c', 'k'};
    uint8_t bytes[sizeof(label) + 1 + 8 + 4 + 4 + 1];
    struct wr info = wr_init(bytes, sizeof(bytes));
    wr_bytes(&info, span_of(label, sizeof(label)));
    wr_u8(&info, epoch->id);
    wr_u64(&info, (uint64_t)epoch->not_before);
    wr_u32(&info, epoch->rotate_s);
    wr_u32(&info, epoch->index);
    if (epoch->revoked) {
        wr_u8(&info, 1);
    }
    hkdf_sha256(span_of(NULL, 0), span_of(epoch->chain, sizeof(epoch->chain)), wr_done(&info),
                check, KEYDOC_CHECK_LEN);
}

uint8_t keydoc_free_id(const struct keydoc *doc, uint8_t draw)
{
    bool taken[UINT8_MAX + 1] = {false};
    uint8_t free_ids[UINT8_MAX] = {0};
    size_t n = 0;
    for (size_t i = 0; i < doc->count; i++) {
        taken[doc->epoch[i].id] = true;
    }
    for (unsigned id = ID_MIN; id <= UINT8_MAX; id++) {
        if (!taken[id]) {
            free_ids[n++] = (uint8_t)id;
        }
    }
    return free_ids[draw % n];
}

void keydoc_wipe(struct keydoc *doc)
{
    wipe(doc, sizeof(*doc));
}
