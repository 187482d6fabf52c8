/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two layers, in order: Landlock's own system calls are not in any role's list.
 */
#include "ntsd/sandbox.h"

#include "common/base/log.h"
#include "ntsd/sandbox_files.h"
#include "ntsd/sandbox_syscalls.h"

#include <openssl/ssl.h>
#include <time.h>

/* What libraries want to look up or load once has to be looked up before. */
static void warm_up(enum role role)
{
    tzset();
    if (role == ROLE_KE || role == ROLE_CLOCK) {
        (void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, NULL);
    }
}

NODISCARD enum nts_err sandbox_enter(enum role role, const struct config *config, unsigned *layers)
{
    *layers = 0;
    warm_up(role);
    unsigned files = sandbox_is_loose(role, config) ? 0 : sandbox_files_layers();
    if (files != 0) {
        TRY(sandbox_files_enter(role, config));
        *layers = sandbox_connects(role, config) ? files & ~(unsigned)SANDBOX_NETWORK : files;
    }
    if (sandbox_syscalls_exist()) {
        TRY(sandbox_syscalls_enter(role, config, config->log_level == LOG_LEVEL_DEBUG));
        *layers |= SANDBOX_SYSCALLS;
    }
    return NTS_OK;
}
