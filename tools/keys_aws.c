/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See keys_aws.h.
 */
#include "tools/keys_aws.h"

#include "common/base/secret.h"
#include "common/base/time.h"
#include "common/keys/aws_secret.h"
#include "tools/keys_tell.h"
#include "tools/ntsctl.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum { PAUSE_MS = 100 }; /* before the second try; twice as long before each further one */

/* One reading and what comes of it. */
struct attempt {
    struct keys_options *options;
    struct rng *rng;
    struct aws_secret *secret;
    char version[AWS_VERSION_ID_MAX + 1]; /* that was read */
    bool overtaken;                       /* another successor of it exists: try again */
};

static void hint_at_making_one(const char *secret)
{
    (void)fprintf(stderr,
                  "hint: rotate changes a document, and never makes one. Make it once, with\n"
                  "  ntsctl keys init FILE\n"
                  "  aws secretsmanager create-secret --name NAME --secret-string file://FILE\n"
                  "or, for a secret that is there but has no value,\n"
                  "  aws secretsmanager put-secret-value --secret-id %s --secret-string "
                  "file://FILE\n"
                  "and then delete FILE\n",
                  secret);
}

/* A text is read as the document. Returns an exit status. */
static int parse(const struct attempt *attempt, struct span text, struct keydoc *doc)
{
    struct keydoc_fault why;
    char line[sizeof(why.text) + 64];
    if (keydoc_parse(text, doc, &why) == NTS_OK) {
        return NTSCTL_DONE;
    }
    (void)snprintf(line, sizeof(line), "the secret is not a document of keys: %s", why.text);
    return keys_tell_failure(attempt->options, line);
}

static int fetch(struct attempt *attempt, struct keydoc *doc)
{
    struct provider_text text;
    struct provider_fault fault;
    enum provider_outcome outcome =
        aws_secret_get(attempt->secret, &text, attempt->version, &fault);
    if (outcome == PROVIDER_OK) {
        int status = parse(attempt, span_of(text.bytes, text.len), doc);
        provider_text_wipe(&text);
        return status;
    }
    (void)keys_tell_failure(attempt->options, fault.text);
    if (outcome == PROVIDER_NOT_FOUND) {
        hint_at_making_one(attempt->options->secret);
    }
    return NTSCTL_FAILED;
}

static int store(struct attempt *attempt, const struct keydoc *doc)
{
    uint8_t text[KEYDOC_WRITTEN_MAX];
    char token[AWS_TOKEN_LEN + 1];
    struct provider_fault fault;
    struct wr out = wr_init(text, sizeof(text));
    enum nts_err err = keydoc_write(doc, &out);
    assert(err == NTS_OK);
    (void)err;
    aws_put_token(attempt->version, token);
    enum provider_outcome outcome =
        aws_secret_put(attempt->secret, wr_done(&out), token, &attempt->overtaken, &fault);
    wipe(text, sizeof(text));
    if (outcome == PROVIDER_OK) {
        return NTSCTL_DONE;
    }
    return attempt->overtaken ? NTSCTL_FAILED : keys_tell_failure(attempt->options, fault.text);
}

/* Failures have been told, unless it was overtaken. */
static int rotate_once(struct attempt *attempt)
{
    struct keydoc doc;
    struct keyedit_report report;
    attempt->overtaken = false;
    int status = fetch(attempt, &doc);
    if (status != NTSCTL_DONE) {
        return status;
    }
    attempt->options->wish.now_s = wall_now().ns / NS_PER_S;
    enum keyedit outcome = keyedit_rotate(&doc, &attempt->options->wish, attempt->rng, &report);
    if (outcome == KEYEDIT_DONE) {
        status = store(attempt, &doc);
    }
    if (status == NTSCTL_DONE) {
        status = keys_tell(attempt->options, &doc, outcome, &report);
    }
    keydoc_wipe(&doc);
    return status;
}

/* What was just written may take a moment to be what is read. */
static void pause_before(unsigned try)
{
    const int64_t ns = (int64_t)PAUSE_MS * NS_PER_MS << (try - 1);
    const struct timespec pause = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    (void)nanosleep(&pause, NULL);
}

int keys_aws_rotate(struct keys_options *options, struct rng *rng)
{
    struct provider_fault fault;
    struct attempt attempt = {.options = options, .rng = rng};
    attempt.secret = aws_secret_new(options->secret, &fault);
    if (attempt.secret == NULL) {
        return keys_tell_failure(options, fault.text);
    }
    int status = rotate_once(&attempt);
    for (unsigned try = 1; attempt.overtaken && try < KEYS_AWS_TRIES; try++) {
        pause_before(try);
        status = rotate_once(&attempt);
    }
    aws_secret_free(attempt.secret);
    if (attempt.overtaken) {
        (void)keys_tell_failure(options,
                                "the current version has another successor already, and still is "
                                "the current one: if AWSCURRENT was moved back, store the document "
                                "once more with aws secretsmanager put-secret-value");
    }
    return status;
}
