/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every reason to be out of the load balancer, and which service it concerns.
 */
#include "tests/unit/ntsd/snapshot_sample.h"

#include "ntsd/readiness.h"

#include <criterion/criterion.h>

static struct sample s;

static void draining(struct snapshot *n)
{
    n->supervisor.draining = 1;
}

static void ntp_dead(struct snapshot *n)
{
    n->supervisor.child[ROLE_NTP].pid = 0;
}

static void ke_dead(struct snapshot *n)
{
    n->supervisor.child[ROLE_KE].pid = 0;
}

static void keys_never(struct snapshot *n)
{
    n->has_keys = false;
}

static void keys_empty(struct snapshot *n)
{
    n->keys.count = 0;
}

static void clock_never(struct snapshot *n)
{
    n->has_clock = false;
}

static void clock_starting(struct snapshot *n)
{
    n->clock.state = CLOCK_STARTING;
}

static void clock_lost(struct snapshot *n)
{
    n->clock.state = CLOCK_LOST;
}

static void clock_holdover(struct snapshot *n)
{
    n->clock.state = CLOCK_HOLDOVER;
}

static void clock_old(struct snapshot *n)
{
    n->raw.ns = n->clock.anchor_raw_ns + CLOCK_MODEL_AGE_MAX_NS + 1;
}

static void certificate_never(struct snapshot *n)
{
    n->has_ke = false;
}

static void certificate_not_ready(struct snapshot *n)
{
    n->ke.ready = 0;
}

static void certificate_expired(struct snapshot *n)
{
    n->now_s = n->ke.not_after[0] + 1;
}

static void certificate_last_second(struct snapshot *n)
{
    n->now_s = n->ke.not_after[0];
}

static void certificate_early(struct snapshot *n)
{
    n->now_s = n->ke.not_before[0] - 1;
}

static void second_certificate_expired(struct snapshot *n)
{
    n->ke.not_after[1] = n->now_s - 1;
}

static void ntp_not_wanted(struct snapshot *n)
{
    n->ntp_wanted = false;
    clock_lost(n);
    ntp_dead(n);
}

static void ke_not_wanted(struct snapshot *n)
{
    n->ke_wanted = false;
    ke_dead(n);
    certificate_never(n);
}

static void keys_process_dead(struct snapshot *n) /* the ring it left behind goes on */
{
    n->supervisor.child[ROLE_KEYS].pid = 0;
}

static void well(struct snapshot *n)
{
    (void)n;
}

Test(readiness, every_reason)
{
    static const struct {
        void (*spoil)(struct snapshot *n);
        enum readiness all;
        enum readiness ntp;
        enum readiness ke;
    } cases[] = {
        {well, READY, READY, READY},
        {draining, READY_DRAINING, READY_DRAINING, READY_DRAINING},
        {ntp_dead, READY_NTP_DOWN, READY_NTP_DOWN, READY},
        {ke_dead, READY_KE_DOWN, READY, READY_KE_DOWN},
        {keys_never, READY_NO_KEYS, READY_NO_KEYS, READY_NO_KEYS},
        {keys_empty, READY_NO_KEYS, READY_NO_KEYS, READY_NO_KEYS},
        {keys_process_dead, READY, READY, READY},
        {clock_never, READY_CLOCK_STARTING, READY_CLOCK_STARTING, READY},
        {clock_starting, READY_CLOCK_STARTING, READY_CLOCK_STARTING, READY},
        {clock_lost, READY_CLOCK_LOST, READY_CLOCK_LOST, READY},
        {clock_holdover, READY, READY, READY},
        {clock_old, READY_CLOCK_OLD, READY_CLOCK_OLD, READY},
        {certificate_never, READY_NO_CERTIFICATE, READY, READY_NO_CERTIFICATE},
        {certificate_not_ready, READY_NO_CERTIFICATE, READY, READY_NO_CERTIFICATE},
        {certificate_expired, READY_CERTIFICATE_EXPIRED, READY, READY_CERTIFICATE_EXPIRED},
        {certificate_last_second, READY, READY, READY},
        {certificate_early, READY_CERTIFICATE_EARLY, READY, READY_CERTIFICATE_EARLY},
        {second_certificate_expired, READY, READY, READY},
        {ntp_not_wanted, READY, READY_NOT_CONFIGURED, READY},
        {ke_not_wanted, READY, READY, READY_NOT_CONFIGURED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sample_make(&s);
        cases[i].spoil(&s.snapshot);
        cr_expect_eq(readiness_of(&s.snapshot, READINESS_ALL), cases[i].all, "case %zu", i);
        cr_expect_eq(readiness_of(&s.snapshot, READINESS_NTP), cases[i].ntp, "case %zu", i);
        cr_expect_eq(readiness_of(&s.snapshot, READINESS_KE), cases[i].ke, "case %zu", i);
    }
}

Test(readiness, health_is_every_process)
{
    enum role missing = ROLE_COUNT;
    sample_make(&s);
    cr_expect(readiness_is_healthy(&s.snapshot, &missing));
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        sample_make(&s);
        s.snapshot.supervisor.child[i].pid = 0;
        cr_expect_not(readiness_is_healthy(&s.snapshot, &missing));
        cr_expect_eq(missing, (enum role)i);
    }
    s.snapshot.supervisor.count = 0;
    cr_expect_not(readiness_is_healthy(&s.snapshot, &missing), "nothing known yet");
}

Test(readiness, one_ke_process_of_several_is_enough_to_serve)
{
    sample_make(&s);
    s.snapshot.supervisor.child[ROLE_COUNT].role = ROLE_KE;
    s.snapshot.supervisor.child[ROLE_COUNT].pid = 0;
    s.snapshot.supervisor.count++;
    cr_expect_eq(readiness_of(&s.snapshot, READINESS_KE), READY);
}

Test(readiness, every_reason_has_its_own_words)
{
    for (int i = 0; i < READY_REASONS; i++) {
        const char *text = readiness_text((enum readiness)i);
        cr_expect_null(strchr(text, '\n'));
        for (int k = 0; k < i; k++) {
            cr_expect_str_neq(text, readiness_text((enum readiness)k));
        }
    }
}
