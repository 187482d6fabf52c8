/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsctl keys: makes, shows and changes a fleet's secret document. See ntsctl.h. What a change
 * makes of a document is decided in common/keys/keyedit.h; here it is fetched and put back.
 */
#include "common/base/time.h"
#include "tools/keys_aws.h"
#include "tools/keys_file.h"
#include "tools/keys_show.h"
#include "tools/keys_tell.h"
#include "tools/ntsctl.h"

static int make(const struct keys_options *options, const struct keydoc *doc)
{
    struct keys_file_fault fault;
    if (keys_file_make(options->file, doc, &fault) != NTS_OK) {
        return keys_tell_failure(options, fault.text);
    }
    printf("made %s, mode 0600\n", options->file);
    keys_tell_epoch(doc, doc->epoch[0].id, options->wish.now_s, "is its first");
    if (doc->epoch[0].not_before > options->wish.now_s) {
        (void)fprintf(stderr, "ntsctl keys init: warning: until it begins, hosts issue with its "
                              "first key all the same, for there is no other\n");
    }
    return keys_tell_end();
}

static int init(const struct keys_options *options, struct rng *rng)
{
    const struct keyedit_wish *wish = &options->wish;
    const struct keyedit_report none = {0};
    uint32_t rotate_s = wish->rotate_s != 0 ? wish->rotate_s : KEYEDIT_ROTATE_S;
    int64_t at = options->at_s >= 0 ? options->at_s : keyedit_begin(wish->now_s, rotate_s);
    struct keydoc doc;
    if ((wish->now_s - at) / rotate_s > KEYDOC_INDEX_MAX / 2) {
        return keys_tell_failure(options, "half of the 65536 periods that an epoch has would be "
                                          "over already; choose a later --at");
    }
    enum keyedit outcome = keyedit_init(at, rotate_s, rng, &doc);
    int status =
        outcome == KEYEDIT_DONE ? make(options, &doc) : keys_tell(options, &doc, outcome, &none);
    keydoc_wipe(&doc);
    return status;
}

static int show(const struct keys_options *options)
{
    struct keys_file_fault fault;
    struct keydoc doc;
    enum nts_err err = NTS_OK;
    if (keys_file_read(options->file, &doc, stderr, &fault) != NTS_OK) {
        return keys_tell_failure(options, fault.text);
    }
    if (options->json) {
        err = keys_show_json(&doc, &options->wish, stdout);
    } else {
        keys_show_table(&doc, &options->wish, stdout);
    }
    keydoc_wipe(&doc);
    return err == NTS_OK ? keys_tell_end() : keys_tell_failure(options, "out of memory");
}

static enum keyedit edit(const struct keys_options *options, struct keydoc *doc, struct rng *rng,
                         struct keyedit_report *report)
{
    if (options->command == KEYS_REVOKE) {
        return keyedit_revoke(doc, options->id, options->wish.now_s, rng, report);
    }
    if (options->command == KEYS_PRUNE) {
        return keyedit_prune(doc, &options->wish, report);
    }
    return options->command == KEYS_ROTATE ? keyedit_rotate(doc, &options->wish, rng, report)
                                           : keyedit_add(doc, &options->wish, rng, report);
}

static int change(struct keys_options *options, struct rng *rng)
{
    struct keys_file_fault fault;
    struct keys_file file;
    struct keyedit_report report;
    if (keys_file_open(options->file, &file, &fault) != NTS_OK) {
        return keys_tell_failure(options, fault.text);
    }
    options->wish.now_s = wall_now().ns / NS_PER_S; /* the lock may have taken a while */
    enum keyedit outcome = edit(options, &file.doc, rng, &report);
    int status = NTSCTL_FAILED;
    if (outcome == KEYEDIT_DONE && keys_file_save(&file, &fault) != NTS_OK) {
        (void)keys_tell_failure(options, fault.text);
    } else {
        status = keys_tell(options, &file.doc, outcome, &report);
    }
    keys_file_close(&file);
    return status;
}

static int run(struct keys_options *options, struct rng *rng)
{
    switch (options->command) {
    case KEYS_INIT:
        return init(options, rng);
    case KEYS_SHOW:
        return show(options);
    case KEYS_ADD:
    case KEYS_PRUNE:
    case KEYS_REVOKE:
        return change(options, rng);
    case KEYS_ROTATE:
        return options->secret != NULL ? keys_aws_rotate(options, rng) : change(options, rng);
    case KEYS_COMMANDS:
        break;
    }
    return NTSCTL_USAGE;
}

int ntsctl_keys(int argc, char *const argv[])
{
    struct keys_options options;
    struct keys_options_fault fault;
    if (keys_options_parse(argc, argv, &options, &fault) != NTS_OK) {
        (void)fprintf(stderr, "ntsctl keys: %s\nusage:\n%s", fault.text, keys_options_usage);
        return NTSCTL_USAGE;
    }
    struct rng *rng = rng_new();
    if (rng == NULL) {
        return keys_tell_failure(&options, "out of memory");
    }
    options.wish.now_s = wall_now().ns / NS_PER_S;
    int status = run(&options, rng);
    rng_free(rng);
    return status;
}
