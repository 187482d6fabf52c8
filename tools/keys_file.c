/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See keys_file.h. What is examined is the file that was opened, not its name.
 */
#include "tools/keys_file.h"

#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/base/time.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A group may read: that of ntsd, for a file that is root's. */
enum { MODE_NEW = 0600, MODE_KEPT = 0640, MODE_OPEN = 0037, LOCK_PAUSE_NS = 20000000 };

__attribute__((format(printf, 3, 4))) static enum nts_err
refuse(struct keys_file_fault *fault, enum nts_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return err;
}

static const char *remedy_for(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "; make room on its file system";
    case EROFS:
        return "; its file system is mounted read-only";
    case EACCES:
    case EPERM:
        return "; do this as the file's and its directory's owner, or as root";
    default:
        return "";
    }
}

static enum nts_err refuse_errno(struct keys_file_fault *fault, const char *verb, const char *path)
{
    int error = errno;
    char text[64];
    return refuse(fault, error == ENOENT ? NTS_ENOTFOUND : NTS_ESYSTEM, "cannot %s %s: %s%s", verb,
                  path, strerror_r(error, text, sizeof(text)), remedy_for(error));
}

static enum nts_err refuse_open_to_others(struct keys_file_fault *fault, const char *path,
                                          mode_t mode)
{
    return refuse(fault, NTS_EAUTH,
                  "%s is open to other users (mode %04o), so its secret may be known; if you are "
                  "sure it is not: chmod %04o %s; else make a new secret",
                  path, (unsigned)mode & 07777U, MODE_NEW, path);
}

/* The name of the directory that `path` lies in. */
static enum nts_err parent_of(const char *path, char parent[static PATH_MAX],
                              struct keys_file_fault *fault)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    if (strlen(path) >= PATH_MAX) {
        return refuse(fault, NTS_ESYSTEM, "the name of the file is too long");
    }
    memcpy(parent, slash == NULL ? "." : path, len);
    parent[len] = '\0';
    return NTS_OK;
}

/* Sticky directories, such as /tmp, are fine: nobody else can replace our file there. */
static enum nts_err check_dir(const char *dir, int fd, struct keys_file_fault *fault)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return refuse_errno(fault, "examine", dir);
    }
    if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0) {
        return refuse(fault, NTS_EAUTH,
                      "anybody may write in %s, and put a secret of their own in the place of "
                      "yours; choose another directory, or: chmod o-w %s",
                      dir, dir);
    }
    return NTS_OK;
}

/* Waits for whoever changes a file there, but not for ever: any user may take such a lock. */
static enum nts_err take_lock(const char *dir, int fd, struct keys_file_fault *fault)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    const struct mono_ns deadline = {.ns = mono_now().ns + KEYS_FILE_LOCK_MS * NS_PER_MS};
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return refuse_errno(fault, "lock", dir);
        }
        if (mono_now().ns > deadline.ns) {
            return refuse(fault, NTS_ELIMIT,
                          "another program has held the lock of %s for %d s; try again when it has "
                          "ended",
                          dir, KEYS_FILE_LOCK_MS / 1000);
        }
        (void)nanosleep(&pause, NULL);
    }
    return NTS_OK;
}

/* The lock on the directory of `path`. */
static enum nts_err lock_open(const char *path, int *lock, struct keys_file_fault *fault)
{
    char dir[PATH_MAX];
    TRY(parent_of(path, dir, fault));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return refuse_errno(fault, "open the directory", dir);
    }
    enum nts_err err = check_dir(dir, fd, fault);
    if (err == NTS_OK) {
        err = take_lock(dir, fd, fault);
    }
    if (err != NTS_OK) {
        (void)close(fd);
        return err;
    }
    *lock = fd;
    return NTS_OK;
}

static enum nts_err refuse_name(struct keys_file_fault *fault, const char *path)
{
    int error = errno;
    char target[PATH_MAX];
    if (error == ENOENT) {
        return refuse(fault, NTS_ENOTFOUND,
                      "%s does not exist; a new document is made by: ntsctl keys init %s", path,
                      path);
    }
    ssize_t n = error == ELOOP ? readlink(path, target, sizeof(target) - 1) : -1;
    errno = error;
    if (n < 0) {
        return refuse_errno(fault, "open", path);
    }
    target[n] = '\0';
    return refuse(fault, NTS_EAUTH,
                  "%s is a symbolic link to %s, and the new document would take the link's place; "
                  "name the file itself",
                  path, target);
}

static enum nts_err check_file(struct keys_file *file, int fd, struct keys_file_fault *fault)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return refuse_errno(fault, "examine", file->path);
    }
    if (!S_ISREG(st.st_mode)) {
        return refuse(fault, NTS_EFORMAT, "%s is not a regular file", file->path);
    }
    if (geteuid() != 0 && st.st_uid != geteuid()) {
        return refuse(fault, NTS_EAUTH,
                      "%s belongs to uid %u and this runs as uid %u; do it as that user or as root",
                      file->path, st.st_uid, geteuid());
    }
    if ((st.st_mode & MODE_OPEN) != 0) {
        return refuse_open_to_others(fault, file->path, st.st_mode);
    }
    file->uid = st.st_uid;
    file->gid = st.st_gid;
    file->mode = st.st_mode & MODE_KEPT;
    return NTS_OK;
}

static enum nts_err read_document(const char *path, int fd, struct keydoc *doc,
                                  struct keys_file_fault *fault)
{
    uint8_t text[KEYDOC_TEXT_MAX];
    size_t len = 0;
    struct keydoc_fault why;
    enum nts_err err = file_read_fd(fd, text, sizeof(text), &len);
    if (err == NTS_ELIMIT) {
        return refuse(fault, NTS_EFORMAT, "%s is longer than %d octets, so it is no document", path,
                      KEYDOC_TEXT_MAX);
    }
    if (err != NTS_OK) {
        return refuse_errno(fault, "read", path);
    }
    err = keydoc_parse(span_of(text, len), doc, &why);
    wipe(text, sizeof(text));
    if (err == NTS_EFORMAT) {
        return refuse(fault, err, "%s cannot be used: %s; restore it from a backup", path,
                      why.text);
    }
    return err == NTS_OK ? NTS_OK : refuse(fault, err, "%s: %s", path, why.text);
}

static enum nts_err load(struct keys_file *file, struct keys_file_fault *fault)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return refuse_name(fault, file->path);
    }
    enum nts_err err = check_file(file, fd, fault);
    if (err == NTS_OK) {
        err = read_document(file->path, fd, &file->doc, fault);
    }
    (void)close(fd);
    return err;
}

NODISCARD enum nts_err keys_file_open(const char *path, struct keys_file *file,
                                      struct keys_file_fault *fault)
{
    *file = (struct keys_file){.path = path, .lock = -1};
    TRY(lock_open(path, &file->lock, fault));
    enum nts_err err = load(file, fault);
    if (err != NTS_OK) {
        keys_file_close(file);
    }
    return err;
}

void keys_file_close(struct keys_file *file)
{
    if (file->lock >= 0) {
        (void)close(file->lock);
        file->lock = -1;
    }
    keydoc_wipe(&file->doc);
}

static enum nts_err put(const char *path, const struct keydoc *doc, const struct file_new *as)
{
    uint8_t text[KEYDOC_WRITTEN_MAX];
    struct wr out = wr_init(text, sizeof(text));
    enum nts_err err = keydoc_write(doc, &out);
    assert(err == NTS_OK);
    err = file_put(path, wr_done(&out), as);
    int saved = errno;
    wipe(text, sizeof(text));
    errno = saved;
    return err;
}

NODISCARD enum nts_err keys_file_save(const struct keys_file *file, struct keys_file_fault *fault)
{
    const struct file_new as = {.mode = file->mode, .uid = file->uid, .gid = file->gid};
    return put(file->path, &file->doc, &as) == NTS_OK ? NTS_OK
                                                      : refuse_errno(fault, "write", file->path);
}

NODISCARD enum nts_err keys_file_make(const char *path, const struct keydoc *doc,
                                      struct keys_file_fault *fault)
{
    const struct file_new as = {
        .mode = MODE_NEW, .uid = (uid_t)-1, .gid = (gid_t)-1, .only_new = true};
    int lock = -1;
    TRY(lock_open(path, &lock, fault));
    enum nts_err err = put(path, doc, &as);
    if (err != NTS_OK) {
        err = errno == EEXIST
                  ? refuse(fault, NTS_EAUTH,
                           "%s exists and is not replaced; move it away if its secret is not in "
                           "use any more, or add to it: ntsctl keys add %s",
                           path, path)
                  : refuse_errno(fault, "write", path);
    }
    (void)close(lock);
    return err;
}

static void warn_of_rights(const char *path, int fd, FILE *warn)
{
    struct stat st;
    struct keys_file_fault fault = {""};
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & MODE_OPEN) != 0) {
        (void)refuse_open_to_others(&fault, path, st.st_mode);
        (void)fprintf(warn, "warning: %s\n", fault.text);
    }
}

NODISCARD enum nts_err keys_file_read(const char *path, struct keydoc *doc, FILE *warn,
                                      struct keys_file_fault *fault)
{
    if (strcmp(path, "-") == 0) {
        return read_document("standard input", STDIN_FILENO, doc, fault);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return refuse_errno(fault, "open", path);
    }
    warn_of_rights(path, fd, warn);
    enum nts_err err = read_document(path, fd, doc, fault);
    (void)close(fd);
    return err;
}
