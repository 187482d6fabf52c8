/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsq: one NTS time query, explained. Reads the command line, runs the query, and reports each
 * step as it ends, or all of it as JSON at the end. What it does is in ntsq_run, what it says in
 * ntsq_text and ntsq_json.
 */
#include "tools/ntsq_json.h"
#include "tools/ntsq_run.h"
#include "tools/ntsq_text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* https://no-color.org: set and not empty means none. */
static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

static void show_step(void *ctx, enum ntsq_step step, const struct ntsq_facts *facts)
{
    const struct ntsq_text *text = ctx;
    switch (step) {
    case NTSQ_STEP_RESOLVED:
        ntsq_text_resolved(text, facts);
        break;
    case NTSQ_STEP_KEYS:
        ntsq_text_keys(text, facts);
        break;
    case NTSQ_STEP_SAMPLE:
        ntsq_text_sample(text, facts);
        break;
    case NTSQ_STEP_DATES:
        ntsq_text_dates(text, facts);
        break;
    }
    (void)fflush(text->out);
}

/* The end of the report, and the exit status. */
static int conclude(const struct ntsq_facts *facts, const struct ntsq_text *text, int64_t *scratch)
{
    struct ntsq_summary summary = ntsq_summarise(facts, scratch);
    struct ntsq_verdict verdict = ntsq_judge(facts, &summary);
    bool written = true;
    if (facts->options->json) {
        written = ntsq_json_write(text->out, facts, &summary, &verdict) == NTS_OK;
    } else {
        ntsq_text_verdict(text, facts, &summary, &verdict);
    }
    written = fflush(text->out) == 0 && ferror(text->out) == 0 && written;
    if (!written) {
        (void)fputs("ntsq: the report could not be written\n", stderr);
    }
    return verdict.ok && written ? EXIT_GOOD : EXIT_FAILED;
}

static int carry_out(struct ntsq_facts *facts, int64_t *scratch)
{
    struct ntsq_text text = {.out = stdout, .colour = wants_colour()};
    const struct ntsq_observer observer = {.step = facts->options->json ? NULL : show_step,
                                           .ctx = &text};
    struct ntsq_run *run = ntsq_run_new(facts, &observer);
    if (run == NULL) {
        (void)fputs("ntsq: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    ntsq_run_all(run);
    int status = conclude(facts, &text, scratch);
    ntsq_run_free(run);
    return status;
}

static int query(const struct ntsq_options *options)
{
    struct ntsq_facts facts = {
        .options = options,
        .sample = calloc(options->count, sizeof(struct ntsq_sample)),
    };
    int64_t *scratch = calloc(options->count, sizeof(*scratch));
    int status = EXIT_FAILED;
    if (facts.sample != NULL && scratch != NULL) {
        status = carry_out(&facts, scratch);
    } else {
        (void)fputs("ntsq: out of memory\n", stderr);
    }
    free(scratch);
    free(facts.sample);
    return status;
}

int main(int argc, char *argv[])
{
    struct ntsq_options options;
    struct ntsq_options_fault fault;
    if (ntsq_options_parse(argc, argv, &options, &fault) != NTS_OK) {
        (void)fprintf(stderr, "ntsq: %s\nntsq --help explains the options\n", fault.text);
        return EXIT_USAGE;
    }
    if (options.help) {
        ntsq_options_usage(stdout);
        return EXIT_GOOD;
    }
    if (options.version) {
        (void)puts("ntsq " NTSD_VERSION);
        return EXIT_GOOD;
    }
    /* A server that resets its connection, or a reader of ours that went away, is an error to
     * report and not the end. */
    (void)signal(SIGPIPE, SIG_IGN);
    return query(&options);
}
