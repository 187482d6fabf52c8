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
# One line a packet: mode|types of extension fields|malformed|severities of remarks.
tshark -r "$T/wire.pcapng" -T fields -E separator='|' -e ntp.flags.mode -e ntp.ext.type \
    -e _ws.malformed -e _ws.expert.severity >"$T/packets.txt" 2>"$T/tshark.log"

# packets MODE FIELDS...: how many have this mode and exactly these fields, in this order.
packets() {
    local mode=$1 fields
    shift
    fields=$(IFS=, && echo "$*")
    grep -ciE "^$mode\|$fields\|" "$T/packets.txt"
}
requests=$(packets 3 '[^|]*') replies=$(packets 4 '[^|]*')
all=$(wc -l <"$T/packets.txt")

verdict "tshark sees $requests requests and as many replies" "$replies of $all" \
    [ "$requests $((requests + replies))" = "$replies $all" ]
verdict "there are some" "none" [ "$requests" -gt 10 ]
strange=$(grep -vE '^[^|]*\|[^|]*\|\|$' "$T/packets.txt")
verdict "nothing malformed, no remark of the dissector" "$strange" [ -z "$strange" ]
uid=0x0104 cookie=0x0204 authenticator=0x0404
verdict "requests: unique identifier, cookie, authenticator" "$(sort -u "$T/packets.txt")" \
    [ "$(packets 3 $uid $cookie $authenticator)" = "$requests" ]
verdict "replies: unique identifier, authenticator" "$(sort -u "$T/packets.txt")" \
    [ "$(packets 4 $uid $authenticator)" = "$replies" ]
[ "$FAILED" = 0 ] || show_logs
