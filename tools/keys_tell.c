/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See keys_tell.h.
 */
#include "tools/keys_tell.h"

#include "certs/info.h"
#include "common/keys/keyring.h"
#include "tools/keys_show.h"
#include "tools/ntsctl.h"

#include <inttypes.h>
#include <stdio.h>

int keys_tell_end(void)
{
    /* A full disk or a closed pipe is a failure: nobody was told. */
    return fflush(stdout) == 0 ? NTSCTL_DONE : NTSCTL_FAILED;
}

int keys_tell_failure(const struct keys_options *options, const char *why)
{
    (void)fprintf(stderr, "ntsctl keys %s: %s\n", keys_command_name(options->command), why);
    return NTSCTL_FAILED;
}

static const struct keydoc_epoch *epoch_of(const struct keydoc *doc, uint8_t id)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id == id) {
            return &doc->epoch[e];
        }
    }
    return NULL;
}

void keys_tell_epoch(const struct keydoc *doc, uint8_t id, int64_t now_s, const char *what)
{
    const struct keydoc_epoch *epoch = epoch_of(doc, id);
    char begins[KEYS_SHOW_WHEN_MAX];
    char check[KEYS_SHOW_CHECK_MAX];
    if (epoch == NULL) {
        return;
    }
    keys_show_when(epoch->not_before, now_s, begins);
    keys_show_check(epoch, check);
    printf("epoch %u %s: %s %s, rotates every %" PRIu32 " s, check %s\n", id, what,
           epoch->not_before > now_s ? "begins" : "began", begins, epoch->rotate_s, check);
}

static void warn_of_haste(const struct keys_options *options)
{
    (void)fprintf(stderr,
                  "ntsctl keys %s: warning: a host that reads the document later than %" PRId64
                  " s from now refuses cookies of hosts that read it earlier; %d s suffice\n",
                  keys_command_name(options->command), options->wish.ahead_s, KEYEDIT_AHEAD_MIN_S);
}

static void tell_added(const struct keys_options *options, const struct keydoc *doc,
                       const struct keyedit_report *report)
{
    keys_tell_epoch(doc, report->added, options->wish.now_s, "added");
    if (options->command == KEYS_REVOKE) {
        printf("no other epoch had begun, so it issues at once\n");
    } else if (options->wish.ahead_s < KEYEDIT_AHEAD_MIN_S) {
        warn_of_haste(options);
    }
}

static void tell_revoked(const struct keys_options *options, const struct keydoc *doc,
                         const struct keyedit_report *report)
{
    int64_t now_s = options->wish.now_s;
    const struct keydoc_epoch *epoch = epoch_of(doc, report->about);
    printf("epoch %u is revoked: ", report->about);
    if (epoch != NULL && epoch->not_before > now_s) {
        printf("it had not begun, and never will\n");
    } else {
        printf("hosts refuse its cookies as soon as they read this; a device that holds one does "
               "one new handshake\n");
    }
    if (report->added == 0) {
        printf("epoch %u issues now\n", doc->epoch[keyring_place_at(doc, now_s).epoch].id);
    }
}

static int tell_done(const struct keys_options *options, const struct keydoc *doc,
                     const struct keyedit_report *report)
{
    if (options->command == KEYS_REVOKE) {
        tell_revoked(options, doc, report);
    }
    if (report->dropped > 0) {
        printf("forgotten: %zu expired epoch%s\n", report->dropped,
               report->dropped == 1 ? "" : "s");
    }
    if (report->advanced > 0) {
        printf("forgotten: the expired keys of %zu epoch%s\n", report->advanced,
               report->advanced == 1 ? "" : "s");
    }
    if (report->added != 0) {
        tell_added(options, doc, report);
    }
    return keys_tell_end();
}

static int tell_idle(const struct keys_options *options, const struct keydoc *doc,
                     enum keyedit outcome, const struct keyedit_report *report)
{
    printf("nothing to do: ");
    if (outcome == KEYEDIT_NOTHING && options->command == KEYS_REVOKE) {
        printf("epoch %u is revoked already\n", report->about);
    } else if (outcome == KEYEDIT_NOTHING) {
        printf("nothing has expired\n");
    } else {
        keys_tell_epoch(doc, report->about, options->wish.now_s,
                        outcome == KEYEDIT_WAITS ? "waits already" : "is young enough");
    }
    return keys_tell_end();
}

static int tell_early(const struct keys_options *options, const struct keydoc *doc,
                      const struct keyedit_report *report)
{
    const struct keydoc_epoch *epoch = epoch_of(doc, report->about);
    char begins[CERT_TIME_TEXT_MAX] = "?";
    char text[256];
    if (epoch != NULL) {
        cert_time_text(epoch->not_before, begins);
        (void)snprintf(text, sizeof(text),
                       "the new epoch has to begin after epoch %u does, at %s: --in %" PRId64
                       " or more, or revoke epoch %u",
                       epoch->id, begins, epoch->not_before - options->wish.now_s + 1, epoch->id);
    }
    return keys_tell_failure(options, epoch != NULL ? text : "it would begin too early");
}

static int tell_unknown(const struct keys_options *options)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "no epoch of it has the id %u", options->id);
    return keys_tell_failure(options, text);
}

int keys_tell(const struct keys_options *options, const struct keydoc *doc, enum keyedit outcome,
              const struct keyedit_report *report)
{
    switch (outcome) {
    case KEYEDIT_DONE:
        return tell_done(options, doc, report);
    case KEYEDIT_WAITS:
    case KEYEDIT_YOUNG:
    case KEYEDIT_NOTHING:
        return tell_idle(options, doc, outcome, report);
    case KEYEDIT_EARLY:
        return tell_early(options, doc, report);
    case KEYEDIT_UNKNOWN:
        return tell_unknown(options);
    case KEYEDIT_FULL:
        return keys_tell_failure(options, "it holds 16 epochs, which is all there is room for; "
                                          "forget expired ones with ntsctl keys prune, or wait "
                                          "until some have expired");
    case KEYEDIT_BEYOND:
        return keys_tell_failure(options, "the epoch would begin before 1970 or after 9999");
    case KEYEDIT_NO_RANDOM:
        return keys_tell_failure(options, "the kernel gives no random octets");
    }
    return NTSCTL_FAILED;
}
