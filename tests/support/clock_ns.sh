#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the clock share: a network namespace of their own with Amazon's link-local
# address in it, chronyd as a source and as a client, scripted upstreams, and looks at the metrics.
# To be sourced instead of lib.sh, with the test's path as $1, the directory of the binaries as $2,
# and behind them the names of its tests, for the case that there can be no namespace.
# shellcheck disable=SC2034

AMAZON=169.254.169.123

if [ -z "${NTSD_CLOCK_NS:-}" ]; then
    # Before the network is gone.
    "$(dirname "${BASH_SOURCE[0]}")/peers.sh" chrony >/dev/null 2>&1
    why=""
    [ "$(id -u)" = 0 ] || why="not root"
    [ -n "$why" ] || unshare -mn true 2>/dev/null || why="no namespaces here"
    [ -n "$why" ] || unshare -n ip link add v0 type veth peer name v1 2>/dev/null || why="no veth here"
    if [ -n "$why" ]; then
        script=$1
        shift 2
        for name in "$@"; do echo "skip - $name ($why)"; done
        [ $# -gt 0 ] || echo "skip - $script ($why)"
        exit 0
    fi
    NTSD_CLOCK_NS=1 exec unshare -mn "$1" "$2"
fi

# shellcheck source=tests/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "$2"

ip link set lo up
ip link add v0 type veth peer name v1
ip address add "$AMAZON/32" dev v0
ip link set v0 up
ip link set v1 up
# Nothing here has a right over the machine; the ports of the namespace are free for all.
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
chmod 0755 "$T"
choose_ports

# ---- metrics

metrics() { curl -s -m 2 "http://127.0.0.1:$HTTP/metrics"; }
# metric NAME: its value; the name with its labels.
metric() { metrics | awk -v name="$1" '$1 == name { print $2 }'; }
clock_is() { [ "$(metric "ntsd_clock_state{state=\"$1\"}")" = 1 ]; }
readiness() { http_status /readyz; }
# verdict_is SOURCE VERDICT
verdict_is() { [ "$(metric "ntsd_source_verdict{source=\"$1\",verdict=\"$2\"}")" = 1 ]; }
# event SOURCE EVENT: how often; 0 while nothing is known.
event() {
    local n
    n=$(metric "ntsd_source_events_total{source=\"$1\",event=\"$2\"}")
    echo "${n:-0}"
}
# logged PATTERN: in ntsd's log.
logged() { grep -qE "$1" "$T/ntsd.log"; }
# clock_process: its process id.
clock_process() {
    local pid
    for pid in $(children_of "$NTSD_PID"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "ntsd: clock" ] && echo "$pid"
    done
}
# processor_ns PID: spent so far.
processor_ns() { awk '{ print $1 }' "/proc/$1/schedstat"; }

# ---- ntsd

# follow LINE...: an ntsd with these sources; not waited for.
follow() {
    [ -e "$CERTS/server.pem" ] || make_certs "$CERTS"
    rm -rf "$T/state" "$T/ntsd.log"
    mkdir -m 0700 "$T/state"
    give_away "$T/state"
    write_conf "$T/ntsd.conf" "$@"
    run_ntsd
}
unfollow() {
    finish "$NTSD_PID"
    NTSD_PID=""
}

# ---- chronyd

# chrony_conf NAME LINE...: a chronyd of that name in a directory of its own.
chrony_conf() {
    local dir=$T/$1
    shift
    rm -rf "$dir"
    mkdir -m 0750 "$dir"
    printf '%s\n' "$@" "cmdport 0" "bindcmdaddress $dir/chronyd.sock" "pidfile $dir/chronyd.pid" \
        >"$dir/chrony.conf"
    give_away "$dir"
}
# run_chrony NAME: its process id in PID.
run_chrony() {
    local user
    user=$(id -un)
    if is_root; then user=nobody; fi
    start "$1" powerless "$PEERS/chrony/usr/sbin/chronyd" -d -x -U -u "$user" \
        -f "$T/$1/chrony.conf"
}
# ask_chrony NAME COMMAND...
ask_chrony() {
    local name=$1
    shift
    (powerless "$PEERS/chrony/usr/bin/chronyc" -h "$T/$name/chronyd.sock" "$@" 2>>"$T/chronyc.log")
}
# chrony_serves NAME ADDRESS STRATUM: this host's clock at port 123 of that address.
chrony_serves() {
    chrony_conf "$1" "local stratum $3" "allow all" "port 123" "bindaddress $2"
    run_chrony "$1"
}

# ---- scripted upstreams

# upstream NAME ADDRESS PORT CONTROL [COMMAND]...: see upstream.py; its process id in PID.
upstream() {
    local name=$1 address=$2 port=$3 control=$4 args=() command
    shift 4
    for command in "$@"; do args+=(--set "$command"); done
    start "$name" "$ROOT/tests/support/upstream.py" --bind "$address" --port "$port" \
        --control "$control" --log "$T/$name.requests" ${args[@]+"${args[@]}"}
    within 3000 grep -q '^serving$' "$T/$name.log"
}
# tell CONTROL COMMAND: its answer.
tell() {
    python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.sendto(sys.argv[2].encode(), ("127.0.0.1", int(sys.argv[1])))
print(s.recv(512).decode())' "$@"
}
# closest NAME: seconds between the two requests that were closest together.
closest() {
    awk 'NR > 1 && (least == "" || $1 - last < least) { least = $1 - last } { last = $1 }
        END { printf "%.3f\n", least }' "$T/$1.requests"
}
