/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: every TLS connection of the program offers the ALPN name of NTS-KE. Scanners do
 * not know it, and our server talks to nobody without it (RFC 8915 section 4): they would see
 * nothing but an alert.
 */
#include "nts-ke/ke_proto.h"

#include <dlfcn.h>
#include <openssl/ssl.h>

_Static_assert(sizeof(KE_ALPN) == 8, "its length is the first octet");

SSL *SSL_new(SSL_CTX *ctx)
{
    static const unsigned char name[] = "\x07" KE_ALPN;
    SSL *(*real)(SSL_CTX *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "SSL_new");
    SSL *ssl = real != NULL ? real(ctx) : NULL;
    if (ssl != NULL) {
        (void)SSL_set_alpn_protos(ssl, name, sizeof(name) - 1);
    }
    return ssl;
}
