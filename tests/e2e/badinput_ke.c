/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad requests to a running ntsd's NTS-KE service, row by row: what is sent, what must come
 * back, which counter must move; after each row an honest key establishment. `badinput_ke --table`
 * prints the rows as the table of docs/bad-input.md.
 */
#include "tests/support/ke_probe.h"

#include <signal.h>
#include <stdio.h>

enum { MESSAGE_MAX = 70000 };

struct row {
    const char *id;
    const char *input;
    enum manner manner;
    enum reply reply;
    unsigned counter; /* index of ke_count_name() */
    void (*write)(struct wr *w);
};

static void put_u16(struct wr *w, bool critical, uint16_t type, uint16_t value)
{
    ke_record_write_u16(w, critical, type, value);
}

static void put_end(struct wr *w)
{
    ke_record_write(w, true, KE_END_OF_MESSAGE, span_of(NULL, 0));
}

static void good_head(struct wr *w)
{
    put_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    put_u16(w, false, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
}

static void good(struct wr *w)
{
    good_head(w);
    put_end(w);
}

static void no_end(struct wr *w)
{
    good_head(w);
}

static void nothing(struct wr *w)
{
    (void)w;
}

static void no_protocol(struct wr *w)
{
    put_u16(w, true, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
    put_end(w);
}

static void no_aead(struct wr *w)
{
    put_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    put_end(w);
}

static void two_protocols(struct wr *w)
{
    put_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    good(w);
}

static void two_aeads(struct wr *w)
{
    put_u16(w, true, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
    good(w);
}

static void reordered(struct wr *w)
{
    put_u16(w, true, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
    put_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    put_end(w);
}

static void odd_protocols(struct wr *w)
{
    ke_record_write(w, true, KE_NEXT_PROTOCOL, span_of("\0\0\0", 3));
    put_u16(w, true, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
    put_end(w);
}

static void odd_aeads(struct wr *w)
{
    put_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    ke_record_write(w, true, KE_AEAD_ALGORITHM, span_of("\0\17\0", 3));
    put_end(w);
}

static void end_with_body(struct wr *w)
{
    good_head(w);
    ke_record_write(w, true, KE_END_OF_MESSAGE, span_of("body", 4));
}

static void protocol_not_critical(struct wr *w)
{
    put_u16(w, false, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    put_u16(w, true, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
    put_end(w);
}

static void end_not_critical(struct wr *w)
{
    good_head(w);
    ke_record_write(w, false, KE_END_OF_MESSAGE, span_of(NULL, 0));
}

static void unknown_critical(struct wr *w)
{
    good_head(w);
    ke_record_write(w, true, 0x3abc, span_of("what", 4));
    put_end(w);
}

static void unknown_optional(struct wr *w)
{
    good_head(w);
    ke_record_write(w, false, 0x3abc, span_of("what", 4));
    ke_record_write(w, false, 0x4001, span_of(NULL, 0));
    put_end(w);
}

static void other_protocol(struct wr *w)
{
    put_u16(w, true, KE_NEXT_PROTOCOL, 0x8001);
    put_u16(w, true, KE_AEAD_ALGORITHM, AEAD_AES_SIV_CMAC_256);
    put_end(w);
}

static void other_aead(struct wr *w)
{
    put_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    put_u16(w, true, KE_AEAD_ALGORITHM, 0x7777);
    put_end(w);
}

static void trailing(struct wr *w)
{
    good(w);
    good(w);
}

static void client_error(struct wr *w)
{
    good_head(w);
    put_u16(w, true, KE_ERROR, 1);
    put_end(w);
}

static void client_warning(struct wr *w)
{
    good_head(w);
    put_u16(w, true, KE_WARNING, 1);
    put_end(w);
}

static void client_cookie(struct wr *w)
{
    good_head(w);
    ke_record_write(w, false, KE_NEW_COOKIE, span_of("a cookie of the client", 22));
    put_end(w);
}

static void client_wishes(struct wr *w)
{
    good_head(w);
    ke_record_write(w, false, KE_NTPV4_SERVER, span_of("ntp.example", 11));
    put_u16(w, false, KE_NTPV4_PORT, 4123);
    put_end(w);
}

static void compliant_without_gcm(struct wr *w)
{
    good_head(w);
    ke_record_write(w, false, KE_COMPLIANT_GCM_SIV_EXPORTER, span_of(NULL, 0));
    put_end(w);
}

static void client_port_long(struct wr *w)
{
    good_head(w);
    ke_record_write(w, false, KE_NTPV4_PORT, span_of("\1\2\3", 3));
    put_end(w);
}

static void record_past_end(struct wr *w)
{
    good_head(w);
    wr_u16(w, 0x3abc);
    wr_u16(w, 1000);
    wr_zero(w, 10);
}

static void header_cut(struct wr *w)
{
    good_head(w);
    wr_zero(w, 3);
}

static void filled(struct wr *w, size_t total)
{
    good_head(w);
    wr_u16(w, 0x3abc);
    wr_u16(w, (uint16_t)(total - w->n - 2 - 4));
    wr_zero(w, total - w->n - 4);
    put_end(w);
}

static void filled_1024(struct wr *w)
{
    filled(w, 1024);
}

static void filled_16384(struct wr *w)
{
    filled(w, KE_REQUEST_MAX);
}

static void filled_16385(struct wr *w)
{
    filled(w, KE_REQUEST_MAX + 1);
}

static void filled_65535(struct wr *w)
{
    filled(w, 65535);
}

static void empties(struct wr *w, unsigned count)
{
    good_head(w);
    for (unsigned i = 0; i < count; i++) {
        ke_record_write(w, false, 0x3abc, span_of(NULL, 0));
    }
    put_end(w);
}

static void empties_4000(struct wr *w)
{
    empties(w, 4000);
}

static void empties_10000(struct wr *w)
{
    empties(w, 10000);
}

static void many_aeads(struct wr *w)
{
    put_u16(w, true, KE_NEXT_PROTOCOL, KE_PROTOCOL_NTPV4);
    wr_u16(w, KE_CRITICAL_BIT | KE_AEAD_ALGORITHM);
    wr_u16(w, 2 * 20);
    for (uint16_t i = 1; i <= 20; i++) {
        wr_u16(w, i);
    }
    put_end(w);
}

#define FAULT(f) (KE_COUNT_REQUEST_FAULT_0 + (unsigned)KE_REQUEST_##f)

static const struct row rows[] = {
    {"C1", "a good request", WHOLE, REPLY_OK, KE_COUNT_SERVED, good},
    {"C1", "no Next Protocol Negotiation", WHOLE, REPLY_ERROR_1, FAULT(NO_PROTOCOL), no_protocol},
    {"C1", "NTPv4 without an AEAD list", WHOLE, REPLY_ERROR_1, FAULT(NO_AEAD), no_aead},
    {"C1", "Next Protocol Negotiation twice", WHOLE, REPLY_ERROR_1, FAULT(DUPLICATE),
     two_protocols},
    {"C1", "AEAD list twice", WHOLE, REPLY_ERROR_1, FAULT(DUPLICATE), two_aeads},
    {"C1", "records in another order", WHOLE, REPLY_OK, KE_COUNT_SERVED, reordered},
    {"C1", "protocol list of three octets", WHOLE, REPLY_ERROR_1, FAULT(BAD_LENGTH), odd_protocols},
    {"C1", "AEAD list of three octets", WHOLE, REPLY_ERROR_1, FAULT(BAD_LENGTH), odd_aeads},
    {"C1", "End of Message with a body", WHOLE, REPLY_ERROR_1, FAULT(BAD_LENGTH), end_with_body},
    {"C1", "an unknown critical record", WHOLE, REPLY_ERROR_0, FAULT(CRITICAL), unknown_critical},
    {"C1", "unknown records, not critical", WHOLE, REPLY_OK, KE_COUNT_SERVED, unknown_optional},
    {"C1", "twenty AEADs, ours among them", WHOLE, REPLY_OK, KE_COUNT_SERVED, many_aeads},
    {"C1", "an unknown AEAD only", WHOLE, REPLY_NO_AEAD, KE_COUNT_NO_AEAD, other_aead},
    {"C1", "an unknown protocol only", WHOLE, REPLY_NO_PROTOCOL, KE_COUNT_NO_PROTOCOL,
     other_protocol},
    {"C2", "Next Protocol Negotiation not critical", WHOLE, REPLY_ERROR_1, FAULT(NOT_CRITICAL),
     protocol_not_critical},
    {"C2", "End of Message not critical", WHOLE, REPLY_ERROR_1, FAULT(NOT_CRITICAL),
     end_not_critical},
    {"C3", "one octet a TLS record", OCTETS, REPLY_OK, KE_COUNT_SERVED, good},
    {"C3", "closed by the client right after the request", HALF_CLOSED, REPLY_OK, KE_COUNT_SERVED,
     good},
    {"C4", "a request of 1024 octets", WHOLE, REPLY_OK, KE_COUNT_SERVED, filled_1024},
    {"C4", "a request of 16384 octets", WHOLE, REPLY_OK, KE_COUNT_SERVED, filled_16384},
    {"C4", "a request of 16385 octets", WHOLE, REPLY_ERROR_1, FAULT(TOO_LONG), filled_16385},
    {"C4", "a request of 65535 octets", WHOLE, REPLY_ERROR_1, FAULT(TOO_LONG), filled_65535},
    {"C5", "4000 empty records, not critical", WHOLE, REPLY_OK, KE_COUNT_SERVED, empties_4000},
    {"C5", "10,000 empty records, not critical", WHOLE, REPLY_ERROR_1, FAULT(TOO_LONG),
     empties_10000},
    {"C6", "a record that ends beyond the message", HALF_CLOSED, REPLY_ERROR_1, FAULT(SHORT),
     record_past_end},
    {"C6", "a record head of three octets", HALF_CLOSED, REPLY_ERROR_1, FAULT(SHORT), header_cut},
    {"C7", "no End of Message, then silence", SILENT_AFTER, REPLY_ERROR_1, FAULT(TIMEOUT), no_end},
    {"C7", "no request at all", SILENT_AFTER, REPLY_ERROR_1, FAULT(TIMEOUT), nothing},
    {"C7", "no End of Message, then closed", HALF_CLOSED, REPLY_ERROR_1, FAULT(SHORT), no_end},
    {"C8", "data after End of Message", WHOLE, REPLY_ERROR_1, FAULT(TRAILING), trailing},
    {"C9", "an Error record from the client", WHOLE, REPLY_ERROR_1, FAULT(UNEXPECTED),
     client_error},
    {"C9", "a Warning record from the client", WHOLE, REPLY_ERROR_1, FAULT(UNEXPECTED),
     client_warning},
    {"C9", "a cookie from the client", WHOLE, REPLY_ERROR_1, FAULT(UNEXPECTED), client_cookie},
    {"C10", "server and port wished by the client", WHOLE, REPLY_OK, KE_COUNT_SERVED,
     client_wishes},
    {"C10", "a port record of three octets", WHOLE, REPLY_ERROR_1, FAULT(BAD_LENGTH),
     client_port_long},
    {"C11", "record 1024 beside AEAD 15 only", WHOLE, REPLY_OK, KE_COUNT_SERVED,
     compliant_without_gcm},
};

static void run_row(struct probe *probe, const struct row *row)
{
    static uint8_t bytes[MESSAGE_MAX];
    char name[160];
    (void)snprintf(name, sizeof(name), "%s %s", row->id, row->input);
    struct wr w = wr_init(bytes, sizeof(bytes));
    row->write(&w);
    uint64_t before = ke_probe_counter(probe, row->counter);
    bool clean = false;
    enum reply reply = ke_probe_exchange(probe, wr_done(&w), row->manner, &clean);
    uint64_t moved = ke_probe_moved(probe, row->counter, before);
    if (reply != row->reply || moved != 1 || !clean) {
        probe_result(probe, false, name, "%s, %s moved by %llu%s", reply_names[reply],
                     ke_count_name(row->counter), (unsigned long long)moved,
                     clean ? "" : ", no close_notify");
        return;
    }
    probe_result(probe, probe_honest_ke(probe), name, "no honest exchange afterwards");
}

static void split_everywhere(struct probe *probe)
{
    uint8_t bytes[64];
    struct wr w = wr_init(bytes, sizeof(bytes));
    good(&w);
    bool ok = true;
    for (size_t at = 1; ok && at < w.n; at++) {
        uint8_t answer[KE_REQUEST_MAX];
        SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
        ok = SSL_connect(ssl) == 1 && SSL_write(ssl, bytes, (int)at) > 0 &&
             SSL_write(ssl, bytes + at, (int)(w.n - at)) > 0 &&
             ke_probe_understand(span_of(answer, ke_probe_read(ssl, answer, sizeof(answer)))) ==
                 REPLY_OK;
        ke_probe_close(ssl);
    }
    probe_result(probe, ok, "C3 a request split at each octet", "one was refused");
}

static void print_table(void)
{
    printf("| row | request | answer | counter |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        printf("| %s | %s | %s | %s |\n", rows[i].id, rows[i].input, reply_names[rows[i].reply],
               ke_count_name(rows[i].counter));
    }
    printf("| C3 | a request split at each octet | eight cookies | served |\n"
           "| C13 | each AEAD of the build | keys that open and seal | served |\n");
}

/* C13: the exporter's keys fit on both ends for every algorithm of this build. */
static void every_algorithm(struct probe *probe)
{
    size_t count = 0;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        struct ke_client_why why = {{0}};
        char name[80];
        (void)snprintf(name, sizeof(name), "C13 keys and an authenticated answer by %s",
                       all[i]->name);
        bool established = probe_establish(probe, all[i]->id, &why);
        probe_result(probe, established && probe_honest_ntp(probe), name, "%s", why.text);
    }
}

int main(int argc, char **argv)
{
    static struct probe probe;
    if (argc == 2 && strcmp(argv[1], "--table") == 0) {
        print_table();
        return 0;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    probe_init(&probe, argc, argv);
    probe_result(&probe, probe_honest_ke(&probe), "an honest exchange first", "no answer");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_row(&probe, &rows[i]);
    }
    split_everywhere(&probe);
    every_algorithm(&probe);
    return probe_finish(&probe);
}
