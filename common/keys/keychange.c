/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule of succession. See keychange.h.
 */
#include "common/keys/keychange.h"

#include "common/base/secret.h"
#include "common/keys/keyepoch.h"

#include <stdarg.h>
#include <stdio.h>

struct view {
    const struct keydoc *held;
    const struct keydoc *offered;
    int64_t now_s;
    int64_t lifetime_s;
    struct keydoc_fault *fault;
};

const char *keychange_name(enum keychange change)
{
    static const char *const names[KEYCHANGES] = {
        [KEYCHANGE_SAME] = "same",           [KEYCHANGE_NEWER] = "newer",
        [KEYCHANGE_OTHER] = "other",         [KEYCHANGE_MISSING] = "missing",
        [KEYCHANGE_FORGOTTEN] = "forgotten", [KEYCHANGE_RESTORED] = "restored",
    };
    return (unsigned)change < KEYCHANGES ? names[change] : "?";
}

__attribute__((format(printf, 3, 4))) static enum keychange
refuse(const struct view *view, enum keychange change, const char *format, ...)
{
    static const char remedy[] = "; put the newest document back, or restart ntsd to take this one";
    char *text = view->fault->text;
    size_t room = sizeof(view->fault->text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, room, format, args);
    va_end(args);
    size_t len = strlen(text);
    (void)snprintf(text + len, room - len, "%s", remedy);
    return change;
}

static const struct keydoc_epoch *find(const struct keydoc *doc, uint8_t id)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id == id) {
            return &doc->epoch[e];
        }
    }
    return NULL;
}

/* The chain values of both at the later one's index. */
static bool has_same_secret(const struct keydoc_epoch *a, const struct keydoc_epoch *b)
{
    struct keydoc_epoch x = *a;
    struct keydoc_epoch y = *b;
    (void)keyepoch_advance(&x, y.index);
    (void)keyepoch_advance(&y, x.index);
    bool same = ct_equal(x.chain, y.chain, sizeof(x.chain));
    wipe(&x, sizeof(x));
    wipe(&y, sizeof(y));
    return same;
}

/* What differs, as a member's name; NULL: nothing that makes another key. */
static const char *difference(const struct keydoc_epoch *a, const struct keydoc_epoch *b)
{
    if (a->not_before != b->not_before) {
        return "not_before";
    }
    if (a->rotate_s != b->rotate_s) {
        return "rotate";
    }
    return has_same_secret(a, b) ? NULL : "secret";
}

/* True when a key that is accepted, or has yet to be, can be had from epoch `e` of `doc` and not
 * from `part`, another state of that epoch. */
static bool has_forgotten(const struct view *view, const struct keydoc *doc, size_t e,
                          const struct keydoc_epoch *part)
{
    const struct keydoc_epoch *whole = &doc->epoch[e];
    return !whole->revoked && !part->revoked && keyepoch_has_keys(doc, e) &&
           part->index > keyepoch_first_alive(whole, view->now_s, view->lifetime_s);
}

static enum keychange refuse_missing(const struct view *view, const struct keydoc_epoch *known)
{
    const char *why = "its keys are in use";
    if (known->revoked) {
        why = "it has to be known as revoked";
    } else if (known->not_before > view->now_s) {
        why = "it has yet to begin";
    }
    return refuse(view, KEYCHANGE_MISSING, "epoch %u is gone, though %s", known->id, why);
}

/* What becomes of epoch `e` of the document held. */
static enum keychange judge_epoch(const struct view *view, size_t e)
{
    const struct keydoc_epoch *known = &view->held->epoch[e];
    const struct keydoc_epoch *named = find(view->offered, known->id);
    /* Whatever has its id now: it may be in use again. */
    if (keyepoch_is_past(view->held, e, view->now_s, view->lifetime_s)) {
        return KEYCHANGE_SAME;
    }
    if (named == NULL) {
        bool over = keyepoch_is_over(view->held, e, view->now_s, view->lifetime_s);
        return over ? KEYCHANGE_SAME : refuse_missing(view, known);
    }
    const char *other = difference(known, named);
    if (other != NULL) {
        return refuse(view, KEYCHANGE_OTHER, "epoch %u has another \"%s\" than the one in service",
                      known->id, other);
    }
    if (known->revoked && !named->revoked) {
        return refuse(view, KEYCHANGE_RESTORED, "epoch %u is revoked, but not in it", known->id);
    }
    if (has_forgotten(view, view->held, e, named)) {
        return refuse(view, KEYCHANGE_FORGOTTEN,
                      "epoch %u begins with index %u, though keys from %u on are in use", known->id,
                      named->index, keyepoch_first_alive(known, view->now_s, view->lifetime_s));
    }
    return KEYCHANGE_SAME;
}

/* The first epoch at `e` or behind it that is not past: the others make no difference to a ring. */
static size_t present_from(const struct view *view, const struct keydoc *doc, size_t e)
{
    while (e < doc->count && keyepoch_is_past(doc, e, view->now_s, view->lifetime_s)) {
        e++;
    }
    return e;
}

/* Of documents that do not contradict each other: is there anything to learn? */
static bool has_news(const struct view *view)
{
    size_t h = present_from(view, view->held, 0);
    size_t o = present_from(view, view->offered, 0);
    while (h < view->held->count && o < view->offered->count) {
        const struct keydoc_epoch *known = &view->held->epoch[h];
        const struct keydoc_epoch *named = &view->offered->epoch[o];
        if (known->id != named->id || known->revoked != named->revoked ||
            has_forgotten(view, view->offered, o, known)) {
            return true;
        }
        h = present_from(view, view->held, h + 1);
        o = present_from(view, view->offered, o + 1);
    }
    return h < view->held->count || o < view->offered->count;
}

enum keychange keychange_judge(const struct keydoc *held, const struct keydoc *offered,
                               int64_t now_s, int64_t lifetime_s, struct keydoc_fault *fault)
{
    const struct view view = {.held = held,
                              .offered = offered,
                              .now_s = keyepoch_moment(now_s),
                              .lifetime_s = keyepoch_lifetime(lifetime_s),
                              .fault = fault};
    fault->text[0] = '\0';
    for (size_t e = 0; e < held->count; e++) {
        enum keychange change = judge_epoch(&view, e);
        if (change != KEYCHANGE_SAME) {
            return change;
        }
    }
    return has_news(&view) ? KEYCHANGE_NEWER : KEYCHANGE_SAME;
}
