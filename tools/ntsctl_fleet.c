/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsctl fleet: whether hosts open each other's cookies, asked over their status addresses. See
 * ntsctl.h.
 */
#include "tools/ntsctl.h"

#include "tools/fleet_ask.h"
#include "tools/fleet_text.h"

#include <stdlib.h>
#include <string.h>

struct asked {
    struct fleet_host *hosts;
    struct http_url *urls;
    size_t count;
    bool json;
};

static int wrong_usage(const char *why, const char *what)
{
    (void)fprintf(stderr, "ntsctl fleet: %s%.200s\nusage: ntsctl fleet [--json] HOST...\n", why,
                  what);
    return NTSCTL_USAGE;
}

static int parse(int argc, char *const argv[], struct asked *asked)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            asked->json = true;
        } else if (argv[i][0] == '-') {
            return wrong_usage("no such option: ", argv[i]);
        } else if (asked->count == FLEET_HOSTS_MAX) {
            return wrong_usage("too many hosts, the first too many is ", argv[i]);
        } else if (fleet_url(argv[i], &asked->urls[asked->count]) != NTS_OK) {
            return wrong_usage("not HOST, HOST:PORT or http://HOST[:PORT][/PATH]: ", argv[i]);
        } else {
            asked->hosts[asked->count++].name = argv[i];
        }
    }
    return asked->count > 0 ? NTSCTL_DONE : wrong_usage("no host is named", "");
}

static int ask(struct asked *asked)
{
    fleet_ask(asked->hosts, asked->urls, asked->count);
    bool agree = fleet_compare(asked->hosts, asked->count);
    if (!asked->json) {
        fleet_text_print(asked->hosts, asked->count, stdout);
    } else if (fleet_text_json(asked->hosts, asked->count, stdout) != NTS_OK) {
        return NTSCTL_FAILED;
    }
    return fflush(stdout) == 0 && agree ? NTSCTL_DONE : NTSCTL_FAILED;
}

int ntsctl_fleet(int argc, char *const argv[])
{
    struct asked asked = {.hosts = calloc(FLEET_HOSTS_MAX, sizeof(*asked.hosts)),
                          .urls = calloc(FLEET_HOSTS_MAX, sizeof(*asked.urls))};
    int status = NTSCTL_FAILED;
    if (asked.hosts == NULL || asked.urls == NULL) {
        (void)fprintf(stderr, "ntsctl fleet: out of memory\n");
    } else {
        status = parse(argc, argv, &asked);
        status = status == NTSCTL_DONE ? ask(&asked) : status;
    }
    free(asked.hosts);
    free(asked.urls);
    return status;
}
