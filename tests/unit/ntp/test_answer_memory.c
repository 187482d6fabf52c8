/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answering allocates nothing: malloc and its kin are replaced by ones that count.
 */
#include "tests/unit/ntp/malloc_counter.h"
#include "tests/unit/ntp/ntp_sample.h"

static struct sample s;

enum { ROUNDS = 10000 };

Test(answer_memory, the_counter_counts)
{
    malloc_counter_skip();
    uint64_t before = atomic_load(malloc_counter);
    void *volatile p = malloc(10);
    free(p);
    cr_assert_eq(atomic_load(malloc_counter), before + 2);
}

Test(answer_memory, ten_thousand_answers_of_each_kind_allocate_nothing)
{
    malloc_counter_skip();
    static const char *const kinds[] = {"", "U", "UCA", "UCPPPPPPPA", "UcA", "UCZ", "13", "UUCA"};
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t a = 0; a < count; a++) {
        sample_init(&s, all[a]);
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            struct span request = sample_request(&s, kinds[k]);
            if (request.n > NTP_DATAGRAM_MAX) {
                continue;
            }
            uint64_t before = atomic_load(malloc_counter);
            for (int i = 0; i < ROUNDS; i++) {
                if (ntp_verdict_is_answer(answer_prepare(&s.env, &s.rng, request, SAMPLE_RECEIVE,
                                                         s.reply, &s.pending))) {
                    (void)answer_finish(&s.pending, SAMPLE_LEAVES);
                }
            }
            cr_assert_eq(atomic_load(malloc_counter), before, "%s", kinds[k]);
        }
    }
}
