/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches a fleet's document from AWS Secrets Manager as ntsd does, and prints what came of it.
 *
 *   secretget [--agent URL TOKEN_FILE] [--count N] [--interval MS] ARN
 *       fetches N times (1) every MS milliseconds:
 *           OUTCOME ms N octets N sha256 HEX
 *           OUTCOME ms N fault TEXT
 *       and at the end   memory rss_kb N peak_kb N left N   where `left` counts the places in
 * memory in which the environment variable MARK, a text expected in the value, is still found
 *   secretget --orders ARN
 *       does what the lines of standard input say and prints a line for each:
 *           get                    as above
 *           version                the id of the current version
 *           put FILE VERSION       makes FILE the successor of the version: OUTCOME overtaken 0|1
 *           quit
 */
#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/base/time.h"
#include "common/crypto/kdf.h"
#include "common/keys/aws_secret.h"
#include "common/keys/provider_aws.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 1024 };

struct order {
    const char *arn;
    const char *agent_url;
    const char *agent_token;
    long count;
    long interval_ms;
    bool orders;
};

static struct provider_text text;

static int64_t ms_since(struct mono_ns start)
{
    return (mono_now().ns - start.ns) / NS_PER_MS;
}

static void print_outcome(enum provider_outcome outcome, struct mono_ns start,
                          const struct provider_fault *fault)
{
    printf("%s ms %lld ", provider_outcome_name(outcome), (long long)ms_since(start));
    if (outcome != PROVIDER_OK) {
        printf("fault %s\n", fault->text);
        return;
    }
    uint8_t hash[KDF_HASH_LEN];
    sha256_digest(span_of(text.bytes, text.len), hash);
    printf("octets %zu sha256 ", text.len);
    for (size_t i = 0; i < sizeof(hash); i++) {
        printf("%02x", hash[i]);
    }
    printf("\n");
}

static void fetch(struct provider_aws *provider)
{
    struct provider_fault fault = {{0}};
    struct mono_ns start = mono_now();
    enum provider_outcome outcome = provider_aws_fetch(provider, &text, &fault);
    print_outcome(outcome, start, &fault);
    provider_text_wipe(&text);
}

/* ---- orders */

static void print_version(struct aws_secret *secret)
{
    struct provider_fault fault = {{0}};
    char version_id[AWS_VERSION_ID_MAX + 1];
    enum provider_outcome outcome = aws_secret_get(secret, &text, version_id, &fault);
    printf("%s %s\n", provider_outcome_name(outcome),
           outcome == PROVIDER_OK ? version_id : fault.text);
    provider_text_wipe(&text);
}

static void put(struct aws_secret *secret, const char *file, const char *version_id)
{
    struct provider_fault fault = {{0}};
    char token[AWS_TOKEN_LEN + 1];
    bool overtaken = false;
    if (file_read(file, text.bytes, sizeof(text.bytes), &text.len) != NTS_OK) {
        printf("no file %s\n", file);
        return;
    }
    aws_put_token(version_id, token);
    enum provider_outcome outcome =
        aws_secret_put(secret, span_of(text.bytes, text.len), token, &overtaken, &fault);
    printf("%s overtaken %d %s\n", provider_outcome_name(outcome), overtaken, fault.text);
    provider_text_wipe(&text);
}

static void obey(struct provider_aws *provider, struct aws_secret *secret)
{
    char line[LINE_MAX_LEN];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *save = NULL;
        const char *verb = strtok_r(line, " \n", &save);
        const char *file = strtok_r(NULL, " \n", &save);
        const char *version_id = strtok_r(NULL, " \n", &save);
        if (verb != NULL && strcmp(verb, "quit") == 0) {
            return;
        }
        if (verb != NULL && strcmp(verb, "get") == 0) {
            fetch(provider);
        } else if (verb != NULL && strcmp(verb, "version") == 0) {
            print_version(secret);
        } else if (version_id != NULL) {
            put(secret, file, version_id);
        }
        (void)fflush(stdout);
    }
}

/* ---- memory */

static long status_kb(const char *name)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long kb = 0;
    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kb = strtol(line + strlen(name), NULL, 10);
        }
    }
    if (status != NULL) {
        (void)fclose(status);
    }
    return kb;
}

/* Times that the first half of `mark` stands in a mapping of ours. The mark itself is in the
 * environment, on the stack, which is left out. */
static size_t count_in(struct span memory, const char *mark)
{
    size_t n = strlen(mark) / 2;
    size_t found = 0;
    const uint8_t *p = memory.p;
    const uint8_t *end = memory.p + memory.n;
    while ((p = memmem(p, (size_t)(end - p), mark, n)) != NULL) {
        found++;
        p++;
    }
    return found;
}

static size_t count_left(const char *mark)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    size_t found = 0;
    while (mark != NULL && maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from;
        unsigned long to;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && memcmp(rights, "rw", 2) == 0 &&
            strstr(line, "[stack]") == NULL) {
            /* NOLINTNEXTLINE(performance-no-int-to-ptr): addresses are what it prints */
            found += count_in(span_of((const void *)from, to - from), mark);
        }
    }
    if (maps != NULL) {
        (void)fclose(maps);
    }
    return found;
}

/* ---- arguments */

static bool parse(int argc, char **argv, struct order *order)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--orders") == 0) {
            order->orders = true;
        } else if (strcmp(argv[i], "--agent") == 0 && i + 2 < argc) {
            order->agent_url = argv[++i];
            order->agent_token = argv[++i];
        } else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            order->count = strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--interval") == 0 && i + 1 < argc) {
            order->interval_ms = strtol(argv[++i], NULL, 10);
        } else if (order->arn == NULL && argv[i][0] != '-') {
            order->arn = argv[i];
        } else {
            return false;
        }
    }
    return order->arn != NULL;
}

static void run(const struct order *order, struct provider_aws *provider, struct aws_secret *secret)
{
    if (order->orders) {
        obey(provider, secret);
        return;
    }
    for (long i = 0; i < order->count; i++) {
        if (i > 0) {
            (void)usleep((useconds_t)order->interval_ms * 1000);
        }
        fetch(provider);
    }
    printf("memory rss_kb %ld peak_kb %ld left %zu\n", status_kb("VmRSS:"), status_kb("VmHWM:"),
           count_left(getenv("MARK")));
}

int main(int argc, char **argv)
{
    struct order order = {.count = 1};
    struct provider_fault fault = {{0}};
    if (!parse(argc, argv, &order)) {
        fprintf(stderr,
                "usage: secretget [--agent URL TOKEN_FILE] [--count N] [--interval MS] ARN\n"
                "       secretget --orders ARN\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    bool agent = order.agent_url != NULL;
    struct provider_options options = {
        .kind = agent ? PROVIDER_AWS_AGENT : PROVIDER_AWS,
        .source = order.arn,
    };
    struct provider_aws *provider = provider_aws_new(&options, &fault);
    struct aws_secret *secret =
        provider == NULL || agent ? NULL : aws_secret_new(order.arn, &fault);
    if (provider == NULL || (!agent && secret == NULL)) {
        printf("refused %s\n", fault.text);
        provider_aws_free(provider);
        return EXIT_FAILURE;
    }
    if (agent) {
        provider_aws_set_agent(provider, order.agent_url, order.agent_token);
    }
    run(&order, provider, secret);
    aws_secret_free(secret);
    provider_aws_free(provider);
    return EXIT_SUCCESS;
}
