/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsctl certs dev: a development CA and a server certificate in one directory. See ntsctl.h.
 */
#include "tools/ntsctl.h"

#include "certs/info.h"
#include "certs/pair.h"
#include "common/base/time.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Clients whose clock is a little behind shall not be turned away from a certificate just made. */
enum { CLOCK_SLACK_S = 3600 };

__attribute__((format(printf, 2, 3))) static enum nts_err wrong(struct ntsctl_fault *fault,
                                                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return NTS_EFORMAT;
}

/* The value of option `name` at argv[*i]: behind '=' or the next argument. NULL: another option. */
static const char *value_of(int argc, char *const argv[], int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0 || (argv[*i][n] != '\0' && argv[*i][n] != '=')) {
        return NULL;
    }
    if (argv[*i][n] == '=') {
        return argv[*i] + n + 1;
    }
    return *i + 1 < argc ? argv[++*i] : "";
}

static enum nts_err add(const char **list, size_t *count, const char *value, const char *option,
                        struct ntsctl_fault *fault)
{
    if (value[0] == '\0') {
        return wrong(fault, "%s needs a value", option);
    }
    if (*count == NTSCTL_NAMES_MAX) {
        return wrong(fault, "more than %d times %s", NTSCTL_NAMES_MAX, option);
    }
    list[(*count)++] = value;
    return NTS_OK;
}

static enum nts_err parse_one(int argc, char *const argv[], int *i, struct ntsctl_certs *asked,
                              struct ntsctl_fault *fault)
{
    const char *value = value_of(argc, argv, i, "--name");
    if (value != NULL) {
        return add(asked->names, &asked->name_count, value, "--name", fault);
    }
    value = value_of(argc, argv, i, "--ip");
    if (value != NULL) {
        return add(asked->ips, &asked->ip_count, value, "--ip", fault);
    }
    if (argv[*i][0] == '-') {
        return wrong(fault, "no such option: %s", argv[*i]);
    }
    if (asked->dir != NULL || argv[*i][0] == '\0') {
        return wrong(fault, "one directory, please, not also \"%s\"", argv[*i]);
    }
    asked->dir = argv[*i];
    return NTS_OK;
}

NODISCARD enum nts_err ntsctl_certs_parse(int argc, char *const argv[], struct ntsctl_certs *asked,
                                          struct ntsctl_fault *fault)
{
    *asked = (struct ntsctl_certs){0};
    if (argc < 1 || strcmp(argv[0], "dev") != 0) {
        return wrong(fault, "certs has one command: dev");
    }
    for (int i = 1; i < argc; i++) {
        TRY(parse_one(argc, argv, &i, asked, fault));
    }
    return asked->dir != NULL ? NTS_OK : wrong(fault, "the directory is missing");
}

/* Reads back what was made: what is reported is what the server will find. */
static int report(const char *dir)
{
    char cert[PATH_MAX];
    char key[PATH_MAX];
    char until[CERT_TIME_TEXT_MAX];
    struct cert_pair pair;
    struct cert_fault fault;
    (void)snprintf(cert, sizeof(cert), "%s/server.pem", dir);
    (void)snprintf(key, sizeof(key), "%s/server.key", dir);
    if (cert_pair_load(cert, key, &pair, &fault) != NTS_OK) {
        (void)fprintf(stderr, "ntsctl: %s\n", fault.text);
        return NTSCTL_FAILED;
    }
    cert_time_text(pair.not_after, until);
    printf("wrote %s/ca.pem      the authority, for clients\n", dir);
    printf("wrote %s  for %s until %s\n", cert, pair.names, until);
    printf("wrote %s  its private key, mode 0600\n", key);
    printf("next: in ntsd.conf\n  ntsservercert %s\n  ntsserverkey %s\n", cert, key);
    printf("and ask with: ntsq --ca %s/ca.pem HOST\n", dir);
    cert_pair_wipe(&pair);
    return fflush(stdout) == 0 ? NTSCTL_DONE : NTSCTL_FAILED;
}

int ntsctl_certs(int argc, char *const argv[])
{
    struct ntsctl_certs asked;
    struct ntsctl_fault wrong_usage;
    struct cert_fault fault;
    if (ntsctl_certs_parse(argc, argv, &asked, &wrong_usage) != NTS_OK) {
        (void)fprintf(stderr, "ntsctl certs: %s\n", wrong_usage.text);
        (void)fprintf(stderr, "usage: ntsctl certs dev DIR [--name DNS]... [--ip ADDR]...\n");
        return NTSCTL_USAGE;
    }
    const struct devca_options options = {
        .dir = asked.dir,
        .names = asked.names,
        .name_count = asked.name_count,
        .ips = asked.ips,
        .ip_count = asked.ip_count,
        .not_before = wall_now().ns / NS_PER_S - CLOCK_SLACK_S,
    };
    if (devca_make(&options, &fault) != NTS_OK) {
        (void)fprintf(stderr, "ntsctl certs: %s\n", fault.text);
        return NTSCTL_FAILED;
    }
    return report(asked.dir);
}
