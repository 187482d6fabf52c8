/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients with certificates, counted and logged. See ke_device.h.
 */
#include "nts-ke/ke_device.h"

#include "certs/info.h"

#include <inttypes.h>

struct device_text {
    char subject[CLIENT_CA_TEXT_MAX];
    char names[CLIENT_CA_TEXT_MAX];
};

static void describe(const SSL *ssl, struct device_text *text)
{
    const X509 *cert = client_ca_certificate(ssl);
    *text = (struct device_text){.subject = ""};
    if (cert != NULL) {
        cert_subject_text(cert, text->subject, sizeof(text->subject));
        (void)cert_names_text(cert, text->names, sizeof(text->names));
    }
}

void ke_device_admit(const SSL *ssl, struct stats *stats)
{
    struct device_text text;
    size_t place = client_ca_place(ssl);
    if (place >= CLIENT_CA_MAX) {
        return;
    }
    stats_add(stats, KE_COUNT_CLIENT_CA_0 + (unsigned)place, 1);
    if (log_level_is_on(LOG_LEVEL_DEBUG)) {
        describe(ssl, &text);
        log_event(LOG_LEVEL_DEBUG, "client certificate accepted", "subject", text.subject, "names",
                  text.names, "authority", log_fmt(LOG_BUF, "%zu", place + 1), NULL);
    }
}

enum ke_count ke_device_refuse(const SSL *ssl, enum client_refusal why, struct log_limit *limit)
{
    struct device_text text;
    uint64_t suppressed = 0;
    enum ke_count count = ke_count_of_refusal(why);
    if (count == KE_COUNTERS || count == KE_COUNT_CLIENT_NO_CERTIFICATE ||
        !log_limit_allows(limit, mono_now(), &suppressed)) {
        return count;
    }
    describe(ssl, &text);
    log_event(LOG_LEVEL_INFO, "client certificate refused", "reason", ke_count_name(count),
              "subject", text.subject, "names", text.names, "suppressed",
              log_fmt(LOG_BUF, "%" PRIu64, suppressed), NULL);
    return count;
}
