/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed copy: what was sealed opens on this machine for this source, and nowhere else.
 */
#include "common/keys/keycache.h"

#include "common/base/file.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW (SAMPLE_BEGIN + 12345)

static char root[64];
static char dir[128];
static char sealed[160];
static char key_file[160];
static char machine_id[160];
static char credential[160];
static uint64_t random_state = 5;
static struct rng rng;
static struct keycache cache;
static struct keycache_fault fault;

static void put(const char *path, const void *bytes, size_t n, mode_t mode)
{
    cr_assert_eq(file_replace(path, span_of(bytes, n), mode), NTS_OK, "%s", path);
}

static void set_up(void)
{
    (void)snprintf(root, sizeof(root), "/tmp/ntsd-test-keycache.XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    (void)snprintf(dir, sizeof(dir), "%s/state", root);
    (void)snprintf(sealed, sizeof(sealed), "%s/" KEYCACHE_FILE, dir);
    (void)snprintf(key_file, sizeof(key_file), "%s/" KEYCACHE_KEY_FILE, dir);
    (void)snprintf(machine_id, sizeof(machine_id), "%s/machine-id", root);
    (void)snprintf(credential, sizeof(credential), "%s/" KEYCACHE_CREDENTIAL, root);
    rng_init_from(&rng, sample_fill, &random_state);
    put(machine_id, "0123456789abcdef0123456789abcdef\n", 33, 0444);
    cache = (struct keycache){.dir = dir,
                              .machine_id = machine_id,
                              .source = {.kind = PROVIDER_FILE, .source = "/run/doc"}};
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void tear_down(void)
{
    (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(keycache, .init = set_up, .fini = tear_down);

static enum nts_err save(void)
{
    struct keydoc doc = sample_doc_of_three();
    fault.text[0] = '\0';
    return keycache_save(&cache, &doc, NOW, &rng, &fault);
}

static enum nts_err load(void)
{
    static const struct keydoc nothing;
    struct keydoc doc;
    struct keydoc want = sample_doc_of_three();
    int64_t saved = 0;
    memset(&doc, 0x5a, sizeof(doc));
    fault.text[0] = '\0';
    enum nts_err err = keycache_load(&cache, &doc, &saved, &fault);
    if (err == NTS_OK) {
        cr_expect(sample_docs_are_same(&doc, &want));
        cr_expect_eq(saved, NOW);
    } else {
        cr_expect_arr_eq(&doc, &nothing, sizeof(doc), "a document in spite of the failure");
        cr_expect(err == NTS_ENOTFOUND || fault.text[0] != '\0');
    }
    return err;
}

static void expect_mode(const char *path, mode_t mode)
{
    struct stat st;
    cr_assert_eq(stat(path, &st), 0, "%s", path);
    cr_expect_eq(st.st_mode & 07777, mode, "%s: %o", path, st.st_mode);
}

Test(keycache, what_was_sealed_opens)
{
    cr_expect_eq(load(), NTS_ENOTFOUND, "nothing yet, and no directory");
    cr_expect_eq(access(dir, F_OK), -1, "to look leaves no trace");
    cr_assert_eq(save(), NTS_OK, "%s", fault.text);
    expect_mode(dir, 0700);
    expect_mode(sealed, 0600);
    expect_mode(key_file, 0600);
    cr_expect_eq(load(), NTS_OK, "%s", fault.text);
    cr_expect_eq(save(), NTS_OK, "again, with the same key: %s", fault.text);
    cr_expect_eq(load(), NTS_OK, "%s", fault.text);
}

/* Neither the secret nor its text is in the file, and no two files are alike. */
Test(keycache, it_is_sealed)
{
    static uint8_t first[16384];
    static uint8_t second[16384];
    size_t n = 0;
    size_t m = 0;
    struct keydoc doc = sample_doc_of_three();
    cr_assert_eq(save(), NTS_OK);
    cr_assert_eq(file_read(sealed, first, sizeof(first), &n), NTS_OK);
    cr_assert_eq(save(), NTS_OK);
    cr_assert_eq(file_read(sealed, second, sizeof(second), &m), NTS_OK);
    cr_expect_eq(n, m);
    cr_expect_arr_neq(first + 9, second + 9, 16, "the nonce");
    cr_expect_arr_neq(first + 41, second + 41, n - 41);
    cr_expect_null(memmem(first, n, doc.epoch[0].chain, 8));
    cr_expect_null(memmem(first, n, "secret", 6));
    cr_expect_arr_eq(first, "ntsdseal\1", 9);
}

Test(keycache, any_flip_and_any_cut_is_seen)
{
    static uint8_t good[16384];
    static uint8_t bad[16384];
    size_t n = 0;
    cr_assert_eq(save(), NTS_OK);
    cr_assert_eq(file_read(sealed, good, sizeof(good), &n), NTS_OK);
    for (size_t i = 0; i < n; i++) {
        memcpy(bad, good, n);
        bad[i] ^= (uint8_t)(1 << i % 8);
        FILE *f = fopen(sealed, "we");
        cr_assert_eq(fwrite(bad, 1, n, f), n);
        (void)fclose(f);
        cr_assert_eq(load(), NTS_EAUTH, "octet %zu", i);
        cr_assert_eq(truncate(sealed, (off_t)i), 0);
        cr_assert_eq(load(), NTS_EAUTH, "cut to %zu", i);
    }
    good[n] = 0;
    put(sealed, good, n + 1, 0600);
    cr_expect_eq(load(), NTS_EAUTH, "one longer");
    put(sealed, good, n, 0600);
    cr_expect_eq(load(), NTS_OK, "%s", fault.text);
}

Test(keycache, of_another_source)
{
    static const char *const one[] = {"fetch", "a b", NULL};
    static const char *const two[] = {"fetch", "a", "b", NULL};
    const struct provider_options others[] = {
        {.kind = PROVIDER_FILE, .source = "/run/other"},
        {.kind = PROVIDER_AWS, .source = "/run/doc"},
        {.kind = PROVIDER_COMMAND, .argv = one},
        {.kind = PROVIDER_COMMAND, .argv = two},
        {.kind = PROVIDER_FILE, .source = ""},
        {.kind = PROVIDER_FILE, .source = "/run/doc"},
    };
    enum { OTHERS = sizeof(others) / sizeof(others[0]) };
    for (size_t i = 0; i < OTHERS; i++) {
        cache.source = others[i];
        cr_assert_eq(save(), NTS_OK, "%s", fault.text);
        for (size_t k = 0; k < OTHERS; k++) {
            cache.source = others[k];
            cr_expect_eq(load(), i == k ? NTS_OK : NTS_EAUTH, "%zu opened as %zu", i, k);
        }
    }
}

Test(keycache, on_another_machine)
{
    cr_assert_eq(save(), NTS_OK);
    put(machine_id, "1123456789abcdef0123456789abcdef\n", 33, 0444);
    cr_expect_eq(load(), NTS_EAUTH);
    cr_expect_not_null(strstr(fault.text, "sealed on another machine"), "%s", fault.text);
    cr_assert_eq(unlink(machine_id), 0);
    cr_expect_eq(load(), NTS_EAUTH);
    cr_expect_eq(save(), NTS_OK, "a machine without an id: %s", fault.text);
    cr_expect_eq(load(), NTS_OK);
}

Test(keycache, the_key_file)
{
    uint8_t bytes[KEYCACHE_SECRET_MAX + 1] = {7};
    cr_assert_eq(save(), NTS_OK);
    cr_assert_eq(unlink(key_file), 0);
    cr_expect_eq(load(), NTS_EAUTH, "without its key");
    cr_expect_eq(access(key_file, F_OK), -1, "none is made to look");
    put(key_file, bytes, 31, 0600);
    cr_expect_eq(load(), NTS_EFORMAT);
    cr_expect_eq(save(), NTS_EFORMAT, "a damaged key is not replaced");
    cr_expect_not_null(strstr(fault.text, KEYCACHE_KEY_FILE " has to have 32 to 4096 octets"), "%s",
                       fault.text);
    put(key_file, bytes, KEYCACHE_SECRET_MAX + 1, 0600);
    cr_expect_eq(save(), NTS_EFORMAT);
    put(key_file, bytes, 32, 0640);
    cr_expect_eq(save(), NTS_EAUTH);
    cr_expect_not_null(strstr(fault.text, "chmod 0600"), "%s", fault.text);
    cr_assert_eq(unlink(key_file), 0);
    cr_assert_eq(symlink("/dev/zero", key_file), 0);
    cr_expect_eq(save(), NTS_EAUTH);
}

Test(keycache, a_credential_goes_before_the_key_file)
{
    uint8_t secret[KEYCACHE_SECRET_MAX];
    memset(secret, 3, sizeof(secret));
    cache.credentials = root;
    cr_assert_eq(save(), NTS_OK, "none is there: %s", fault.text);
    cr_expect_eq(access(key_file, F_OK), 0);
    put(credential, secret, sizeof(secret), 0400);
    cr_expect_eq(load(), NTS_EAUTH, "the credential is what counts now");
    cr_assert_eq(unlink(key_file), 0);
    cr_assert_eq(save(), NTS_OK, "%s", fault.text);
    cr_expect_eq(load(), NTS_OK, "%s", fault.text);
    cr_expect_eq(access(key_file, F_OK), -1, "no file is needed");
    secret[KEYCACHE_SECRET_MAX - 1] = 4;
    put(credential, secret, sizeof(secret), 0400);
    cr_expect_eq(load(), NTS_EAUTH, "all of it counts");
    put(credential, secret, 31, 0400);
    cr_expect_eq(save(), NTS_EFORMAT);
    cache.credentials = "";
    cr_expect_eq(save(), NTS_OK);
}

Test(keycache, rights_of_copy_and_directory)
{
    cr_assert_eq(save(), NTS_OK);
    cr_assert_eq(chmod(sealed, 0644), 0);
    cr_expect_eq(load(), NTS_EAUTH, "who else may have put it there?");
    cr_assert_eq(chmod(sealed, 0600), 0);
    cr_assert_eq(chmod(dir, 0750), 0);
    cr_expect_eq(save(), NTS_EAUTH);
    cr_expect_not_null(strstr(fault.text, "chmod 0700"), "%s", fault.text);
    cr_assert_eq(chmod(dir, 0700), 0);
    cr_assert_eq(rename(sealed, machine_id), 0);
    cr_assert_eq(symlink(machine_id, sealed), 0);
    cr_expect_eq(load(), NTS_EAUTH);
    if (geteuid() == 0) {
        cr_assert_eq(chown(dir, 65534, 65534), 0);
        cr_expect_eq(save(), NTS_EAUTH);
        cr_expect_not_null(strstr(fault.text, "belongs to uid 65534"), "%s", fault.text);
    }
    cache.dir = "/no/such/parent";
    cr_expect_eq(save(), NTS_ESYSTEM);
    cr_expect_not_null(strstr(fault.text, "cannot create /no/such/parent"), "%s", fault.text);
}

static int no_fill(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return -1;
}

Test(keycache, nothing_is_sealed_without_randomness)
{
    cr_assert_eq(save(), NTS_OK);
    struct rng none;
    struct keydoc doc = sample_doc();
    rng_init_from(&none, no_fill, NULL);
    cr_expect_eq(keycache_save(&cache, &doc, NOW, &none, &fault), NTS_ESYSTEM);
    cr_expect_eq(load(), NTS_OK, "the old one is still there");
    cr_assert_eq(unlink(key_file), 0);
    cr_expect_eq(keycache_save(&cache, &doc, NOW, &none, &fault), NTS_ESYSTEM);
    cr_expect_eq(access(key_file, F_OK), -1);
}
