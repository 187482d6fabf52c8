/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's configuration: text in, `struct config` out, or a list of faults. Core: no file, no
 * log, no allocation; fuzzed. The table of directives is config_table.c, reading the file is
 * config_load.h.
 *
 * One directive a line, chrony's names and meanings wherever chrony has the directive. Lines that
 * begin with `#`, `!`, `;` or `%` are comments, and so is the rest of a line from a word that
 * begins with `#`. Keywords are case-insensitive. There is no quoting.
 */
#ifndef NTSD_NTSD_CONFIG_H
#define NTSD_NTSD_CONFIG_H

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "common/crypto/aead.h"
#include "common/net/addr.h"
#include "ntsd/config_access.h"
#include "ntsd/config_source.h"

enum {
    CONFIG_FILE_MAX = 256 * 1024, /* octets of text; the loader's limit */
    CONFIG_LINE_MAX = 1024,       /* octets of one line */
    CONFIG_WORDS_MAX = 64,        /* words of one line after the directive */
    CONFIG_ADDRESSES_MAX = 16,    /* bindaddress */
    CONFIG_PAIRS_MAX = 16,        /* ntsservercert, ntsserverkey */
    CONFIG_SOURCES_MAX = 16,      /* server, refclock */
    CONFIG_ARENA_LEN = 16 * 1024, /* all file names and such together */
    CONFIG_FAULTS_MAX = 20,
    CONFIG_KE_PROCESSES_MAX = 16,
    CONFIG_THREADS_MAX = 64,
    CONFIG_PAST_KEYS_MAX = 47, /* ntslifetime / ntsrotate: what the key ring has room for */
};

/* Who keeps the master secret. */
enum config_keys {
    CONFIG_KEYS_AUTO, /* this host makes its own */
    CONFIG_KEYS_FILE, /* the rest: one document for a fleet, common/keys/provider.h */
    CONFIG_KEYS_COMMAND,
    CONFIG_KEYS_AWS,
    CONFIG_KEYS_AWS_AGENT,
};

/*
 * Complete after config_parse(): every default is filled in. Const from then on. Strings point
 * into `arena`, so a config is never copied by value.
 */
struct config {
    uint32_t ntp_port; /* 0: no NTP service */
    uint32_t threads;  /* UDP workers; 0: one per processor */
    bool nts_only;
    size_t address_count;                          /* 0: every address of the host */
    struct net_addr address[CONFIG_ADDRESSES_MAX]; /* port 0 */

    uint32_t ke_port; /* 0: no KE service */
    uint32_t ke_processes;
    uint32_t ke_connections_max; /* of each process */
    size_t pair_count;
    const char *cert[CONFIG_PAIRS_MAX];
    const char *key[CONFIG_PAIRS_MAX];
    const char *client_ca;  /* what clients' certificates have to come from, or NULL */
    const char *client_crl; /* lists of those that are revoked, or NULL */
    const char *ntp_server; /* NTPv4 server record, or NULL */
    size_t aead_count;
    uint16_t aead[AEAD_MAX];

    enum config_keys keys;
    bool keys_cache;                         /* keep a sealed copy of the last good document */
    const char *keys_source;                 /* the file or the ARN */
    const char *keys_argv[CONFIG_WORDS_MAX]; /* the command; ends with NULL */
    uint32_t rotate_s;
    uint32_t lifetime_s;
    const char *state_dir;
    const char *credentials; /* the environment's CREDENTIALS_DIRECTORY; not of the text */
    const char *ca_bundle;   /* and its AWS_CA_BUNDLE */

    bool clock_system;      /* the kernel clock is a source */
    uint32_t local_stratum; /* 0: not given */
    size_t source_count;    /* not with clock_system */
    struct config_source source[CONFIG_SOURCES_MAX];
    enum config_smeared smeared;
    int64_t max_error_ns;      /* beyond this bound on its error the clock is lost */
    const char *trusted_certs; /* for servers over NTS; NULL: the system's */
    bool has_http;
    struct net_addr http;

    struct config_access access;

    uint32_t no_sandbox; /* 1: `sandbox no` */
    const char *user;    /* NULL: not given */
    uint32_t log_level;  /* enum log_level */
    uint32_t log_format; /* enum log_format */

    size_t key_count; /* ntsserverkey lines; equals pair_count in a good configuration */
    size_t arena_used;
    char arena[CONFIG_ARENA_LEN];
};

/* `text`: "NAME: what is wrong, what is allowed"; printable ASCII, one line. */
struct config_fault {
    unsigned line; /* from 1 */
    char text[240];
};

struct config_faults {
    size_t count;   /* kept */
    size_t dropped; /* further ones */
    struct config_fault fault[CONFIG_FAULTS_MAX];
};

/*
 * Parses `text` and checks every value and all values together. NTS_EFORMAT: at least one fault,
 * in the order of the lines; `config` then holds nothing of use. `text` is not kept.
 */
NODISCARD enum nts_err config_parse(struct span text, struct config *config,
                                    struct config_faults *faults);

#endif
