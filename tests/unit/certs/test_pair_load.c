/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/pair.h"

#include "tests/unit/certs/made.h"
#include "tests/unit/certs/scratch.h"

static void assert_is_zero(const struct cert_pair *pair)
{
    static const struct cert_pair zero;
    cr_assert_eq(memcmp(pair, &zero, sizeof(zero)), 0);
}

Test(pair_load, files_that_cannot_be_read)
{
    struct scratch s;
    struct cert_pair pair;
    struct cert_fault fault;
    scratch_open(&s);
    cr_assert_eq(cert_pair_load(scratch_path(&s, "none"), s.path, &pair, &fault), NTS_ESYSTEM);
    cr_assert_eq(fault.kind, CERT_UNREADABLE);
    cr_assert_not_null(strstr(fault.text, "/none: there is no such file"), "%s", fault.text);
    assert_is_zero(&pair);

    cr_assert_eq(cert_pair_load(s.dir, s.dir, &pair, &fault), NTS_ESYSTEM);
    cr_assert_not_null(strstr(fault.text, "not a regular file"), "%s", fault.text);

    cr_assert_eq(cert_pair_load("/dev/null/x", s.dir, &pair, &fault), NTS_ESYSTEM);
    cr_assert_not_null(strstr(fault.text, "Not a directory"), "%s", fault.text);

    scratch_put(&s, "long", "", O_TRUNC);
    cr_assert_eq(truncate(s.path, CERT_FILE_MAX + 1), 0);
    cr_assert_eq(cert_pair_load(s.path, s.path, &pair, &fault), NTS_ESYSTEM);
    cr_assert_not_null(strstr(fault.text, "longer than"), "%s", fault.text);

    scratch_put(&s, "empty\n.pem", "", O_TRUNC);
    cr_assert_eq(cert_pair_load(s.path, s.path, &pair, &fault), NTS_EFORMAT);
    cr_assert_eq(fault.kind, CERT_EMPTY);
    cr_assert_null(strchr(fault.text, '\n'));
    scratch_close(&s);
}

Test(pair_load, chain_and_key_in_one_file)
{
    struct scratch s;
    struct cert_pair pair;
    struct cert_fault fault;
    struct made leaf = made_leaf("time.example", "P-256", NULL);
    char *cert = made_cert_text(leaf.cert);
    char *key = made_key_text(leaf.key, NULL, false);
    scratch_open(&s);
    scratch_put(&s, "both.pem", key, O_TRUNC);
    scratch_put(&s, "both.pem", cert, O_APPEND);
    cr_assert_eq(cert_pair_load(s.path, s.path, &pair, &fault), NTS_OK, "%s", fault.text);
    cert_pair_wipe(&pair);
    scratch_close(&s);
    made_free(&leaf);
    free(cert);
    free(key);
}
