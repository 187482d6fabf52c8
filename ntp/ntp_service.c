/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers on threads, and the wait for a signal to stop them. See ntp_service.h. The main thread
 * has nothing to watch but signals, so it takes them with sigwait(2) and needs no loop; no signal
 * handler ever runs.
 */
#include "ntp/ntp_service.h"

#include "common/base/log.h"
#include "ntp/ntp_worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

struct crew {
    size_t made;
    size_t running;
    struct ntp_worker *worker[NTP_WORKERS_MAX];
    pthread_t thread[NTP_WORKERS_MAX];
};

static void *run_worker(void *worker)
{
    ntp_worker_run(worker);
    return NULL;
}

static int start(struct crew *crew, const struct ntp_service_options *options)
{
    for (size_t i = 0; i < options->worker_count; i++) {
        crew->worker[i] = ntp_worker_new(options, i);
        if (crew->worker[i] == NULL) {
            return errno;
        }
        crew->made++;
    }
    for (size_t i = 0; i < crew->made; i++) {
        int err = pthread_create(&crew->thread[i], NULL, run_worker, crew->worker[i]);
        if (err != 0) {
            return err;
        }
        crew->running++;
    }
    return 0;
}

static void stop(struct crew *crew)
{
    for (size_t i = 0; i < crew->running; i++) {
        ntp_worker_stop(crew->worker[i]);
    }
    for (size_t i = 0; i < crew->running; i++) {
        (void)pthread_join(crew->thread[i], NULL);
    }
    for (size_t i = 0; i < crew->made; i++) {
        ntp_worker_free(crew->worker[i]);
    }
}

/* Ring and clock come from boards, so there is nothing to read again on SIGHUP. */
static void wait_for_stop(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    int got = 0;
    while (got != SIGTERM && got != SIGINT) {
        (void)sigwait(&set, &got);
    }
}

int ntp_service_run(const struct ntp_service_options *options)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);

    struct crew crew = {0};
    int err = start(&crew, options);
    if (err == 0) {
        wait_for_stop();
    } else {
        log_event(LOG_LEVEL_ERROR, "cannot start the UDP workers", "error", strerror(err), NULL);
    }
    stop(&crew);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err == 0 ? 0 : 1;
}
