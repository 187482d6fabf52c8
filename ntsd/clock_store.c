/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See clock_store.h.
 */
#include "ntsd/clock_store.h"

#include "common/base/file.h"
#include "ntp/saturate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_ID_PATH   "/proc/sys/kernel/random/boot_id"
#define TIME_SPACE     "/proc/self/ns/time"
#define WRITE_SPACE_NS CLOCK_RECORD_AHEAD_NS

enum {
    BOOT_ID_MAX = 64,
    LOCK_TRIES = 20, /* the process of a daemon that was killed just now may not be gone yet */
    LOCK_WAIT_MS = 10,
    MODE_OTHERS = 0077,
};

/* --- Names --- */

/* 0: unknown. Beside the kernel's word: in another time namespace its clocks are others. */
static uint64_t name_boot(void)
{
    uint8_t text[BOOT_ID_MAX];
    size_t n = 0;
    struct stat st = {0};
    if (file_read(BOOT_ID_PATH, text, sizeof(text), &n) != NTS_OK || n == 0) {
        return 0;
    }
    uint64_t space = stat(TIME_SPACE, &st) == 0 ? (uint64_t)st.st_ino : 0;
    uint64_t name = clock_record_hash(CLOCK_RECORD_HASH, span_of(text, n));
    return clock_record_hash(name, span_of(&space, sizeof(space)));
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return clock_record_hash(hash, span_of(text, strlen(text) + 1));
}

/* Whom we ask. */
static uint64_t name_source(const struct config_source *source)
{
    uint16_t ke_port = source->nts ? source->ke_port : 0;
    const uint8_t kind[] = {source->phc,
                            source->nts,
                            (uint8_t)(source->port >> 8),
                            (uint8_t)source->port,
                            (uint8_t)(ke_port >> 8),
                            (uint8_t)ke_port};
    uint64_t id =
        hash_text(clock_record_hash(CLOCK_RECORD_HASH, span_of(kind, sizeof(kind))), source->name);
    return id == 0 ? 1 : id;
}

/* On whose word a line rests, and what is made of that word; the order does not matter. */
static uint64_t name_sources(const struct config *config)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->source[i];
        uint8_t smeared = source->smeared;
        uint64_t hash = clock_record_hash(name_source(source), span_of(&smeared, sizeof(smeared)));
        hash = clock_record_hash(hash, span_of(&source->offset_ns, sizeof(source->offset_ns)));
        bool vouched = source->nts && config->trusted_certs != NULL;
        sum += hash_text(hash, vouched ? config->trusted_certs : "");
    }
    return sum;
}

static struct clock_record_moment moment_of(const struct clock_store *store, int64_t asleep_ns)
{
    return (struct clock_record_moment){.boot = store->boot,
                                        .sources = store->sources,
                                        .raw_ns = mono_raw_now().ns,
                                        .asleep_ns = asleep_ns};
}

/* --- The file --- */

static bool path_of(const struct clock_store *store, char path[static PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/%s", store->config->state_dir, CLOCK_STORE_FILE);
    errno = ENAMETOOLONG;
    return n > 0 && n < PATH_MAX;
}

static bool is_private(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return false;
    }
    errno = EPERM;
    return S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1 &&
           (st.st_mode & MODE_OTHERS) == 0;
}

static bool lock(int fd)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK) {
            return false;
        }
        (void)poll(NULL, 0, LOCK_WAIT_MS);
    }
    errno = EWOULDBLOCK;
    return false;
}

/* -1: errno says why. O_NONBLOCK: a FIFO in the file's place must not hold the process. */
static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR);
    if (fd >= 0 && (!is_private(fd) || !lock(fd))) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* NULL: nothing is wrong with it. */
static const char *fault_of(enum nts_err err, const struct clock_record *found,
                            const struct clock_record_moment *now)
{
    if (err == NTS_ELIMIT) {
        return "another version";
    }
    if (err != NTS_OK) {
        return "damaged";
    }
    return found->moment.boot == now->boot && found->moment.raw_ns > now->raw_ns ? "of the future"
                                                                                 : NULL;
}

/* Empty when there is nothing of use. */
static struct clock_record read_file(const struct clock_store *store, const char *path)
{
    uint8_t file[CLOCK_RECORD_LEN + 1]; /* one more tells one that is too long */
    struct clock_record found;
    const struct clock_record_moment now = moment_of(store, 0);
    ssize_t n = pread(store->fd, file, sizeof(file), 0);
    enum nts_err err = clock_record_parse(span_of(file, n > 0 ? (size_t)n : 0), &found);
    const char *fault = n == 0 ? NULL : fault_of(err, &found, &now);
    if (fault != NULL) {
        log_event(LOG_LEVEL_WARN, "clock state ignored", "file", path, "reason", fault, NULL);
    }
    if (n > CLOCK_RECORD_LEN && ftruncate(store->fd, 0) != 0) {
        log_event(LOG_LEVEL_WARN, "clock state cannot be cut", "file", path, "error",
                  strerror(errno), NULL); /* it would be too long for ever */
    }
    return clock_record_is_of(&found, &now) ? found : (struct clock_record){0};
}

void clock_store_open(struct clock_store *store, const struct config *config, struct stats *stats)
{
    char path[PATH_MAX];
    *store = (struct clock_store){.fd = -1,
                                  .config = config,
                                  .stats = stats,
                                  .boot = name_boot(),
                                  .sources = name_sources(config),
                                  .failures = {.interval_s = 600, .burst = 2}};
    if (path_of(store, path)) {
        errno = ENOTSUP; /* the boot has no name */
        store->fd = store->boot == 0 ? -1 : open_file(path);
    }
    if (store->fd < 0) {
        log_event(LOG_LEVEL_WARN, "clock state is not kept for the next start", "file", path,
                  "error", strerror(errno), NULL);
        return;
    }
    const struct clock_record found = read_file(store, path);
    const struct clock_record_moment now = moment_of(store, 0);
    store->record.moment = found.moment;
    store->record.line = found.line;
    for (size_t i = 0; i < config->source_count; i++) {
        struct clock_record_source *source = &store->record.source[i];
        source->id = name_source(&config->source[i]);
        source->memory = clock_record_memory(&found, &now, source->id);
    }
}

bool clock_store_line(const struct clock_store *store, int64_t asleep_ns, struct clock_model *line)
{
    const struct clock_record_moment now = moment_of(store, asleep_ns);
    return clock_record_line(&store->record, &now, line);
}

void clock_store_memory(const struct clock_store *store, struct clock_memory *memory)
{
    for (size_t i = 0; i < CLOCK_SOURCES_MAX; i++) {
        memory->source[i] = store->record.source[i].memory;
    }
}

/* --- Writing --- */

static void write_file(struct clock_store *store)
{
    uint8_t file[CLOCK_RECORD_LEN];
    uint64_t suppressed = 0;
    clock_record_write(&store->record, file);
    errno = ENOSPC; /* what a short write means */
    if (pwrite(store->fd, file, sizeof(file), 0) == (ssize_t)sizeof(file)) {
        return;
    }
    const char *error = strerror(errno);
    stats_add(store->stats, CLOCK_COUNT_NOT_KEPT, 1);
    if (log_limit_allows(&store->failures, mono_now(), &suppressed)) {
        log_event(LOG_LEVEL_WARN, "clock state cannot be written", "directory",
                  store->config->state_dir, "error", error, "suppressed",
                  log_fmt(LOG_BUF, "%" PRIu64, suppressed), NULL);
    }
}

/* Sources that are asked more than once a second are noted `ahead_ns` in advance. What could not
 * be written counts as noted too, or each request would try again. */
static void note_all(struct clock_store *store, const struct clock_kept *kept, int64_t ahead_ns)
{
    store->record.moment = moment_of(store, kept->asleep_ns);
    store->record.line = *kept->line;
    for (size_t i = 0; i < store->config->source_count; i++) {
        struct ntp_poll_memory *memory = &store->record.source[i].memory;
        *memory = kept->memory->source[i];
        if (memory->asked > 0 && store->config->source[i].minpoll < 0) {
            memory->asked_raw_ns = sat_add(memory->asked_raw_ns, ahead_ns);
        }
    }
    write_file(store);
}

void clock_store_note(struct clock_store *store, size_t index, const struct clock_kept *kept)
{
    if (store->fd >= 0 &&
        !clock_record_covers(&store->record.source[index].memory, &kept->memory->source[index])) {
        note_all(store, kept, CLOCK_RECORD_AHEAD_NS);
    }
}

bool clock_store_note_line(struct clock_store *store, const struct clock_kept *kept)
{
    if (store->fd < 0) {
        return true;
    }
    if (sat_sub(mono_raw_now().ns, store->record.moment.raw_ns) < WRITE_SPACE_NS) {
        return false;
    }
    note_all(store, kept, CLOCK_RECORD_AHEAD_NS);
    return true;
}

void clock_store_close(struct clock_store *store, const struct clock_kept *kept)
{
    if (store->fd >= 0) {
        note_all(store, kept, 0);
        (void)close(store->fd);
        store->fd = -1;
    }
}
