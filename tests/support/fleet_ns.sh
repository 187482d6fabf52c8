#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A fleet in network namespaces of its own: three ntsd behind a layer-4 balancer with one virtual
# address, and this script where the clients are. To be sourced instead of lib.sh, with the test's
# path as $1, the directory of the binaries as $2, and behind them the names of its tests, for the
# case that there can be no such network.
#
#                                                           +- i1: 10.0.1.2 ntsd
#   clients: 192.0.2.2, 10.77.0.0/16 --- lb: 203.0.113.1 ---+- i2: 10.0.2.2 ntsd
#                                                           +- i3: 10.0.3.2 ntsd
#
# All of it is in a mount namespace of its own, too, and is gone with its last process.
# shellcheck disable=SC2034

VIRTUAL=203.0.113.1
NAME=time.fleet.test
STATUS_PORT=8080

if [ -z "${NTSD_FLEET_NS:-}" ]; then
    why=""
    [ "$(id -u)" = 0 ] || why="not root"
    [ -n "$why" ] || command -v nft >/dev/null || why="no nft here"
    [ -n "$why" ] || unshare -mn true 2>/dev/null || why="no namespaces here"
    [ -n "$why" ] || unshare -n ip link add v0 type veth peer name v1 2>/dev/null || why="no veth here"
    [ -n "$why" ] || unshare -n nft "add table ip t; add chain ip t c { type nat hook prerouting priority dstnat; };
        add rule ip t c udp dport 123 ct mark set jhash ip saddr . udp sport mod 2 map { 0 : 1, 1 : 2 }" \
        2>/dev/null || why="no address translation in this kernel"
    if [ -n "$why" ]; then
        script=$1
        shift 2
        for name in "$@"; do echo "skip - $name ($why)"; done
        [ $# -gt 0 ] || echo "skip - $script ($why)"
        exit 0
    fi
    # Before the network is gone.
    "$(dirname "${BASH_SOURCE[0]}")/peers.sh" >/dev/null 2>&1
    NTSD_FLEET_NS=1 exec unshare -mn "$1" "$2"
fi

# shellcheck source=tests/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "$2"

FLEET=(1 2 3)
INSTANCE_PID=(0 0 0 0) # supervisors, by number
WINDOWS=$T/windows     # who was known to be away and when: NUMBER FROM TO
ADMIN=$T/admin         # balancer.py: a file N deregisters instance N
now_s() { date +%s.%N; }

# All at once, and a second time, which is heeded at once; lib.sh waits for each.
fleet_cleanup() {
    local pid round
    trap - EXIT
    for round in 1 2; do
        for pid in ${STARTED[@]+"${STARTED[@]}"}; do
            if jobs -pr | grep -qx "$pid"; then kill -TERM "$pid" 2>/dev/null; fi
        done
        sleep 0.2
    done
    cleanup
    : "$round"
}
trap fleet_cleanup EXIT

# ---- network

address_of() { echo "10.0.$1.2"; }
# within_ns NAMESPACE COMMAND...: replaces the shell it runs in.
within_ns() {
    local ns=$1
    shift
    nsenter "--net=/run/netns/$ns" "$@"
}
setting() { within_ns "$1" sh -c "echo $3 >/proc/sys/net/$2"; }

make_network() {
    local i
    mount -t tmpfs none /run && echo "$VIRTUAL $NAME" >"$T/hosts" &&
        cat /etc/hosts >>"$T/hosts" && mount --bind "$T/hosts" /etc/hosts && ip netns add lb || return
    ip link set lo up
    ip link add v0 type veth peer name v0 netns lb
    ip address add 192.0.2.2/24 dev v0
    ip link set v0 up
    ip route add default via 192.0.2.1
    ip route add local 10.77.0.0/16 dev lo
    ip -n lb link set lo up
    ip -n lb address add "$VIRTUAL/32" dev lo
    ip -n lb address add 192.0.2.1/24 dev v0
    ip -n lb link set v0 up
    ip -n lb route add 10.77.0.0/16 via 192.0.2.2
    setting lb ipv4/ip_forward 1
    for i in "${FLEET[@]}"; do
        ip netns add "i$i"
        ip link add "e$i" netns lb type veth peer name e0 netns "i$i"
        ip -n lb address add "10.0.$i.1/24" dev "e$i"
        ip -n lb link set "e$i" up
        ip -n "i$i" link set lo up
        ip -n "i$i" address add "$(address_of "$i")/24" dev e0
        ip -n "i$i" link set e0 up
        ip -n "i$i" route add default via "10.0.$i.1"
    done
    # Each query is a flow: a hundred thousand of them have to be forgotten in time.
    within_ns lb nft "add table ip warm; add chain ip warm c { type nat hook prerouting priority dstnat; }" &&
        within_ns lb nft delete table ip warm || return
    setting lb netfilter/nf_conntrack_udp_timeout 8
    setting lb netfilter/nf_conntrack_udp_timeout_stream 8
}

# ---- instances

# make_instance NUMBER LINE...: its configuration, its own copy of certificate and key.
make_instance() {
    local i=$1 dir=$T/i$1
    shift
    mkdir -m 0755 "$dir"
    mkdir -m 0700 "$dir/state" "$dir/keys"
    cp -r "$CERTS" "$dir/certs"
    {
        echo "bindaddress $(address_of "$i")"
        echo "ntsservercert $dir/certs/server.pem"
        echo "ntsserverkey $dir/certs/server.key"
        echo "ntsdumpdir $dir/state"
        echo "threads 2"
        echo "httpaddress $(address_of "$i"):$STATUS_PORT"
        is_root && echo "user nobody"
        echo "ntskeys file $dir/keys/keys.json"
        printf '%s\n' "$@"
    } >"$dir/ntsd.conf"
    give_away "$dir/state" "$dir/keys" "$dir/certs"
}
# distribute FILE NUMBER: the document reaches an instance, whole.
distribute() {
    local dir=$T/i$2/keys
    install -m 0600 "$1" "$dir/.new" && give_away "$dir/.new" && mv -f "$dir/.new" "$dir/keys.json"
}
start_instance() {
    start "ntsd$1" nsenter "--net=/run/netns/i$1" "$BIN/ntsd" -c "$T/i$1/ntsd.conf"
    INSTANCE_PID[$1]=$PID
}
# stop_instance NUMBER: SIGTERM; its exit status.
stop_instance() {
    finish "${INSTANCE_PID[$1]}"
}
# kill_instance NUMBER: the supervisor and every child at once.
kill_instance() {
    local pid=${INSTANCE_PID[$1]} all
    all="$pid $(children_of "$pid" | tr '\n' ' ')"
    # shellcheck disable=SC2086
    kill -KILL $all
    wait "$pid" 2>/dev/null
    for pid in $all; do within 2000 gone_or_zombie "$pid"; done
}
page_of() { curl -s -m 3 "http://$(address_of "$1"):$STATUS_PORT/$2"; }
instance_ready() {
    [ "$(curl -s -m 3 -o /dev/null -w '%{http_code}' "http://$(address_of "$1"):$STATUS_PORT/readyz")" = 200 ]
}
# key_of NUMBER: "ID FINGERPRINT" of the key it issues with.
key_of() {
    page_of "$1" metrics | sed -n 's/^ntsd_key_issuing{id="\([0-9a-f]*\)",fingerprint="\([0-9a-f]*\)"} 1$/\1 \2/p'
}
# all_issue_one_key: every instance the same; into KEY.
all_issue_one_key() {
    local i key
    KEY=$(key_of 1)
    for i in "${FLEET[@]}"; do
        key=$(key_of "$i")
        [ -n "$key" ] && [ "$key" = "$KEY" ] || return
    done
}
issues_epoch() { all_issue_one_key && [ $((16#${KEY%% *} >> 16)) = "$1" ]; }
issues_other_than() { all_issue_one_key && [ "$KEY" != "$1" ]; }
# show_key: KEY for people, EPOCH:PERIOD/FINGERPRINT.
show_key() {
    local id=$((16#${KEY%% *}))
    echo "$((id >> 16)):$((id & 65535))/${KEY##* }"
}
# unclean NUMBER: what its counters know besides good answers and good handshakes; nothing is well.
# A flow of before (ntpd has one for all its queries) may still reach an instance that starts, ahead
# of its keys; were it not away then, that would be a loss that went astray.
unclean() {
    page_of "$1" metrics | awk -v i="$1" '
        /^ntsd_ntp_datagrams_total{/ && $1 !~ /"(answer_nts|drop_no_keys)"/ && $2 > 0 { print "i" i " " $0 }
        /^ntsd_ke_connections_total{/ && $1 !~ /"served"/ && $2 > 0 { print "i" i " " $0 }
        /^ntsd_ke_request_faults_total{/ && $2 > 0 { print "i" i " " $0 }
        /^ntsd_process_restarts_total{/ && $2 > 0 { print "i" i " " $0 }' | tee -a "$T/unclean"
}

# ---- balancer

start_balancer() {
    local args=() i
    mkdir "$ADMIN"
    for i in "${FLEET[@]}"; do args+=(--backend "$(address_of "$i")"); done
    start balancer nsenter --net=/run/netns/lb "$ROOT/tests/support/balancer.py" \
        --virtual "$VIRTUAL" --http "$STATUS_PORT" --admin "$ADMIN" --drain 2 "${args[@]}"
}
# balancer_did WHAT NUMBER SECONDS: its last word on that is of then or later.
balancer_did() {
    awk -v what="$1" -v number="$2" -v from="$3" '
        $2 == what && $3 == number && $1 >= from { found = 1 }
        END { exit !found }' "$T/balancer.log"
}
balancer_has() {
    awk -v number="$1" '$3 == number && $2 != "cut" { last = $2 } END { exit last != "in" }' \
        "$T/balancer.log"
}
whole() {
    local i
    for i in "${FLEET[@]}"; do balancer_has "$i" || return; done
}
# away NUMBER FROM: it was, from then until now.
away() { echo "$1 $2 $(now_s)" >>"$WINDOWS"; }

# ---- what the load saw

# events WHAT: of fleetload.
events() { awk -v what="$1" '$2 == what' "$T/load.log"; }
# summary WORD: a figure of its last line.
summary() { awk -v word="$1" '$1 == "queries" { for (i = 1; i < NF; i += 2) if ($i == word) print $(i + 1) }' "$T/load.log"; }
# judge_losses: each query lost belongs to a flow that the balancer gave to an instance; was that one
# away then? And each failure to shake hands, of a device or of ntsq: was anyone? Prints `lost N
# astray N retries N astray N ntsq N failed N astray N flows N N N`, and below it what went astray.
judge_losses() {
    local i
    for i in "${FLEET[@]}"; do within_ns lb nft -j list set ip fleet "udp$i" >"$T/flows$i.json"; done
    python3 -c 'import json, sys
directory = sys.argv[1]
owner, flows = {}, [0, 0, 0]
for number in (1, 2, 3):
    for item in json.load(open(f"{directory}/flows{number}.json"))["nftables"]:
        for element in item.get("set", {}).get("elem", []):
            owner[tuple(element["concat"])] = number
            flows[number - 1] += 1
windows = [[float(word) for word in line.split()] for line in open(f"{directory}/windows")]
lost, retries, ntsq, failed = 0, 0, 0, 0
strays = [], [], []
for line in open(f"{directory}/load.log"):
    words = line.split()
    if len(words) == 5 and words[1] == "lost":
        lost += 1
        number = owner.get((words[2], int(words[3])))
        # What was asked shortly before the end may have been in the queue.
        if not any(n == number and start - 1 <= float(words[0]) <= end for n, start, end in windows):
            strays[0].append(f"{line.strip()}, went to {number}")
    elif len(words) > 1 and words[1] == "retry":
        retries += 1
        if not any(start <= float(words[0]) <= end + 1 for n, start, end in windows):
            strays[1].append(line.strip())
for line in open(f"{directory}/ntsq.log"):
    began, ended, status = line.split()
    ntsq += 1
    failed += status != "0"
    if status != "0" and not any(start <= float(ended) and float(began) <= end for n, start, end in windows):
        strays[2].append(f"ntsq: {line.strip()}")
print(f"lost {lost} astray {len(strays[0])} retries {retries} astray {len(strays[1])}",
      f"ntsq {ntsq} failed {failed} astray {len(strays[2])} flows", *flows)
print("\n".join(sum(strays, [])[:40]))' "$T"
}

# ---- peers

# start_ntpd NAME: NTPsec's, without the right to set the clock; see 11-ntpsec.sh.
start_ntpd() {
    mkdir "$T/ntpd"
    printf '%s\n' "disable ntp" "disable kernel" "disable monitor" "driftfile $T/ntpd/drift" \
        "restrict default nomodify nopeer noquery limited kod" "restrict 127.0.0.1" \
        "server $1:4460 nts ca $CERTS/ca.pem minpoll 0 maxpoll 0 iburst" >"$T/ntpd/ntp.conf"
    start ntpd setpriv --bounding-set=-all,+net_bind_service --inh-caps=-all \
        "$PEERS/ntpsec/usr/sbin/ntpd" -n -4 -c "$T/ntpd/ntp.conf" -p "$T/ntpd/ntpd.pid" \
        -l "$T/ntpd.log"
    NTPD_PID=$PID
}
ntpq() {
    PYTHONPATH="$PEERS/ntpsec/usr/lib/python3/dist-packages" PYTHONDONTWRITEBYTECODE=1 \
        timeout 5 /usr/bin/python3 "$PEERS/ntpsec/usr/bin/ntpq" "$@" 127.0.0.1 2>>"$T/ntpq.log"
}
ntpd_selected() { ntpq -np | grep -q '^\*'; }
# ntpd_nts COUNTER: of `ntpq -c nts`.
ntpd_nts() { ntpq -c nts | sed -n "s/^NTS $1: *//p"; }
