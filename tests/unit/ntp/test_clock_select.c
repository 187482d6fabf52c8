/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is believed: votes among three and more, and the rule for fewer.
 */
#include "ntp/clock/clock_select.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOBODY ((size_t)CLOCK_SOURCES_MAX)

/* `who`: a letter each: s(ilent), f(alseticker), c(andidate), .(spare), +(combined), *(selected).
 */
struct vote {
    const char *what;
    struct clock_contender contender[5];
    size_t count;
    size_t before;         /* 1 + who was selected last; 0: nobody */
    int64_t line_bound_ns; /* 0: not trusted */
    const char *who;
    const char *distrusted; /* 'd' or '-' */
};

#define AT(offset, distance)                                                                       \
    {                                                                                              \
        .offset_ns = (offset), .distance_ns = (distance), .usable = true                           \
    }
#define PREFER(offset, distance)                                                                   \
    {                                                                                              \
        .offset_ns = (offset), .distance_ns = (distance), .usable = true, .prefer = true           \
    }
#define KNOWN_LIAR(offset, distance)                                                               \
    {                                                                                              \
        .offset_ns = (offset), .distance_ns = (distance), .usable = true, .distrusted = true       \
    }
#define WIDE(offset, distance)                                                                     \
    {                                                                                              \
        .offset_ns = (offset), .distance_ns = (distance), .usable = true, .wide = true             \
    }
#define WIDE_PREFER(offset, distance)                                                              \
    {                                                                                              \
        .offset_ns = (offset), .distance_ns = (distance), .usable = true, .wide = true,            \
        .prefer = true                                                                             \
    }
#define STEADY(offset, distance)                                                                   \
    {                                                                                              \
        .offset_ns = (offset), .distance_ns = (distance), .usable = true, .steady = true           \
    }
#define SILENT                                                                                     \
    {                                                                                              \
        .usable = false                                                                            \
    }
#define SILENT_LIAR                                                                                \
    {                                                                                              \
        .usable = false, .distrusted = true                                                        \
    }

static const struct vote votes[] = {
    {"nobody", {SILENT, SILENT}, 2, 0, 100, "ss", "--"},
    {"one alone", {AT(5000, 10)}, 1, 0, 0, "*", "-"},
    {"one alone, far from the line: its three samples have decided",
     {AT(5000, 10)},
     1,
     1,
     100,
     "*",
     "-"},
    {"one of two answers", {SILENT, AT(7, 10)}, 2, 0, 0, "s*", "--"},
    {"two agree", {AT(0, 10), AT(15, 10)}, 2, 0, 0, "*+", "--"},
    {"two touch", {AT(0, 10), AT(20, 10)}, 2, 0, 0, "*+", "--"},
    {"two contradict, no line", {AT(0, 10), AT(21, 10)}, 2, 0, 0, "cc", "--"},
    {"two contradict, the line agrees with one", {AT(5, 10), AT(1000, 10)}, 2, 2, 100, "*f", "-d"},
    {"two contradict, the line agrees with neither",
     {AT(500, 10), AT(1000, 10)},
     2,
     0,
     100,
     "cc",
     "--"},
    {"two contradict within a wide bound: served time decides",
     {AT(5, 10), AT(1000, 10)},
     2,
     0,
     5000,
     "*f",
     "-d"},
    {"two contradict within a wide bound, and served time is with neither",
     {AT(500, 10), AT(1000, 10)},
     2,
     0,
     5000,
     "cc",
     "--"},
    {"three agree", {AT(0, 10), AT(3, 10), AT(-4, 10)}, 3, 0, 0, "*++", "---"},
    {"one of three lies", {AT(0, 10), AT(10000, 10), AT(-4, 10)}, 3, 0, 0, "*f+", "-d-"},
    {"one of three lies and is preferred",
     {AT(0, 10), PREFER(10000, 10), AT(-4, 9)},
     3,
     2,
     0,
     "+f*",
     "-d-"},
    {"three contradict each other",
     {AT(0, 10), AT(1000, 10), AT(2000, 10)},
     3,
     0,
     100,
     "ccc",
     "---"},
    {"two against two",
     {AT(0, 10), AT(1, 10), AT(1000, 10), AT(1001, 10)},
     4,
     0,
     100,
     "cccc",
     "----"},
    {"three against two",
     {AT(0, 10), AT(1, 10), AT(2, 10), AT(1000, 10), AT(1001, 10)},
     5,
     0,
     0,
     "*++ff",
     "---dd"},
    {"a majority whose midpoints are not in the intersection is none",
     {AT(0, 100), AT(190, 100), AT(1000, 10)},
     3,
     0,
     0,
     "ccc",
     "---"},
    {"preferred and honest: alone", {AT(0, 10), PREFER(3, 12), AT(-4, 10)}, 3, 1, 0, ".*.", "---"},
    {"two preferred: the nearer", {PREFER(0, 12), PREFER(3, 10), AT(-4, 1)}, 3, 0, 0, ".*.", "---"},
    {"the nearest leads", {AT(0, 12), AT(3, 10), AT(-4, 11)}, 3, 0, 0, "+*+", "---"},
    {"who led leads on", {AT(0, 12), AT(3, 10), AT(-4, 11)}, 3, 1, 0, "*++", "---"},
    {"... but not from far away", {AT(0, 31), AT(3, 10), AT(-4, 11)}, 3, 1, 0, ".*+", "---"},
    {"far ones are spare", {AT(0, 10), AT(3, 31), AT(-4, 30)}, 3, 0, 0, "*.+", "---"},
    {"a liar survives the honest", {SILENT, KNOWN_LIAR(10000, 10)}, 2, 0, 100, "sf", "-d"},
    {"... nor is believed when the line is lost",
     {SILENT, KNOWN_LIAR(10000, 10)},
     2,
     0,
     0,
     "sf",
     "-d"},
    {"... until it agrees with the line", {SILENT, KNOWN_LIAR(90, 10)}, 2, 0, 100, "s*", "--"},
    {"... or with another", {AT(10005, 10), KNOWN_LIAR(10000, 10)}, 2, 0, 0, "*+", "--"},
    {"a silent liar stays one",
     {AT(0, 10), AT(1, 10), AT(2, 10), SILENT_LIAR},
     4,
     0,
     0,
     "*++s",
     "---d"},
    {"one alone and too far away", {WIDE(0, 1000)}, 1, 0, 100, "F", "-"},
    {"the preferred one is too far away",
     {WIDE_PREFER(0, 1000), AT(3, 10), AT(-4, 11)},
     3,
     1,
     100,
     ".*+",
     "---"},
    {"all are", {WIDE(0, 1000), WIDE(3, 1000), WIDE(5, 1000)}, 3, 1, 100, "FFF", "---"},
    {"one that is has a voice all the same",
     {WIDE(0, 1000), AT(3, 10), AT(9000, 10)},
     3,
     0,
     0,
     ".*f",
     "--d"},
    {"two that agreed come apart slowly", {STEADY(5, 10), STEADY(30, 10)}, 2, 1, 100, "cc", "--"},
    {"... also if served time went with one", {STEADY(0, 1), STEADY(30, 10)}, 2, 1, 5, "cc", "--"},
    {"one of them has stepped", {STEADY(5, 10), AT(1000, 10)}, 2, 1, 100, "*f", "-d"},
    {"to say that one knows little is not to agree",
     {SILENT, KNOWN_LIAR(10000, 20000)},
     2,
     0,
     100,
     "sf",
     "-d"},
    {"... with another one neither", {AT(0, 10), KNOWN_LIAR(10000, 20000)}, 2, 0, 0, "*.", "-d"},
    {"... nor with most",
     {AT(0, 10), AT(1, 10), KNOWN_LIAR(10000, 20000)},
     3,
     0,
     100,
     "*+.",
     "--d"},
    {"two liars vouch for each other", {KNOWN_LIAR(0, 10), KNOWN_LIAR(1, 10)}, 2, 0, 0, "*+", "--"},
    {"ends of time",
     {AT(INT64_MAX, INT64_MAX), AT(INT64_MIN, INT64_MAX), AT(0, INT64_MAX)},
     3,
     0,
     0,
     NULL,
     NULL},
};

static char letter(uint8_t verdict)
{
    static const char letters[CLOCK_VERDICTS] = {
        [CLOCK_SOURCE_SILENT] = 's',      [CLOCK_SOURCE_FAR] = 'F',
        [CLOCK_SOURCE_FALSETICKER] = 'f', [CLOCK_SOURCE_CANDIDATE] = 'c',
        [CLOCK_SOURCE_SPARE] = '.',       [CLOCK_SOURCE_COMBINED] = '+',
        [CLOCK_SOURCE_SELECTED] = '*',
    };
    return verdict < CLOCK_VERDICTS ? letters[verdict] : '?';
}

static struct clock_ballot ballot_of(const struct vote *v)
{
    return (struct clock_ballot){
        .contender = v->contender,
        .count = v->count,
        .peer = v->before == 0 ? NOBODY : v->before - 1,
        .line_is_trusted = v->line_bound_ns != 0,
        .line_bound_ns = v->line_bound_ns != 0 ? v->line_bound_ns : INT64_MAX,
    };
}

Test(clock_select, the_table)
{
    for (size_t i = 0; i < sizeof(votes) / sizeof(votes[0]); i++) {
        const struct vote *v = &votes[i];
        struct clock_ballot ballot = ballot_of(v);
        struct clock_selection s = clock_select(&ballot);
        if (v->who == NULL) {
            continue; /* it is enough that it returns */
        }
        const char *selected = strchr(v->who, '*');
        cr_assert_eq(s.decided, selected != NULL, "%s", v->what);
        cr_assert_eq(s.peer, selected != NULL ? (size_t)(selected - v->who) : NOBODY, "%s",
                     v->what);
        for (size_t k = 0; k < v->count; k++) {
            cr_assert_eq(letter(s.verdict[k]), v->who[k], "%s: %zu is %c", v->what, k,
                         letter(s.verdict[k]));
            cr_assert_eq(s.distrusted[k], v->distrusted[k] == 'd', "%s: %zu", v->what, k);
        }
    }
}

Test(clock_select, nobody)
{
    for (size_t i = 0; i < sizeof(votes) / sizeof(votes[0]); i++) {
        struct clock_ballot ballot = ballot_of(&votes[i]);
        struct clock_selection s = clock_select_nobody(&ballot);
        cr_assert_not(s.decided);
        cr_assert_eq(s.peer, NOBODY);
        for (size_t k = 0; k < votes[i].count; k++) {
            cr_assert_eq(s.distrusted[k], votes[i].contender[k].distrusted);
        }
    }
}
