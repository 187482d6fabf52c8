#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What goes over the wire, as an unrelated dissector reads it: tshark finds nothing malformed and
# the extension fields of RFC 8915 in every packet. The datagrams are those a device of ours sent
# and received; no right to capture is needed.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

for tool in tshark text2pcap; do
    command -v "$tool" >/dev/null || { skip "tshark decodes the exchange" "no $tool here"; exit 0; }
done
start_ntsd "local stratum 10"

"$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 1 20 "$T/wire.txt" >"$T/keeper.log" 2>&1
text2pcap -q -D -u 40000,123 "$T/wire.txt" "$T/wire.pcapng" >"$T/text2pcap.log" 2>&1
packets() { tshark -r "$T/wire.pcapng" -Y "$1" 2>>"$T/tshark.log" | wc -l; }
requests=$(packets 'ntp.flags.mode == 3') replies=$(packets 'ntp.flags.mode == 4')
all=$(packets frame)

verdict "tshark sees $requests requests and as many replies" "$replies of $all" \
    [ "$requests" -gt 10 -a "$requests" = "$replies" -a "$all" = $((requests + replies)) ]
verdict "nothing malformed" "$(packets _ws.malformed)" [ "$(packets _ws.malformed)" = 0 ]
verdict "no expert's warning" "$(packets '_ws.expert.severity >= "Warning"')" \
    [ "$(packets '_ws.expert.severity >= "Warning"')" = 0 ]
with() { packets "ntp.flags.mode == $1 && ntp.ext.type == $2"; }
verdict "every packet has a unique identifier and an authenticator" "" \
    [ "$(with 3 0x0104) $(with 4 0x0104) $(with 3 0x0404) $(with 4 0x0404)" = \
    "$requests $replies $requests $replies" ]
verdict "cookies only in requests, in all of them" "$(with 3 0x0204) and $(with 4 0x0204)" \
    [ "$(with 3 0x0204) $(with 4 0x0204)" = "$requests 0" ]
[ "$FAILED" = 0 ] || show_logs
