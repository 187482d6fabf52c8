#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A fleet: three ntsd with one secret document behind a layer-4 balancer. Devices that meet another
# instance with each query, chronyd and ntpd ask through it while keys rotate, a new epoch begins,
# one instance is drained, all are restarted in turn and one is killed. No cookie may be refused by
# anybody, and nothing but what was sent to an instance that was away may be lost.
# NTSD_FLEET_QUERIES scales it down.
#
# alone: it loads both processors
# shellcheck source=tests/support/fleet_ns.sh
. "$(dirname "$0")/../support/fleet_ns.sh" "$0" "${1:-build}" "a fleet behind a balancer"

QUERIES=${NTSD_FLEET_QUERIES:-100000}
DOCUMENT=$T/keys.json
NTP=123 KE=4460

# cycle NUMBER: stopped already; starts it and waits until the balancer has it again.
cycle() {
    start_instance "$1"
    within 15000 balancer_has "$1"
}
# out NUMBER SINCE: the balancer found out.
out() { within 15000 balancer_did out "$1" "$2"; }
# ask_fleet: whether they agree, says ntsctl; 0: they do.
ask_fleet() {
    local i hosts=()
    for i in "${FLEET[@]}"; do hosts+=("$(address_of "$i"):$STATUS_PORT"); done
    "$BIN/ntsctl" fleet "${hosts[@]}" >"$T/fleet" 2>&1
}
# ask_on: ntsq, over and over; a line for each time: BEGAN ENDED STATUS.
ask_on() {
    local since status
    while :; do
        since=$(now_s)
        "$BIN/ntsq" --ca "$CERTS/ca.pem" --ke-port "$KE" --timeout 5 --count 5 --interval 0 "$NAME" \
            >"$T/ntsq.last" 2>&1
        status=$?
        echo "$since $(now_s) $status"
        sleep 0.3
    done
}

# ---- three instances, one document, a boundary of periods some seconds ahead
make_network || { not_ok "make a network" "see above"; exit 1; }
chmod 0755 "$T"
make_certs "$CERTS" "$NAME"
for i in "${FLEET[@]}"; do
    make_instance "$i" "local stratum 8" "ntsrotate 60" "ntslifetime 600"
done
start_balancer
boundary=$(($(date +%s) + 12))
"$BIN/ntsctl" keys init "$DOCUMENT" --rotate 60 --at $((boundary - 120)) >>"$T/ntsctl.log" 2>&1 ||
    { show_logs; not_ok "make a document" "ntsctl keys init failed"; exit 1; }
for i in "${FLEET[@]}"; do distribute "$DOCUMENT" "$i"; done
for i in "${FLEET[@]}"; do start_instance "$i"; done
if ! within 15000 whole || ! within 5000 all_issue_one_key; then
    show_logs
    not_ok "three instances, one key" "not so within 15 s"
    exit 1
fi
ok "three instances behind one address issue with key $(show_key)"
first_key=$KEY

start load "$BIN/tests/e2e/fleetload" "$CERTS/ca.pem" "$NAME" "$VIRTUAL" 64 4500 "$QUERIES"
LOAD_PID=$PID
within 20000 grep -qs ' ready$' "$T/load.log" || { show_logs; not_ok "load" "no cookies"; exit 1; }

# ---- the peers, all the time
HAS_CHRONY="" HAS_NTPSEC=""
"$ROOT/tests/support/peers.sh" chrony >/dev/null 2>&1 && HAS_CHRONY=1
"$ROOT/tests/support/peers.sh" ntpsec >/dev/null 2>&1 && HAS_NTPSEC=1
[ -z "$HAS_CHRONY" ] || start_chronyd "$NAME"
[ -z "$HAS_NTPSEC" ] || start_ntpd "$NAME"
start ntsq ask_on
NTSQ_PID=$PID

# ---- one is drained, of which the balancer is told first
since=$(now_s)
touch "$ADMIN/2"
out 2 "$since"
within 15000 balancer_did cut 2 "$since"
unclean 2
stop_instance 2
status=$?
rm "$ADMIN/2"
cycle 2
verdict "drain: taken out, stopped with 0, back again" "status $status, $(tail -n 3 "$T/balancer.log")" \
    [ "$status" = 0 -a -z "$(events lost)$(events retry)" ]

# ---- one is killed, of which nobody is told
unclean 3
since=$(now_s)
kill_instance 3
out 3 "$since"
ask_fleet
status=$?
cycle 3
away 3 "$since"
verdict "kill -9 of one: noticed, also by ntsctl fleet, and back again" \
    "$(tail -n 3 "$T/balancer.log"), ntsctl fleet: status $status" [ "$status" = 1 ]

# ---- rotation: the boundary may have passed meanwhile
within 70000 issues_other_than "$first_key"
verdict "rotation: all issue with key $(show_key)" "not one key: $(key_of 1), $(key_of 2), $(key_of 3)" \
    [ "$KEY" != "$first_key" -a $((16#${KEY%% *} >> 16)) = $((16#${first_key%% *} >> 16)) ]

# ---- a new epoch, whose document does not reach all of them at once
"$BIN/ntsctl" keys add "$DOCUMENT" --in 5 --rotate 60 >>"$T/ntsctl.log" 2>&1
for i in "${FLEET[@]}"; do
    distribute "$DOCUMENT" "$i"
    sleep 0.8
done
epoch=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["epochs"][-1]["id"])' "$DOCUMENT")
within 20000 issues_epoch "$epoch"
verdict "epoch change, copies 1.6 s apart: all issue with key $(show_key)" \
    "not one key: $(key_of 1), $(key_of 2), $(key_of 3)" [ $((16#${KEY%% *} >> 16)) = "$epoch" ]

# ---- all restarted, one after the other; nobody tells the balancer
statuses=""
for i in "${FLEET[@]}"; do
    unclean "$i"
    since=$(now_s)
    stop_instance "$i"
    statuses="$statuses$?"
    out "$i" "$since"
    cycle "$i"
    away "$i" "$since"
done
verdict "rolling restart: each stopped with 0, noticed, and back again" \
    "statuses $statuses, $(tail -n 3 "$T/balancer.log")" [ "$statuses" = 000 ]

# ---- the end
kill -TERM "$LOAD_PID"
wait "$LOAD_PID"
status=$?
finish "$NTSQ_PID"
judge_losses >"$T/losses"
read -r _ lost _ astray _ retries _ retries_astray _ asked _ failed _ asked_astray _ flows <"$T/losses"
verdict "devices: $(summary queries) queries, $(summary answered) answered and authenticated" \
    "fewer than $QUERIES, or status $status" [ "$(summary answered)" -ge "$QUERIES" -a "$status" = 0 ]
verdict "devices: $(summary naks) NAKs, $(summary wrong) answers of no use" "$(events wrong | head)" \
    [ "$(summary naks) $(summary wrong)" = "0 0" ]
verdict "devices: $(summary handshakes) handshakes, $(summary failed) failed" "$(events failed)" \
    [ "$(summary failed)" = 0 ]
verdict "devices: $lost queries lost and $retries handshakes tried again, only at an instance that was away" \
    "$(cat "$T/losses")" [ "$astray $retries_astray" = "0 0" ]
verdict "devices: each is served at the end, with cookies up to $(summary oldest_cookie_s) s old" \
    "$(events unserved | head)" [ "$(summary unserved)" = 0 ]
verdict "devices: cookies of the keys $(tail -n 1 "$T/load.log" | sed 's/.* //')" "fewer than three" \
    [ "$(events key | wc -l)" -ge 3 ]
verdict "ntsq: $asked times five queries, $failed failed, only while an instance was away" \
    "$(cat "$T/losses")" [ "$asked_astray" = 0 -a "$asked" -gt 10 ]

# ---- the instances
for i in "${FLEET[@]}"; do unclean "$i"; done
verdict "instances: $flows flows; good answers and good handshakes, nothing else" "$(cat "$T/unclean")" \
    [ ! -s "$T/unclean" ]
# Again and again, because a boundary of periods may come between.
key_is_shown() {
    all_issue_one_key && "$BIN/ntsctl" keys show "$DOCUMENT" --lifetime 600 >"$T/show" 2>>"$T/ntsctl.log" &&
        grep -q "${KEY%% *}.*${KEY##* }" "$T/show"
}
within 5000 key_is_shown
status=$?
verdict "instances: all issue with key $(show_key)" "$(key_of 1), $(key_of 2), $(key_of 3)" [ "$status" = 0 ]
verdict "ntsctl keys show: $(tail -n 1 "$T/show")" "another key" [ "$status" = 0 ]
ask_fleet
status=$?
verdict "ntsctl fleet: $(grep -v '^ ' "$T/fleet" | tail -n 1)" "status $status: $(cat "$T/fleet")" [ "$status" = 0 ]

# ---- the peers
if [ -n "$HAS_CHRONY" ]; then
    within 5000 chrony_selected
    verdict "chronyd: has it selected, by one handshake, $(chrony_auth 8) NAKs" \
        "$(chronyc -c authdata), $(chronyc -c sources)" \
        [ "$(chrony_auth 2) $(chrony_auth 3) $(chrony_auth 8) $(chronyc -c sources | cut -d, -f2)" = "NTS 1 0 *" ]
else
    skip "chronyd through the balancer" "no chrony"
fi
if [ -n "$HAS_NTPSEC" ]; then
    within 25000 ntpd_selected
    verdict "ntpd: has it selected, by one handshake, $(ntpd_nts "client recvs good") answers, none refused" \
        "$(ntpq -np | tail -n 1), $(ntpq -c nts | head -n 3)" \
        [ "$(ntpd_nts "client recvs w error") $(ntpd_nts "KE client probes good") $(ntpq -np | grep -c '^\*')" = "0 1 1" ]
else
    skip "ntpd through the balancer" "no ntpsec"
fi
sed 's/^/  /' "$T/show" "$T/fleet"
[ "$FAILED" = 0 ] || show_logs
