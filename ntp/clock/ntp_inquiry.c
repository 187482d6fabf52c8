/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ntp_inquiry.h.
 */
#include "ntp/clock/ntp_inquiry.h"

#include "ntp/clock/reference_id.h"

#include <errno.h>

enum { DATAGRAMS_PER_WAKEUP = 16 };

static void count(struct ntp_inquiry *inquiry, unsigned index)
{
    stats_add(inquiry->stats, index, 1);
}

static void on_closed(uv_handle_t *handle)
{
    struct ntp_inquiry *inquiry = handle->data;
    inquiry->polling = false;
    inquiry->released(inquiry->ctx);
}

bool ntp_inquiry_abandon(struct ntp_inquiry *inquiry)
{
    bool nak = inquiry->open && inquiry->nak;
    if (inquiry->polling && !uv_is_closing((uv_handle_t *)&inquiry->poll)) {
        uv_close((uv_handle_t *)&inquiry->poll, on_closed);
    }
    if (inquiry->open) {
        ntp_udp_close(&inquiry->udp);
    }
    inquiry->open = false;
    return nak;
}

bool ntp_inquiry_is_held(const struct ntp_inquiry *inquiry)
{
    return inquiry->polling;
}

static enum ntp_exchange_verdict
measure(struct ntp_inquiry *inquiry, const struct ntp_arrived *arrived, struct clock_sample *sample)
{
    const struct ntp_exchange_frame frame = {.sent = inquiry->udp.sent,
                                             .received = arrived->received,
                                             .server_id = inquiry->server_id,
                                             .own_id = ntp_udp_own_id(&inquiry->udp)};
    if (!inquiry->udp.sent_stamped || !arrived->stamped) {
        count(inquiry, NTP_INQUIRY_NO_STAMP);
    }
    return ntp_exchange_sample(&inquiry->reply.header, &frame, sample);
}

/* Authentic, so they are good whatever the measurement is worth. */
static void keep_cookies(struct ntp_inquiry *inquiry)
{
    for (size_t i = 0; inquiry->session != NULL && i < inquiry->reply.cookie_count; i++) {
        ntp_session_keep(inquiry->session, inquiry->reply.cookie[i]);
    }
}

static void take(struct ntp_inquiry *inquiry, const struct ntp_arrived *arrived)
{
    const struct session_keys *keys = inquiry->session == NULL ? NULL : &inquiry->session->keys;
    struct clock_sample sample = {0};
    enum ntp_exchange_verdict verdict =
        ntp_exchange_judge(&inquiry->query, keys, arrived->bytes, &inquiry->reply);
    if (!ntp_exchange_goes_on(verdict)) {
        keep_cookies(inquiry);
    }
    if (verdict == NTP_EXCHANGE_OK) {
        verdict = measure(inquiry, arrived, &sample);
    }
    count(inquiry, verdict);
    inquiry->nak = inquiry->nak || verdict == NTP_EXCHANGE_NAK;
    if (!ntp_exchange_goes_on(verdict)) {
        (void)ntp_inquiry_abandon(inquiry);
        inquiry->over(inquiry->ctx, verdict, &sample);
    }
}

static void read_datagrams(struct ntp_inquiry *inquiry)
{
    uint8_t buf[NTP_DATAGRAM_MAX];
    for (int i = 0; i < DATAGRAMS_PER_WAKEUP && inquiry->open; i++) {
        struct ntp_arrived arrived = {0};
        enum nts_err err = ntp_udp_receive(&inquiry->udp, buf, sizeof(buf), &arrived);
        if (err == NTS_ENOTFOUND) {
            return;
        }
        if (err == NTS_OK) {
            take(inquiry, &arrived);
        } else {
            count(inquiry, err == NTS_ELIMIT ? (unsigned)NTP_EXCHANGE_SHORT : NTP_INQUIRY_ERROR);
        }
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct ntp_inquiry *inquiry = poll->data;
    (void)events;
    read_datagrams(inquiry);
    /* libuv takes the error queue, where transmit stamps come, for a fault and stops watching. It
     * is empty again by now. */
    if (status != 0 && inquiry->open) {
        (void)uv_poll_start(poll, UV_READABLE, on_readable);
    }
}

static enum nts_err watch(struct ntp_inquiry *inquiry)
{
    int error = uv_poll_init(inquiry->loop, &inquiry->poll, inquiry->udp.fd);
    if (error == 0) {
        inquiry->poll.data = inquiry;
        inquiry->polling = true;
        error = uv_poll_start(&inquiry->poll, UV_READABLE, on_readable);
    }
    errno = -error;
    return error == 0 ? NTS_OK : NTS_ESYSTEM;
}

static enum nts_err send_request(struct ntp_inquiry *inquiry, const struct net_addr *to,
                                 struct wr *out)
{
    if (inquiry->session != NULL) {
        TRY(ntp_session_request(inquiry->session, inquiry->rng, &inquiry->query, out));
    } else {
        TRY(query_write_plain(inquiry->rng, &inquiry->query, out));
    }
    TRY(ntp_udp_open(to, &inquiry->udp));
    inquiry->open = true;
    TRY(watch(inquiry));
    return ntp_udp_send(&inquiry->udp, wr_done(out));
}

NODISCARD enum nts_err ntp_inquiry_begin(struct ntp_inquiry *inquiry, const struct net_addr *to)
{
    uint8_t request[NTP_DATAGRAM_MAX];
    struct wr out = wr_init(request, sizeof(request));
    inquiry->nak = false;
    inquiry->server_id = reference_id_of(to);
    enum nts_err err = send_request(inquiry, to, &out);
    if (err != NTS_OK) {
        int saved = errno;
        (void)ntp_inquiry_abandon(inquiry);
        errno = saved;
        return err;
    }
    count(inquiry, NTP_INQUIRY_SENT);
    return NTS_OK;
}
