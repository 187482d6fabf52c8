/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What works on the secret document leaves no chain value and no key behind on its stack. Each
 * function runs on a stack of its own, which is looked through when it has returned.
 */
#include "common/keys/keychange.h"
#include "common/keys/keyepoch.h"
#include "common/keys/keyplan.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

/* What sanitizers put in between copies the octets it watches, and registers, onto the stack. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

#define DAY INT64_C(86400)

enum { STACK_LEN = 1 << 20, PERIODS = 20, PART_LEN = KEYDOC_CHAIN_LEN / 2 };

struct scene {
    struct keydoc doc;
    struct keydoc other;
    struct keyring ring;
    struct rng rng;
    uint64_t rng_state;
    struct keydoc_fault fault;
    uint8_t text[KEYDOC_WRITTEN_MAX];
    size_t len;
    uint8_t secret[2 * PERIODS + 2][KEYDOC_CHAIN_LEN]; /* what must not be found */
    size_t secrets;
};

static struct scene scene;

static void remember(const uint8_t *secret)
{
    memcpy(scene.secret[scene.secrets++], secret, KEYDOC_CHAIN_LEN);
}

static void *derive(void *unused)
{
    keyring_derive(&scene.doc, SAMPLE_BEGIN + 10 * DAY, SAMPLE_LIFETIME_S, &scene.ring);
    return unused;
}

static void *advance(void *unused)
{
    (void)keydoc_advance(&scene.doc, SAMPLE_BEGIN + 15 * DAY, SAMPLE_LIFETIME_S);
    return unused;
}

static void *drop(void *unused)
{
    (void)keydoc_advance(&scene.doc, SAMPLE_BEGIN + 900 * DAY, SAMPLE_LIFETIME_S);
    return unused;
}

static void *judge(void *unused)
{
    (void)keychange_judge(&scene.doc, &scene.other, SAMPLE_BEGIN + 15 * DAY, SAMPLE_LIFETIME_S,
                          &scene.fault);
    return unused;
}

static void *write_text(void *unused)
{
    struct wr out = wr_init(scene.text, sizeof(scene.text));
    if (keydoc_write(&scene.doc, &out) == NTS_OK) {
        scene.len = out.n;
    }
    return unused;
}

static void *parse(void *unused)
{
    if (keydoc_parse(span_of(scene.text, scene.len), &scene.other, &scene.fault) != NTS_OK) {
        scene.len = 0;
    }
    return unused;
}

static void *plan(void *unused)
{
    struct keyplan_fault fault;
    struct keyplan plan = keyplan_make(&scene.doc, SAMPLE_BEGIN, 3600);
    if (keyplan_apply(&plan, &scene.rng, &scene.doc, &fault) != NTS_OK) {
        scene.doc.count = 0;
    }
    return unused;
}

/* A copy that is left on purpose, so that the search is known to find one; deep enough that the end
 * of the thread does not reach it. */
static void *spill(void *unused)
{
    volatile uint8_t copy[1 << 16];
    for (size_t i = 0; i < KEYDOC_CHAIN_LEN; i++) {
        copy[i] = scene.secret[0][i];
    }
    (void)copy[0];
    return unused;
}

/* A thread begins with the vector registers of the one that made it, the last secret copied
 * included, and any function with variable arguments may store them. So they are filled first. */
static void *run(void *work)
{
    char text[128];
    void *(*const *function)(void *) = work;
    (void)snprintf(text, sizeof(text), "%g %g %g %g %g %g %g %g", 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0,
                   7.0);
    return (*function)(NULL);
}

/* Runs `work` and counts the secrets that are found half or whole where it ran. */
static size_t count_left(void *(*work)(void *))
{
    uint8_t *stack =
        mmap(NULL, STACK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)stack, MAP_FAILED);
    pthread_attr_t attr;
    pthread_t thread;
    cr_assert_eq(pthread_attr_init(&attr), 0);
    cr_assert_eq(pthread_attr_setstack(&attr, stack, STACK_LEN), 0);
    cr_assert_eq(pthread_create(&thread, &attr, run, &work), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    size_t left = 0;
    for (size_t i = 0; i < scene.secrets; i++) {
        left += memmem(stack, STACK_LEN, scene.secret[i], PART_LEN) != NULL;
        left += memmem(stack, STACK_LEN, scene.secret[i] + PART_LEN, PART_LEN) != NULL;
    }
    (void)pthread_attr_destroy(&attr);
    (void)munmap(stack, STACK_LEN);
    return left;
}

static void setup(void)
{
    if (SANITIZED) {
        cr_skip_test("sanitized");
    }
    memset(&scene, 0, sizeof(scene));
    rng_init_from(&scene.rng, sample_fill, &scene.rng_state);
    scene.doc = sample_doc();
    struct keydoc_epoch epoch = scene.doc.epoch[0];
    for (int64_t period = 0; period < PERIODS; period++) {
        struct keyring ring;
        remember(epoch.chain);
        keyring_derive(&scene.doc, SAMPLE_BEGIN + period * DAY, 0, &ring);
        remember(ring.key[ring.issuing].bytes);
        keyepoch_ratchet(epoch.chain);
    }
}
TestSuite(keys_stack, .init = setup);

Test(keys_stack, the_search_finds)
{
    if (count_left(spill) != 2) {
        cr_skip_test("this build keeps its stack elsewhere");
    }
}

Test(keys_stack, nothing_is_left)
{
    static void *(*const works[])(void *) = {derive, write_text, parse, advance, judge};
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        cr_expect_eq(count_left(works[i]), 0, "function %zu", i);
    }
    cr_expect(scene.len > 0 && scene.ring.count > 0 && scene.doc.epoch[0].index == 7);
    cr_expect(scene.other.epoch[0].index == 0 && scene.fault.text[0] == '\0');
}

Test(keys_stack, nothing_is_left_of_an_epoch_made_or_dropped)
{
    cr_expect_eq(count_left(plan), 0);
    cr_assert_eq(scene.doc.count, 2);
    remember(scene.doc.epoch[1].chain);
    /* Made once more from the same octets, now that they are known. */
    scene.rng_state = 0;
    rng_init_from(&scene.rng, sample_fill, &scene.rng_state);
    scene.doc = sample_doc();
    cr_expect_eq(count_left(plan), 0);
    cr_assert_eq(memcmp(scene.doc.epoch[1].chain, scene.secret[scene.secrets - 1], 32), 0);
    cr_expect_eq(count_left(drop), 0);
    cr_expect_eq(scene.doc.count, 1);
}
