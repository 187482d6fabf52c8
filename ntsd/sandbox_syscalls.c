/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp by libseccomp. See sandbox_syscalls.h.
 *
 * Rules that look at arguments are here; those by number alone are in sandbox_rules.c. clone3()
 * keeps its flags in memory where no filter can see them: it is said not to exist, and libc takes
 * clone(), which may make threads and nothing else.
 */
#include "ntsd/sandbox_syscalls.h"

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The way of a forbidden call's name into the log: written once before the filter is in force, read
 * by the signal handler. */
static char forbidden_by[16];

static void on_forbidden(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
    log_event(LOG_LEVEL_ERROR, "forbidden system call", "process", forbidden_by, "call",
              name != NULL ? name : "?", "number", log_fmt(LOG_BUF, "%d", info->si_syscall), NULL);
    _exit(128 + SIGSYS);
}

static bool tell(enum role role)
{
    struct sigaction action = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};
    (void)snprintf(forbidden_by, sizeof(forbidden_by), "%s", role_name(role));
    return sigaction(SIGSYS, &action, NULL) == 0;
}

/* A call that this architecture lacks is passed over. */
static int act_on(scmp_filter_ctx ctx, uint32_t action, const char *const *names)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && names[i] != NULL; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        rc = number < 0 ? 0 : seccomp_rule_add(ctx, action, number, 0);
    }
    return rc;
}

/* The argument is this. */
static struct scmp_arg_cmp is_value(unsigned argument, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};
}

/* Of the argument's bits in `mask` these are set, and no others. */
static struct scmp_arg_cmp has_bits(unsigned argument, scmp_datum_t mask, scmp_datum_t bits)
{
    return (struct scmp_arg_cmp){
        .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}

static int allow_if(scmp_filter_ctx ctx, int number, struct scmp_arg_cmp condition)
{
    return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, 1, &condition);
}

/* Memory is never made executable by a process that loads no libraries. */
static int allow_memory(scmp_filter_ctx ctx, bool loads_libraries)
{
    struct scmp_arg_cmp plain = has_bits(2, PROT_EXEC, 0);
    int rc = loads_libraries ? seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 0)
                             : allow_if(ctx, SCMP_SYS(mmap), plain);
    return rc != 0 ? rc : allow_if(ctx, SCMP_SYS(mprotect), plain);
}

/* Limits are asked for their stacks, never set. */
static int allow_threads(scmp_filter_ctx ctx)
{
    int rc = allow_if(ctx, SCMP_SYS(clone), has_bits(0, CLONE_THREAD, CLONE_THREAD));
    return rc != 0 ? rc : allow_if(ctx, SCMP_SYS(prlimit64), is_value(2, 0));
}

/* Libraries try these first and can do without. */
static int pretend_missing(scmp_filter_ctx ctx)
{
    static const char *const names[] = {"clone3", "io_uring_setup", NULL};
    return act_on(ctx, SCMP_ACT_ERRNO(ENOSYS), names);
}

/* To itself: abort() and the like. The pid is that of this process for good. */
static int allow_own_signals(scmp_filter_ctx ctx)
{
    return allow_if(ctx, SCMP_SYS(tgkill), is_value(0, (scmp_datum_t)getpid()));
}

static int allow_any_of(scmp_filter_ctx ctx, int call, unsigned argument,
                        const unsigned long *values, size_t count)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = allow_if(ctx, call, is_value(argument, values[i]));
    }
    return rc;
}

static int allow_descriptors(scmp_filter_ctx ctx)
{
    static const unsigned long commands[] = {F_GETFL, F_SETFL, F_GETFD,
                                             F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC};
    static const unsigned long requests[] = {FIONREAD, FIONBIO, FIOCLEX, TCGETS};
    static const unsigned long attributes[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* VMA */};
    int rc =
        allow_any_of(ctx, SCMP_SYS(fcntl), 1, commands, sizeof(commands) / sizeof(commands[0]));
    rc = rc != 0 ? rc
                 : allow_any_of(ctx, SCMP_SYS(ioctl), 1, requests,
                                sizeof(requests) / sizeof(requests[0]));
    return rc != 0 ? rc
                   : allow_any_of(ctx, SCMP_SYS(prctl), 0, attributes,
                                  sizeof(attributes) / sizeof(attributes[0]));
}

/* The log: of its own end nobody has to say where it leads, and its kind is asked of the descriptor
 * and not of a path. */
static int allow_log(scmp_filter_ctx ctx)
{
    int rc = allow_if(ctx, SCMP_SYS(sendto), is_value(4, 0));
    return rc != 0 ? rc
                   : allow_if(ctx, SCMP_SYS(newfstatat), has_bits(3, AT_EMPTY_PATH, AT_EMPTY_PATH));
}

/* Sockets of the internet, and those that the name service uses. Raw ones are no use to us. */
static int allow_sockets(scmp_filter_ctx ctx)
{
    static const unsigned long families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
    return allow_any_of(ctx, SCMP_SYS(socket), 0, families, sizeof(families) / sizeof(families[0]));
}

static int allow_clock_devices(scmp_filter_ctx ctx)
{
    static const unsigned long requests[] = {PTP_SYS_OFFSET_PRECISE, PTP_SYS_OFFSET_EXTENDED,
                                             PTP_SYS_OFFSET, PTP_CLOCK_GETCAPS};
    return allow_any_of(ctx, SCMP_SYS(ioctl), 1, requests, sizeof(requests) / sizeof(requests[0]));
}

static int allow_role(scmp_filter_ctx ctx, enum role role, const struct config *config)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < SANDBOX_FAMILIES; i++) {
        enum sandbox_family family = (enum sandbox_family)i;
        if (sandbox_role_has(role, config, family)) {
            rc = act_on(ctx, SCMP_ACT_ALLOW, sandbox_calls(family));
        }
    }
    if (rc == 0 && sandbox_role_has(role, config, SANDBOX_CALLS_CONNECT)) {
        rc = allow_sockets(ctx);
    }
    if (rc == 0 && sandbox_role_has(role, config, SANDBOX_CALLS_CLOCK)) {
        rc = allow_clock_devices(ctx);
    }
    rc = rc != 0 ? rc : allow_memory(ctx, sandbox_connects(role, config));
    rc = rc != 0 ? rc : allow_threads(ctx);
    rc = rc != 0 ? rc : pretend_missing(ctx);
    rc = rc != 0 ? rc : allow_own_signals(ctx);
    rc = rc != 0 ? rc : allow_log(ctx);
    return rc != 0 ? rc : allow_descriptors(ctx);
}

static int fill(scmp_filter_ctx ctx, enum role role, const struct config *config, uint32_t refuse)
{
    /* The kernel would otherwise answer a call of another architecture by killing the thread. */
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    rc = rc != 0 ? rc : seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc != 0) {
        return rc;
    }
    return sandbox_is_loose(role, config) ? act_on(ctx, refuse, sandbox_calls_never())
                                          : allow_role(ctx, role, config);
}

bool sandbox_syscalls_exist(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

NODISCARD enum nts_err sandbox_syscalls_enter(enum role role, const struct config *config,
                                              bool told)
{
    uint32_t refuse = told ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
    bool loose = sandbox_is_loose(role, config);
    if (told && !tell(role)) {
        return NTS_ESYSTEM;
    }
    scmp_filter_ctx ctx = seccomp_init(loose ? SCMP_ACT_ALLOW : refuse);
    if (ctx == NULL) {
        errno = ENOMEM;
        return NTS_ESYSTEM;
    }
    int rc = fill(ctx, role, config, refuse);
    rc = rc != 0 ? rc : seccomp_load(ctx);
    seccomp_release(ctx);
    errno = rc < 0 ? -rc : 0;
    return rc == 0 ? NTS_OK : NTS_ESYSTEM;
}
