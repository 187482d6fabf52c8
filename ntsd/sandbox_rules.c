/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the sandbox. See sandbox_rules.h.
 *
 * System calls were found by running each role under strace, and completed with those that the same
 * libraries use on other architectures and in newer versions. Arguments are looked at where the
 * number alone gives too much away: sandbox_syscalls.c.
 */
#include "ntsd/sandbox_rules.h"

#include "common/keys/aws_agent.h"
#include "common/keys/keycache.h"

#define CALLS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const *const calls[SANDBOX_FAMILIES] = {
    [SANDBOX_CALLS_BASE] = CALLS(
        "read", "write", "readv", "writev", "preadv2", "pwritev2", "close", "fstat", "lseek",
        "munmap", "madvise", "mremap", "brk", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
        "rt_sigtimedwait", "sigaltstack", "getpid", "gettid", "getppid", "getuid", "geteuid",
        "getgid", "getegid", "exit", "exit_group", "futex", "futex_waitv", "clock_gettime",
        "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrandom",
        "restart_syscall", "sched_yield", "sched_getaffinity", "rseq", "set_robust_list",
        "get_robust_list", "set_tid_address", "membarrier", "uname", "sysinfo", "getrusage",
        "getrlimit", "getcpu", "poll", "ppoll"),
    [SANDBOX_CALLS_LOOP] = CALLS("epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
                                 "epoll_pwait2", "eventfd2", "pipe2", "dup", "dup3"),
    [SANDBOX_CALLS_READ] = CALLS("openat", "open", "newfstatat", "stat", "lstat", "statx",
                                 "readlink", "readlinkat", "access", "faccessat", "faccessat2",
                                 "getdents64", "getcwd", "pread64", "fstatfs", "statfs"),
    [SANDBOX_CALLS_WRITE] = CALLS("pwrite64", "rename", "renameat", "renameat2", "unlink",
                                  "unlinkat", "fsync", "fdatasync", "fchmod", "fchmodat", "fchown",
                                  "ftruncate", "mkdir", "mkdirat", "umask", "flock"),
    [SANDBOX_CALLS_WATCH] = CALLS("inotify_init1", "inotify_add_watch", "inotify_rm_watch"),
    [SANDBOX_CALLS_ACCEPT] =
        CALLS("accept4", "accept", "listen", "shutdown", "getsockopt", "setsockopt", "getsockname",
              "getpeername", "recvfrom", "sendto", "recvmsg", "sendmsg"),
    [SANDBOX_CALLS_DATAGRAM] = CALLS("recvmmsg", "sendmmsg", "recvmsg", "sendmsg", "getsockopt",
                                     "setsockopt", "getsockname"),
    [SANDBOX_CALLS_CONNECT] =
        CALLS("connect", "bind", "recvfrom", "sendto", "recvmsg", "sendmsg", "recvmmsg", "sendmmsg",
              "getsockopt", "setsockopt", "getsockname", "getpeername", "shutdown", "socketpair"),
    [SANDBOX_CALLS_CLOCK] = CALLS("adjtimex", "clock_adjtime"),
};

static const char *const *const never = CALLS(
    "ptrace", "process_vm_readv", "process_vm_writev", "kexec_load", "kexec_file_load",
    "init_module", "finit_module", "delete_module", "bpf", "perf_event_open", "mount", "umount2",
    "pivot_root", "move_mount", "open_tree", "fsopen", "fsmount", "setns", "unshare", "swapon",
    "swapoff", "reboot", "settimeofday", "clock_settime", "stime", "iopl", "ioperm", "userfaultfd",
    "keyctl", "add_key", "request_key", "acct", "quotactl", "lookup_dcookie", "open_by_handle_at");

static bool is_name(const struct config_source *source)
{
    struct net_addr addr;
    return !source->phc && net_addr_parse(source->name, 0, &addr) != NTS_OK;
}

/* Some source has to be looked up by name, or asked for keys. */
static bool clock_resolves(const struct config *config)
{
    bool resolves = false;
    for (size_t i = 0; i < config->source_count; i++) {
        resolves = resolves || is_name(&config->source[i]) || config->source[i].nts;
    }
    return resolves;
}

static bool keys_over_network(const struct config *config)
{
    return config->keys == CONFIG_KEYS_AWS || config->keys == CONFIG_KEYS_AWS_AGENT;
}

/* It looks up names, and talks TLS to them. */
static bool is_client(enum role role, const struct config *config)
{
    return (role == ROLE_CLOCK && clock_resolves(config)) ||
           (role == ROLE_KEYS && keys_over_network(config));
}

bool sandbox_connects(enum role role, const struct config *config)
{
    return is_client(role, config);
}

bool sandbox_is_loose(enum role role, const struct config *config)
{
    return role == ROLE_KEYS && config->keys == CONFIG_KEYS_COMMAND;
}

bool sandbox_role_has(enum role role, const struct config *config, enum sandbox_family family)
{
    switch (family) {
    case SANDBOX_CALLS_BASE:
    case SANDBOX_CALLS_LOOP:
        return true;
    case SANDBOX_CALLS_READ:
        return role != ROLE_NTP;
    case SANDBOX_CALLS_WRITE:
        return role == ROLE_KEYS || role == ROLE_CLOCK;
    case SANDBOX_CALLS_WATCH:
        return role == ROLE_KE || role == ROLE_KEYS;
    case SANDBOX_CALLS_ACCEPT:
        return role == ROLE_KE || role == ROLE_STATUS;
    case SANDBOX_CALLS_DATAGRAM:
        return role == ROLE_NTP;
    case SANDBOX_CALLS_CONNECT:
        return role == ROLE_CLOCK || (role == ROLE_KEYS && keys_over_network(config));
    case SANDBOX_CALLS_CLOCK:
        return role == ROLE_CLOCK;
    case SANDBOX_FAMILIES:
        break;
    }
    return false;
}

const char *const *sandbox_calls(enum sandbox_family family)
{
    return calls[family];
}

const char *const *sandbox_calls_never(void)
{
    return never;
}

/* --- Files --- */

/* Held open by whoever accepts connections, for when descriptors run out. */
#define SPARE_FILE "/dev/null"

struct path_list {
    struct sandbox_path *path;
    size_t count;
};

static void add(struct path_list *list, const char *path, enum sandbox_reach reach,
                bool directory_of)
{
    if (path != NULL && list->count < SANDBOX_PATHS_MAX) {
        list->path[list->count++] =
            (struct sandbox_path){.path = path, .reach = reach, .directory_of = directory_of};
    }
}

/* Name service, trusted certificates, and the libraries that are loaded for a name service. */
static void add_client(struct path_list *list)
{
    static const char *const dirs[] = {"/etc",
                                       "/usr/lib",
                                       "/usr/lib64",
                                       "/lib",
                                       "/lib64",
                                       "/usr/share/ca-certificates",
                                       "/usr/share/pki",
                                       "/run/systemd/resolve",
                                       "/run/resolvconf",
                                       "/run/NetworkManager"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        add(list, dirs[i], SANDBOX_READ_BENEATH, false);
    }
}

static void add_clock(struct path_list *list, const struct config *config)
{
    add(list, config->state_dir, SANDBOX_WRITE_BENEATH, false);
    add(list, "/sys", SANDBOX_READ_BENEATH, false); /* phc_error_bound */
    add(list, "/run/clockbound", SANDBOX_READ_BENEATH, false);
    add(list, "/proc/sys/kernel/random", SANDBOX_READ_BENEATH, false); /* the boot's name */
    add(list, config->trusted_certs, SANDBOX_READ_BENEATH, true);
    for (size_t i = 0; i < config->source_count; i++) {
        if (config->source[i].phc) {
            add(list, config->source[i].name, SANDBOX_DEVICE, true);
        }
    }
}

size_t sandbox_paths(enum role role, const struct config *config,
                     struct sandbox_path path[static SANDBOX_PATHS_MAX])
{
    struct path_list list = {.path = path};
    if (is_client(role, config)) {
        add_client(&list);
    }
    switch (role) {
    case ROLE_CLOCK:
        add_clock(&list, config);
        break;
    case ROLE_KEYS:
        add(&list, config->state_dir, SANDBOX_WRITE_BENEATH, false);
        if (config->keys == CONFIG_KEYS_FILE) {
            add(&list, config->keys_source, SANDBOX_READ_BENEATH, true);
        }
        if (config->keys == CONFIG_KEYS_AWS) {
            add(&list, config->ca_bundle, SANDBOX_READ_BENEATH, true);
        }
        if (config->keys == CONFIG_KEYS_AWS_AGENT) {
            add(&list, AWS_AGENT_TOKEN_FILE, SANDBOX_READ_BENEATH, true);
        }
        if (config->keys_cache) {
            add(&list, KEYCACHE_MACHINE_ID, SANDBOX_READ_BENEATH, false);
            add(&list, config->credentials, SANDBOX_READ_BENEATH, false);
        }
        break;
    case ROLE_KE:
        add(&list, SPARE_FILE, SANDBOX_READ_BENEATH, false);
        for (size_t i = 0; i < config->pair_count; i++) {
            add(&list, config->cert[i], SANDBOX_READ_BENEATH, true);
            add(&list, config->key[i], SANDBOX_READ_BENEATH, true);
        }
        add(&list, config->client_ca, SANDBOX_READ_BENEATH, true);
        add(&list, config->client_crl, SANDBOX_READ_BENEATH, true);
        break;
    case ROLE_STATUS:
        add(&list, SPARE_FILE, SANDBOX_READ_BENEATH, false);
        break;
    case ROLE_NTP:
    case ROLE_COUNT:
        break;
    }
    return list.count;
}
