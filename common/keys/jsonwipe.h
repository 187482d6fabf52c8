/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the JSON library wipe what it frees: a text with secrets leaves nothing in the heap.
 *
 * The library's allocator is a global of its own, so this holds for the whole process from the
 * first call on. Thread-safe, as long as nobody else calls json_set_alloc_funcs().
 */
#ifndef NTSD_COMMON_KEYS_JSONWIPE_H
#define NTSD_COMMON_KEYS_JSONWIPE_H

/* Before every text with secrets in it; all calls but the first do nothing. */
void jsonwipe_setup(void);

#endif
