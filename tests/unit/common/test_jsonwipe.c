/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a secret document was parsed or refused, the heap holds nothing of it.
 */
#include "common/keys/jsonwipe.h"

#include "common/base/secret.h"
#include "common/keys/keydoc.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/mman.h>

/* The heap as the kernel knows it; empty where the allocator keeps none (sanitizers). */
static struct span heap(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    cr_assert_not_null(maps);
    char line[512];
    struct span found = {0};
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from;
        unsigned long to;
        if (strstr(line, "[heap]") != NULL && sscanf(line, "%lx-%lx", &from, &to) == 2) {
            found = span_of((const void *)from, to - from); // NOLINT: addresses are what it prints
        }
    }
    (void)fclose(maps);
    return found;
}

static bool heap_has(const void *bytes, size_t n)
{
    struct span all = heap();
    return all.n > 0 && memmem(all.p, all.n, bytes, n) != NULL;
}

/* Half of the hex digits of the first secret: a reused block may lose some octets at its ends. */
static void expect_no_trace(uint8_t *text, size_t len, enum nts_err outcome)
{
    char *volatile control = strdup("a text that is certainly in the heap now"); /* not left out */
    cr_assert_not_null(control);
    if (!heap_has("is certainly in", 15)) {
        free(control);
        cr_skip_test("no heap to look into");
    }
    uint8_t part[KEYDOC_CHAIN_LEN];
    const uint8_t *secret = memmem(text, len, "\"secret\": \"", 11);
    cr_assert_not_null(secret);
    memcpy(part, secret + 11 + 16, sizeof(part));
    struct keydoc doc;
    struct keydoc_fault fault;
    cr_expect_eq(keydoc_parse(span_of(text, len), &doc, &fault), outcome);
    cr_expect(!heap_has(part, sizeof(part)), "hex digits of a secret are left in the heap");
    free(control);
}

/* The text itself lives outside the heap. */
static uint8_t *outside(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

Test(jsonwipe, a_document_leaves_no_trace)
{
    uint8_t *text = outside(KEYDOC_WRITTEN_MAX);
    struct keydoc doc = sample_doc_of_three();
    struct wr out = wr_init(text, KEYDOC_WRITTEN_MAX);
    cr_assert_eq(keydoc_write(&doc, &out), NTS_OK);
    expect_no_trace(text, out.n, NTS_OK);
}

Test(jsonwipe, a_refused_document_leaves_no_trace)
{
    uint8_t *text = outside(KEYDOC_WRITTEN_MAX);
    struct keydoc doc = sample_doc_of_three();
    struct wr out = wr_init(text, KEYDOC_WRITTEN_MAX);
    cr_assert_eq(keydoc_write(&doc, &out), NTS_OK);
    expect_no_trace(text, out.n - 4, NTS_EFORMAT);
}

Test(jsonwipe, may_be_set_up_twice)
{
    jsonwipe_setup();
    jsonwipe_setup();
}
