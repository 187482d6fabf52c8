/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret document in the state directory. See keystore.h. What is written and how often is
 * decided by the caller; what may be believed is decided here, before a single octet is read.
 */
#include "common/keys/keystore.h"

#include "common/base/file.h"
#include "common/base/secret.h"

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
static enum nts_err prepare_dir(const struct place *place)
{
    bool made = mkdir(place->dir, MODE_DIR) == 0;
    if (!made && errno != EEXIST) {
        return refuse_errno(place, "create", place->dir);
    }
    int fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return refuse_errno(place, "open", place->dir);
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

/* Adds an epoch that begins and rotates as said, with a secret of its own, and stores it. */
static enum nts_err add_epoch(const struct place *place, struct rng *rng, int64_t not_before,
                              uint32_t rotate_s, struct keydoc *doc)
{
    if (doc->count == KEYDOC_EPOCHS_MAX) {
        return refuse(place, NTS_ELIMIT,
                      "%s holds %d epochs and ntsrotate %u needs one more; set ntsrotate %u until "
                      "old ones have expired",
                      place->path, KEYDOC_EPOCHS_MAX, rotate_s,
                      doc->epoch[doc->count - 1].rotate_s);
    }
    if (not_before > KEYDOC_NOT_BEFORE_MAX) {
        return refuse(place, NTS_ELIMIT, "the clock is beyond the year 9999; set it");
    }
    struct keydoc_epoch *epoch = &doc->epoch[doc->count];
    *epoch = (struct keydoc_epoch){.not_before = not_before, .rotate_s = rotate_s};
    epoch->id = keydoc_free_id(doc);
    if (rng_bytes(rng, epoch->chain, sizeof(epoch->chain)) != NTS_OK) {
        return refuse(place, NTS_ESYSTEM, "the kernel gives no random octets for %s", place->path);
    }
    doc->count++;
    return store(place, doc);
}

static int64_t running_period(const struct keydoc_epoch *epoch, int64_t now_s)
{
    int64_t period = now_s < epoch->not_before ? 0 : (now_s - epoch->not_before) / epoch->rotate_s;
    return period > epoch->index ? period : epoch->index;
}

/* Adds an epoch when the newest one does not rotate as asked, or will not for much longer. */
static enum nts_err renew(const struct place *place, struct rng *rng, int64_t now_s,
                          uint32_t rotate_s, struct keydoc *doc)
{
    const struct keydoc_epoch *newest = &doc->epoch[doc->count - 1];
    int64_t period = running_period(newest, now_s);
    if (newest->rotate_s == rotate_s && period <= KEYDOC_INDEX_MAX / 2) {
        return NTS_OK;
    }
    int64_t ends = newest->not_before + (period + 1) * newest->rotate_s;
    return add_epoch(place, rng, ends, rotate_s, doc);
}

/* A clock before 1970 or beyond the year 9999 counts as that limit: a document cannot say more. */
static int64_t documentable(int64_t now_s)
{
    int64_t late = now_s > KEYDOC_NOT_BEFORE_MAX ? KEYDOC_NOT_BEFORE_MAX : now_s;
    return late < 0 ? 0 : late;
}

static enum nts_err load_or_make(const struct place *place, int64_t now_s, uint32_t rotate_s,
                                 struct rng *rng, struct keydoc *doc)
{
    TRY(prepare_dir(place));
    enum nts_err err = load(place, doc);
    if (err == NTS_OK) {
        return renew(place, rng, now_s, rotate_s, doc);
    }
    if (err != NTS_ENOTFOUND) {
        return err;
    }
    return add_epoch(place, rng, now_s - now_s % rotate_s, rotate_s, doc);
}

NODISCARD enum nts_err keystore_open(const char *dir, int64_t now_s, uint32_t rotate_s,
                                     struct rng *rng, struct keydoc *doc,
                                     struct keystore_fault *fault)
{
    assert(rotate_s >= KEYDOC_ROTATE_MIN_S && rotate_s <= KEYDOC_ROTATE_MAX_S);
    struct place place;
    keydoc_wipe(doc);
    TRY(place_init(&place, dir, fault));
    enum nts_err err = load_or_make(&place, documentable(now_s), rotate_s, rng, doc);
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
