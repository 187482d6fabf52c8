#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Network weather: loss, copies, delay, damage, an interface that goes and comes back, addresses that
# do, a path of small packets, packets nobody honest sends; and a host whose clock is stepped or that
# stands still for a while. The server is in a network namespace of its own, clients in another one.
# shellcheck source=tests/support/clock_ns.sh
. "$(dirname "$0")/../support/clock_ns.sh" "$0" "${1:-build}" "network weather"
# shellcheck source=tests/support/faults.sh
. "$(dirname "$0")/../support/faults.sh"

SERVER=10.9.0.1
CLIENT=10.9.0.2
mount -t tmpfs none /run
ip netns add far
ip link add near0 type veth peer name far0 netns far
ip address add "$SERVER/24" dev near0
ip link set near0 up
ip -n far address add "$CLIENT/24" dev far0
ip -n far link set lo up
ip -n far link set far0 up
far() { nsenter --net=/run/netns/far "$@"; }
weather_cleanup() {
    trap - EXIT
    cleanup
    ip netns delete far
}
trap weather_cleanup EXIT

mkdir -m 0755 "$CERTS"
quietly "$BIN/ntsctl" certs dev "$CERTS" --name localhost --ip 127.0.0.1 --ip "$SERVER" ||
    not_ok "make certificates" "ntsctl certs dev failed"
chmod 0755 "$CERTS"
give_away "$CERTS"
upstream source 127.0.0.1 10125 11003
EXTRA=() # further lines of the configuration
# serve [COMMAND...]: all addresses of the host, IPv4 and IPv6.
serve() {
    [ -e "$T/state" ] || mkdir -m 0700 "$T/state"
    give_away "$T/state"
    write_conf "$T/ntsd.conf" "server 127.0.0.1 port 10125 minpoll 0 maxpoll 0 iburst" \
        ${EXTRA[@]+"${EXTRA[@]}"}
    sed -i '/^bindaddress/d' "$T/ntsd.conf"
    start ntsd "$@" "$BIN/ntsd" -c "$T/ntsd.conf"
    NTSD_PID=$PID
    within 8000 is_ready || { show_logs; not_ok "start ntsd" "not ready"; exit 1; }
    remember
}
far_ask() { far "$BIN/ntsq" --ca "$CERTS/ca.pem" --ke-port "$KE" --timeout 2 "$@" "$SERVER"; }
far_canary() { quietly far_ask; }
# count_asked COUNT OPTION...: ANSWERED of so many queries, with what ntsq said of them in SAID.
count_asked() {
    local count=$1
    shift
    SAID=$(far_ask --count "$count" --interval 0.02 --timeout 0.3 "$@" 2>&1 |
        grep -m 1 'of [0-9]* answered')
    ANSWERED=$(grep -o '[0-9]* of [0-9]* answered' <<<"$SAID" | cut -d' ' -f1)
    ANSWERED=${ANSWERED:-0}
}
# served: how it is, seen from here: samples lost mean p99 worst delay.
served() { "$ROOT/tests/support/offset.py" 127.0.0.1 "$NTP" 0.4; }
near_truth() { awk -v line="$1" -v limit="$2" 'BEGIN { split(line, v, " "); exit !(v[1] > 0 && v[5] < limit) }'; }
serve
verdict "a client on another host is served" "$(far_ask 2>&1 | tail -n 1)" far_canary


# ---- loss, copies, disorder, damage, delay
free_ports 1
RELAY=${PORTS[0]}
# relayed NAME COUNT LEAST OPTION...: of COUNT queries through a bad relay LEAST are answered, and
# what was damaged on the way is never believed.
relayed() {
    local name=$1 count=$2 least=$3 naks
    shift 3
    naks=$(($(verdict_count nak_request_auth) + $(verdict_count nak_cookie_auth)))
    rm -f "$T/relay.log"
    start relay "$ROOT/tests/support/relay.py" "$RELAY" 127.0.0.1 "$NTP" "$@"
    within 3000 grep -qs relaying "$T/relay.log"
    count_asked "$count" --port "$RELAY"
    finish "$PID"
    naks=$(($(verdict_count nak_request_auth) + $(verdict_count nak_cookie_auth) - naks))
    verdict "$name: $ANSWERED of $count answered and authentic, $naks NAKs; $(tail -n 1 "$T/relay.log")" \
        "$SAID" [ "$ANSWERED" -ge "$least" -a "$ANSWERED" -le "$count" ]
}
relayed "half of all lost, each way" 24 2 --loss 0.5
relayed "one in ten twice, one in ten late" 40 26 --twice 0.1 --late 0.1
relayed "one bit in every fifth wrong" 40 10 --corrupt 0.2
after "loss, copies, disorder and damage"
rm -f "$T/relay.log"
start relay "$ROOT/tests/support/relay.py" "$RELAY" 127.0.0.1 "$NTP" --delay 1
within 3000 grep -qs relaying "$T/relay.log"
SAID=$(far_ask --port "$RELAY" --timeout 12 2>&1)
verdict "a second of delay, each way: $(grep -m 1 '^Delay' <<<"$SAID")" "$SAID" \
    grep -qE '^Delay +2\.' <<<"$SAID"
finish "$PID"

# ---- handshakes where a fifth of all packets is lost, each way
# TCP sends again; it may have to wait for seconds.
lossy() {
    quietly nft "add table ip bad
        add chain ip bad in { type filter hook input priority 0; }
        add chain ip bad out { type filter hook output priority 0; }
        add rule ip bad in iifname near0 numgen random mod 100 < 20 drop
        add rule ip bad out oifname near0 numgen random mod 100 < 20 drop"
}
if lossy; then
    verdict "a fifth of all packets lost, each way: a handshake is served" "not in 20 s" \
        within 20000 quietly far_ask --timeout 8
    quietly nft delete table ip bad
    after "lossy handshakes"
else
    skip "a fifth of all packets lost, each way" "no random drops in this kernel"
fi

# ---- small packets
ip link set near0 mtu 576
ip -n far link set far0 mtu 576
count_asked 10
verdict "a path of 576 octets: $SAID" "not all" [ "$ANSWERED" = 10 ]
ip link set near0 mtu 1500
ip -n far link set far0 mtu 1500
after "a path of 576 octets"

# ---- an interface and addresses that go and come back
start asking far "$BIN/ntsq" --ca "$CERTS/ca.pem" --ke-port "$KE" --timeout 0.2 --count 100 \
    --interval 0.02 "$SERVER"
asking=$PID
sleep 0.3
ip link set near0 down
sleep 1
ip link set near0 up
verdict "an interface down and up: served again" "not within 2 s" within 2000 far_canary
wait "$asking"
say "$(grep -m 1 'of [0-9]* answered' "$T/asking.log")"
after "an interface down and up"
ip address delete "$SERVER/24" dev near0
sleep 0.3
verdict "an address removed: others are served" "not" canary
ip address add "$SERVER/24" dev near0
verdict "the address is back: served" "not within 2 s" within 2000 far_canary
SERVER_OF_BEFORE=$SERVER
ip address add 10.9.0.7/24 dev near0
SERVER=10.9.0.7
count_asked 3 --plain --port "$NTP"
verdict "an address that is new: $SAID" "not" [ "$ANSWERED" = 3 ]
SERVER=$SERVER_OF_BEFORE
ip address delete 10.9.0.7/24 dev near0
after "addresses that change"
if has_ipv6; then
    echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
    verdict "IPv6 switched off: IPv4 is served" "not" far_canary
    echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6
    verdict "and on again: served over it" "not within 2 s" \
        within 2000 quietly "$BIN/ntsq" -6 --plain --port "$NTP" ::1
    after "IPv6 off and on"
fi

# ---- packets that nobody honest sends
TO_MAC=$(ip -o link show near0 | sed "s,.*link/ether \([^ ]*\) .*,\1,")
export TO_MAC
datagrams() { counter ntsd_ntp_received_total; }
for kind in sources fragments icmp; do
    before=$(datagrams)
    sent=$(far "$ROOT/tests/support/strange_packets.py" "$kind" far0 "$CLIENT" "$SERVER" "$NTP" "$KE")
    sleep 0.2
    came=$(($(datagrams) - before))
    sleep 0.3
    verdict "$kind: $sent strange packets, $came of them came to us, and nothing comes of them" \
        "still counting" [ "${sent:-0}" -gt 0 -a "$(($(datagrams) - before))" = "$came" -a "$came" -lt 10 ]
    count_asked 5
    verdict "$kind: a client is served: $SAID" "not" [ "$ANSWERED" = 5 ]
    after "strange $kind"
done

# ---- a host that stands still, and one whose clock is stepped
for pid in "$NTSD_PID" $(children_of "$NTSD_PID"); do kill -STOP "$pid"; done
sleep 3
for pid in $(children_of "$NTSD_PID") "$NTSD_PID"; do kill -CONT "$pid"; done
line=$(served)
verdict "stopped for three seconds: the first answers are right, within $(cut -d' ' -f5 <<<"$line") us" \
    "$line" near_truth "$line" 50000
after "all processes stopped for three seconds"
kill -STOP "$(child_named clock)"
sleep 2
line=$(served)
verdict "the clock process stands still: right, within $(cut -d' ' -f5 <<<"$line") us" "$line" \
    near_truth "$line" 50000
kill -CONT "$(child_named clock)"
after "a clock process that stands still"
finish "$NTSD_PID"

# ---- a name service that never answers
EXTRA=("server time.example minpoll 0 maxpoll 0 iburst")
serve
sleep 2
verdict "no name service: the other source is followed, all processes are as they were" \
    "$(tail -n 5 "$T/ntsd.log")" [ "$(readiness) $(process_ids)" = "200 $PROCESSES" ]
verdict "no name service: served" "not" far_canary
finish "$NTSD_PID"
EXTRA=()

STEP=$T/step
dd if=/dev/zero of="$STEP" bs=4096 count=1 2>/dev/null
chmod 0644 "$STEP"
# step SECONDS: how far the host's clock is off from now on.
step() {
    python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as file:
    file.write(struct.pack("@q", int(sys.argv[2]) * 1000000000))' "$STEP" "$1"
}
if grep -q __asan_init "$BIN/ntsd"; then
    skip "a clock that is stepped" "a sanitizer wants to be first"
elif ! cc -shared -fPIC -D_GNU_SOURCE -o "$T/step.so" "$ROOT/tests/support/preload/step.c" -ldl; then
    skip "a clock that is stepped" "no compiler"
else
    serve env "STEP_FILE=$STEP" "LD_PRELOAD=$T/step.so"
    now=$(date +%s)
    key=$(page | grep '^ntsd_key_issuing{')
    for to in +1 -1 +3600 -3600 $((-now)) $((2147483640 - now)) $((2085978490 - now)); do
        step "$((to))"
        sleep 0.3
        line=$(served)
        verdict "the host's clock is stepped by $to s: served time is right, within $(cut -d' ' -f5 <<<"$line") us" \
            "$line" near_truth "$line" 100000
        far_ask >"$T/stepped.log" 2>&1
        verdict "and authentic, under the same key, and ready" "$(tail -n 2 "$T/stepped.log") $(readiness)" \
            [ "$? $(readiness) $(page | grep '^ntsd_key_issuing{')" = "0 200 $key" ]
    done
    step 0
    LOG_LINES_MAX=60 after "a clock that is stepped"
    finish "$NTSD_PID"
fi
[ "$FAILED" = 0 ] || show_logs
