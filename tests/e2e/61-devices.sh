#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Only devices with a certificate of the fleet's authorities get cookies; all others are told why by
# a TLS alert. The authorities, the certificates, the lists and the client here are OpenSSL's.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

F=$T/fleet
mkdir "$F"

# ---- an authority, as docs/devices.md makes it, with more kinds of certificates than anyone needs

# authority NAME: a directory for `openssl ca`.
authority() {
    mkdir "$F/$1" "$F/$1/issued"
    : >"$F/$1/index.txt"
    echo 01 >"$F/$1/crlnumber"
    cat >"$F/$1/openssl.cnf" <<END
[ca]
default_ca = fleet
[fleet]
dir = $F/$1
database = \$dir/index.txt
new_certs_dir = \$dir/issued
crlnumber = \$dir/crlnumber
certificate = \$dir/ca.pem
private_key = \$dir/ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
x509_extensions = device
[any]
commonName = supplied
[device]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[issuing]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
END
}
openssl_ca() {
    local name=$1
    shift
    openssl ca -config "$F/$name/openssl.cnf" -batch -notext "$@" >>"$T/openssl.log" 2>&1
}
new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>>"$T/openssl.log"; }
root() {
    authority "$1"
    new_key "$F/$1/ca.key"
    openssl req -x509 -new -key "$F/$1/ca.key" -out "$F/$1/ca.pem" -days 30 -subj "/CN=$1" \
        -addext "keyUsage = critical, keyCertSign, cRLSign" 2>>"$T/openssl.log"
}
# issue AUTHORITY NAME [OPTION...]: NAME.key and NAME.pem in $F.
issue() {
    local by=$1 name=$2
    shift 2
    new_key "$F/$name.key"
    openssl req -new -key "$F/$name.key" -subj "/CN=$name" -out "$F/$name.csr" 2>>"$T/openssl.log"
    openssl_ca "$by" -in "$F/$name.csr" -out "$F/$name.pem" "$@"
}
# issuing AUTHORITY NAME: an authority below another.
issuing() {
    authority "$2"
    issue "$1" "$2" -extensions issuing
    mv "$F/$2.pem" "$F/$2/ca.pem"
    mv "$F/$2.key" "$F/$2/ca.key"
}
# publish: the file of lists, at once; further words go to the list of `fleet`.
publish() {
    openssl_ca fleet -gencrl -out "$F/fleet.crl" "$@"
    openssl_ca factory -gencrl -out "$F/factory.crl"
    cat "$F/fleet.crl" "$F/factory.crl" >"$F/new.pem"
    chmod 0644 "$F/new.pem"
    mv "$F/new.pem" "$F/crl.pem"
}

root fleet
root stranger
issuing fleet factory
issuing fleet workshop
issue fleet good
issue fleet second
issue fleet stolen
issue fleet expired -startdate 20240101000000Z -enddate 20240201000000Z
issue fleet early -startdate 20900101000000Z -enddate 20910101000000Z
issue fleet website -extensions server
issue factory made
issue workshop repaired
issue stranger foreign
openssl_ca fleet -revoke "$F/stolen.pem"
publish
cat "$F/fleet/ca.pem" "$F/factory/ca.pem" >"$F/ca.pem"
for _ in $(seq 200); do cat "$F/workshop/ca.pem"; done >"$F/huge.pem"
for _ in $(seq 15); do cat "$F/workshop/ca.pem"; done >"$F/long.pem"
chmod -R go+rX "$F"
if ! [ -s "$F/crl.pem" ] || ! [ -s "$F/foreign.pem" ]; then
    show_logs
    not_ok "make a fleet" "openssl"
    exit 1
fi

choose_ports
make_certs "$CERTS"
start_ntsd "local stratum 10" "loglevel debug" "ntsclientca $F/ca.pem crl $F/crl.pem"

# visit [OPTION...]: a whole exchange by openssl; the answer in $T/answer, what it says in visit.log.
visit() {
    printf '\x80\x01\x00\x02\x00\x00\x80\x04\x00\x02\x00\x0f\x80\x00\x00\x00' |
        timeout 10 openssl s_client -connect "127.0.0.1:$KE" -alpn ntske/1 -quiet \
            -verify_return_error -CAfile "$CERTS/ca.pem" "$@" >"$T/answer" 2>"$T/visit.log"
}
as() {
    local name=$1
    shift
    visit -cert "$F/$name.pem" -key "$F/$name.key" "$@"
}
got_cookies() { [ "$(stat -c %s "$T/answer")" -gt 800 ]; }
got_nothing() { [ ! -s "$T/answer" ]; }
alert() { sed -n 's/.*SSL alert number \([0-9]*\).*/\1/p' "$T/visit.log" | head -n 1; }
metric() { curl -s -m 5 "http://127.0.0.1:$HTTP/metrics" | sed -n "s/^ntsd_$1 //p"; }
ended() { metric "ke_connections_total{outcome=\"$1\"}"; }

# let_in WHAT ARGUMENT...
let_in() {
    local what=$1
    shift
    "$@"
    verdict "$what is let in" "$(tail -n 3 "$T/visit.log" | tr '\n' ' ')" got_cookies
}
# turned_away WHAT ALERT COUNTER ARGUMENT...: with this alert, no octet of an answer, and counted.
turned_away() {
    local what=$1 wanted=$2 counter=$3 before
    shift 3
    before=$(ended "$counter")
    "$@"
    verdict "$what gets alert $wanted and nothing else" "alert $(alert)" [ "$(alert)" = "$wanted" ]
    verdict "$what is counted as $counter" "$(ended "$counter")" [ "$(ended "$counter")" -gt "$before" ]
    got_nothing || not_ok "$what is not answered" "$(stat -c %s "$T/answer") octets"
}

let_in "a device of the fleet" as good
let_in "a device of an authority below it" as made
turned_away "a client without certificate" 116 client_no_certificate visit
turned_away "a device of another fleet" 48 client_unknown_ca as foreign
turned_away "an expired certificate" 45 client_expired as expired
turned_away "a certificate of the future" 42 client_not_yet_valid as early
turned_away "a revoked certificate" 44 client_revoked as stolen
turned_away "a certificate for servers" 43 client_purpose as website
let_in "a device with a long chain" as good -cert_chain "$F/long.pem"
# It is refused by its first octets, and is still busy sending when it is cut off.
as good -cert_chain "$F/huge.pem"
verdict "a chain of $(($(stat -c %s "$F/huge.pem") / 1024)) KiB is turned away" "answered" got_nothing
verdict "and counted" "not counted" [ "$(ended client_invalid)" = 1 ]
as repaired -cert_chain "$F/workshop/ca.pem"
verdict "a device whose issuer has no list is turned away" "$(tail -n 1 "$T/visit.log")" got_nothing
verdict "and counted" "not counted" [ "$(ended client_no_crl)" = 1 ]

ask_as() { ask --cert "$F/$1.pem" --key "$F/$1.key"; }
verdict "ntsq gets the time as a device" "refused" quietly ask_as good
ask >"$T/ntsq.txt" 2>&1
verdict "and without a certificate it says what is missing" "$(tail -n 2 "$T/ntsq.txt")" \
    grep -q "certificate required" "$T/ntsq.txt"
place() { metric "client_ca_accepted_total{ca=\"$1\",subject=\"CN=$2\"}"; }
verdict "devices are counted by authority: $(place 1 fleet) and $(place 2 factory)" "others" \
    [ "$(place 1 fleet) $(place 2 factory)" = "3 1" ]
verdict "the log names who was let in" "not there" grep -q 'accepted subject="CN=good"' "$T/ntsd.log"
verdict "and who was not, and why" "not there" \
    grep -q 'refused reason=client_revoked subject="CN=stolen"' "$T/ntsd.log"

for _ in $(seq 12); do as foreign; done
lines=$(grep -c "client certificate refused" "$T/ntsd.log")
verdict "strangers cause few lines: $lines for $((8 + $(ended client_unknown_ca))) refusals" "more" \
    [ "$lines" -le 13 ]

# ---- lists come and go

openssl_ca fleet -revoke "$F/second.pem"
let_in "a device whose revocation is not yet published" as second
seen() {
    as second
    [ "$(alert)" = 44 ]
}
publish
verdict "it is refused once the list is" "still let in" within 10000 seen
# From here on a signal, which is quicker than waiting for files to settle.
again() { kill -HUP "$NTSD_PID"; }
failed() { [ "$(metric 'ke_reloads_total{result="failed"}')" -gt "$1" ]; }
failures=$(metric 'ke_reloads_total{result="failed"}')
head -c 500 "$F/crl.pem" >"$F/half" && cat "$F/half" >"$F/crl.pem"
again
verdict "a half-written list is refused" "taken" within 10000 failed "$failures"
let_in "with it, the device of the fleet" as good
turned_away "with it, the revoked one" 44 client_revoked as stolen
verdict "the log says what is wrong with the list" "not there" \
    grep -q "new certificate refused.*crl\.pem" "$T/ntsd.log"

overdue() { [ "$(metric client_crl_overdue)" = "$1" ]; }
publish -crl_lastupdate 20240101000000Z -crl_nextupdate 20240201000000Z
again
verdict "a list past its date is used, and a metric says so" "not so" within 10000 overdue 1
let_in "with it, the device of the fleet" as good
turned_away "with it, the revoked one" 44 client_revoked as stolen
verdict "and a line in the log" "not there" grep -q "past its date" "$T/ntsd.log"
publish
again
verdict "until it is replaced" "still overdue" within 10000 overdue 0

# ---- the authorities change, and none is no authority

failures=$(metric 'ke_reloads_total{result="failed"}')
cat "$F/good.pem" >"$F/ca.pem"
again
verdict "a device's certificate as authority is refused" "taken" within 10000 failed "$failures"
let_in "the old ones stay" as good
cat "$F/factory/ca.pem" >"$F/ca.pem"
again
shut_out() {
    as good
    got_nothing
}
verdict "an authority that is taken away lets nobody in any more" "it does" within 10000 shut_out
let_in "the other still does" as made

"$BIN/ntsd" -t -c "$T/ntsd.conf" >"$T/check.txt" 2>&1
verdict "ntsd -t names the authorities and the lists" "$(cat "$T/check.txt")" \
    grep -q "crl.pem: 0 revoked, due in 29 days" "$T/check.txt"
if is_root; then
    chmod 0600 "$F/crl.pem"
    "$BIN/ntsd" -t -c "$T/ntsd.conf" >"$T/check.txt" 2>&1
    verdict "and a list that its user cannot read" "$(cat "$T/check.txt")" \
        grep -q "crl.pem: user nobody may not read it" "$T/check.txt"
fi
verdict "no process has died" "$(grep 'ended unasked' "$T/ntsd.log")" \
    [ "$(grep -c 'ended unasked' "$T/ntsd.log")" = 0 ]
[ "$FAILED" = 0 ] || show_logs
