/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is served: rules of allow and deny by network. Core; a sealed list may be read from several
 * threads.
 *
 * The rule that names the longest prefix of an address decides; whom no rule names is denied as
 * soon as there is an `allow`, and allowed otherwise.
 *
 * So with at least one `allow`, rules mean what they mean to chrony; with none, chrony serves
 * nobody, and this list everyone who is not denied. Of two rules for the same prefix the last one
 * counts; in nothing else does the order matter (in chrony it does when one prefix holds another
 * that is up to three bits longer). Rules of IPv4 say nothing about IPv6 and the other way round;
 * ::ffff:a.b.c.d is a.b.c.d.
 *
 * For a list that trusts nobody unless it is told to, such as that of believed proxies, begin with
 * a rule that denies everyone.
 */
#ifndef NTSD_COMMON_NET_ACL_H
#define NTSD_COMMON_NET_ACL_H

#include "common/net/prefix.h"

#include <stddef.h>

enum {
    ACL_RULES_MAX = 1024,
    ACL_RANGES_MAX = 2 * ACL_RULES_MAX + 2, /* a rule has two ends; and each family a beginning */
};

struct acl_rule {
    struct net_prefix prefix;
    bool allow;
};

/* Rules as they are collected. All zero: none. */
struct acl_rules {
    size_t count;
    bool any_allow;                      /* there was an `allow`, even if it was overridden since */
    struct acl_rule rule[ACL_RULES_MAX]; /* in order, and each prefix once */
};

/* Adds a rule; `prefix` NULL: for everyone, which is two rules, 0.0.0.0/0 and ::/0. NTS_ELIMIT:
 * too many; `rules` are then as they were. */
NODISCARD enum nts_err acl_add(struct acl_rules *rules, const struct net_prefix *prefix,
                               bool allow);

/* chrony's `allow all` and `deny all`: the same, and forgets all earlier rules for parts of
 * `prefix`. */
NODISCARD enum nts_err acl_override(struct acl_rules *rules, const struct net_prefix *prefix,
                                    bool allow);

/* Where a stretch of addresses with one verdict begins; it ends where the next one does. */
struct acl_range {
    uint64_t high; /* the first address as a number */
    uint64_t low;
    bool allow;
};

/* Rules, made ready to be looked up: a sorted list for each family, IPv4 first. All zero: nobody is
 * allowed. */
struct acl {
    size_t v4_count;
    size_t count;
    struct acl_range range[ACL_RANGES_MAX];
};

void acl_seal(const struct acl_rules *rules, struct acl *acl);

/* Binary search: at most eleven steps for IPv4 or IPv6, no allocation. False for an address that is
 * neither. */
bool acl_allows(const struct acl *acl, const struct net_addr *addr);

#endif
