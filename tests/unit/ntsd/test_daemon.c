/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon as a whole: start, restart of children, drain, reload, and what it refuses.
 */
#include "tests/unit/ntsd/daemon_fixture.h"

#include "common/keys/keydoc.h"

#include <pthread.h>

static struct daemon_under_test d;
static char page[70000];

static const char *const roles[] = {"ntsd: clock", "ntsd: keys", "ntsd: ke", "ntsd: ntp",
                                    "ntsd: status"};
enum { ROLES = sizeof(roles) / sizeof(roles[0]) };

static void setup(void)
{
    daemon_make(&d);
}

static void teardown(void)
{
    daemon_remove(&d);
}

TestSuite(daemon, .init = setup, .fini = teardown, .timeout = 120);

static void start(void)
{
    daemon_spawn(&d, NULL);
    cr_assert_geq(daemon_await(&d, 10000), 0);
}

Test(daemon, first_answer_within_a_second)
{
    int64_t began = now_ms();
    daemon_spawn(&d, NULL);
    while (!ntp_answers(&d) && now_ms() - began < 20000) {
        pause_ms(2);
    }
    cr_expect_lt(now_ms() - began, 1000 * SLOWED);
    cr_expect_geq(daemon_await(&d, 10000), 0);
}

Test(daemon, a_term_ends_it_in_time_and_leaves_nobody)
{
    pid_t child[ROLES];
    start();
    for (size_t i = 0; i < ROLES; i++) {
        child[i] = daemon_child(&d, roles[i]);
        cr_assert_gt(child[i], 0, "%s", roles[i]);
    }
    (void)kill(d.pid, SIGTERM);
    cr_expect_eq(daemon_wait(&d, 5000), 0);
    for (size_t i = 0; i < ROLES; i++) {
        cr_expect_eq(kill(child[i], 0), -1, "%s is still there", roles[i]);
    }
    cr_expect(log_has(&d, "stopped"));
}

/* A TLS connection under way keeps ke busy; out of the load balancer is said at once all the
 * same, and the second signal does not wait. */
Test(daemon, drains_and_takes_a_second_signal_for_haste)
{
    start();
    int busy = dial(d.ke_port, SOCK_STREAM);
    cr_assert_geq(busy, 0);
    (void)kill(d.pid, SIGTERM);
    unsigned code = 200;
    for (int i = 0; i < 200 && code == 200; i++) {
        code = http_get(&d, "/readyz", page, sizeof(page));
    }
    cr_expect_eq(code, 503);
    cr_expect_not_null(strstr(page, "\r\n\r\ndraining\n"), "%s", page);
    (void)kill(d.pid, SIGINT);
    cr_expect_eq(daemon_wait(&d, 1000 * SLOWED), 0);
    (void)close(busy);
}

Test(daemon, every_child_comes_back)
{
    start();
    for (size_t i = 0; i < ROLES; i++) {
        pid_t before = daemon_child(&d, roles[i]);
        cr_assert_gt(before, 0, "%s", roles[i]);
        (void)kill(before, SIGKILL);
        int64_t began = now_ms();
        pid_t after = before;
        while ((after == before || after == 0) && now_ms() - began < 20000) {
            after = daemon_child(&d, roles[i]);
        }
        cr_expect_neq(after, before, "%s", roles[i]);
        cr_expect_geq(daemon_await(&d, 20000), 0, "%s", roles[i]);
        cr_expect_lt(now_ms() - began, 2000 * SLOWED, "%s", roles[i]);
    }
    cr_expect_eq(http_get(&d, "/metrics", page, sizeof(page)), 200);
    for (size_t i = 0; i < ROLES; i++) {
        char want[128];
        (void)snprintf(want, sizeof(want),
                       "\nntsd_process_restarts_total{process=\"%s\",index=\"0\"} 1\n",
                       roles[i] + strlen("ntsd: "));
        cr_expect_not_null(strstr(page, want), "%s", want);
    }
}

Test(daemon, a_crash_loop_backs_off_and_the_others_go_on)
{
    pid_t ntp = 0;
    start();
    ntp = daemon_child(&d, "ntsd: ntp");
    for (int i = 0; i < 3; i++) {
        pid_t ke = 0;
        for (int64_t until = now_ms() + 5000; ke == 0 && now_ms() < until;) {
            ke = daemon_child(&d, "ntsd: ke");
        }
        cr_assert_gt(ke, 0);
        (void)kill(ke, SIGKILL);
        while (kill(ke, 0) == 0) {
            pause_ms(1);
        }
    }
    cr_expect_geq(daemon_await(&d, 10000), 0);
    cr_expect(log_has(&d, "process=ke"));
    cr_expect(log_has(&d, "restart_in_ms=0"));
    cr_expect(log_has(&d, "restart_in_ms=100"));
    cr_expect(log_has(&d, "restart_in_ms=200"));
    cr_expect_eq(daemon_child(&d, "ntsd: ntp"), ntp);
}

/* Ended, whether or not somebody has asked for its exit status. */
static bool is_gone(pid_t pid)
{
    char path[64];
    char state = '?';
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (f != NULL) {
        bool read = fscanf(f, "%*d (%*[^)]) %c", &state) == 1;
        (void)fclose(f);
        return read && state == 'Z';
    }
    return true;
}

Test(daemon, children_die_with_their_parent)
{
    pid_t child[ROLES];
    start();
    for (size_t i = 0; i < ROLES; i++) {
        child[i] = daemon_child(&d, roles[i]);
    }
    (void)kill(d.pid, SIGKILL);
    (void)waitpid(d.pid, NULL, 0);
    /* the sockets of the dead may live a moment longer: the next start waits for them */
    daemon_spawn(&d, NULL);
    int64_t until = now_ms() + 2000 * SLOWED;
    for (size_t i = 0; i < ROLES; i++) {
        while (!is_gone(child[i]) && now_ms() < until) {
            pause_ms(1);
        }
        cr_expect(is_gone(child[i]), "%s", roles[i]);
        (void)kill(child[i], SIGKILL);
    }
    cr_expect_geq(daemon_await(&d, 10000), 0);
}

Test(daemon, reloads_and_strange_signals_kill_nobody)
{
    pid_t child[ROLES];
    const int signals[] = {SIGHUP, SIGUSR1,   SIGUSR2, SIGPIPE,  SIGALRM,  SIGPROF,
                           SIGIO,  SIGSTKFLT, SIGPWR,  SIGRTMIN, SIGRTMAX, SIGHUP};
    start();
    for (size_t i = 0; i < ROLES; i++) {
        child[i] = daemon_child(&d, roles[i]);
    }
    for (int n = 0; n < 50; n++) {
        for (size_t s = 0; s < sizeof(signals) / sizeof(signals[0]); s++) {
            (void)kill(d.pid, signals[s]);
        }
    }
    for (size_t i = 0; i < ROLES; i++) {
        (void)kill(child[i], SIGUSR1);
        (void)kill(child[i], SIGRTMIN);
    }
    cr_expect_geq(daemon_await(&d, 10000), 0);
    for (size_t i = 0; i < ROLES; i++) {
        cr_expect_eq(daemon_child(&d, roles[i]), child[i], "%s", roles[i]);
    }
    cr_expect(log_has(&d, "reload: certificates are read again, the configuration is not"));
}

/* How many descriptors of a child lead to something of this name. */
static size_t count_files(pid_t pid, const char *name)
{
    char dir[64];
    size_t count = 0;
    (void)snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
    DIR *fds = opendir(dir);
    cr_assert_not_null(fds);
    for (struct dirent *e = readdir(fds); e != NULL; e = readdir(fds)) {
        char link[512] = "";
        ssize_t n = readlinkat(dirfd(fds), e->d_name, link, sizeof(link) - 1);
        count += n > 0 && strstr(link, name) != NULL ? 1 : 0;
    }
    (void)closedir(fds);
    return count;
}

/* How many mappings of a child have this name and these rights. */
static size_t count_maps(pid_t pid, const char *rights, const char *name)
{
    char path[64];
    char line[1024];
    size_t count = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *f = fopen(path, "re");
    cr_assert_not_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        count += strstr(line, name) != NULL && strstr(line, rights) != NULL ? 1 : 0;
    }
    (void)fclose(f);
    return count;
}

Test(daemon, children_hold_only_what_is_theirs)
{
    static const struct {
        const char *name;
        size_t sockets;
        size_t key_readers;
        size_t key_writers;
    } cases[] = {
        {"ntsd: clock", 0, 0, 0}, {"ntsd: keys", 0, 0, 1},   {"ntsd: ke", 1, 1, 0},
        {"ntsd: ntp", 2, 1, 0},   {"ntsd: status", 1, 0, 0},
    };
    start();
    if (geteuid() != 0) {
        return; /* the daemon is not dumpable: its /proc is root's */
    }
    for (size_t i = 0; i < ROLES; i++) {
        pid_t pid = daemon_child(&d, cases[i].name);
        cr_expect_eq(count_files(pid, "memfd:"), 0, "%s", cases[i].name);
        cr_expect_geq(count_files(pid, "socket:"), cases[i].sockets, "%s", cases[i].name);
        cr_expect_leq(count_files(pid, "socket:"), cases[i].sockets + 1, "%s", cases[i].name);
        cr_expect_eq(count_maps(pid, " r--s ", "ntsd-keys"), cases[i].key_readers);
        cr_expect_eq(count_maps(pid, " rw-s ", "ntsd-keys"), cases[i].key_writers);
        cr_expect_eq(count_maps(pid, "", "ntsd-key-document"), cases[i].key_writers);
        cr_expect_eq(count_maps(pid, " rw-s ", "ntsd-supervisor"), 0, "%s", cases[i].name);
    }
    cr_expect_eq(count_maps(d.pid, "", "ntsd-keys"), 0, "the parent sees no key");
    cr_expect_eq(count_maps(d.pid, "", "ntsd-key-document"), 0);
}

static long pss_kb(pid_t pid)
{
    char path[64];
    char line[256];
    long kb = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL &&
           sscanf(line, "Pss: %ld", &kb) != 1) {
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return kb;
}

Test(daemon, small_when_idle)
{
    start();
    if (geteuid() != 0 || SLOWED > 1) {
        return; /* not to be seen, or not the size it has */
    }
    long sum = pss_kb(d.pid);
    for (size_t i = 0; i < ROLES; i++) {
        sum += pss_kb(daemon_child(&d, roles[i]));
    }
    cr_expect_gt(sum, 1000);
    cr_expect_lt(sum, 40 * 1024);
}

Test(daemon, check_says_ok)
{
    char want[PATH_MAX + 16];
    daemon_spawn(&d, "-t");
    cr_expect_eq(daemon_wait(&d, 20000), 0);
    (void)snprintf(want, sizeof(want), "%s: ok\n", d.config);
    cr_expect(log_has(&d, want));
    cr_expect(log_has(&d, "days left"));
    cr_expect_eq(access(scratch_path(&d.scratch, "state"), F_OK), -1, "a check leaves no trace");
}

static void ignore_children(void)
{
    (void)signal(SIGCHLD, SIG_IGN);
}

/* Who starts programs and forgets them ignores SIGCHLD, and its children inherit that. */
Test(daemon, works_where_the_launcher_ignores_its_children)
{
    cr_assert_eq(pthread_atfork(NULL, NULL, ignore_children), 0);
    daemon_spawn(&d, "-t");
    cr_expect_eq(daemon_wait(&d, 20000), 0);
    cr_expect(log_has(&d, ": ok\n"));
    start();
}

/* What a start refuses, a check refuses, with the same words. */
static void expect_refused(const char *words)
{
    static const char *const options[] = {"-t", NULL};
    for (size_t i = 0; i < 2; i++) {
        daemon_spawn(&d, options[i]);
        cr_expect_eq(daemon_wait(&d, 20000), 1, "%s", words);
        cr_expect(log_has(&d, words), "%s", words);
    }
}

Test(daemon, refuses_a_bad_configuration)
{
    daemon_configure(&d, "bogus\n");
    expect_refused("ntsd.conf:");
    expect_refused(": bogus: unknown directive");
}

Test(daemon, refuses_a_certificate_that_is_not_there)
{
    cr_assert_eq(unlink(scratch_path(&d.scratch, "server.pem")), 0);
    expect_refused("server.pem");
}

Test(daemon, refuses_a_key_of_another_certificate)
{
    struct cert_fault fault = {0};
    const char *other = scratch_path(&d.scratch, "other");
    const struct devca_options ca = {
        .dir = other, .not_before = wall_now().ns / NS_PER_S - 3600, .days = 90};
    cr_assert_eq(devca_make(&ca, &fault), NTS_OK, "%s", fault.text);
    cr_assert_eq(rename(scratch_path(&d.scratch, "other/server.key"),
                        scratch_path(&d.scratch, "server.key")),
                 0);
    expect_refused("server.key");
}

Test(daemon, refuses_a_damaged_secret)
{
    cr_assert_eq(mkdir(scratch_path(&d.scratch, "state"), 0700), 0);
    scratch_write(&d.scratch, "state/keys.json", "{\"ntsd_keys\": 1, \"epochs\": [", 0600);
    expect_refused("keys.json");
}

/* Its secret comes later: it runs, answers what needs no key, and says that it is not ready. */
Test(daemon, waits_for_the_secret_of_its_fleet)
{
    char line[128];
    char text[KEYDOC_WRITTEN_MAX] = "";
    struct wr out = wr_init((uint8_t *)text, sizeof(text) - 1);
    struct keydoc doc = {.count = 1};
    doc.epoch[0] = (struct keydoc_epoch){
        .id = 9, .not_before = wall_now().ns / NS_PER_S - 100, .rotate_s = 3600, .chain = {1}};
    cr_assert_eq(keydoc_write(&doc, &out), NTS_OK);
    (void)snprintf(line, sizeof(line), "ntskeys file %s/doc.json\n", d.scratch.dir);
    daemon_configure(&d, line);
    daemon_spawn(&d, "-t");
    cr_expect_eq(daemon_wait(&d, 20000), 1, "somebody is there to mend it");
    cr_expect(log_has(&d, "doc.json: No such file"));
    daemon_spawn(&d, NULL);
    for (int64_t until = now_ms() + 20000; !log_has(&d, "no keys yet") && now_ms() < until;) {
        pause_ms(5);
    }
    cr_expect_eq(http_get(&d, "/healthz", page, sizeof(page)), 200);
    cr_expect_eq(http_get(&d, "/readyz", page, sizeof(page)), 503);
    cr_expect_not_null(strstr(page, "\r\n\r\nno keys\n"), "%s", page);
    cr_expect_eq(http_get(&d, "/readyz/ke", page, sizeof(page)), 503);
    cr_expect(ntp_answers(&d), "a plain question needs no key");
    scratch_write(&d.scratch, "doc.json", text, 0600);
    cr_expect_geq(daemon_await(&d, 10000), 0);
    cr_expect_eq(http_get(&d, "/metrics", page, sizeof(page)), 200);
    cr_expect_not_null(strstr(page, "\nntsd_key_issuing{id=\"090000\""));
}

Test(daemon, refuses_an_account_that_does_not_exist)
{
    cr_assert_eq(truncate(d.config, 0), 0);
    scratch_write(&d.scratch, "ntsd.conf", "ntsport 0\nport 12345\nuser no-such-user\n", 0644);
    expect_refused("user no-such-user: there is no such account");
}

Test(daemon, refuses_a_port_that_is_taken)
{
    struct net_addr addr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(net_addr_parse("127.0.0.1", (uint16_t)d.ntp_port, &addr), NTS_OK);
    cr_assert_eq(bind(fd, &addr.sa, net_addr_len(&addr)), 0);
    daemon_spawn(&d, NULL);
    cr_expect_eq(daemon_wait(&d, 20000), 1);
    cr_expect(log_has(&d, "Address already in use"));
    (void)close(fd);
}

Test(daemon, wrong_usage)
{
    daemon_spawn(&d, "-x");
    cr_expect_eq(daemon_wait(&d, 20000), 2);
    daemon_spawn(&d, "extra");
    cr_expect_eq(daemon_wait(&d, 20000), 2);
    daemon_spawn(&d, "--help");
    cr_expect_eq(daemon_wait(&d, 20000), 0);
    cr_expect(log_has(&d, "usage: ntsd"));
    daemon_spawn(&d, "--version");
    cr_expect_eq(daemon_wait(&d, 20000), 0);
    cr_expect(log_has(&d, "ntsd " NTSD_VERSION "\n"));
}

/* Only root can become somebody else. */
Test(daemon, runs_as_the_account_it_is_told)
{
    if (geteuid() != 0) {
        return;
    }
    char path[64];
    char line[256];
    bool is_nobody = false;
    cr_assert_eq(chmod(d.scratch.dir, 0755), 0);
    char text[2048] = "";
    FILE *f = fopen(d.config, "re");
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    char *user = strstr(text, "user root\n");
    memcpy(user, "user nobody\n", sizeof("user nobody\n"));
    scratch_write(&d.scratch, "ntsd.conf", text, 0644);
    expect_refused("chown nobody ");
    cr_assert_eq(chown(scratch_path(&d.scratch, "server.key"), 65534, 65534), 0);
    start();
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon_child(&d, "ntsd: ke"));
    f = fopen(path, "re");
    while (fgets(line, sizeof(line), f) != NULL) {
        is_nobody = is_nobody || strcmp(line, "Uid:\t65534\t65534\t65534\t65534\n") == 0;
        cr_expect(strncmp(line, "CapEff:", 7) != 0 || strstr(line, "0000000000000000") != NULL);
        cr_expect(strncmp(line, "NoNewPrivs:", 11) != 0 || strchr(line, '1') != NULL);
    }
    (void)fclose(f);
    cr_expect(is_nobody);
}
