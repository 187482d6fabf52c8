/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epochs to come. See keyplan.h.
 */
#include "common/keys/keyplan.h"

#include "common/base/secret.h"
#include "common/keys/keyepoch.h"
#include "common/keys/keyring.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int64_t documentable(int64_t now_s)
{
    int64_t late = now_s > KEYDOC_NOT_BEFORE_MAX ? KEYDOC_NOT_BEFORE_MAX : now_s;
    return late < 0 ? 0 : late;
}

/* Of all epochs: a new one may not begin with a revoked one either. */
static size_t count_begun(const struct keydoc *doc, int64_t now_s)
{
    size_t n = 0;
    while (n < doc->count && doc->epoch[n].not_before <= now_s) {
        n++;
    }
    return n;
}

/* By the epoch's own grid, without regard to how many periods it has. */
static int64_t running_period(const struct keydoc_epoch *epoch, int64_t now_s)
{
    int64_t period = now_s < epoch->not_before ? 0 : (now_s - epoch->not_before) / epoch->rotate_s;
    return period > epoch->index ? period : epoch->index;
}

static int64_t period_end(const struct keydoc_epoch *epoch, int64_t now_s)
{
    return epoch->not_before + (running_period(epoch, now_s) + 1) * epoch->rotate_s;
}

/* The running epoch, or the last of those that take over one after the other without letting a
 * period pass: what was planned before. One that begins much later is not counted on. */
static size_t last_planned(const struct keydoc *doc, int64_t now_s)
{
    size_t e = keyepoch_from(doc, 0);
    for (size_t next; (next = keyepoch_from(doc, e + 1)) < doc->count; e = next) {
        int64_t begins = doc->epoch[next].not_before;
        if (begins > now_s && begins > period_end(&doc->epoch[e], now_s)) {
            break;
        }
    }
    return e;
}

static bool issues_ahead(const struct keydoc *doc, int64_t now_s)
{
    struct keyring_place place = keyring_place_at(doc, now_s);
    return place.issues_from > now_s + doc->epoch[place.epoch].rotate_s;
}

/* An epoch that issues now: begun with the last multiple of its periods, unless an older epoch
 * began later than that. */
static struct keyplan plan_for_now(const struct keydoc *doc, int64_t now_s, uint32_t rotate_s)
{
    struct keyplan plan = {.why = doc->count == 0 ? KEYPLAN_FIRST : KEYPLAN_AHEAD,
                           .at = count_begun(doc, now_s),
                           .not_before = now_s - now_s % rotate_s,
                           .rotate_s = rotate_s};
    if (plan.at > 0 && doc->epoch[plan.at - 1].not_before >= plan.not_before) {
        plan.not_before = doc->epoch[plan.at - 1].not_before + 1;
    }
    if (plan.at < doc->count && doc->epoch[plan.at].not_before <= plan.not_before) {
        plan.why = KEYPLAN_KEEP; /* no second is free between the two; the next one will be */
    }
    return plan;
}

/* An epoch that begins with the end of a period, or as soon after it as no other one does. */
static struct keyplan plan_for_then(const struct keydoc *doc, int64_t then_s, uint32_t rotate_s)
{
    struct keyplan plan = {.why = KEYPLAN_KEEP, .not_before = then_s, .rotate_s = rotate_s};
    while (plan.at < doc->count && doc->epoch[plan.at].not_before <= plan.not_before) {
        plan.not_before += doc->epoch[plan.at].not_before == plan.not_before;
        plan.at++;
    }
    return plan;
}

struct keyplan keyplan_make(const struct keydoc *doc, int64_t now_s, uint32_t rotate_s)
{
    int64_t now = documentable(now_s);
    if (doc->count == 0 || issues_ahead(doc, now)) {
        return plan_for_now(doc, now, rotate_s);
    }
    const struct keydoc_epoch *epoch = &doc->epoch[last_planned(doc, now)];
    struct keyplan plan = plan_for_then(doc, period_end(epoch, now), rotate_s);
    if (epoch->rotate_s != rotate_s) {
        plan.why = KEYPLAN_ROTATION;
    } else if (running_period(epoch, now) > KEYDOC_INDEX_MAX / 2) {
        plan.why = KEYPLAN_USED_UP;
    }
    return plan;
}

__attribute__((format(printf, 3, 4))) static enum nts_err
refuse(struct keyplan_fault *fault, enum nts_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return err;
}

/* Of the epoch that the planned one follows. */
static uint32_t rotation_before(const struct keyplan *plan, const struct keydoc *doc)
{
    size_t e = plan->at - 1;
    while (e > 0 && doc->epoch[e].revoked) {
        e--;
    }
    return doc->epoch[e].rotate_s;
}

static enum nts_err check_room(const struct keyplan *plan, const struct keydoc *doc,
                               struct keyplan_fault *fault)
{
    if (plan->not_before > KEYDOC_NOT_BEFORE_MAX) {
        return refuse(fault, NTS_ELIMIT, "the clock is beyond the year 9999; set it");
    }
    if (doc->count < KEYDOC_EPOCHS_MAX) {
        return NTS_OK;
    }
    if (plan->why == KEYPLAN_ROTATION) {
        return refuse(fault, NTS_ELIMIT,
                      "it holds %d epochs and ntsrotate %u needs one more; set ntsrotate %u until "
                      "old ones have expired",
                      KEYDOC_EPOCHS_MAX, plan->rotate_s, rotation_before(plan, doc));
    }
    return refuse(fault, NTS_ELIMIT,
                  "it holds %d epochs and needs one more; stop ntsd and move it away (all cookies "
                  "in the field become invalid)",
                  KEYDOC_EPOCHS_MAX);
}

NODISCARD enum nts_err keyplan_apply(const struct keyplan *plan, struct rng *rng,
                                     struct keydoc *doc, struct keyplan_fault *fault)
{
    uint8_t draw = 0;
    struct keydoc_epoch epoch = {.not_before = plan->not_before, .rotate_s = plan->rotate_s};
    fault->text[0] = '\0';
    if (plan->why == KEYPLAN_KEEP) {
        return NTS_OK;
    }
    TRY(check_room(plan, doc, fault));
    if (rng_bytes(rng, epoch.chain, sizeof(epoch.chain)) != NTS_OK ||
        rng_bytes(rng, &draw, sizeof(draw)) != NTS_OK) {
        wipe(&epoch, sizeof(epoch));
        return refuse(fault, NTS_ESYSTEM, "the kernel gives no random octets");
    }
    epoch.id = keydoc_free_id(doc, draw);
    memmove(&doc->epoch[plan->at + 1], &doc->epoch[plan->at],
            (doc->count - plan->at) * sizeof(doc->epoch[0]));
    doc->epoch[plan->at] = epoch;
    doc->count++;
    wipe(&epoch, sizeof(epoch));
    return NTS_OK;
}
