#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who is served and how often, seen from outside by programs that are not ours: chronyd, openssl and
# tests/support/proxied.py. Access by address, plain time switched off, limits for NTP by session
# and for handshakes by address, many devices behind one address, and PROXY headers as load
# balancers send them.
#
# NAT_SECONDS  how long the devices behind one address poll (4), NAT_SESSIONS how many (50)
#
# alone: it counts lost datagrams
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

NAT_SECONDS=${NAT_SECONDS:-4}
NAT_SESSIONS=${NAT_SESSIONS:-50}
CA=$CERTS/ca.pem
choose_ports
make_certs "$CERTS"

proxied() { python3 "$ROOT/tests/support/proxied.py" "$@"; }
shake() { proxied ke "$CA" "$KE" "$@"; }
plain() { proxied ntp "$NTP" "$@"; }
# is PATTERN COMMAND...: it says what matches that.
is() {
    local pattern=$1 said
    shift
    said=$("$@" 2>&1)
    # shellcheck disable=SC2254
    case $said in $pattern) return 0 ;; esac
    say "wanted '$pattern', got '$said'"
    return 1
}
metric() { # metric NAME{LABEL}
    curl -s -m 5 "http://127.0.0.1:$HTTP/metrics" | sed -n "s/^$1 //p"
}
ke_count() { metric "ntsd_ke_connections_total{outcome=\"$1\"}"; }
ntp_count() { metric "ntsd_ntp_datagrams_total{verdict=\"$1\"}"; }
restart() {
    [ -z "$NTSD_PID" ] || finish "$NTSD_PID"
    start_ntsd "local stratum 10" "$@"
}
died() { grep 'ended unasked' "$T/ntsd.log"; }

# ---- allow, deny, ntsonly

restart "allow 127.0.0.0/8" "allow ::1" "deny 127.0.0.64/26" "allow 127.0.0.77"
for address in 127.0.0.1 127.0.0.63 127.0.0.77 127.0.0.128; do
    verdict "$address may ask" "see above" is "answered 1 *" plain "from=$address"
    verdict "$address may shake hands" "see above" is "cookies 8" shake "from=$address"
done
for address in 127.0.0.64 127.0.0.127; do
    verdict "$address gets no answer" "see above" is "* silent 1" plain "from=$address"
    verdict "$address gets no handshake" "see above" is "refused *" shake "from=$address"
done
openssl_from() {
    quietly openssl s_client -connect "127.0.0.1:$KE" -bind "$1:0" -alpn ntske/1 -CAfile "$CA" \
        -verify_return_error </dev/null
}
openssl_is_judged() { openssl_from 127.0.0.77 && ! openssl_from 127.0.0.64; }
verdict "openssl finds the same" "it did not" openssl_is_judged
if has_ipv6; then
    verdict "::1 may ask and shake hands" "see above" \
        eval 'is "answered 1 *" plain to=::1 && is "cookies 8" shake to=::1'
fi
verdict "each refusal is counted: $(ntp_count drop_denied) datagrams, $(ke_count denied) connections" \
    "2 and 3 were made" [ "$(ntp_count drop_denied) $(ke_count denied)" = "2 3" ]

restart "deny 127.0.0.1" "ntsonly"
if has_ipv6; then
    verdict "::1 is served where 127.0.0.1 is denied" "see above" is "cookies 8" shake to=::1
fi
verdict "with ntsonly plain requests get no answer" "see above" is "* silent 1" plain from=127.0.0.2
verdict "and are counted" "$(ntp_count drop_unauthenticated)" \
    [ "$(ntp_count drop_unauthenticated)" = 1 ]
verdict "127.0.0.1 is denied" "see above" is "refused *" shake from=127.0.0.1

# ---- rate limits

restart "ratelimit interval 0 burst 4 leak 2"
said=$(plain count=40 wait=0.05)
kisses_are_few() {
    [ "$(ntp_count drop_limited)" -ge 10 ] && [ "$(ntp_count rate_kiss)" -ge 1 ] &&
        [ "$(ntp_count rate_kiss)" -le "$(ntp_count answer_plain)" ]
}
verdict "who asks 40 times at once is limited, and told so: $said" "not so" kisses_are_few
verdict "another address is not" "see above" is "answered 4 *" plain from=127.0.0.9 count=4

start pollers "$BIN/tests/e2e/pollers" "$CA" "$KE" "$NAT_SESSIONS" "$NAT_SECONDS" 1000
pollers=$PID
within 10000 grep -q ready "$T/pollers.log"
limited=$(ntp_count drop_limited)
start flood "$BIN/tests/e2e/flood" "$CA" "$KE" "$NAT_SECONDS" plain 2000 127.0.0.1
wait "$pollers" "$PID"
line=$(tail -n 1 "$T/pollers.log")
say "devices: $line"
say "flood from their address: $(tail -n 1 "$T/flood.log")"
verdict "$NAT_SESSIONS devices behind the address of a flood lose nothing" "$line" \
    grep -q ' lost 0 kisses 0 naks 0 longer 0 ' "$T/pollers.log"
verdict "the flood is limited: $(($(ntp_count drop_limited) - limited)) without an answer" "not so" \
    [ $(($(ntp_count drop_limited) - limited)) -gt $((NAT_SECONDS * 1000)) ]

# hasty_chronyd OPTION...: polls eight times a second.
hasty_chronyd() {
    local user
    user=$(id -un)
    if is_root; then user=nobody; fi
    rm -rf "$T/chrony" "$T/chronyd.log"
    mkdir -m 0750 "$T/chrony"
    {
        echo "server 127.0.0.1 port $NTP $* minpoll -3 maxpoll -3"
        echo "ntstrustedcerts $CA"
        echo "port 0"
        echo "cmdport 0"
        echo "bindcmdaddress /"
        echo "pidfile $T/chrony/chronyd.pid"
    } >"$T/chrony/chrony.conf"
    give_away "$T/chrony"
    start chronyd powerless "$PEERS/chrony/usr/sbin/chronyd" -d -x -U -u "$user" \
        -f "$T/chrony/chrony.conf"
    CHRONYD_PID=$PID
}
is_told() { grep -q 'KoD RATE' "$T/chronyd.log"; }
received() { metric ntsd_ntp_received_total; }
# slows_down NAME: eight a second before it is told, how many afterwards.
slows_down() {
    local before
    verdict "$1 that polls eight times a second is told RATE and believes it" "it was not" \
        within 15000 is_told
    before=$(received)
    sleep 3
    verdict "and slows down: $(($(received) - before)) datagrams in 3 s" "no less than 24" \
        [ $(($(received) - before)) -lt 20 ]
    finish "$CHRONYD_PID"
}
if quietly "$ROOT/tests/support/peers.sh" chrony; then
    restart "ratelimit interval 1 burst 4 leak 2"
    hasty_chronyd "ntsport $KE nts"
    slows_down "a chronyd with NTS (the kiss is authentic)"
    hasty_chronyd
    slows_down "a chronyd without NTS"
else
    skip "a chronyd that polls too fast" "no chrony"
fi

# ---- handshakes

restart "ntsratelimit interval 2 burst 5"
verdict "of 20 handshakes in a row the first five are served" "see above" \
    is "served [56] refused 1[45]" shake count=20 from=127.0.0.5
verdict "another address is served meanwhile" "see above" is "cookies 8" shake from=127.0.0.6
verdict "each is counted: $(ke_count limited)" "fewer than 14" [ "$(ke_count limited)" -ge 14 ]

# hold ADDRESS N: silent connections.
hold() {
    start holder python3 -c '
import socket, sys, time
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), source_address=(sys.argv[2], 0))
        for _ in range(int(sys.argv[3]))]
time.sleep(60)' "$KE" "$1" "$2"
    HOLDER=$PID
}
restart "maxntsconnections 100 peraddress 4 pernetwork 8"
hold 127.0.0.5 6
two_were_crowded() { [ "$(ke_count crowded)" = 2 ]; }
verdict "of six connections from an address that may have four two are refused" "not so" \
    within 5000 two_were_crowded
verdict "a neighbour of that network is served" "see above" is "cookies 8" shake from=127.0.0.6
finish "$HOLDER"

# ---- PROXY protocol v2

restart "proxyprotocol 127.0.0.32/27" "allow 127.0.0.0/8" "allow 203.0.113.0/24" "deny 203.0.113.66" \
    "allow 2001:db8:7::/48" "ntsratelimit interval 10 burst 20"
verdict "a client behind the balancer is served, TLVs and sum are good" "see above" \
    is "cookies 8" shake from=127.0.0.40 header=nlb
verdict "so is one of IPv6" "see above" is "cookies 8" shake from=127.0.0.40 header=nlb client=2001:db8:7::5
verdict "the access list is about the client, not the balancer" "see above" \
    is "refused *" shake from=127.0.0.40 header=nlb client=203.0.113.66
verdict "a wrong sum is refused" "see above" is "refused *" shake from=127.0.0.40 header=crc
verdict "a header of version 1 is refused" "see above" is "refused *" shake from=127.0.0.40 header=v1
verdict "a missing header is refused" "see above" is "refused *" shake from=127.0.0.40
verdict "a header from who is no balancer is not believed" "see above" \
    is "refused *" shake from=127.0.0.70 header=nlb
verdict "and is bad TLS" "$(ke_count tls_failed)" [ "$(ke_count tls_failed)" = 1 ]
verdict "who is no balancer needs none" "see above" is "cookies 8" shake from=127.0.0.70
verdict "limits are the client's: of 25 handshakes through the balancer the first 20 are served" \
    "see above" is "served 20 refused 5" shake count=25 from=127.0.0.40 header=nlb client=203.0.113.8
verdict "and another client behind it is served" "see above" \
    is "cookies 8" shake from=127.0.0.40 header=nlb client=203.0.113.9

# cpu_ms PID: its processor time; the name may hold blanks.
cpu_ms() { sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '{ print int(($12 + $13) * 1000 / hz) }'; }
ke_process() {
    local pid
    for pid in $(children_of "$NTSD_PID"); do
        if [ "$(cat "/proc/$pid/comm")" = "ntsd: ke" ]; then echo "$pid"; fi
    done
}
before=$(cpu_ms "$(ke_process)") began=$(now_ms)
for what in health local short; do
    shake from=127.0.0.40 "header=$what" count=30 >/dev/null
done
sleep 2 # a loop over a connection that is closed would show
used=$(($(cpu_ms "$(ke_process)") - before)) took=$(($(now_ms) - began))
verdict "probes, and headers announced longer than sent, cost nothing: $used ms of processor time in $took ms" \
    "more than 5 %" [ $((used * 20)) -lt "$took" ]
counts=""
for name in proxy_ok proxy_local proxy_checksum proxy_text proxy_signature denied limited; do
    counts+="$name $(ke_count $name) "
done
verdict "each way of it is counted" "$counts" [ "$counts" = \
    "proxy_ok 29 proxy_local 30 proxy_checksum 1 proxy_text 1 proxy_signature 1 denied 1 limited 5 " ]
verdict "probes and headers cut short end as peer_closed: $(ke_count peer_closed)" "fewer than 60" \
    [ "$(ke_count peer_closed)" -ge 60 ]
verdict "a client is served as before" "see above" is "cookies 8" shake from=127.0.0.40 header=nlb
verdict "no process has died" "$(died)" [ -z "$(died)" ]
[ "$FAILED" = 0 ] || show_logs
