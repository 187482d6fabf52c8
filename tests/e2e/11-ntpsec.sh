#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian's NTPsec ntpd as an NTS client: it must select ntsd, authenticated, under 1 ms away. ntpd
# wants UDP port 123 for itself, so both run in a network of their own; and it wants to be root, so
# CAP_SYS_TIME is taken away for good first: it cannot touch this machine's clock.
#
# alone: offsets are measured
if [ -z "${NTSD_TEST_NETNS:-}" ]; then
    export NTSD_TEST_NETNS=1
    "$(dirname "$0")/../support/peers.sh" ntpsec >/dev/null 2>&1 # while there is a network
    if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
        exec unshare -n -- "$0" "$@"
    elif unshare -Urn true 2>/dev/null; then
        NTSD_TEST_USERNS=1 exec unshare -Urn -- "$0" "$@"
    fi
    echo "skip - ntpd synchronises over NTS (needs a network namespace: root or user namespaces)"
    exit 0
fi
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

need_peer ntpsec "ntpd synchronises over NTS"
ip link set lo up || exit 1
NTP=11123 KE=4460 HTTP=11180
start_ntsd "local stratum 5"

mkdir "$T/ntpd"
cat >"$T/ntpd/ntp.conf" <<CONF
disable ntp
disable kernel
disable monitor
driftfile $T/ntpd/drift
restrict default nomodify nopeer noquery limited kod
restrict 127.0.0.1
restrict ::1
server localhost:$KE nts ca $CERTS/ca.pem minpoll 0 maxpoll 0 iburst
CONF
start ntpd setpriv --bounding-set=-all,+net_bind_service --inh-caps=-all \
    "$PEERS/ntpsec/usr/sbin/ntpd" -n -4 -c "$T/ntpd/ntp.conf" -p "$T/ntpd/ntpd.pid" \
    -l "$T/ntpd.log"
NTPD_PID=$PID

ntpq() {
    PYTHONPATH="$PEERS/ntpsec/usr/lib/python3/dist-packages" PYTHONDONTWRITEBYTECODE=1 \
        timeout 5 /usr/bin/python3 "$PEERS/ntpsec/usr/bin/ntpq" "$@" 127.0.0.1 2>>"$T/ntpq.log"
}
selected() { ntpq -np | grep -q '^\*'; }
variable() { ntpq -c "rv &1 $1" | sed -n "s/.*\b$1=\([^, ]*\).*/\1/p"; }

if within 25000 selected; then
    ok "ntpd, NTS: ntsd is selected after $ELAPSED_MS ms"
else
    not_ok "ntpd, NTS: ntsd is selected" "$(ntpq -np | tail -n 1)"
    ntpq -c "rv &1"
    show_logs
fi
verdict "ntpd has no right to set the clock" "capabilities left" cannot_set_clock "$NTPD_PID"
verdict "ntpd: associated with NTS, authentication ok" "$(ntpq -c associations | tail -n 1)" \
    grep -qE '\bok\b' <(ntpq -c associations | tail -n 1)
verdict "ntpd: cookies kept: $(variable ntscookies)" "none" [ "$(variable ntscookies)" -gt 0 ]
verdict "ntpd: polls answered, reach $(variable reach)" "none" [ "$((8#$(variable reach)))" -gt 0 ]
is_close() { offset=$(variable offset) && less "$offset" 1; }
within 5000 is_close
verdict "ntpd: offset under 1 ms: $offset ms" "never in 5 s" less "$offset" 1
finish "$NTPD_PID"
