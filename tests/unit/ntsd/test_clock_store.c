/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the clock: what the next daemon finds, what it does not fall for, and that without
 * the file everything goes on.
 */
#include "ntsd/clock_store.h"

#include "tests/unit/ntsd/config_text.h"
#include "tests/unit/ntsd/scratch.h"

#include <sys/file.h>

#define TWO    "server a.example minpoll 4 maxpoll 4 iburst\nserver 192.0.2.1 port 1123 nts\n"
#define DENSE  "server a.example minpoll -7 maxpoll -7\nserver 192.0.2.1 minpoll 4 maxpoll 4\n"
#define WALL   (INT64_C(1798761600) * NS_PER_S) /* 2027-01-01 */
#define ASLEEP (5 * NS_PER_S)

static struct scratch scratch;
static struct parsed parsed;
static struct stats stats;
static struct clock_memory memory;
static struct clock_model line;
static struct clock_store store;

static void set_up(void)
{
    scratch_make(&scratch);
}

static void tear_down(void)
{
    scratch_remove(&scratch);
}

static struct clock_kept kept(void)
{
    return (struct clock_kept){.memory = &memory, .line = &line, .asleep_ns = ASLEEP};
}

static void configure(const char *sources)
{
    char text[1024];
    (void)snprintf(text, sizeof(text), CONFIG_BASE "ntsdumpdir %s\n%s", scratch.dir, sources);
    cr_assert_eq(parse_text(&parsed, text), NTS_OK, "%s", parsed.faults.fault[0].text);
}

static void start(const char *sources)
{
    configure(sources);
    memset(&memory, 0, sizeof(memory));
    clock_store_open(&store, &parsed.config, &stats);
    clock_store_memory(&store, &memory);
}

static void stop(void)
{
    const struct clock_kept k = kept();
    clock_store_close(&store, &k);
    cr_assert_lt(store.fd, 0);
}

/* Without a word, as SIGKILL does it. */
static void kill_it(void)
{
    cr_assert_geq(store.fd, 0);
    cr_assert_eq(close(store.fd), 0);
}

static void ask(size_t index, int64_t raw_ns)
{
    const struct clock_kept k = kept();
    memory.source[index].asked++;
    memory.source[index].asked_raw_ns = raw_ns;
    clock_store_note(&store, index, &k);
}

static void serve(int64_t raw_ns)
{
    line = (struct clock_model){.anchor_raw_ns = raw_ns,
                                .anchor_wall_ns = WALL,
                                .root_delay_ns = NS_PER_MS,
                                .root_dispersion_ns = NS_PER_MS,
                                .drift_ppb = 50000,
                                .reference_wall_ns = WALL - NS_PER_S,
                                .reference_id = 0xc0000201,
                                .state = CLOCK_SYNCHRONISED,
                                .stratum = 3,
                                .precision = -24};
}

static bool has_line(void)
{
    struct clock_model found;
    return clock_store_line(&store, ASLEEP, &found) && found.anchor_wall_ns == WALL;
}

TestSuite(clock_store, .init = set_up, .fini = tear_down);

Test(clock_store, a_first_start_finds_nothing)
{
    start(TWO);
    cr_expect_geq(store.fd, 0);
    cr_expect_eq(memory.source[0].asked, 0);
    cr_expect_not(has_line());
    stop();
}

Test(clock_store, after_a_clean_end)
{
    int64_t raw = mono_raw_now().ns;
    struct stat st;
    start(TWO);
    serve(raw);
    ask(0, raw - NS_PER_S);
    memory.source[1].key_failures = 2;
    stop();
    cr_assert_eq(stat(scratch_path(&scratch, CLOCK_STORE_FILE), &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    cr_expect_eq(st.st_size, CLOCK_RECORD_LEN);
    start(TWO);
    cr_expect_eq(memory.source[0].asked, 1);
    cr_expect_eq(memory.source[0].asked_raw_ns, raw - NS_PER_S);
    cr_expect_eq(memory.source[1].key_failures, 2);
    cr_expect(has_line());
    struct clock_model found;
    cr_expect_not(clock_store_line(&store, ASLEEP + 2 * NS_PER_S, &found), "the host has slept");
    stop();
}

Test(clock_store, after_a_kill)
{
    int64_t raw = mono_raw_now().ns;
    start(TWO);
    serve(raw);
    ask(0, raw);
    serve(raw + 1);
    line.anchor_wall_ns = 0;
    kill_it();
    start(TWO);
    cr_expect_eq(memory.source[0].asked_raw_ns, raw);
    cr_expect(has_line(), "that of the last request");
    kill_it();
}

Test(clock_store, sources_are_known_by_name)
{
    static const struct {
        const char *sources;
        size_t index; /* of a.example */
        bool asked;
        bool line;
    } cases[] = {
        {TWO, 0, true, true},
        {"server 192.0.2.1 port 1123 nts\nserver a.example\n", 1, true, true},
        {"server a.example\n", 0, true, false},
        {TWO "server b.example\n", 0, true, false},
        {"leapsmeared yes\n" TWO, 0, true, false},
        {"ntstrustedcerts /etc/other.pem\n" TWO, 0, true, false},
        {"server a.example port 124\nserver 192.0.2.1 port 1123 nts\n", 0, false, false},
        {"server a.example nts\nserver 192.0.2.1 port 1123 nts\n", 0, false, false},
        {"server b.example\nserver 192.0.2.1 port 1123 nts\n", 0, false, false},
        {"server a.example\nserver 192.0.2.1 port 1123 nts ntsport 4461\n", 0, true, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t raw = mono_raw_now().ns;
        start(TWO);
        serve(raw);
        ask(0, raw);
        stop();
        start(cases[i].sources);
        cr_expect_eq(memory.source[cases[i].index].asked > 0, cases[i].asked, "case %zu", i);
        cr_expect_eq(has_line(), cases[i].line, "case %zu", i);
        kill_it();
        cr_assert_eq(unlink(scratch_path(&scratch, CLOCK_STORE_FILE)), 0);
    }
}

Test(clock_store, an_offset_of_a_hardware_clock_makes_another_line)
{
    start("refclock PHC /dev/ptp9\n");
    serve(mono_raw_now().ns);
    stop();
    start("refclock PHC /dev/ptp9\n");
    cr_expect(has_line());
    kill_it();
    start("refclock PHC /dev/ptp9 offset 0.00001\n");
    cr_expect_not(has_line());
    kill_it();
}

/* What the file says, as a next daemon would read it. */
static struct clock_record in_file(void)
{
    uint8_t bytes[CLOCK_RECORD_LEN];
    struct clock_record record;
    int fd = open(scratch_path(&scratch, CLOCK_STORE_FILE), O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    ssize_t n = read(fd, bytes, sizeof(bytes));
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(clock_record_parse(span_of(bytes, n > 0 ? (size_t)n : 0), &record), NTS_OK);
    return record;
}

/* A source that is asked 128 times a second: whenever it all is killed, the file knows of the last
 * request, and it is not written each time. */
Test(clock_store, a_busy_source_is_noted_in_advance)
{
    const int64_t step = NS_PER_S >> 7;
    int64_t raw = mono_raw_now().ns - 10 * NS_PER_S;
    int64_t last = 0;
    int writes = 0;
    start(DENSE);
    serve(raw);
    for (int i = 0; i < 1280; i++, raw += step) {
        ask(0, raw);
        struct clock_record record = in_file();
        cr_assert_geq(record.source[0].memory.asked_raw_ns, raw);
        cr_assert_leq(record.source[0].memory.asked_raw_ns, raw + NS_PER_S);
        writes += record.source[0].memory.asked_raw_ns != last;
        last = record.source[0].memory.asked_raw_ns;
        if (i % 300 == 0) {
            ask(1, raw);
            cr_assert_eq(in_file().source[1].memory.asked_raw_ns, raw, "the other one: at once");
        }
    }
    cr_expect_leq(writes, 11 + 5);
    int64_t asked = memory.source[0].asked_raw_ns;
    stop();
    cr_expect_eq(in_file().source[0].memory.asked_raw_ns, asked, "exact in the end");
}

Test(clock_store, news_of_the_line_once_a_second)
{
    const struct clock_kept k = kept();
    start(TWO);
    serve(mono_raw_now().ns);
    cr_expect(clock_store_note_line(&store, &k));
    cr_expect_eq(in_file().line.anchor_wall_ns, WALL);
    line = (struct clock_model){.state = CLOCK_LOST};
    cr_expect_not(clock_store_note_line(&store, &k), "just written");
    store.record.moment.raw_ns -= NS_PER_S;
    cr_expect(clock_store_note_line(&store, &k));
    cr_expect_eq(in_file().line.state, CLOCK_STARTING, "a lost clock leaves no line");
    stop();
}

/* --- Files of no use --- */

static void put_file(const void *bytes, size_t n)
{
    FILE *f = fopen(scratch_path(&scratch, CLOCK_STORE_FILE), "we");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    cr_assert_eq(fclose(f), 0);
    cr_assert_eq(chmod(scratch_path(&scratch, CLOCK_STORE_FILE), 0600), 0);
}

/* The record of a daemon that has just ended, sealed again. */
static struct clock_record left_behind(void)
{
    int64_t raw = mono_raw_now().ns;
    start(TWO);
    serve(raw);
    ask(0, raw);
    stop();
    return in_file();
}

static void expect_ignored(const char *what)
{
    start(TWO);
    cr_expect_eq(memory.source[0].asked, 0, "%s", what);
    cr_expect_not(has_line(), "%s", what);
    cr_expect_geq(store.fd, 0, "%s", what);
    stop();
    struct stat st;
    cr_expect_eq(in_file().source[0].memory.asked, 0, "%s: and written anew", what);
    cr_assert_eq(stat(scratch_path(&scratch, CLOCK_STORE_FILE), &st), 0);
    cr_expect_eq(st.st_size, CLOCK_RECORD_LEN, "%s", what);
}

Test(clock_store, of_another_boot_or_of_the_future)
{
    uint8_t bytes[CLOCK_RECORD_LEN];
    struct clock_record record = left_behind();
    record.moment.boot ^= 1;
    clock_record_write(&record, bytes);
    put_file(bytes, sizeof(bytes));
    expect_ignored("another boot");
    record = left_behind();
    record.moment.raw_ns += 3600 * NS_PER_S;
    clock_record_write(&record, bytes);
    put_file(bytes, sizeof(bytes));
    expect_ignored("the future");
}

Test(clock_store, damaged)
{
    uint8_t bytes[CLOCK_RECORD_LEN * 3] = {0};
    struct clock_record record = left_behind();
    clock_record_write(&record, bytes);
    for (size_t n = 0; n < CLOCK_RECORD_LEN; n += 97) {
        put_file(bytes, n);
        expect_ignored("cut short");
    }
    put_file(bytes, sizeof(bytes));
    expect_ignored("too long");
    bytes[7] = 9;
    put_file(bytes, sizeof(bytes));
    expect_ignored("another version");
    bytes[7] = CLOCK_RECORD_VERSION;
    bytes[300] ^= 1;
    put_file(bytes, CLOCK_RECORD_LEN);
    expect_ignored("changed");
}

/* --- Places where nothing can be kept: the clock runs all the same --- */

static void expect_unkept(const char *what)
{
    const struct clock_kept k = kept();
    start(TWO);
    cr_expect_lt(store.fd, 0, "%s", what);
    serve(mono_raw_now().ns);
    ask(0, mono_raw_now().ns);
    cr_expect(clock_store_note_line(&store, &k), "%s", what);
    cr_expect_not(has_line(), "%s", what);
    stop();
}

Test(clock_store, not_a_file_of_ours)
{
    const char *path = scratch_path(&scratch, CLOCK_STORE_FILE);
    cr_assert_eq(mkdir(path, 0700), 0);
    expect_unkept("a directory");
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_unkept("a pipe");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink("elsewhere", path), 0);
    expect_unkept("a symbolic link");
    cr_assert_eq(unlink(path), 0);
    scratch_write(&scratch, CLOCK_STORE_FILE, "", 0666);
    expect_unkept("open to others");
    cr_assert_eq(chmod(path, 0600), 0);
    cr_assert_eq(link(path, scratch_path(&scratch, "second name")), 0);
    expect_unkept("of two names");
}

Test(clock_store, no_directory)
{
    (void)rmdir(scratch.dir);
    expect_unkept("no directory");
    struct stat st;
    cr_expect_neq(stat(scratch.dir, &st), 0, "nor is one made");
}

Test(clock_store, two_daemons_in_one_directory)
{
    static struct clock_store first;
    start(TWO);
    serve(mono_raw_now().ns);
    ask(0, mono_raw_now().ns);
    first = store;
    expect_unkept("locked by another");
    cr_assert_eq(close(first.fd), 0);
    start(TWO);
    cr_expect_eq(memory.source[0].asked, 1, "it was left as it was");
    stop();
}

Test(clock_store, a_disk_that_takes_nothing)
{
    start(TWO);
    int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    cr_assert_geq(full, 0);
    cr_assert_eq(dup2(full, store.fd), store.fd);
    cr_assert_eq(close(full), 0);
    for (int i = 0; i < 100; i++) {
        ask(0, mono_raw_now().ns - NS_PER_S + i);
    }
    stop();
    cr_expect_eq(stats_get(&stats, CLOCK_COUNT_NOT_KEPT), 101);
}
