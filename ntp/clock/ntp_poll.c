/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The poll schedule. See ntp_poll.h.
 */
#include "ntp/clock/ntp_poll.h"

enum {
    SETTLED_ANSWERS = 8, /* in a row, then the interval doubles */
    RATE_POLL_MAX = 17,  /* RFC 5905 §7.2 MAXPOLL: 36 hours */
};

static int64_t interval_ns(int8_t poll)
{
    return poll < 0 ? NS_PER_S >> -poll : NS_PER_S << poll;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Log2 seconds, with what RATE demands. */
static int8_t effective(const struct ntp_poll *poll)
{
    bool raised = poll->memory.rate_kisses > 0 && poll->memory.rate_floor > poll->poll;
    return raised ? (int8_t)poll->memory.rate_floor : poll->poll;
}

int64_t ntp_poll_interval_ns(const struct ntp_poll *poll)
{
    return interval_ns(effective(poll));
}

static int64_t wait_ns(const struct ntp_poll *poll)
{
    int64_t interval = ntp_poll_interval_ns(poll);
    return poll->burst_left > 0 ? least(interval, NTP_POLL_BURST_SPACE_NS) : interval;
}

/* Memory is shared, so what is in it is not trusted to be sane. */
static struct ntp_poll_memory repaired(const struct ntp_poll_memory *memory, struct mono_ns raw)
{
    struct ntp_poll_memory m = *memory;
    m.asked_raw_ns = least(m.asked_raw_ns, raw.ns);
    m.silent_until = least(m.silent_until, raw.ns + NTP_POLL_SILENCE_NS);
    m.rate_floor = least(m.rate_floor, NTP_POLL_MAX);
    if (m.rate_floor < NTP_POLL_MIN) {
        m.rate_floor = NTP_POLL_MIN;
    }
    return m;
}

void ntp_poll_init(struct ntp_poll *poll, const struct ntp_poll_options *options,
                   const struct ntp_poll_memory *memory, struct mono_ns raw)
{
    *poll = (struct ntp_poll){
        .options = *options,
        .memory = repaired(memory, raw),
        .next = raw,
        .poll = options->minpoll,
    };
    if (poll->memory.asked > 0) {
        poll->next.ns = poll->memory.asked_raw_ns + ntp_poll_interval_ns(poll);
    } else if (options->iburst) {
        poll->burst_left = NTP_POLL_BURST_MAX;
        poll->burst_wanted = NTP_POLL_BURST_ANSWERS;
    }
}

bool ntp_poll_is_silenced(const struct ntp_poll *poll, struct mono_ns raw)
{
    return raw.ns < poll->memory.silent_until;
}

bool ntp_poll_may_send(const struct ntp_poll *poll, struct mono_ns raw)
{
    return raw.ns >= poll->next.ns && !ntp_poll_is_silenced(poll, raw);
}

static void tried(struct ntp_poll *poll, struct mono_ns raw)
{
    poll->reach = (uint8_t)(poll->reach << 1);
    poll->next.ns = raw.ns + wait_ns(poll);
}

void ntp_poll_sent(struct ntp_poll *poll, struct mono_ns raw)
{
    poll->memory.asked++;
    poll->memory.asked_raw_ns = raw.ns;
    if (poll->burst_left > 0) {
        poll->burst_left--;
    }
    tried(poll, raw);
}

void ntp_poll_skipped(struct ntp_poll *poll, struct mono_ns raw)
{
    tried(poll, raw);
    ntp_poll_missed(poll);
}

/* The wait that was set with the last try, set anew from that try. */
static void wait_anew(struct ntp_poll *poll)
{
    int64_t next = poll->memory.asked_raw_ns + wait_ns(poll);
    poll->next.ns = next > poll->next.ns ? next : poll->next.ns;
}

static void end_burst(struct ntp_poll *poll)
{
    poll->burst_left = 0;
    poll->burst_wanted = 0;
    wait_anew(poll);
}

void ntp_poll_answered(struct ntp_poll *poll)
{
    poll->reach |= 1;
    if (poll->burst_wanted > 0) {
        poll->burst_wanted--;
        if (poll->burst_wanted == 0) {
            end_burst(poll);
        }
        return;
    }
    poll->settled++;
    if (poll->settled >= SETTLED_ANSWERS) {
        poll->settled = 0;
        if (poll->poll < poll->options.maxpoll) {
            poll->poll++;
            wait_anew(poll);
        }
    }
}

void ntp_poll_missed(struct ntp_poll *poll)
{
    poll->settled = 0;
    /* Gone for eight tries: what comes back shall be seen soon. Never sooner than minpoll. */
    if (poll->reach == 0) {
        poll->poll = poll->options.minpoll;
    }
}

void ntp_poll_kissed(struct ntp_poll *poll, enum ntp_poll_kiss kiss, struct mono_ns raw)
{
    poll->settled = 0;
    switch (kiss) {
    case NTP_POLL_RATE: {
        int8_t now = effective(poll);
        int8_t most = RATE_POLL_MAX > poll->options.minpoll ? RATE_POLL_MAX : poll->options.minpoll;
        poll->memory.rate_kisses++;
        poll->memory.rate_floor = now < most ? now + 1 : most;
        break;
    }
    case NTP_POLL_DENY:
        poll->memory.silent_until = raw.ns + NTP_POLL_SILENCE_NS;
        break;
    }
    end_burst(poll);
}

void ntp_poll_unsettled(struct ntp_poll *poll)
{
    poll->settled = 0;
    poll->poll = poll->options.minpoll;
}
