/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/pem.h"

#include <criterion/criterion.h>

#define BLOCK(label, body) "-----BEGIN " label "-----\n" body "-----END " label "-----\n"

Test(pem, texts_and_what_they_are)
{
    static const struct {
        const char *text;
        size_t blocks; /* before it ends */
        enum nts_err end;
    } rows[] = {
        {"", 0, NTS_ENOTFOUND},
        {"\n", 0, NTS_ENOTFOUND},
        {"some text", 0, NTS_ENOTFOUND},
        {BLOCK("X", ""), 1, NTS_ENOTFOUND},
        {BLOCK("X", "AAAA\n"), 1, NTS_ENOTFOUND},
        {BLOCK("X", "AAAA\n") BLOCK("Y", "AAAA\n"), 2, NTS_ENOTFOUND},
        {"text\n" BLOCK("X", "AAAA\n") "text", 1, NTS_ENOTFOUND},
        {"-----BEGIN X-----\r\nAAAA\r\n-----END X-----\r\n", 1, NTS_ENOTFOUND},
        {"-----BEGIN X----- \t\nAAAA \n\n-----END X-----  ", 1, NTS_ENOTFOUND},
        {"-----BEGIN X-----\nA: b\n\nAAAA\n-----END X-----", 1, NTS_ENOTFOUND},
        {"------ text ------\n- text\n", 0, NTS_ENOTFOUND},
        {"--- text", 0, NTS_ENOTFOUND},
        {" -----BEGIN X-----\n", 0, NTS_ENOTFOUND},
        {"-----BEGIN-----\n", 0, NTS_ENOTFOUND},
        {"text\n-", 0, NTS_ESHORT},
        {"text\n-----", 0, NTS_ESHORT},
        {"-----BEGIN", 0, NTS_ESHORT},
        {"-----BEGIN X", 0, NTS_ESHORT},
        {"-----BEGIN X----", 0, NTS_ESHORT},
        {"-----BEGIN X-----", 0, NTS_ESHORT},
        {"-----BEGIN X-----\nAAAA", 0, NTS_ESHORT},
        {"-----BEGIN X-----\nAAAA\n", 0, NTS_ESHORT},
        {"-----BEGIN X-----\nAAAA\n\n", 0, NTS_ESHORT},
        {"-----BEGIN X-----\nAAAA\n-", 0, NTS_ESHORT},
        {"-----BEGIN X-----\nAAAA\n-----END X----", 0, NTS_ESHORT},
        {"-----BEGIN X---\nAAAA\n-----END X-----\n", 0, NTS_EFORMAT},
        {"-----BEGIN X-----\nAAAA\n-----END Y-----\n", 0, NTS_EFORMAT},
        {"-----BEGIN X-----\nAAAA\n-----END X---\n", 0, NTS_EFORMAT},
        {"-----BEGIN X-----\n" BLOCK("X", "AAAA\n"), 0, NTS_EFORMAT},
        {"AAAA\n-----END X-----\n", 0, NTS_EFORMAT},
        {BLOCK("X", "AAAA\n") "-----END X-----\n", 1, NTS_EFORMAT},
        {"-----BEGIN ----", 0, NTS_ESHORT},
        {"-----END -----", 0, NTS_EFORMAT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rd r = rd_init(span_of(rows[i].text, strlen(rows[i].text)));
        struct pem_block block;
        size_t blocks = 0;
        enum nts_err err = pem_next(&r, &block);
        for (; err == NTS_OK; err = pem_next(&r, &block)) {
            blocks++;
        }
        cr_assert_eq(blocks, rows[i].blocks, "row %zu: %zu blocks", i, blocks);
        cr_assert_eq(err, rows[i].end, "row %zu: %s", i, nts_err_name(err));
    }
}

Test(pem, block_borrows_label_and_text)
{
    static const char text[] = "before\n" BLOCK("A KEY", "AAAA\n") "after\n";
    static const char inner[] = BLOCK("A KEY", "AAAA\n");
    struct rd r = rd_init(span_of(text, strlen(text)));
    struct pem_block block;
    cr_assert_eq(pem_next(&r, &block), NTS_OK);
    cr_assert(pem_label_is(block.label, "A KEY"));
    cr_assert_not(pem_label_is(block.label, "A KE"));
    cr_assert_not(pem_label_is(block.label, "A KEYS"));
    cr_assert(span_is(block.text, inner, strlen(inner)));
    cr_assert_eq(pem_next(&r, &block), NTS_ENOTFOUND);
}
