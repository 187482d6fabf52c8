/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boards: one value at a time, whole, whatever the writer is doing or has been killed in.
 */
#include "common/base/board.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 64, VALUE_SIZE = WORDS * 8, READERS = 3, READS = 20000, KILLS = 50 };

/* A value is whole when all its words agree. */
struct value {
    uint64_t word[WORDS];
};

static struct value value_of(uint64_t n)
{
    struct value v;
    for (size_t i = 0; i < WORDS; i++) {
        v.word[i] = n;
    }
    return v;
}

static bool value_is_whole(const struct value *v)
{
    for (size_t i = 1; i < WORDS; i++) {
        if (v->word[i] != v->word[0]) {
            return false;
        }
    }
    return true;
}

static struct board *board_shared(void)
{
    void *p = mmap(NULL, board_footprint(VALUE_SIZE), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

static void board_unshare(struct board *board)
{
    cr_assert_eq(munmap(board, board_footprint(VALUE_SIZE)), 0);
}

Test(board, an_empty_board_leaves_the_value_alone)
{
    struct board *board = board_shared();
    struct value v = value_of(7);
    uint64_t generation = 99;
    cr_assert_eq(board_generation(board), 0);
    cr_assert_eq(board_read(board, &v, sizeof(v), &generation), NTS_OK);
    cr_assert_eq(generation, 0);
    cr_assert_eq(v.word[0], 7);
    board_unshare(board);
}

Test(board, every_write_is_read_back_with_its_generation)
{
    struct board *board = board_shared();
    for (uint64_t n = 1; n <= 1000; n++) {
        struct value in = value_of(n * n);
        board_write(board, &in, sizeof(in));
        cr_assert_eq(board_generation(board), n);
        struct value out = value_of(0);
        uint64_t generation = 0;
        cr_assert_eq(board_read(board, &out, sizeof(out), &generation), NTS_OK);
        cr_assert_eq(generation, n);
        cr_assert_eq(memcmp(&in, &out, sizeof(in)), 0);
    }
    board_unshare(board);
}

Test(board, sizes_are_kept_apart)
{
    static const size_t sizes[] = {8, 16, 24, 128, 4096};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t len = board_footprint(sizes[i]);
        /* Guard octets behind the board show a write past its footprint. */
        uint64_t *memory = calloc(len / 8 + 1, 8);
        cr_assert_not_null(memory);
        memory[len / 8] = 0xfeedfeedfeedfeed;
        struct board *board = (struct board *)memory;
        uint64_t in[512];
        memset(in, 0x5a, sizeof(in));
        board_write(board, in, sizes[i]);
        board_write(board, in, sizes[i]);
        uint64_t out[512] = {0};
        uint64_t generation = 0;
        cr_assert_eq(board_read(board, out, sizes[i], &generation), NTS_OK);
        cr_assert_eq(generation, 2);
        cr_assert_eq(memcmp(in, out, sizes[i]), 0);
        cr_assert(sizes[i] == sizeof(out) || out[sizes[i] / 8] == 0, "size %zu", sizes[i]);
        cr_assert_eq(memory[len / 8], 0xfeedfeedfeedfeed);
        free(memory);
    }
}

Test(board, half_a_write_is_never_seen_and_the_next_writer_goes_on)
{
    struct board *board = board_shared();
    for (size_t half = 0; half <= WORDS; half++) {
        struct value good = value_of(1000 + half);
        board_write(board, &good, sizeof(good));
        uint64_t before = board_generation(board);
        /* What a writer killed after `half` words of the next value leaves behind. */
        _Atomic uint64_t *slot = board->slots + ((before + 1) & 1) * (VALUE_SIZE / 8);
        for (size_t i = 0; i < half; i++) {
            atomic_store(&slot[i], UINT64_C(0xdead));
        }
        struct value out;
        uint64_t generation = 0;
        cr_assert_eq(board_read(board, &out, sizeof(out), &generation), NTS_OK);
        cr_assert_eq(generation, before);
        cr_assert_eq(memcmp(&good, &out, sizeof(good)), 0, "killed after %zu words", half);
    }
    board_unshare(board);
}

struct race {
    struct board *board;
    pthread_barrier_t start;
    _Atomic unsigned reading; /* readers that have not seen enough yet */
};

/* Takes READS values while they are being written; counts what must never be seen. */
static void *reader_run(void *arg)
{
    struct race *race = arg;
    uintptr_t faults = 0;
    uint64_t last = 0;
    (void)pthread_barrier_wait(&race->start);
    for (unsigned reads = 0; reads < READS;) {
        struct value v;
        uint64_t generation = 0;
        if (board_read(race->board, &v, sizeof(v), &generation) != NTS_OK || generation == 0) {
            continue; /* overtaken too often, or nothing there yet */
        }
        faults += !value_is_whole(&v) || v.word[0] != generation || generation < last;
        last = generation;
        reads++;
    }
    race->reading--;
    return (void *)faults;
}

Test(board, readers_in_threads_see_whole_values_in_order, .timeout = 120)
{
    struct race race = {.board = board_shared(), .reading = READERS};
    cr_assert_eq(pthread_barrier_init(&race.start, NULL, READERS + 1), 0);
    pthread_t thread[READERS];
    for (size_t i = 0; i < READERS; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, reader_run, &race), 0);
    }
    (void)pthread_barrier_wait(&race.start);
    for (uint64_t n = 1; race.reading > 0; n++) {
        struct value v = value_of(n);
        board_write(race.board, &v, sizeof(v));
    }
    for (size_t i = 0; i < READERS; i++) {
        void *faults = NULL;
        cr_assert_eq(pthread_join(thread[i], &faults), 0);
        cr_assert_null(faults, "reader %zu saw %zu wrong values", i, (size_t)faults);
    }
    cr_assert_eq(pthread_barrier_destroy(&race.start), 0);
    board_unshare(race.board);
}

/* A process that writes without end; whoever started it kills it. */
static pid_t writer_start(struct board *board)
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        for (;;) {
            struct value v = value_of(board_generation(board) + 1);
            board_write(board, &v, sizeof(v));
        }
    }
    return pid;
}

static void writer_kill(pid_t pid)
{
    int status = 0;
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status));
}

Test(board, readers_work_on_after_the_writer_was_killed, .timeout = 120)
{
    struct board *board = board_shared();
    uint64_t seen = 0;
    for (unsigned round = 0; round < KILLS; round++) {
        pid_t pid = writer_start(board);
        uint64_t until = seen + 100 + round * 7;
        while (board_generation(board) < until) {
        }
        writer_kill(pid);
        struct value v;
        uint64_t generation = 0;
        cr_assert_eq(board_read(board, &v, sizeof(v), &generation), NTS_OK);
        cr_assert_geq(generation, until);
        cr_assert(value_is_whole(&v) && v.word[0] == generation, "after kill %u", round);
        seen = generation;
    }
    board_unshare(board);
}

/* A board at the end of what may be read: one octet further is a fault. */
static struct board *board_at_the_edge(size_t size, uint8_t **memory, size_t *len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (board_footprint(size) + page - 1) / page * page;
    *len = room + page;
    *memory = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(*memory, MAP_FAILED);
    cr_assert_eq(mprotect(*memory + room, page, PROT_NONE), 0);
    memset(*memory, 0xff, room);
    return (struct board *)(void *)(*memory + room - board_footprint(size));
}

/* A writer that was taken over may store what it likes, also in the place of the generation and
 * where a size could once stand: what a reader copies, and how much, is the reader's to say. */
Test(board, no_writer_tells_a_reader_how_much_to_copy)
{
    static const size_t sizes[] = {8, 16, 24, 128, 4096, 70000};
    static const uint64_t stored[] = {
        1, 2, 3, 7, 8, 4096, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    enum { ROWS = sizeof(stored) / sizeof(stored[0]), BEHIND = 512, MARK = 0x5a };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * ROWS * ROWS; i++) {
        const size_t size = sizes[i / (ROWS * ROWS)];
        uint8_t *memory = NULL;
        size_t len = 0;
        struct board *board = board_at_the_edge(size, &memory, &len);
        for (size_t w = 0; w < board_footprint(size) / 8 - 1; w++) {
            atomic_store(&board->slots[w], stored[i % ROWS]);
        }
        atomic_store(&board->generation, stored[i / ROWS % ROWS]);
        uint8_t *value = malloc(size + BEHIND);
        cr_assert_not_null(value);
        memset(value, MARK, size + BEHIND);
        uint64_t generation = 0;
        cr_assert_eq(board_read(board, value, size, &generation), NTS_OK);
        cr_assert_eq(generation, stored[i / ROWS % ROWS]);
        for (size_t at = 0; at < size + BEHIND; at += 8) {
            uint64_t got;
            memcpy(&got, value + at, sizeof(got));
            uint64_t want = at < size ? stored[i % ROWS] : UINT64_C(0x5a5a5a5a5a5a5a5a);
            cr_assert_eq(got, want, "octet %zu of a value of %zu", at, size);
        }
        free(value);
        cr_assert_eq(munmap(memory, len), 0);
    }
}
