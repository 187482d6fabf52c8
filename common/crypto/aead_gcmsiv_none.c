/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of a build whose nettle has no GCM-SIV (before 3.9): nothing is offered that is not
 * built.
 */
#include "common/crypto/aead_backend.h"

const struct aead *const aead_built[] = {
    &aead_siv_cmac_256,
    &aead_siv_cmac_512,
};
const size_t aead_built_count = sizeof(aead_built) / sizeof(aead_built[0]);
