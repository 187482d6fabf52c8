/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See provider_command.h.
 */
#include "common/keys/provider_command.h"

#include "common/base/time.h"
#include "common/keys/provider_refuse.h"
#include "common/keys/provider_spawn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 160, CHUNK = 1024, READS_AT_END = 64 };

#define NAME "%.160s" /* of a program in a fault */

/* The last line that is not empty, cut. */
struct last_line {
    size_t n;
    bool is_over; /* the next octet begins another */
    char text[LINE_MAX_LEN + 1];
};

struct command {
    const char *name;
    struct provider_child child;
    struct provider_text *text;
    struct last_line said;
    bool is_late;
    bool is_too_long;
};

static void take_octet(struct last_line *line, char c)
{
    if (c == '\n' || c == '\r') {
        line->is_over = line->n > 0;
        return;
    }
    if (line->is_over) {
        line->n = 0;
        line->is_over = false;
    }
    if (line->n < LINE_MAX_LEN) {
        line->text[line->n++] = c;
        line->text[line->n] = '\0';
    }
}

/* One read; false when there is no more for now, or ever: `fd` is then -1. */
static bool read_some(int *fd, uint8_t *buf, size_t cap, size_t *n)
{
    ssize_t got;
    do {
        got = read(*fd, buf, cap);
    } while (got < 0 && errno == EINTR);
    *n = got > 0 ? (size_t)got : 0;
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        (void)close(*fd);
        *fd = -1;
    }
    return got > 0;
}

/* One octet beyond the room tells an output that is too long. */
static bool read_out(struct command *command)
{
    struct provider_text *text = command->text;
    size_t left = sizeof(text->bytes) - text->len;
    size_t n = 0;
    uint8_t extra;
    if (command->child.out < 0) {
        return false;
    }
    bool more = left > 0 ? read_some(&command->child.out, text->bytes + text->len, left, &n)
                         : read_some(&command->child.out, &extra, 1, &n);
    command->is_too_long = command->is_too_long || (left == 0 && n > 0);
    text->len += left > 0 ? n : 0;
    return more && !command->is_too_long;
}

static bool read_err(struct command *command)
{
    uint8_t chunk[CHUNK];
    size_t n = 0;
    if (command->child.err < 0) {
        return false;
    }
    bool more = read_some(&command->child.err, chunk, sizeof(chunk), &n);
    for (size_t i = 0; i < n; i++) {
        take_octet(&command->said, (char)chunk[i]);
    }
    return more;
}

/* Until it has ended, says too much, or its time is over. */
static void listen_to(struct command *command, struct mono_ns deadline)
{
    const struct provider_child *child = &command->child;
    for (;;) {
        int64_t left_ms = (deadline.ns - mono_now().ns) / NS_PER_MS;
        if (left_ms <= 0) {
            command->is_late = true;
            return;
        }
        struct pollfd wait[] = {{.fd = child->ended, .events = POLLIN},
                                {.fd = child->out, .events = POLLIN},
                                {.fd = child->err, .events = POLLIN}};
        if (poll(wait, sizeof(wait) / sizeof(wait[0]), (int)left_ms) <= 0) {
            continue;
        }
        if (wait[1].revents != 0) {
            (void)read_out(command);
        }
        if (wait[2].revents != 0) {
            (void)read_err(command);
        }
        if (command->is_too_long || wait[0].revents != 0) {
            return;
        }
    }
}

/* What the pipes still hold. Bounded: a descendant that left the group may go on talking. */
static void drain(struct command *command)
{
    for (int i = 0; i < READS_AT_END && read_err(command); i++) {
    }
    while (!command->is_late && read_out(command)) {
    }
}

static enum provider_outcome judge(const struct command *command, int status,
                                   struct provider_fault *fault)
{
    const char *said = command->said.text;
    const char *colon = said[0] == '\0' ? "" : ": ";
    if (command->is_too_long) {
        return provider_refuse(fault, PROVIDER_TOO_LONG,
                               NAME " prints more than %d octets, so it is no secret document",
                               command->name, KEYDOC_TEXT_MAX);
    }
    if (command->is_late) {
        return provider_refuse(fault, PROVIDER_TIMEOUT, NAME " did not end in time%s%s",
                               command->name, colon, said);
    }
    if (WIFSIGNALED(status)) {
        return provider_refuse(fault, PROVIDER_FAILED, NAME " was ended by signal %d%s%s",
                               command->name, WTERMSIG(status), colon, said);
    }
    if (WEXITSTATUS(status) != 0) {
        return provider_refuse(fault, PROVIDER_FAILED, NAME " ended with status %d%s%s",
                               command->name, WEXITSTATUS(status), colon, said);
    }
    return PROVIDER_OK;
}

static enum provider_outcome fetch(struct command *command, const char *const *argv,
                                   struct mono_ns deadline, struct provider_fault *fault)
{
    int status = 0;
    enum provider_outcome outcome = provider_spawn(argv, &command->child, fault);
    if (outcome != PROVIDER_OK) {
        return outcome;
    }
    listen_to(command, deadline);
    provider_kill(&command->child);
    drain(command);
    if (!provider_reap(&command->child, &status)) {
        return provider_refuse(fault, PROVIDER_INTERNAL, NAME " cannot be waited for",
                               command->name);
    }
    return judge(command, status, fault);
}

enum provider_outcome provider_command_fetch(const char *const *argv, int64_t deadline_ms,
                                             struct provider_text *text,
                                             struct provider_fault *fault)
{
    struct command command = {.name = argv[0], .text = text};
    struct mono_ns deadline = {.ns = mono_now().ns + deadline_ms * NS_PER_MS};
    provider_text_wipe(text);
    enum provider_outcome outcome = fetch(&command, argv, deadline, fault);
    if (outcome != PROVIDER_OK) {
        provider_text_wipe(text);
    }
    return outcome;
}

enum provider_outcome provider_command_look(const char *name, struct provider_fault *fault)
{
    return provider_spawn_look(name, fault);
}
