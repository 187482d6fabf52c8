/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives of ntsd.conf, in the order of the manual page.
 */
#include "ntsd/config_table.h"

#include "common/keys/keydoc.h"
#include "ntsd/config_apply.h"

#include <stddef.h>

#define FIELD(member) .offset = offsetof(struct config, member)

static const struct config_directive directives[] = {
    {.name = "port",
     .args = "PORT",
     .preset = "123",
     .max = 65535,
     FIELD(ntp_port),
     .apply = config_apply_number,
     .help = "UDP port of the NTP service. 0: no NTP service on this host."},
    {.name = "bindaddress",
     .args = "ADDR",
     .absent = "every address of the host",
     .repeatable = true,
     .apply = config_apply_bind,
     .help = "Local IPv4 or IPv6 address of both services; at most 16."},
    {.name = "ntsport",
     .args = "PORT",
     .preset = "4460",
     .max = 65535,
     FIELD(ke_port),
     .apply = config_apply_number,
     .help = "TCP port of the NTS-KE service. 0: no NTS-KE service on this host."},
    {.name = "ntsservercert",
     .args = "FILE",
     .absent = "none; needed unless ntsport is 0",
     .repeatable = true,
     .apply = config_apply_cert,
     .help = "Certificate chain in PEM, leaf first; at most 16. The n-th one belongs to the "
             "n-th ntsserverkey. The client's SNI chooses, and the first one is "
             "the default."},
    {.name = "ntsserverkey",
     .args = "FILE",
     .absent = "none; needed unless ntsport is 0",
     .repeatable = true,
     .apply = config_apply_key,
     .help = "Private key in PEM of the ntsservercert at the same place in the order."},
    {.name = "ntsntpserver",
     .args = "NAME|ADDR",
     .absent = "not said; clients use the address of the NTS-KE service",
     .apply = config_apply_ntp_server,
     .help = "NTP server that NTS-KE responses name (RFC 8915, section 4.1.7)."},
    {.name = "ntsaeads",
     .args = "ID...",
     .absent = "all that are built, best first",
     .apply = config_apply_aeads,
     .help = "AEAD algorithms by their IANA numbers, in order of preference."},
    {.name = "ntsrotate",
     .args = "SECONDS",
     .preset = "86400",
     .unit = "seconds",
     .min = KEYDOC_ROTATE_MIN_S,
     .max = KEYDOC_ROTATE_MAX_S,
     FIELD(rotate_s),
     .apply = config_apply_number,
     .help = "How long one key seals new cookies before the next one does."},
    {.name = "ntslifetime",
     .args = "SECONDS",
     .preset = "691200",
     .unit = "seconds",
     .min = KEYDOC_ROTATE_MIN_S,
     .max = KEYDOC_ROTATE_MAX_S,
     FIELD(lifetime_s),
     .apply = config_apply_number,
     .help = "How long a key that seals no more still opens cookies: the longest time a device "
             "may sleep. At most 47 times ntsrotate."},
    {.name = "ntskeys",
     .args = "auto|[cache] file PATH|[cache] aws-secretsmanager ARN [agent]|[cache] command CMD...",
     .preset = "auto",
     .apply = config_apply_keys,
     .help = "Where the master secret comes from. auto: made on this host and kept in ntsdumpdir. "
             "The others bring one secret document for a whole fleet, made by ntsctl keys. file: "
             "read again when it changes, on SIGHUP and each minute. aws-secretsmanager: asked "
             "for every five minutes; with agent, at localhost:2773 and not at the service. "
             "command: run without a shell every five minutes, and given five seconds; what it "
             "prints is the document. Without an answer at the start there are no keys and the "
             "server is not ready; with cache (before the provider, or after PATH or ARN) it "
             "starts from a sealed copy of the last good document in ntsdumpdir. In service no "
             "failure and no damaged or older document ends the keys in use. The fleet's document "
             "has its own ntsrotate for each epoch. See keys.md."},
    {.name = "ntsdumpdir",
     .args = "DIR",
     .preset = "/var/lib/ntsd",
     FIELD(state_dir),
     .apply = config_apply_text,
     .help = "State directory, mode 0700 and owned by user. Made when missing."},
    {.name = "ntsprocesses",
     .args = "COUNT",
     .preset = "1",
     .min = 1,
     .max = CONFIG_KE_PROCESSES_MAX,
     FIELD(ke_processes),
     .apply = config_apply_number,
     .help = "Processes of the NTS-KE service."},
    {.name = "maxntsconnections",
     .args = "COUNT [peraddress COUNT] [pernetwork COUNT]",
     .preset = "1000",
     .min = 1,
     .max = 100000,
     .apply = config_apply_connections,
     .help =
         "Connections that each NTS-KE process holds at once (1 to 100000). When all are taken, "
         "a new one displaces the one that has waited longest for its peer, first of all one "
         "from the network that holds most. peraddress and pernetwork (no limit): how many may "
         "come from one IPv4 address or IPv6 /64, and from one IPv4 /24 or IPv6 /48."},
    {.name = "ntsratelimit",
     .args = "[interval N] [burst N] [ipv4 BITS] [ipv6 BITS]",
     .absent = "no limit",
     .apply = config_apply_nts_rate_limit,
     .help =
         "Limits NTS-KE connections by address: one in 2^interval (6) seconds, -19 to 12, after "
         "a burst (8) of 1 to 255. ipv4 (32) and ipv6 (64): how many bits make a client. "
         "Further connections are closed at once."},
    {.name = "ratelimit",
     .args = "[interval N] [burst N] [leak N] [ipv4 BITS] [ipv6 BITS]",
     .absent = "no limit",
     .apply = config_apply_rate_limit,
     .help = "Limits NTP answers: one in 2^interval (3) seconds, -19 to 12, after a burst (8) of 1 "
             "to 255; beyond that one request in 2^leak (2), 1 to 4, is answered all the same, and "
             "the client is told to ask less often by a RATE kiss. An authenticated client is "
             "limited by its session, whatever address it comes from; all others by address, of "
             "which ipv4 (32) and ipv6 (64) bits count. Each worker counts for itself."},
    {.name = "ntsclientca",
     .args = "FILE [crl FILE]",
     .absent = "no client certificate is asked for",
     .apply = config_apply_clients,
     .help = "NTS-KE clients need a certificate of one of these authorities: CA certificates in "
             "PEM, at most 8, each trusted by itself. crl: lists of revoked certificates in PEM or "
             "DER, at most 8 MiB; each authority must have one, be it empty, and one past its date "
             "goes on being used. Both files are read again like certificates. Dates are judged by "
             "the clock of the system. See devices.md."},
    {.name = "proxyprotocol",
     .args = "CIDR",
     .absent = "nobody's",
     .repeatable = true,
     .apply = config_apply_proxy,
     .help = "Load balancers that put a PROXY protocol v2 header before each NTS-KE connection. "
             "From them the header is a must, and the client's address is the one it says; from "
             "anyone else it is refused."},
    {.name = "server",
     .args = "ADDR [port N] [minpoll N] [maxpoll N] [iburst] [prefer] [nts] [ntsport N]",
     .absent = "none",
     .repeatable = true,
     .apply = config_apply_server,
     .help = "NTP server to take the time from: a numeric address or a name. It is asked every "
             "2^minpoll (6) to 2^maxpoll (6) seconds, -7 to 24; the more rarely, the larger the "
             "bound on the error grows in between. iburst: four quick requests at the first start. "
             "prefer: is followed if it is as trustworthy as any other. nts: "
             "authenticated, with keys from ntsport (4460) of the same name. At most 16 of server "
             "and refclock together. 169.254.169.123 and fd00:ec2::123 are one server."},
    {.name = "refclock",
     .args = "PHC DEVICE [poll N] [offset SECONDS] [prefer]",
     .absent = "none",
     .repeatable = true,
     .apply = config_apply_refclock,
     .help = "PTP hardware clock to take the time from, such as /dev/ptp_ena. It is read every "
             "2^poll (0) seconds, -6 to 24; offset (-1 to 1) is added to what it shows."},
    {.name = "leapsmeared",
     .args = "yes|no",
     .absent = "yes for 169.254.169.123, fd00:ec2::123 and time.aws.com, no for all others",
     .apply = config_apply_smeared,
     .help = "Whether the servers smear leap seconds; of all servers. Announced leap seconds are "
             "then not passed on. A hardware clock smears none, and sources that do and that do "
             "not are not allowed together."},
    {.name = "maxclockerror",
     .args = "SECONDS",
     .preset = "0.05",
     .unit = "seconds",
     .apply = config_apply_max_error,
     .help = "Beyond this bound on its error (0.0001 to 10 seconds) a clock that follows server or "
             "refclock is lost: no time is served and the server is not ready."},
    {.name = "ntstrustedcerts",
     .args = "FILE",
     .absent = "the system's trust store",
     FIELD(trusted_certs),
     .apply = config_apply_text,
     .help = "CA certificates in PEM that certificates of an nts server have to come from."},
    {.name = "clock",
     .args = "system",
     .absent = "system, unless another source or local is given",
     .apply = config_apply_clock,
     .help =
         "The kernel clock is the source, and served while the kernel (or ClockBound, where its "
         "shared memory file is) says that it is synchronised. Not together with server or "
         "refclock."},
    {.name = "local",
     .args = "stratum N",
     .absent = "without a trusted source no time is served",
     .min = 1,
     .max = 15,
     .apply = config_apply_local,
     .help =
         "Serves the kernel clock at this stratum (1 to 15), also while no source is trusted: the "
         "operator's word."},
    {.name = "allow",
     .args = "[all] [CIDR]",
     .absent = "everyone",
     .repeatable = true,
     .apply = config_apply_allow,
     .help = "Clients that are served, by NTP and NTS-KE; the longest prefix decides, and whom no "
             "prefix names is served only if there is no allow. Without a network: everyone. all: "
             "earlier lines about parts of the network do not count any more."},
    {.name = "deny",
     .args = "[all] [CIDR]",
     .absent = "nobody",
     .repeatable = true,
     .apply = config_apply_deny,
     .help = "Clients that are not served; as allow."},
    {.name = "ntsonly",
     .absent = "plain requests are answered too",
     FIELD(nts_only),
     .apply = config_apply_flag,
     .help = "Answers no NTP request that is not authenticated."},
    {.name = "threads",
     .args = "COUNT",
     .absent = "one per processor",
     .min = 1,
     .max = CONFIG_THREADS_MAX,
     FIELD(threads),
     .apply = config_apply_number,
     .help = "Worker threads of the NTP service."},
    {.name = "httpaddress",
     .args = "ADDR:PORT",
     .absent = "no status service",
     .apply = config_apply_http,
     .help = "Address of /healthz, /readyz and /metrics. Loopback or private: there is no "
             "authentication."},
    {.name = "sandbox",
     .args = "yes|no",
     .preset = "yes",
     FIELD(no_sandbox),
     .apply = config_apply_choice,
     .help = "Whether each process is locked to the files and system calls of its duty (Landlock "
             "and seccomp). no is for debuggers, and for a system whose libraries need more than "
             "is known here."},
    {.name = "user",
     .args = "NAME",
     .absent = "ntsd when started by root, otherwise who started it",
     .apply = config_apply_user,
     .help = "Account to run as. Needs root, unless it is the current one."},
    {.name = "loglevel",
     .args = "error|warn|info|debug",
     .preset = "info",
     FIELD(log_level),
     .apply = config_apply_choice,
     .help = "The least important lines that are written to standard error."},
    {.name = "logformat",
     .args = "text|json",
     .preset = "text",
     FIELD(log_format),
     .apply = config_apply_choice,
     .help = "How log lines look."},
};

const struct config_directive *config_directives(size_t *count)
{
    *count = sizeof(directives) / sizeof(directives[0]);
    return directives;
}
