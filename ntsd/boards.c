/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See boards.h.
 */
#include "ntsd/boards.h"

#include "common/base/board.h"
#include "common/base/stats.h"
#include "nts-ke/ke_service.h"
#include "ntsd/clock_values.h"
#include "ntsd/status_values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct layout {
    const char *name; /* seen in /proc/PID/maps */
    size_t value;     /* size of the board's value; 0: not a board but blocks of counters */
};

static const struct layout layouts[BOARDS_COUNT] = {
    [BOARDS_KEYS] = {"ntsd-keys", sizeof(struct keyring)},
    [BOARDS_KEY_DOC] = {"ntsd-key-document", sizeof(struct keydoc)},
    [BOARDS_CLOCK] = {"ntsd-clock", sizeof(struct clock_model)},
    [BOARDS_CLOCK_REPORT] = {"ntsd-clock-report", sizeof(struct clock_report)},
    [BOARDS_CLOCK_MEMORY] = {"ntsd-clock-memory", sizeof(struct clock_memory)},
    [BOARDS_KEY_STATUS] = {"ntsd-key-status", sizeof(struct key_status)},
    [BOARDS_KE_STATUS] = {"ntsd-ke-status", sizeof(struct ke_status)},
    [BOARDS_SUPERVISOR] = {"ntsd-supervisor", sizeof(struct supervisor_status)},
    [BOARDS_NTP_STATS] = {"ntsd-ntp-stats", 0},
    [BOARDS_KE_STATS] = {"ntsd-ke-stats", 0},
    [BOARDS_CLOCK_STATS] = {"ntsd-clock-stats", 0},
};

_Static_assert(sizeof(struct keyring) % 8 == 0 && sizeof(struct keydoc) % 8 == 0,
               "board values are whole words");

size_t boards_ke_stats_stride(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (sizeof(struct stats) + page - 1) / page * page;
}

static int open_file(const struct layout *layout, size_t size)
{
    int fd = memfd_create(layout->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -1;
    }
    /* Sealed: a writer that could shorten the file would kill its readers with SIGBUS. */
    if (ftruncate(fd, (off_t)size) != 0 || fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* A second descriptor of the same file that cannot write: dup() would share the mode. */
static int reopen_read_only(int fd)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static size_t size_of(enum boards_id id, size_t workers, size_t ke_processes)
{
    if (id == BOARDS_NTP_STATS) {
        return sizeof(struct stats) * (workers > 0 ? workers : 1);
    }
    if (id == BOARDS_KE_STATS) {
        return boards_ke_stats_stride() * (ke_processes > 0 ? ke_processes : 1);
    }
    if (id == BOARDS_CLOCK_STATS) {
        return sizeof(struct stats) * CLOCK_STATS_BLOCKS;
    }
    return board_footprint(layouts[id].value);
}

NODISCARD enum nts_err boards_open(struct boards *boards, size_t workers, size_t ke_processes)
{
    for (int id = 0; id < BOARDS_COUNT; id++) {
        boards->file[id].writable = -1;
        boards->file[id].readable = -1;
    }
    for (int id = 0; id < BOARDS_COUNT; id++) {
        size_t size = size_of((enum boards_id)id, workers, ke_processes);
        boards->file[id].size = size;
        boards->file[id].writable = open_file(&layouts[id], size);
        if (boards->file[id].writable >= 0) {
            boards->file[id].readable = reopen_read_only(boards->file[id].writable);
        }
        if (boards->file[id].readable < 0) {
            int saved = errno;
            boards_close(boards);
            errno = saved;
            return NTS_ESYSTEM;
        }
    }
    return NTS_OK;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

void boards_close(struct boards *boards)
{
    for (int id = 0; id < BOARDS_COUNT; id++) {
        close_one(&boards->file[id].writable);
        close_one(&boards->file[id].readable);
    }
}

static void *map(const struct boards *boards, enum boards_id id, enum boards_access access,
                 size_t offset, size_t size)
{
    bool write = access == BOARDS_WRITE;
    int fd = write ? boards->file[id].writable : boards->file[id].readable;
    int rights = write ? PROT_READ | PROT_WRITE : PROT_READ;
    void *p = mmap(NULL, size, rights, MAP_SHARED, fd, (off_t)offset);
    return p == MAP_FAILED ? NULL : p;
}

void *boards_map(const struct boards *boards, enum boards_id id, enum boards_access access)
{
    size_t size = boards->file[id].size;
    void *p = access == BOARDS_NONE ? NULL : map(boards, id, access, 0, size);
    if (p != NULL && (id == BOARDS_KEYS || id == BOARDS_KEY_DOC)) {
        (void)madvise(p, size, MADV_DONTDUMP);
        (void)mlock(p, size); /* best effort: RLIMIT_MEMLOCK may be small */
    }
    if (p != NULL && id == BOARDS_SUPERVISOR && access == BOARDS_WRITE) {
        (void)madvise(p, size, MADV_DONTFORK); /* the parent's own; children are all forked */
    }
    return p;
}

void *boards_map_ke_stats(const struct boards *boards, size_t process)
{
    size_t stride = boards_ke_stats_stride();
    return map(boards, BOARDS_KE_STATS, BOARDS_WRITE, process * stride, stride);
}
