#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A fleet's secret document from a file and from a command: late, changed, swapped as Kubernetes
# does it, damaged, older, withdrawn, gone, and from the sealed copy. What is in service goes on
# through all of it, and no query is lost.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

SECRET=$T/secret # what the file provider reads is SECRET/keys.json
DOC=$T/doc.json  # what the operator works on
VERSION=0

# publish FILE: as kubelet does it: keys.json leads through ..data, which is swapped.
publish() {
    VERSION=$((VERSION + 1))
    mkdir -m 0755 "$SECRET/..v$VERSION"
    install -m 0600 "$1" "$SECRET/..v$VERSION/keys.json"
    give_away "$SECRET/..v$VERSION"
    ln -s "..v$VERSION" "$SECRET/..next"
    mv -T "$SECRET/..next" "$SECRET/..data"
    rm -rf "$SECRET/..v$((VERSION - 1))"
}
withdraw_store() { rm -rf "$SECRET/..data" "$SECRET/..v$VERSION"; }
keys() { "$BIN/ntsctl" keys "$@" >>"$T/ntsctl.log" 2>&1; }
reload() { kill -HUP "$NTSD_PID"; }

# metric NAME: its value, nothing when there is none.
metric() {
    { exec 8<>"/dev/tcp/127.0.0.1/$HTTP"; } 2>/dev/null || return 1
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&8 2>/dev/null
    awk -v name="$1" '$1 == name { print $2 }' <&8
    exec 8>&-
}
is_at_least() { [ "$(metric "$1")" -ge "$2" ] 2>/dev/null; }
is_value() { [ "$(metric "$1")" = "$2" ]; }
documents() { metric "ntsd_keys_documents_total{change=\"$1\"}"; }
# judged CHANGE BEFORE: one more document was judged so.
judged() { is_at_least "ntsd_keys_documents_total{change=\"$1\"}" $(($2 + 1)); }
issuing() {
    { exec 8<>"/dev/tcp/127.0.0.1/$HTTP"; } 2>/dev/null || return 1
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&8 2>/dev/null
    sed -n 's/^ntsd_key_issuing{id="\([0-9a-f]*\)".*/\1/p' <&8
    exec 8>&-
}
issues_other_than() { local id && id=$(issuing) && [ -n "$id" ] && [ "$id" != "$1" ]; }
child() { ps -o pid=,comm= --ppid "$NTSD_PID" | awk -v name="ntsd: $1" '{ pid = $1; sub(/^ *[0-9]+ /, "") } $0 == name { print pid }'; }
log_has() { grep -q "$1" "$T/ntsd.log"; }

# configure PROVIDER...: the ntskeys line.
configure() {
    write_conf "$T/ntsd.conf" "local stratum 10" "ntslifetime 600"
    sed -i "s|^ntskeys .*|ntskeys $*|" "$T/ntsd.conf"
}

choose_ports
make_certs "$CERTS"
mkdir -m 0700 "$T/state"
mkdir -m 0755 "$SECRET"
chmod 0755 "$T"
give_away "$T/state"
ln -s ..data/keys.json "$SECRET/keys.json"

# ---- a store that comes later than the start

keys init "$DOC" --rotate 60 --at "$(($(date +%s) - 100))"
configure file "$SECRET/keys.json"
verdict "ntsd -t says that the document is not there" "it does not" \
    grep -q 'keys.json: No such file' <("$BIN/ntsd" -t -c "$T/ntsd.conf" 2>&1)
run_ntsd
within 10000 log_has "no keys yet"
verdict "without it the server runs and is not ready" "$(http_status /healthz) $(http_status /readyz)" \
    [ "$(http_status /healthz) $(http_status /readyz)" = "200 503" ]
verdict "and answers plain NTP" "it does not" quietly ask --plain --port "$NTP"
ask >"$T/refused.log" 2>&1
verdict "and says so in a handshake" "$(cat "$T/refused.log")" grep -qiE 'error 2|internal server error' "$T/refused.log"
publish "$DOC"
verdict "ready within 3 s of the document" "no" within 3000 is_ready
say "after $ELAPSED_MS ms"
verdict "cookies work" "canary failed" canary

# ---- changes under load: not one query may be lost

load() {
    local runs=0
    while [ ! -e "$T/enough" ]; do
        ask --count 100 --interval 0.005 || echo "LOST"
        runs=$((runs + 1))
        echo "$runs" >"$T/runs"
    done
}
load >"$T/load.log" 2>&1 &
load=$!
STARTED+=("$load")

before=$(issuing)
keys add "$DOC" --in 1
publish "$DOC"
verdict "a swapped link is seen and its new epoch issues" "$(issuing)" \
    within 15000 issues_other_than "$before"
say "after $ELAPSED_MS ms"

cp "$DOC" "$T/older.json"
before=$(issuing)
keys add "$DOC" --in 1
publish "$DOC"
reload
verdict "a reload reads it at once" "$(issuing)" within 15000 issues_other_than "$before"
say "after $ELAPSED_MS ms"

head -c 200 "$DOC" >"$T/half.json"
before=$(documents malformed)
publish "$T/half.json"
verdict "half a document is refused" "no count" within 15000 judged malformed "$before"
verdict "and the keys go on" "canary failed" canary
before=$(documents missing)
publish "$T/older.json"
verdict "an older one is refused" "no count" within 15000 judged missing "$before"
verdict "the refusals are a metric" "$(metric ntsd_keys_provider_failing)" is_at_least ntsd_keys_provider_failing 2
publish "$DOC"
verdict "mended" "$(metric ntsd_keys_provider_failing)" within 15000 is_value ntsd_keys_provider_failing 0
verdict "the server was ready all the while" "it is not" is_ready

: >"$T/enough"
wait "$load"
lost=$(grep -c LOST "$T/load.log")
verdict "no query was lost in $(cat "$T/runs") runs of 100" "losses in $lost runs" \
    [ "$lost" = 0 -a "$(cat "$T/runs")" -gt 3 ]

# ---- a withdrawal, at all workers within a second of the answer

KEEPERS="1 2 3 4 5 6 7 8"
for i in $KEEPERS; do
    start "keeper$i" "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 6 5
    keeper[i]=$PID
done
for i in $KEEPERS; do within 5000 grep -qs ready "$T/keeper$i.log"; done
id=$((16#$(issuing) >> 16))
keys revoke "$DOC" "$id"
publish "$DOC"
within 15000 log_has "epoch is revoked, its cookies are refused id=$id"
taken=$(date -d "$(sed -n "s/ .*epoch is revoked.* id=$id$//p" "$T/ntsd.log" | tail -n 1)" +%s%3N)
naks=0
last=0
for i in $KEEPERS; do
    wait "${keeper[i]}"
    ended=$(stat -c %.3Y "$T/keeper$i.log" | tr -d .)
    read -r _ _ _ _ _ nak _ gap <<<"$(tail -n 1 "$T/keeper$i.log")"
    naks=$((naks + (nak > 0)))
    [ $((ended - gap)) -le "$last" ] || last=$((ended - gap))
done
verdict "cookies of an epoch withdrawn are refused everywhere" "of $naks of 8 devices" [ "$naks" = 8 ]
verdict "the last one opened $((last > taken ? last - taken : 0)) ms after the store's answer" "a second" \
    [ $((last - taken)) -lt 1000 ]
verdict "new handshakes work" "canary failed" within 5000 canary
finish "$NTSD_PID"
verdict "it stops as asked" "status $?" [ $? = 0 ]

# ---- the store is gone: a new process goes on, rotates, and a start uses the sealed copy

rm -f "$DOC"
configure cache file "$SECRET/keys.json"
keys init "$DOC" --rotate 60 --at "$(($(date +%s) - 42))"
publish "$DOC"
run_ntsd
within 5000 ready_or_dead
verdict "ready with a new document" "no" is_ready
verdict "a sealed copy is kept" "none" within 5000 test -s "$T/state/fleet.sealed"
has_secret() { grep -qaF "$(grep -oE '[0-9a-f]{64}' "$DOC")" "$T/state/fleet.sealed"; }
has_no_secret() { ! has_secret; }
verdict "without the secret in it" "it is there" has_no_secret
before=$(issuing)
old=$(child keys)
withdraw_store
kill -KILL "$old"
restarted() { local pid && pid=$(child keys) && [ -n "$pid" ] && [ "$pid" != "$old" ]; }
verdict "keys killed while the store is gone: another one is there" "no" within 5000 restarted
verdict "it knows that the store fails" "no" within 5000 is_at_least ntsd_keys_provider_failing 1
verdict "and serves" "canary failed" canary
verdict "and rotates" "$(issuing) all the while" within 75000 issues_other_than "$before"
verdict "and is ready" "no" is_ready
finish "$NTSD_PID"

run_ntsd
within 8000 ready_or_dead
verdict "a start without the store, from the sealed copy" "not ready" is_ready
verdict "says so" "no" is_value ntsd_keys_from_cache 1
verdict "with keys that open cookies" "canary failed" canary
publish "$DOC"
verdict "the store is back" "still the copy" within 15000 is_value ntsd_keys_from_cache 0
finish "$NTSD_PID"

# ---- a command

cat >"$T/fetch" <<'SCRIPT'
#!/bin/sh
[ ! -e "$1.broken" ] || { echo "the vault is sealed" >&2; exit 3; }
exec cat "$1"
SCRIPT
chmod 0755 "$T/fetch"
configure command "$T/fetch" "$SECRET/keys.json"
run_ntsd
within 5000 ready_or_dead
verdict "a command brings the document" "not ready" is_ready
verdict "cookies work" "canary failed" canary
: >"$SECRET/keys.json.broken"
reload
verdict "its failure is told" "no line" within 10000 log_has 'ended with status 3: the vault is sealed'
verdict "and changes nothing" "canary failed" canary
rm "$SECRET/keys.json.broken"
verdict "it is asked again, sooner than by the interval" "no" \
    within 15000 is_value ntsd_keys_provider_failing 0
rss=$(awk '/^Rss/ { print $2 }' "/proc/$(child keys)/smaps_rollup" 2>/dev/null)
verdict "the keys process has ${rss:-?} kB" "more than 15 MB" [ "${rss:-0}" -lt 15360 ]
finish "$NTSD_PID"
[ "$FAILED" = 0 ] || show_logs
