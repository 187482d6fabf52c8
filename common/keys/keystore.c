/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret document in the state directory. See keystore.h. What is written and how often is
 * decided by the caller; what may be believed is decided here, before a single octet is read.
 */
#include "common/keys/keystore.h"

#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/keys/keyplan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE_DIR = 0700, MODE_FILE = 0600, MODE_OTHERS = 0077 };

/* Every fault names a path; this is where it goes and what it says first. */
struct place {
    const char *dir;
    char path[PATH_MAX];
    struct keystore_fault *fault;
};

__attribute__((format(printf, 3, 4))) static enum nts_err
refuse(const struct place *place, enum nts_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(place->fault->text, sizeof(place->fault->text), format, args);
    va_end(args);
    return err;
}

static const char *remedy_for(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "make room on its file system";
    case EROFS:
        return "make its file system writable, or choose another directory with ntsdumpdir";
    case EACCES:
    case EPERM:
        return "give the directory to the user ntsd runs as, or choose another with ntsdumpdir";
    case ENOENT:
        return "create the parent directory, or choose another with ntsdumpdir";
    case ENOTDIR:
        return "a file is where a directory has to be";
    default:
        return "look after its file system";
    }
}

static enum nts_err refuse_errno(const struct place *place, const char *verb, const char *path)
{
    int error = errno;
    char text[64];
    return refuse(place, NTS_ESYSTEM, "cannot %s %s: %s; %s", verb, path,
                  strerror_r(error, text, sizeof(text)), remedy_for(error));
}

static enum nts_err place_init(struct place *place, const char *dir, struct keystore_fault *fault)
{
    place->dir = dir;
    place->fault = fault;
    fault->text[0] = '\0';
    int len = snprintf(place->path, sizeof(place->path), "%s/%s", dir, KEYSTORE_FILE);
    if (len < 0 || (size_t)len >= sizeof(place->path)) {
        return refuse(place, NTS_ESYSTEM, "the name of the state directory is too long");
    }
    return NTS_OK;
}

static enum nts_err check_rights(const struct place *place, const char *path, const struct stat *st)
{
    if (st->st_uid != geteuid()) {
        return refuse(place, NTS_EAUTH,
                      "%s belongs to uid %u and ntsd runs as uid %u; if it is ntsd's: chown %u %s",
                      path, st->st_uid, geteuid(), geteuid(), path);
    }
    if ((st->st_mode & MODE_OTHERS) != 0) {
        return refuse(place, NTS_EAUTH,
                      "%s is open to other users (mode %04o), so its secret may be known; if you "
                      "are sure it is not: chmod %04o %s",
                      path, st->st_mode & 07777U,
                      (unsigned)(S_ISDIR(st->st_mode) ? MODE_DIR : MODE_FILE), path);
    }
    return NTS_OK;
}

/* Makes the entry of a new directory durable. A parent we may not read is left to the kernel. */
static void sync_parent(int dir)
{
    int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        (void)fsync(parent);
        (void)close(parent);
    }
}

/* The directory itself may be reached by a symbolic link: systemd's StateDirectory= can be one. */
static enum nts_err prepare_dir(const struct place *place, bool may_create)
{
    bool made = may_create && mkdir(place->dir, MODE_DIR) == 0;
    if (may_create && !made && errno != EEXIST) {
        return refuse_errno(place, "create", place->dir);
    }
    int fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        bool missing = !may_create && errno == ENOENT;
        return missing ? NTS_ENOTFOUND : refuse_errno(place, "open", place->dir);
    }
    struct stat st;
    enum nts_err err = fstat(fd, &st) != 0 ? refuse_errno(place, "examine", place->dir)
                                           : check_rights(place, place->dir, &st);
    if (made) {
        sync_parent(fd);
    }
    (void)close(fd);
    return err;
}

/* Nobody else can change an entry of a directory that passed prepare_dir(), so what is examined
 * here is what is read afterwards. */
static enum nts_err check_file(const struct place *place)
{
    struct stat st;
    if (lstat(place->path, &st) != 0) {
        return errno == ENOENT ? NTS_ENOTFOUND : refuse_errno(place, "examine", place->path);
    }
    if (S_ISLNK(st.st_mode)) {
        return refuse(place, NTS_EAUTH,
                      "%s is a symbolic link; put the file itself there, or make the directory the "
                      "link",
                      place->path);
    }
    if (!S_ISREG(st.st_mode)) {
        return refuse(place, NTS_EFORMAT, "%s is not a regular file; move it away", place->path);
    }
    return check_rights(place, place->path, &st);
}

static enum nts_err refuse_document(const struct place *place, const char *why)
{
    return refuse(
        place, NTS_EFORMAT,
        "%s cannot be used: %s; restore it from a backup, or move it away (all cookies in "
        "the field become invalid)",
        place->path, why);
}

static enum nts_err load(const struct place *place, struct keydoc *doc)
{
    TRY(check_file(place));
    uint8_t text[KEYDOC_TEXT_MAX];
    size_t len = 0;
    enum nts_err err = file_read(place->path, text, sizeof(text), &len);
    if (err == NTS_ELIMIT) {
        return refuse_document(place, "it is far too long");
    }
    if (err != NTS_OK) {
        return refuse_errno(place, "read", place->path);
    }
    struct keydoc_fault why;
    err = keydoc_parse(span_of(text, len), doc, &why);
    wipe(text, sizeof(text));
    if (err == NTS_EFORMAT) {
        return refuse_document(place, why.text);
    }
    if (err != NTS_OK) {
        return refuse(place, err, "%s: %s", place->path, why.text);
    }
    return NTS_OK;
}

static enum nts_err store(const struct place *place, const struct keydoc *doc)
{
    uint8_t text[KEYDOC_WRITTEN_MAX];
    struct wr out = wr_init(text, sizeof(text));
    enum nts_err err = keydoc_write(doc, &out);
    assert(err == NTS_OK);
    err = file_replace(place->path, wr_done(&out), MODE_FILE);
    wipe(text, sizeof(text));
    return err != NTS_OK ? refuse_errno(place, "write", place->path) : NTS_OK;
}

/* The document of a host that has none. */
static enum nts_err make(const struct place *place, const struct keystore_options *options,
                         struct rng *rng, struct keydoc *doc)
{
    struct keyplan_fault why;
    struct keyplan plan = keyplan_make(doc, options->now_s, options->rotate_s);
    enum nts_err err = keyplan_apply(&plan, rng, doc, &why);
    if (err != NTS_OK) {
        return refuse(place, err, "%s cannot be made: %s", place->path, why.text);
    }
    return store(place, doc);
}

static enum nts_err refuse_missing(const struct place *place)
{
    return refuse(place, NTS_ENOTFOUND,
                  "%s is gone while its keys are in use; restore it from a backup, or restart ntsd "
                  "to begin with a new secret (all cookies in the field become invalid)",
                  place->path);
}

static enum nts_err load_or_make(const struct place *place, const struct keystore_options *options,
                                 struct rng *rng, struct keydoc *doc)
{
    enum nts_err err = prepare_dir(place, options->may_create);
    if (err == NTS_OK) {
        err = load(place, doc);
    }
    if (err != NTS_ENOTFOUND) {
        return err;
    }
    return options->may_create ? make(place, options, rng, doc) : refuse_missing(place);
}

NODISCARD enum nts_err keystore_open(const struct keystore_options *options, struct rng *rng,
                                     struct keydoc *doc, struct keystore_fault *fault)
{
    assert(options->rotate_s >= KEYDOC_ROTATE_MIN_S && options->rotate_s <= KEYDOC_ROTATE_MAX_S);
    struct place place;
    keydoc_wipe(doc);
    TRY(place_init(&place, options->dir, fault));
    enum nts_err err = load_or_make(&place, options, rng, doc);
    if (err != NTS_OK) {
        keydoc_wipe(doc);
    }
    return err;
}

NODISCARD enum nts_err keystore_save(const char *dir, const struct keydoc *doc,
                                     struct keystore_fault *fault)
{
    struct place place;
    TRY(place_init(&place, dir, fault));
    return store(&place, doc);
}
