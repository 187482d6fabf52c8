/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsctl: certificates, keys and state of an ntsd, or a fleet of them. Finds the command in a table
 * and runs it. Exit status: 0 done, 1 the thing asked for failed, 2 wrong usage.
 */
#include "tools/ntsctl.h"

#include "tools/keys_options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char *const argv[]);
    const char *usage;
};

static const struct command COMMANDS[] = {
    {"certs", ntsctl_certs,
     "  ntsctl certs dev DIR [--name DNS]... [--ip ADDR]...\n"
     "      makes a development CA and a server certificate: DIR/ca.pem, DIR/server.pem,\n"
     "      DIR/server.key; without names for localhost, 127.0.0.1 and ::1\n"},
    {"keys", ntsctl_keys, keys_options_usage},
    {"fleet", ntsctl_fleet,
     "  ntsctl fleet [--json] HOST...\n"
     "      asks the status address of each ntsd (HOST[:PORT] or a URL; port 8080) and says\n"
     "      whether they open each other's cookies; 0: all answer and agree\n"},
    {"status", ntsctl_status,
     "  ntsctl status [--url URL]\n"
     "      state, error bound and time sources of a running ntsd, from its httpaddress;\n"
     "      default http://127.0.0.1:8080/metrics; 0: time is served, 1: it is not\n"},
};

static void print_usage(FILE *out)
{
    (void)fprintf(out, "usage:\n");
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        (void)fprintf(out, "%s", COMMANDS[i].usage);
    }
    (void)fprintf(out, "  ntsctl --help | --version\n");
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char *argv[])
{
    const char *word = argc > 1 ? argv[1] : "";
    if (asks_for_help(word) || (argc > 2 && asks_for_help(argv[argc - 1]))) {
        print_usage(stdout);
        return NTSCTL_DONE;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("ntsctl %s\n", NTSD_VERSION);
        return NTSCTL_DONE;
    }
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        if (strcmp(word, COMMANDS[i].name) == 0) {
            return COMMANDS[i].run(argc - 2, argv + 2);
        }
    }
    (void)fprintf(
        stderr,
        word[0] == '\0' ? "ntsctl: a command is missing\n" : "ntsctl: no such command: %s\n", word);
    print_usage(stderr);
    return NTSCTL_USAGE;
}
