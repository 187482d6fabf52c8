/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsd: wires the modules in the order in which things must happen: options, configuration, checks,
 * sockets, boards, rights given up, children, watch, clean up. Until the children run every fault
 * ends the start with one line that says what to mend; afterwards nothing does.
 */
#include "common/base/log.h"
#include "ntsd/child.h"
#include "ntsd/config_load.h"
#include "ntsd/config_print.h"
#include "ntsd/start_check.h"
#include "ntsd/state_check.h"
#include "ntsd/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_DEFAULT "/etc/ntsd/ntsd.conf"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { FILES_SPARE = 64 }; /* descriptors of a KE process beside its connections */

struct options {
    const char *config;
    bool test;
};

/* What a running daemon is made of; released by stop(). */
struct daemon {
    struct config *config;
    struct account account;
    struct sockets sockets;
    struct boards boards;
    struct board *supervisor_board;
};

static void print_usage(FILE *out)
{
    fprintf(out, "usage: ntsd [-c FILE] [-t]\n"
                 "  -c FILE     configuration, default " CONFIG_DEFAULT "\n"
                 "  -t          check configuration, certificates and keys, and exit (0 or 1)\n"
                 "  --help      this text\n"
                 "  --version   the version\n");
}

static void print_help(void)
{
    print_usage(stdout);
    printf("\nRuns in the foreground and logs to standard error. SIGHUP reads certificates again,\n"
           "SIGTERM finishes what is under way and stops.\n\ndirectives:\n");
    config_print_help(stdout);
}

/* -1: go on; otherwise the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"man-directives", no_argument, NULL, 'm'},
                                          {0}};
    int c;
    while ((c = getopt_long(argc, argv, "c:t", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            options->config = optarg;
            break;
        case 't':
            options->test = true;
            break;
        case 'h':
            print_help();
            return EXIT_DONE;
        case 'V':
            printf("ntsd " NTSD_VERSION "\n");
            return EXIT_DONE;
        case 'm': /* for the build of ntsd.conf(5) */
            config_print_mdoc(stdout);
            return EXIT_DONE;
        default:
            print_usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    return -1;
}

/* What the launcher ignored would stay so: with SIGCHLD no child could be waited for. */
static void set_signals(void)
{
    (void)signal(SIGCHLD, SIG_DFL);
    child_ignore_signals();
}

/* 0 to 2 have to be something, or a socket would become "standard error". */
static void hold_standard_files(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)dup2(fd, STDIN_FILENO); /* nobody here reads it */
        (void)close(fd);
    }
}

static bool fail(const char *text)
{
    fprintf(stderr, "ntsd: %s\n", text);
    return false;
}

static bool find_account(struct daemon *d)
{
    struct account_fault fault;
    if (account_find(d->config->user, geteuid(), &d->account, &fault) != NTS_OK) {
        return fail(fault.text);
    }
    if (d->account.root) {
        log_event(LOG_LEVEL_WARN, "running as root, as the configuration says", NULL);
    }
    return true;
}

static bool check_state(struct daemon *d)
{
    struct state_fault fault = {{0}};
    if (d->account.change && state_create(d->config->state_dir, &d->account, &fault) != NTS_OK) {
        return fail(fault.text);
    }
    return start_check_run(d->config, &d->account, START_CHECK_START);
}

/* Descriptors for all sockets here, and for all connections in each child. */
static void raise_files(const struct config *config)
{
    size_t sockets = (sockets_worker_count(config) + config->ke_processes) * CONFIG_ADDRESSES_MAX;
    size_t connections = config->ke_port == 0 ? 0 : config->ke_connections_max;
    size_t wanted = FILES_SPARE + (sockets > connections ? sockets : connections);
    size_t limit = 0;
    if (!privileges_raise_files(wanted, &limit)) {
        log_event(LOG_LEVEL_WARN, "limit of open files too low for maxntsconnections", "limit",
                  log_fmt(LOG_BUF, "%zu", limit), "wanted", log_fmt(LOG_BUF, "%zu", wanted), NULL);
    }
}

static bool open_sockets(struct daemon *d)
{
    struct sockets_fault fault;
    raise_files(d->config);
    return sockets_open(d->config, &d->sockets, &fault) == NTS_OK || fail(fault.text);
}

static bool open_boards(struct daemon *d)
{
    if (boards_open(&d->boards, d->sockets.worker_count, d->sockets.process_count) == NTS_OK) {
        d->supervisor_board = boards_map(&d->boards, BOARDS_SUPERVISOR, BOARDS_WRITE);
    }
    if (d->supervisor_board == NULL) {
        fprintf(stderr, "ntsd: no shared memory: %s; is /proc mounted?\n", strerror(errno));
    }
    return d->supervisor_board != NULL;
}

static bool drop_privileges(const struct daemon *d)
{
    if (privileges_drop(&d->account) != NTS_OK) {
        fprintf(stderr, "ntsd: cannot become user %s: %s\n", d->account.name, strerror(errno));
        return false;
    }
    return true;
}

static void log_listening(const struct daemon *d, const char *service, uint32_t port)
{
    for (size_t i = 0; port != 0 && i < d->sockets.address_count; i++) {
        char text[NET_ADDR_TEXT_MAX];
        struct net_addr addr = sockets_at_port(d->sockets.address[i], port);
        net_addr_format(&addr, text);
        log_event(LOG_LEVEL_INFO, "listening", "service", service, "address", text, NULL);
    }
}

static void log_start(const struct daemon *d)
{
    const struct config *config = d->config;
    log_event(LOG_LEVEL_INFO, "ntsd starts", "version", NTSD_VERSION, "user", d->account.name,
              NULL);
    log_listening(d, "ntp", config->ntp_port);
    log_listening(d, "ke", config->ke_port);
    if (config->has_http) {
        char text[NET_ADDR_TEXT_MAX];
        net_addr_format(&config->http, text);
        log_event(LOG_LEVEL_INFO, "listening", "service", "status", "address", text, NULL);
    }
    if (config->ntp_port != 0) {
        log_event(LOG_LEVEL_INFO, "NTP workers", "count",
                  log_fmt(LOG_BUF, "%zu", d->sockets.worker_count), NULL);
    }
}

static int run(struct daemon *d)
{
    struct child_world world = {.config = d->config, .boards = &d->boards, .sockets = &d->sockets};
    if (!find_account(d) || !check_state(d) || !open_sockets(d)) {
        return EXIT_FAILED;
    }
    int status = EXIT_FAILED;
    if (open_boards(d) && drop_privileges(d)) {
        log_start(d);
        status = supervisor_run(&world, d->supervisor_board);
    }
    boards_close(&d->boards);
    sockets_close(&d->sockets);
    return status;
}

static int test(struct daemon *d, const char *path)
{
    if (!find_account(d) || !start_check_run(d->config, &d->account, START_CHECK_ONLY)) {
        return EXIT_FAILED;
    }
    printf("%s: ok\n", path);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct options options = {.config = CONFIG_DEFAULT};
    static struct daemon d; /* too large for a stack; written here and by the functions above */
    set_signals();
    int status = parse_options(argc, argv, &options);
    if (status >= 0) {
        return status;
    }
    hold_standard_files();
    (void)umask(S_IRWXG | S_IRWXO);
    d.config = config_load(options.config, stderr);
    if (d.config == NULL) {
        return EXIT_FAILED;
    }
    log_setup("ntsd", (enum log_level)d.config->log_level, (enum log_format)d.config->log_format);
    status = options.test ? test(&d, options.config) : run(&d);
    config_free(d.config);
    return status;
}
