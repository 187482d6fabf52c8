/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See keycache.h.
 */
#include "common/keys/keycache.h"

#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/crypto/aead.h"
#include "common/crypto/kdf.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FORMAT_VERSION = 1,
    HEAD_LEN = 9,
    SAVED_LEN = 8,
    PLAIN_MAX = SAVED_LEN + KEYDOC_WRITTEN_MAX,
    SEALED_MAX = HEAD_LEN + AEAD_NONCE_LEN + AEAD_TAG_LEN + PLAIN_MAX,
    AD_MAX = 8192, /* head, kind, and a line of configuration */
    ID_MAX = 256,
    CACHE_KEY_LEN = 32,
    MODE_DIR = 0700,
    MODE_FILE = 0600,
    MODE_OTHERS = 0077,
};

static const char magic[] = "ntsdseal";
static const char info[] = "ntsd cache";

static_assert(sizeof(magic) - 1 + 1 == HEAD_LEN, "magic and version");

/* A path, and where to say what is wrong with it. */
struct place {
    char path[PATH_MAX];
    struct keycache_fault *fault;
};

__attribute__((format(printf, 3, 4))) static enum nts_err
refuse(struct keycache_fault *fault, enum nts_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return err;
}

#define PATH "%.240s" /* in a fault */

static enum nts_err refuse_errno(const struct place *place, const char *verb)
{
    int error = errno;
    char text[64];
    return refuse(place->fault, NTS_ESYSTEM, "cannot %s " PATH ": %s", verb, place->path,
                  strerror_r(error, text, sizeof(text)));
}

static enum nts_err place_init(struct place *place, const char *dir, const char *name,
                               struct keycache_fault *fault)
{
    place->fault = fault;
    const char *slash = name[0] == '\0' ? "" : "/";
    int len = snprintf(place->path, sizeof(place->path), "%s%s%s", dir, slash, name);
    if (len < 0 || (size_t)len >= sizeof(place->path)) {
        return refuse(fault, NTS_ESYSTEM, "the name of the state directory is too long");
    }
    return NTS_OK;
}

/* What is ours alone: of our user, closed to all others, and no symbolic link to who knows where.
 * NTS_ENOTFOUND: not there. */
static enum nts_err check_rights(const struct place *place, mode_t type, mode_t mode)
{
    struct stat st;
    int failed = type == S_IFDIR ? stat(place->path, &st) : lstat(place->path, &st);
    if (failed != 0) {
        return errno == ENOENT ? NTS_ENOTFOUND : refuse_errno(place, "examine");
    }
    if ((st.st_mode & S_IFMT) != type) {
        return refuse(place->fault, NTS_EAUTH, PATH " is not a %s; move it away", place->path,
                      type == S_IFDIR ? "directory" : "regular file");
    }
    if (st.st_uid != geteuid()) {
        return refuse(place->fault, NTS_EAUTH, PATH " belongs to uid %u and ntsd runs as uid %u",
                      place->path, st.st_uid, geteuid());
    }
    if ((st.st_mode & MODE_OTHERS) != 0) {
        return refuse(place->fault, NTS_EAUTH,
                      PATH " is open to other users (mode %04o): chmod %04o it", place->path,
                      (unsigned)st.st_mode & 07777, (unsigned)mode);
    }
    return NTS_OK;
}

/* For a save: the directory is made when missing, and has to be ours. */
static enum nts_err prepare_dir(const struct keycache *cache, struct keycache_fault *fault)
{
    struct place place;
    TRY(place_init(&place, cache->dir, "", fault));
    enum nts_err err = check_rights(&place, S_IFDIR, MODE_DIR);
    if (err != NTS_ENOTFOUND) {
        return err;
    }
    return mkdir(cache->dir, MODE_DIR) == 0 ? NTS_OK : refuse_errno(&place, "create");
}

/* A secret that is longer than a key is hashed into one; see derive(). */
struct secret {
    size_t len;
    uint8_t bytes[KEYCACHE_SECRET_MAX];
};

static enum nts_err read_secret(const struct place *place, struct secret *secret)
{
    enum nts_err err = file_read(place->path, secret->bytes, sizeof(secret->bytes), &secret->len);
    if (err == NTS_ENOTFOUND) {
        return err;
    }
    if (err == NTS_ELIMIT || (err == NTS_OK && secret->len < KEYCACHE_SECRET_MIN)) {
        wipe(secret, sizeof(*secret));
        return refuse(place->fault, NTS_EFORMAT,
                      PATH " has to have %d to %d octets; if it is damaged, move it away",
                      place->path, KEYCACHE_SECRET_MIN, KEYCACHE_SECRET_MAX);
    }
    if (err == NTS_EFORMAT) {
        return refuse(place->fault, NTS_EFORMAT, PATH " is not a regular file", place->path);
    }
    return err == NTS_OK ? NTS_OK : refuse_errno(place, "read");
}

/* The credential is closed to others by who made it, which its mode need not show. */
static enum nts_err read_credential(const struct keycache *cache, struct secret *secret,
                                    struct keycache_fault *fault)
{
    struct place place;
    if (cache->credentials == NULL || cache->credentials[0] == '\0') {
        return NTS_ENOTFOUND;
    }
    TRY(place_init(&place, cache->credentials, KEYCACHE_CREDENTIAL, fault));
    return read_secret(&place, secret);
}

/* `rng` NULL: only one that is there. */
static enum nts_err read_key_file(const struct keycache *cache, struct rng *rng,
                                  struct secret *secret, struct keycache_fault *fault)
{
    struct place place;
    TRY(place_init(&place, cache->dir, KEYCACHE_KEY_FILE, fault));
    enum nts_err err = check_rights(&place, S_IFREG, MODE_FILE);
    if (err == NTS_OK) {
        return read_secret(&place, secret);
    }
    if (err != NTS_ENOTFOUND || rng == NULL) {
        return err;
    }
    if (rng_bytes(rng, secret->bytes, KEYCACHE_SECRET_MIN) != NTS_OK) {
        return refuse(fault, NTS_ESYSTEM, "the kernel gives no random octets");
    }
    secret->len = KEYCACHE_SECRET_MIN;
    err = file_replace(place.path, span_of(secret->bytes, secret->len), MODE_FILE);
    return err == NTS_OK ? NTS_OK : refuse_errno(&place, "write");
}

/* NTS_ENOTFOUND: there is no secret, so there is no copy that it could open. */
static enum nts_err derive(const struct keycache *cache, struct rng *rng, struct aead_key *key,
                           struct keycache_fault *fault)
{
    struct secret secret = {.len = 0};
    uint8_t id[ID_MAX];
    uint8_t bytes[CACHE_KEY_LEN];
    size_t id_len = 0;
    enum nts_err err = read_credential(cache, &secret, fault);
    if (err == NTS_ENOTFOUND) {
        err = read_key_file(cache, rng, &secret, fault);
    }
    if (err != NTS_OK) {
        wipe(&secret, sizeof(secret));
        return err;
    }
    if (file_read(cache->machine_id, id, sizeof(id), &id_len) != NTS_OK) {
        id_len = 0; /* a container may have none */
    }
    hkdf_sha256(span_of(id, id_len), span_of(secret.bytes, secret.len),
                span_of(info, sizeof(info) - 1), bytes, sizeof(bytes));
    wipe(&secret, sizeof(secret));
    const struct aead *alg = aead_find(AEAD_AES_SIV_CMAC_256);
    assert(alg != NULL && alg->key_len == CACHE_KEY_LEN);
    err = aead_key_init(key, alg, span_of(bytes, sizeof(bytes)));
    wipe(bytes, sizeof(bytes));
    return err == NTS_OK ? NTS_OK : refuse(fault, err, "the library makes no key");
}

static void write_head(struct wr *out)
{
    wr_bytes(out, span_of(magic, sizeof(magic) - 1));
    wr_u8(out, FORMAT_VERSION);
}

/* Each word ends with a NUL, so that no two sources look alike. */
static enum nts_err write_ad(const struct provider_options *source, struct wr *out,
                             struct keycache_fault *fault)
{
    write_head(out);
    wr_u8(out, (uint8_t)source->kind);
    if (source->source != NULL) {
        wr_bytes(out, span_of(source->source, strlen(source->source) + 1));
    }
    for (size_t i = 0; source->argv != NULL && source->argv[i] != NULL; i++) {
        wr_bytes(out, span_of(source->argv[i], strlen(source->argv[i]) + 1));
    }
    return out->bad ? refuse(fault, NTS_EINTERNAL, "the provider's name is too long") : NTS_OK;
}

static enum nts_err seal(const struct aead_key *key, struct span ad, struct span plain,
                         struct rng *rng, struct wr *out)
{
    write_head(out);
    uint8_t *nonce = wr_room(out, AEAD_NONCE_LEN);
    if (nonce == NULL) {
        return NTS_EINTERNAL;
    }
    TRY(rng_bytes(rng, nonce, AEAD_NONCE_LEN));
    return aead_seal(key, span_of(nonce, AEAD_NONCE_LEN), ad, plain, out);
}

static enum nts_err save(const struct keycache *cache, struct span plain, struct rng *rng,
                         struct keycache_fault *fault)
{
    struct place place;
    struct aead_key key;
    uint8_t ad_bytes[AD_MAX];
    uint8_t sealed[SEALED_MAX];
    struct wr ad = wr_init(ad_bytes, sizeof(ad_bytes));
    struct wr out = wr_init(sealed, sizeof(sealed));
    TRY(place_init(&place, cache->dir, KEYCACHE_FILE, fault));
    TRY(write_ad(&cache->source, &ad, fault));
    TRY(prepare_dir(cache, fault));
    TRY(derive(cache, rng, &key, fault));
    enum nts_err err = seal(&key, wr_done(&ad), plain, rng, &out);
    aead_key_wipe(&key);
    if (err != NTS_OK) {
        return refuse(fault, err, PATH " cannot be sealed: %s", place.path, nts_err_name(err));
    }
    err = file_replace(place.path, wr_done(&out), MODE_FILE);
    return err == NTS_OK ? NTS_OK : refuse_errno(&place, "write");
}

NODISCARD enum nts_err keycache_save(const struct keycache *cache, const struct keydoc *doc,
                                     int64_t now_s, struct rng *rng, struct keycache_fault *fault)
{
    uint8_t bytes[PLAIN_MAX];
    struct wr plain = wr_init(bytes, sizeof(bytes));
    wr_u64(&plain, (uint64_t)now_s);
    enum nts_err err = keydoc_write(doc, &plain);
    err = err == NTS_OK ? save(cache, wr_done(&plain), rng, fault)
                        : refuse(fault, NTS_EINTERNAL, "the document is too long to be kept");
    wipe(bytes, sizeof(bytes));
    return err;
}

static enum nts_err read_plain(struct span plain, struct keydoc *doc, int64_t *saved_s,
                               const struct place *place)
{
    struct keydoc_fault why;
    struct rd r = rd_init(plain);
    *saved_s = (int64_t)rd_u64(&r);
    enum nts_err err = keydoc_parse(rd_rest(&r), doc, &why);
    return err == NTS_OK ? NTS_OK : refuse(place->fault, err, PATH ": %s", place->path, why.text);
}

static enum nts_err refuse_sealed(const struct place *place)
{
    return refuse(place->fault, NTS_EAUTH,
                  PATH " does not open: it was sealed on another machine, with another secret, for "
                       "another `ntskeys`, or is damaged",
                  place->path);
}

static enum nts_err unseal(const struct keycache *cache, struct span file, struct keydoc *doc,
                           int64_t *saved_s, const struct place *place)
{
    struct aead_key key;
    uint8_t ad_bytes[AD_MAX];
    uint8_t plain[SEALED_MAX];
    struct wr ad = wr_init(ad_bytes, sizeof(ad_bytes));
    TRY(write_ad(&cache->source, &ad, place->fault));
    struct rd r = rd_init(file);
    struct span head = rd_span(&r, HEAD_LEN);
    struct span nonce = rd_span(&r, AEAD_NONCE_LEN);
    struct span sealed = rd_rest(&r);
    if (r.bad || sealed.n < AEAD_TAG_LEN + SAVED_LEN || !span_is(head, ad.start, HEAD_LEN)) {
        return refuse_sealed(place);
    }
    enum nts_err err = derive(cache, NULL, &key, place->fault);
    if (err != NTS_OK) {
        return err == NTS_ENOTFOUND ? refuse_sealed(place) : err;
    }
    err = aead_unseal(&key, nonce, wr_done(&ad), sealed, plain);
    aead_key_wipe(&key);
    err = err == NTS_OK ? read_plain(span_of(plain, sealed.n - AEAD_TAG_LEN), doc, saved_s, place)
                        : refuse_sealed(place);
    wipe(plain, sizeof(plain));
    return err;
}

NODISCARD enum nts_err keycache_load(const struct keycache *cache, struct keydoc *doc,
                                     int64_t *saved_s, struct keycache_fault *fault)
{
    struct place place;
    uint8_t file[SEALED_MAX];
    size_t n = 0;
    keydoc_wipe(doc);
    TRY(place_init(&place, cache->dir, KEYCACHE_FILE, fault));
    enum nts_err err = check_rights(&place, S_IFREG, MODE_FILE);
    if (err != NTS_OK) {
        return err;
    }
    err = file_read(place.path, file, sizeof(file), &n);
    if (err == NTS_ESYSTEM) {
        return refuse_errno(&place, "read");
    }
    if (err == NTS_ENOTFOUND) {
        return err;
    }
    return err == NTS_OK ? unseal(cache, span_of(file, n), doc, saved_s, &place)
                         : refuse_sealed(&place);
}
