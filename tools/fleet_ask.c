/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fleet_ask.h. A host belongs to the thread that drew its number; nothing else is shared.
 */
#include "tools/fleet_ask.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PORT_DEFAULT ":8080"
#define PATH_DEFAULT "/metrics"

enum { ANSWER_MAX = 1024 * 1024, URL_TEXT_MAX = 512 };

struct work {
    struct fleet_host *hosts;
    const struct http_url *urls;
    size_t count;
    atomic_size_t next;
};

NODISCARD enum nts_err fleet_url(const char *host, struct http_url *url)
{
    char text[URL_TEXT_MAX];
    const char *colon = strchr(host, ':');
    const char *end = strrchr(host, ']');
    bool is_url = strncmp(host, "http://", 7) == 0;
    bool bare_v6 = host[0] != '[' && colon != NULL && strchr(colon + 1, ':') != NULL;
    bool has_port = !bare_v6 && (host[0] == '[' ? end != NULL && end[1] != '\0' : colon != NULL);
    int n = is_url ? snprintf(text, sizeof(text), "%s", host)
                   : snprintf(text, sizeof(text), "http://%s%s%s%s", bare_v6 ? "[" : "", host,
                              bare_v6 ? "]" : "", has_port ? "" : PORT_DEFAULT);
    bool path = !is_url && strpbrk(host, "/?#") != NULL;
    if (n < 0 || (size_t)n >= sizeof(text) || path || host[0] == '\0') {
        return NTS_EFORMAT;
    }
    TRY(http_url_parse(text, url));
    if (strcmp(url->path, "/") == 0) {
        (void)snprintf(url->path, sizeof(url->path), PATH_DEFAULT);
    }
    return NTS_OK;
}

static void ask_one(struct fleet_host *host, const struct http_url *url, uint8_t *room)
{
    struct wr buf = wr_init(room, ANSWER_MAX);
    struct http_why why = {""};
    struct span body;
    host->reached = false;
    if (room == NULL) {
        (void)snprintf(host->why, sizeof(host->why), "out of memory");
    } else if (http_get(url, FLEET_TIMEOUT_MS, &buf, &body, &why) != NTS_OK) {
        (void)snprintf(host->why, sizeof(host->why), "%s", why.text);
    } else if (fleet_parse(body, &host->facts) != NTS_OK) {
        (void)snprintf(host->why, sizeof(host->why), "no ntsd speaks there");
    } else {
        host->reached = true;
    }
}

static void *run(void *arg)
{
    struct work *work = arg;
    uint8_t *room = malloc(ANSWER_MAX);
    for (;;) {
        size_t i = atomic_fetch_add(&work->next, 1);
        if (i >= work->count) {
            break;
        }
        ask_one(&work->hosts[i], &work->urls[i], room);
    }
    free(room);
    return NULL;
}

void fleet_ask(struct fleet_host *hosts, const struct http_url *urls, size_t count)
{
    struct work work = {.hosts = hosts, .urls = urls, .count = count};
    pthread_t threads[FLEET_THREADS_MAX];
    size_t started = 0;
    /* This thread works, too; so a thread that cannot be had only costs time. */
    while (started + 1 < count && started + 1 < FLEET_THREADS_MAX &&
           pthread_create(&threads[started], NULL, run, &work) == 0) {
        started++;
    }
    (void)run(&work);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}
