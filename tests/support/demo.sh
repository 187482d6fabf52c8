#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh BINARIES [--stay]: a CA for one day's play, ntsd on loopback, one authenticated answer to
# ntsq and one to chronyd, and everything stopped and removed again. Ends with 0 only when all that
# asked were answered with proof. --stay: the server stays until Ctrl-C instead.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/lib.sh"

STAY=${2:-}
NTP=11123 KE=14460 HTTP=11180

fail() {
    show_logs >&2
    echo "demo: $*" >&2
    exit 1
}
# shown COMMAND...: as typed, indented output, its own exit status.
shown() {
    echo "\$ ${*//$BIN/$(basename "$BIN")}"
    "$@" 2>&1 | sed 's/^/  /'
    return "${PIPESTATUS[0]}"
}

for port in "$NTP" "$KE" "$HTTP"; do
    port_taken "$port" && fail "port $port is in use; stop who has it (ss -lntup 'sport = :$port')"
done
echo "ntsd serves this machine's own clock here, by the directive \`local stratum 10\`: a demo"
echo "needs no upstream. Nothing touches the clock."
echo
start_ntsd "local stratum 10"

if [ "$STAY" = --stay ]; then
    echo "ntsd runs: NTP on UDP $NTP, NTS-KE on TCP $KE, status on http://127.0.0.1:$HTTP. Try:"
    echo
    echo "  $BIN/ntsq --ca $CERTS/ca.pem --ke-port $KE localhost"
    echo "  curl http://127.0.0.1:$HTTP/readyz"
    echo "  chronyd -x -U -Q 'server localhost nts ntsport $KE iburst' 'ntstrustedcerts $CERTS/ca.pem'"
    echo
    echo "Configuration: $T/ntsd.conf, log below, Ctrl-C ends it and removes both."
    tail -n +1 -f "$T/ntsd.log" &
    STARTED+=("$!")
    trap 'sleep 0.5; exit 0' INT # the terminal has told ntsd as well
    wait "$NTSD_PID"
    exit
fi

shown "$BIN/ntsq" --ca "$CERTS/ca.pem" --ke-port "$KE" localhost || fail "ntsq was not answered"
echo

if ! why=$("$ROOT/tests/support/peers.sh" chrony 2>&1); then
    echo "chronyd was not asked: $why"
    echo
    echo "demo: ok (ntsq only)"
    exit 0
fi
start_chronyd 127.0.0.1 || fail "no directory for chronyd"
within 10000 chrony_selected || fail "chronyd did not select ntsd"
echo "\$ chronyd -x   # $("$PEERS/chrony/usr/sbin/chronyd" --version | cut -d' ' -f3-4), without any right"
for report in authdata sources; do
    echo "\$ chronyc $report"
    chronyc -n "$report" | sed -n '/^Name\|^MS\|^\^\|^127/s/^/  /p'
done
echo "  $(chronyc ntpdata | grep '^Authenticated')"
echo "  $(chronyc ntpdata | grep '^Offset')"
[ "$(chrony_auth 2) $(chrony_data Authenticated)" = "NTS Yes" ] ||
    fail "chronyd's answer is not authenticated"
finish "$CHRONYD_PID"
finish "$NTSD_PID" || fail "ntsd did not end with 0"
echo
echo "demo: ok, both answers were authenticated; everything is stopped again"
