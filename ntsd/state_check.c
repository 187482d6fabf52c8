/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See state_check.h.
 */
#include "ntsd/state_check.h"

#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/base/time.h"
#include "common/keys/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE_DIR = 0700, MODE_FILE = 0600, MODE_OTHERS = 0077, MODE_ALL = 0777 };

__attribute__((format(printf, 2, 3))) static bool refuse(struct state_fault *fault,
                                                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return false;
}

/* A path taken apart: "/a/b//" is "b" in "/a/", "/" is "." in "/". */
struct place {
    char parent[PATH_MAX];
    char name[PATH_MAX];
};

static bool place_of(const char *path, struct place *place)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    size_t from = end;
    while (from > 0 && path[from - 1] != '/') {
        from--;
    }
    if (end >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)snprintf(place->parent, PATH_MAX, "%.*s", from == 0 ? 1 : (int)from,
                   from == 0 ? "." : path);
    bool is_top = from == end && end > 0;
    (void)snprintf(place->name, PATH_MAX, "%.*s", is_top ? 1 : (int)(end - from),
                   is_top ? "." : path + from);
    return true;
}

/* Whoever owns the parent may put something else in the place of what mkdir(2) made. So what is
 * given away is an open directory that is ours and closed to others; the name is not used again,
 * not even to remove it. */
static bool give(int fd, const char *dir, const struct account *account, struct state_fault *fault)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return refuse(fault, "cannot examine %s: %s", dir, strerror(errno));
    }
    if (st.st_uid != geteuid() || (st.st_mode & MODE_ALL) != MODE_DIR) {
        return refuse(fault, "%s is not what was made there; who else may write beside it?", dir);
    }
    if (fchown(fd, account->uid, account->gid) != 0) {
        return refuse(fault, "cannot give %s to %s: %s", dir, account->name, strerror(errno));
    }
    return true;
}

/* The parent is held open, so that both steps happen in the same one. The name has no slash at its
 * end, with which O_NOFOLLOW would follow. */
static bool create_in(int parent, const char *name, const char *dir, const struct account *account,
                      struct state_fault *fault)
{
    if (mkdirat(parent, name, MODE_DIR) != 0) {
        return errno == EEXIST || refuse(fault, "cannot create %s: %s", dir, strerror(errno));
    }
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return refuse(fault, "cannot open %s: %s", dir, strerror(errno));
    }
    bool given = give(fd, dir, account, fault);
    (void)close(fd);
    return given;
}

NODISCARD enum nts_err state_create(const char *dir, const struct account *account,
                                    struct state_fault *fault)
{
    struct place place;
    int parent = -1;
    if (place_of(dir, &place)) {
        parent = open(place.parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (parent < 0) {
        (void)refuse(fault, "cannot create %s: %s", dir, strerror(errno));
        return NTS_ESYSTEM;
    }
    bool good = create_in(parent, place.name, dir, account, fault);
    (void)close(parent);
    return good ? NTS_OK : NTS_ESYSTEM;
}

/* The same demands as the key store's, which explains them. */
static bool has_rights(const char *path, const struct stat *st, struct state_fault *fault)
{
    if (st->st_uid != geteuid()) {
        return refuse(fault, "%s belongs to uid %u and ntsd runs as uid %u: chown %u %s", path,
                      (unsigned)st->st_uid, (unsigned)geteuid(), (unsigned)geteuid(), path);
    }
    if ((st->st_mode & MODE_OTHERS) != 0) {
        return refuse(fault, "%s is open to other users: chmod %04o %s", path,
                      (unsigned)(S_ISDIR(st->st_mode) ? MODE_DIR : MODE_FILE), path);
    }
    return true;
}

static bool fail_errno(const char *path, struct state_fault *fault)
{
    return refuse(fault, "%s: %s; ntsdumpdir says where it is", path, strerror(errno));
}

/* A directory that is not there yet needs a parent in which it can be made. */
static bool check_parent(const char *dir, bool made_by_root, struct state_fault *fault)
{
    struct place place;
    struct stat st;
    if (!place_of(dir, &place)) {
        return fail_errno(dir, fault);
    }
    if (stat(place.parent, &st) != 0) {
        return fail_errno(place.parent, fault);
    }
    return made_by_root || access(place.parent, W_OK | X_OK) == 0 ||
           fail_errno(place.parent, fault);
}

static bool check_document(const char *path, struct state_fault *fault)
{
    uint8_t text[KEYDOC_TEXT_MAX];
    struct keydoc doc;
    struct keydoc_fault why;
    size_t n = 0;
    enum nts_err err = file_read(path, text, sizeof(text), &n);
    if (err == NTS_ESYSTEM) {
        return fail_errno(path, fault);
    }
    if (err != NTS_OK) {
        return refuse(fault, "%s: %s", path, nts_err_name(err));
    }
    err = keydoc_parse(span_of(text, n), &doc, &why);
    wipe(text, sizeof(text));
    keydoc_wipe(&doc);
    if (err != NTS_OK) {
        (void)refuse(fault, "%s cannot be used: %s", path, why.text);
    }
    return err == NTS_OK;
}

bool state_check_dir(const char *dir, bool made_by_root, struct state_fault *fault)
{
    struct stat st;
    if (stat(dir, &st) != 0) {
        return errno == ENOENT ? check_parent(dir, made_by_root, fault) : fail_errno(dir, fault);
    }
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return fail_errno(dir, fault);
    }
    return has_rights(dir, &st, fault);
}

bool state_check(const char *dir, bool made_by_root, struct state_fault *fault)
{
    char path[PATH_MAX];
    struct stat st;
    if (!state_check_dir(dir, made_by_root, fault)) {
        return false;
    }
    int len = snprintf(path, sizeof(path), "%s/%s", dir, KEYSTORE_FILE);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return fail_errno(dir, fault);
    }
    if (lstat(path, &st) != 0) {
        return errno == ENOENT || fail_errno(path, fault);
    }
    return has_rights(path, &st, fault) && check_document(path, fault);
}

bool state_prepare_dir(const char *dir, struct state_fault *fault)
{
    if (mkdir(dir, MODE_DIR) != 0 && errno != EEXIST) {
        return refuse(fault, "cannot create %s: %s; ntsdumpdir says where it is", dir,
                      strerror(errno));
    }
    return state_check_dir(dir, false, fault);
}

bool state_prepare(const char *dir, uint32_t rotate_s, struct state_fault *fault)
{
    struct keystore_fault why = {{0}};
    struct keydoc doc;
    struct rng *rng = rng_new();
    if (rng == NULL) {
        return refuse(fault, "out of memory");
    }
    const struct keystore_options options = {
        .dir = dir, .now_s = wall_now().ns / NS_PER_S, .rotate_s = rotate_s, .may_create = true};
    enum nts_err err = keystore_open(&options, rng, &doc, &why);
    keydoc_wipe(&doc);
    rng_free(rng);
    if (err != NTS_OK) {
        (void)refuse(fault, "%s", why.text);
    }
    return err == NTS_OK;
}
