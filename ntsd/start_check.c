/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See start_check.h.
 */
#include "ntsd/start_check.h"

#include "certs/tls_client.h"
#include "certs/tls_server.h"
#include "common/base/log.h"
#include "nts-ke/ke_proto.h"
#include "ntsd/file_access.h"
#include "ntsd/fleet_check.h"
#include "ntsd/key_source.h"
#include "ntsd/state_check.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_PER_DAY = 86400 };

static bool tell(const char *text)
{
    fprintf(stderr, "ntsd: %s\n", text);
    return false;
}

static bool check_readable(const struct config *config, const struct account *account)
{
    struct file_access_fault fault;
    const char *files[2 * CONFIG_PAIRS_MAX + 2] = {config->client_ca, config->client_crl};
    size_t count = 2;
    bool good = true;
    for (size_t i = 0; i < config->pair_count; i++) {
        files[count++] = config->cert[i];
        files[count++] = config->key[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (files[i] != NULL && !file_access_is_readable(files[i], account, &fault)) {
            good = tell(fault.text);
        }
    }
    return good;
}

/* Days from now; negative: ago. */
static int64_t days_until(int64_t time_s)
{
    return (time_s - wall_now().ns / NS_PER_S) / SECONDS_PER_DAY;
}

/* At a start it is the ke process that tells them, in its log. */
static void tell_clients(const struct config *config, const struct client_ca_info *clients)
{
    for (size_t i = 0; i < clients->count; i++) {
        printf("%s: clients of %s, %" PRId64 " days left\n", config->client_ca,
               clients->ca[i].subject, days_until(clients->ca[i].not_after));
    }
    if (clients->crl_count > 0) {
        printf("%s: %" PRIu64 " revoked", config->client_crl, clients->revoked);
        if (clients->crl_until != INT64_MAX) {
            printf(", due in %" PRId64 " days", days_until(clients->crl_until));
        }
        printf("\n");
    }
}

static void tell_pair(const struct config *config, const struct tls_server_info *info, size_t i,
                      enum start_check_mode mode)
{
    int64_t days = days_until(info->pair[i].not_after);
    if (mode == START_CHECK_ONLY) {
        printf("%s: %s, %" PRId64 " days left\n", config->cert[i], info->pair[i].names, days);
        return;
    }
    /* At the info level it is told by the ke process, when it goes into service. */
    log_event(LOG_LEVEL_DEBUG, "certificate checked", "file", config->cert[i], "names",
              info->pair[i].names, "days_left", log_fmt(LOG_BUF, "%" PRId64, days), NULL);
}

static bool check_pairs(const struct config *config, enum start_check_mode mode)
{
    struct tls_pair_files files[CONFIG_PAIRS_MAX];
    struct tls_server *server = NULL;
    struct tls_server_info info;
    struct cert_fault fault;
    for (size_t i = 0; i < config->pair_count; i++) {
        files[i] = (struct tls_pair_files){.cert = config->cert[i], .key = config->key[i]};
    }
    const struct tls_server_options options = {.files = files,
                                               .count = config->pair_count,
                                               .alpn = KE_ALPN,
                                               .now_s = wall_now().ns / NS_PER_S,
                                               .clients = {config->client_ca, config->client_crl}};
    if (tls_server_new(&options, &server, &info, &fault) != NTS_OK) {
        return tell(fault.text);
    }
    for (size_t i = 0; i < info.count; i++) {
        tell_pair(config, &info, i, mode);
    }
    if (mode == START_CHECK_ONLY) {
        tell_clients(config, &info.clients);
    }
    tls_server_free(server);
    return true;
}

/* What certificates of time servers are verified with; it is read again for each verification. */
static bool check_trust(const struct config *config)
{
    SSL_CTX *tls = NULL;
    struct cert_fault fault;
    bool nts = false;
    for (size_t i = 0; i < config->source_count; i++) {
        nts = nts || config->source[i].nts;
    }
    const struct tls_client_options options = {.ca_file = config->trusted_certs, .alpn = KE_ALPN};
    if (!nts) {
        return true;
    }
    if (tls_client_new(&options, &tls, &fault) != NTS_OK) {
        return tell(fault.text);
    }
    SSL_CTX_free(tls);
    return true;
}

static bool check_state(const struct config *config, const struct account *account,
                        enum start_check_mode mode)
{
    struct state_fault fault;
    bool only = mode == START_CHECK_ONLY;
    bool good;
    if (key_source_is_fleet(config)) {
        good = only ? fleet_check(config, account->change, &fault) : fleet_prepare(config, &fault);
    } else {
        good = only ? state_check(config->state_dir, account->change, &fault)
                    : state_prepare(config->state_dir, config->rotate_s, &fault);
    }
    return good || tell(fault.text);
}

/* In the process of its own. All that is wrong is told, not only the first. */
static int check(const struct config *config, const struct account *account,
                 enum start_check_mode mode)
{
    if (privileges_drop(account) != NTS_OK) {
        fprintf(stderr, "ntsd: cannot become user %s: %s\n", account->name, strerror(errno));
        return 1;
    }
    bool good = true;
    if (config->ke_port != 0) {
        good = check_readable(config, account) && check_pairs(config, mode);
    }
    good = check_trust(config) && good;
    good = check_state(config, account, mode) && good;
    (void)fflush(stdout);
    return good ? 0 : 1;
}

bool start_check_run(const struct config *config, const struct account *account,
                     enum start_check_mode mode)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(check(config, account, mode));
    }
    int status = 0;
    pid_t got = -1;
    do {
        got = pid < 0 ? -1 : waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got != pid || pid < 0) {
        fprintf(stderr, "ntsd: cannot start a process: %s\n", strerror(errno));
        return false;
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "ntsd: the check of certificates and keys was ended by signal %d\n",
                WTERMSIG(status));
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
