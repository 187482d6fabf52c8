/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock. See sandbox_files.h; the kernel's Documentation/userspace-api/landlock.rst has the ABI,
 * of which this knows versions 1 to 6 and asks for what the running kernel has. The numbers are our
 * own because the headers of the systems this is built on are older than the kernels it runs on.
 */
#include "ntsd/sandbox_files.h"

#include "ntsd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS(bit)                   (UINT64_C(1) << (bit))
#define FS_WRITE_FILE             FS(1)
#define FS_READ_FILE              FS(2)
#define FS_READ_DIR               FS(3)
#define FS_REMOVE_FILE            FS(5)
#define FS_MAKE_REG               FS(8)
#define FS_TRUNCATE               FS(14) /* ABI 3 */
#define FS_IOCTL_DEV              FS(15) /* ABI 5 */
#define FS_OF_A_FILE              (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_BIND_AND_CONNECT      UINT64_C(3)
#define SCOPE_SOCKETS_AND_SIGNALS UINT64_C(3)

enum { ABI_MAX = 6, VERSION_QUESTION = 1, RULE_PATH_BENEATH = 1 };

/* As the kernel reads them: by size, so that an old one is given less. */
struct ruleset {
    uint64_t fs;
    uint64_t net;   /* ABI 4 */
    uint64_t scope; /* ABI 6 */
};

struct __attribute__((packed)) path_rule { /* the kernel's layout, not a wire's */
    uint64_t access;
    int32_t fd;
};

/* Access rights of a file system that each version knows: bits 0 to one less than this. */
static const unsigned fs_bits[ABI_MAX + 1] = {0, 13, 14, 15, 15, 16, 16};

static unsigned abi_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_QUESTION);
    if (version < 1) {
        return 0;
    }
    return version < ABI_MAX ? (unsigned)version : ABI_MAX;
}

unsigned sandbox_files_layers(void)
{
    unsigned abi = abi_version();
    return (abi >= 1 ? SANDBOX_FILES : 0U) | (abi >= 4 ? SANDBOX_NETWORK : 0U) |
           (abi >= 6 ? SANDBOX_SCOPE : 0U);
}

static uint64_t access_of(enum sandbox_reach reach)
{
    switch (reach) {
    case SANDBOX_READ_BENEATH:
        return FS_READ_FILE | FS_READ_DIR;
    case SANDBOX_WRITE_BENEATH:
        return FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG |
               FS_REMOVE_FILE;
    case SANDBOX_DEVICE:
        return FS_READ_FILE | FS_WRITE_FILE | FS_IOCTL_DEV;
    }
    return 0;
}

static bool add_path(int ruleset, const char *path, uint64_t access)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return true; /* what is not there cannot be reached either */
    }
    bool good = fstat(fd, &st) == 0;
    struct path_rule rule = {.access = S_ISDIR(st.st_mode) ? access : access & FS_OF_A_FILE,
                             .fd = fd};
    good = good && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return good;
}

static bool add_directory_of(int ruleset, const char *path, uint64_t access)
{
    char copy[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(copy)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(copy, path, len + 1);
    return add_path(ruleset, dirname(copy), access);
}

static bool add_rule(int ruleset, const struct sandbox_path *path, uint64_t handled)
{
    char real[PATH_MAX];
    uint64_t access = access_of(path->reach) & handled;
    if (!path->directory_of) {
        return add_path(ruleset, path->path, access);
    }
    bool leads = realpath(path->path, real) != NULL;
    return add_directory_of(ruleset, path->path, access) &&
           (!leads || add_directory_of(ruleset, real, access));
}

static bool add_rules(int ruleset, enum role role, const struct config *config, uint64_t handled)
{
    struct sandbox_path path[SANDBOX_PATHS_MAX];
    size_t count = sandbox_paths(role, config, path);
    for (size_t i = 0; i < count; i++) {
        if (!add_rule(ruleset, &path[i], handled)) {
            return false;
        }
    }
    return true;
}

NODISCARD enum nts_err sandbox_files_enter(enum role role, const struct config *config)
{
    unsigned abi = abi_version();
    bool connects = sandbox_connects(role, config);
    struct ruleset rules = {
        .fs = FS(fs_bits[abi]) - 1,
        .net = abi >= 4 && !connects ? NET_BIND_AND_CONNECT : 0,
        .scope = abi >= 6 ? SCOPE_SOCKETS_AND_SIGNALS : 0,
    };
    size_t size = abi >= 6 ? sizeof(rules) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) {
        return NTS_ESYSTEM;
    }
    bool good = add_rules(ruleset, role, config, rules.fs) &&
                syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int error = errno;
    (void)close(ruleset);
    errno = error;
    return good ? NTS_OK : NTS_ESYSTEM;
}
