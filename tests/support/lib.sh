#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the end-to-end tests and the demo share: a directory of their own, an ntsd in it, waiting,
# and stopping exactly what was started. Sourced with the directory of the binaries as $1.
#
# A test prints `ok - NAME`, `not ok - NAME (REASON)` or `skip - NAME (REASON)` lines and is judged
# by them. As root, ntsd drops to `nobody`, so that dropping rights is what is tested.
# shellcheck disable=SC2034

set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=$(cd "${1:-$ROOT/build}" 2>/dev/null && pwd) || { echo "no such directory: $1" >&2; exit 2; }
PEERS=${PEERS_DIR:-$ROOT/build/peers}

T=$(mktemp -d "${TMPDIR:-/tmp}/ntsd-test.XXXXXX") # owned by whom ntsd becomes
CERTS=$T/certs
STARTED=()  # processes of ours that may still run
NTSD_PID="" # the supervisor
FAILED=0

# ---- words

ok() { echo "ok - $*"; }
skip() { echo "skip - $1 ($2)"; }
say() { echo "  $*"; }
not_ok() {
    FAILED=$((FAILED + 1))
    echo "not ok - $1 ($2)"
}
# verdict NAME REASON COMMAND...: ok when the command succeeds.
verdict() {
    local name=$1 reason=$2
    shift 2
    if "$@"; then ok "$name"; else not_ok "$name" "$reason"; fi
}
# show_logs: what a failure needs to be understood.
show_logs() {
    local log
    for log in "$T"/*.log; do
        [ -s "$log" ] || continue
        echo "--- ${log##*/}"
        tail -n 40 "$log"
    done
}

# ---- time and numbers

now_ms() { echo $(($(date +%s%N) / 1000000)); }
# less A B: decimal numbers, signs ignored.
less() { awk -v a="${1:-x}" -v b="$2" 'BEGIN { if (a !~ /^[-+]?[0-9.]+(e[-+]?[0-9]+)?$/) exit 1
    a += 0; if (a < 0) a = -a; exit !(a < b) }'; }
# within MS COMMAND...: tries until it succeeds or the time is up; ELAPSED_MS says how long it took.
within() {
    local limit=$1 start
    shift
    start=$(now_ms)
    while ! "$@"; do
        ELAPSED_MS=$(($(now_ms) - start))
        [ "$ELAPSED_MS" -lt "$limit" ] || return 1
        sleep 0.02
    done
    ELAPSED_MS=$(($(now_ms) - start))
}
quietly() { "$@" >/dev/null 2>&1; }

# ---- processes

# start NAME COMMAND...: in the background, output to NAME.log; the process id in PID.
start() {
    local name=$1
    shift
    "$@" >>"$T/$name.log" 2>&1 </dev/null &
    PID=$!
    STARTED+=("$PID")
}
alive() { kill -0 "$1" 2>/dev/null; }
gone() { ! alive "$1"; }
# children_of PID: those that live, one a line.
children_of() { ps -o stat=,pid= --ppid "$1" | awk '$1 !~ /^Z/ { print $2 }'; }
# finish PID: asks, waits six seconds, ends it; returns its exit status.
finish() {
    local pid=$1
    kill -TERM "$pid" 2>/dev/null
    within 6000 gone_or_zombie "$pid" || kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}
gone_or_zombie() { case $(ps -o stat= -p "$1" 2>/dev/null) in '' | Z*) return 0 ;; *) return 1 ;; esac; }
cleanup() {
    local pid
    trap - EXIT
    for pid in ${STARTED[@]+"${STARTED[@]}"}; do
        if jobs -pr | grep -qx "$pid"; then finish "$pid"; fi
    done
    rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- rights

# Inside a user namespace there is nobody to become.
is_root() { [ "$(id -u)" = 0 ] && [ -z "${NTSD_TEST_USERNS:-}" ]; }
give_away() { if is_root; then chown -R nobody: "$@"; fi; }
# powerless COMMAND...: without any right over the machine, above all not over its clock.
powerless() {
    if is_root; then
        exec setpriv --reuid=nobody --regid=nogroup --clear-groups --bounding-set=-all \
            --inh-caps=-all --no-new-privs "$@"
    fi
    exec "$@"
}
# cannot_set_clock PID: CAP_SYS_TIME (25) is neither effective nor permitted nor to be had.
cannot_set_clock() {
    local name set
    while read -r name set; do
        case $name in
        CapPrm: | CapEff: | CapAmb:) [ $((16#$set >> 25 & 1)) = 0 ] || return 1 ;;
        esac
    done <"/proc/$1/status"
}

# ---- network

has_ipv6() { grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; }
# free_ports N: below the ephemeral range, free for TCP and UDP; into PORTS. Tests that run side by
# side look in lanes of their own.
free_ports() {
    local p
    PORTS=()
    while [ ${#PORTS[@]} -lt "$1" ]; do
        p=$((20000 + ${NTSD_TEST_LANE:-0} * 5000 + RANDOM % 5000))
        case " ${PORTS[*]-} " in *" $p "*) continue ;; esac
        port_taken "$p" || PORTS+=("$p")
    done
}
# port_taken PORT: somebody listens there (TCP) or has it (UDP), say the kernel's own tables.
port_taken() {
    cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null |
        awk -v port="$(printf :%04X "$1")" '
            substr($2, length($2) - 4) == port && ($4 == "0A" || $4 == "07") { found = 1 }
            END { exit !found }'
}
# http_status PATH: the number from ntsd's status address, nothing when nobody answers.
http_status() {
    local version="" code=""
    { exec 9<>"/dev/tcp/127.0.0.1/$HTTP"; } 2>/dev/null || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&9 2>/dev/null
    read -r -t 2 version code _ <&9
    exec 9>&-
    echo "${code:-}"
    : "$version"
}
is_ready() { [ "$(http_status /readyz)" = 200 ]; }
ready_or_dead() { is_ready || gone_or_zombie "$NTSD_PID"; }

# ---- ntsd

# make_certs DIR [NAME...]: a CA and a server certificate for localhost (and the names).
make_certs() {
    local dir=$1 args=() name
    shift
    for name in localhost "$@"; do args+=(--name "$name"); done
    "$BIN/ntsctl" certs dev "$dir" "${args[@]}" --ip 127.0.0.1 --ip ::1 >>"$T/ntsctl.log" 2>&1 ||
        { show_logs; not_ok "make certificates" "ntsctl certs dev failed"; exit 1; }
    chmod 0755 "$dir"
    give_away "$dir"
}
choose_ports() {
    free_ports 3
    NTP=${PORTS[0]} KE=${PORTS[1]} HTTP=${PORTS[2]}
}
# write_conf FILE [LINE...]: an ntsd on loopback, with further lines.
write_conf() {
    local file=$1
    shift
    {
        echo "port $NTP"
        echo "bindaddress 127.0.0.1"
        has_ipv6 && echo "bindaddress ::1"
        echo "ntsport $KE"
        echo "ntsservercert $CERTS/server.pem"
        echo "ntsserverkey $CERTS/server.key"
        echo "ntskeys auto"
        echo "ntsdumpdir $T/state"
        echo "threads 2"
        echo "httpaddress 127.0.0.1:$HTTP"
        is_root && echo "user nobody"
        [ -n "${NTSD_TEST_USERNS:-}" ] && echo "user root"
        [ $# = 0 ] || printf '%s\n' "$@"
    } >"$file"
}
# start_ntsd [LINE...]: certificates (unless made), configuration, start, ready within 5 s.
start_ntsd() {
    [ -n "${NTP:-}" ] || choose_ports
    [ -e "$CERTS/server.pem" ] || make_certs "$CERTS"
    [ -e "$T/state" ] || mkdir -m 0700 "$T/state"
    chmod 0755 "$T"
    give_away "$T/state"
    write_conf "$T/ntsd.conf" "$@"
    run_ntsd
    within 5000 ready_or_dead
    if ! is_ready; then
        show_logs
        not_ok "start ntsd" "not ready within 5 s"
        exit 1
    fi
}
run_ntsd() {
    start ntsd "$BIN/ntsd" -c "$T/ntsd.conf"
    NTSD_PID=$PID
}
# kill_ntsd: the supervisor and every child at once, as a power cut would.
kill_ntsd() {
    local all
    all="$NTSD_PID $(children_of "$NTSD_PID" | tr '\n' ' ')"
    # shellcheck disable=SC2086
    kill -KILL $all 2>/dev/null
    wait "$NTSD_PID" 2>/dev/null
    for NTSD_PID in $all; do within 2000 gone_or_zombie "$NTSD_PID"; done
    NTSD_PID=""
}
# ask [OPTION...]: ntsq at this ntsd.
ask() { "$BIN/ntsq" --ca "$CERTS/ca.pem" --ke-port "$KE" --timeout 2 "$@" localhost; }
# canary: one honest exchange, from handshake to authenticated time, must work.
canary() { quietly ask; }
keeper() { "$BIN/tests/e2e/cookiekeeper" --ca "$CERTS/ca.pem" --ke-port "$KE" "$@" 127.0.0.1; }

# ---- peers

# need_peer NAME TEST...: unpacks it, or skips the tests it is needed for and ends.
need_peer() {
    local name=$1 why
    shift
    if ! why=$("$ROOT/tests/support/peers.sh" "$name" 2>&1); then
        while [ $# -gt 0 ]; do
            skip "$1" "no $name: ${why##*$'\n'}"
            shift
        done
        exit 0
    fi
}
# start_chronyd [LINE...]: Debian's chronyd -x in T/chrony, asking this ntsd over NTS.
start_chronyd() {
    local user
    user=$(id -un)
    if is_root; then user=nobody; fi
    rm -rf "$T/chrony"
    mkdir -m 0750 "$T/chrony" || return
    {
        echo "server ${1:-127.0.0.1} port $NTP ntsport $KE nts minpoll -2 maxpoll -2"
        echo "ntstrustedcerts $CERTS/ca.pem"
        echo "authselectmode require"
        echo "port 0"
        echo "cmdport 0"
        echo "bindcmdaddress $T/chrony/chronyd.sock"
        echo "pidfile $T/chrony/chronyd.pid"
    } >"$T/chrony/chrony.conf"
    give_away "$T/chrony"
    start chronyd powerless "$PEERS/chrony/usr/sbin/chronyd" -d -x -U -u "$user" \
        -f "$T/chrony/chrony.conf"
    CHRONYD_PID=$PID
}
chronyc() {
    (powerless "$PEERS/chrony/usr/bin/chronyc" -h "$T/chrony/chronyd.sock" "$@" 2>"$T/chronyc.log")
}
chrony_selected() { chronyc -c sources | grep -q '^^,\*,'; }
# chrony_auth COLUMN: of `chronyc authdata`: 2 mode, 3 key id, 8 NAKs, 9 cookies.
chrony_auth() { chronyc -c authdata | cut -d, -f"$1"; }
# chrony_data NAME: the value of a line of `chronyc ntpdata`.
chrony_data() { chronyc ntpdata | sed -n "s/^$1 *: *//p"; }
