#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ntsd with its secret in AWS Secrets Manager: a start without the store, the store coming, its
# credentials from the instance, a rotation there, its loss, and all of that inside the sandbox.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
# shellcheck source=tests/support/aws_lib.sh
. "$(dirname "$0")/../support/aws_lib.sh"

need_aws "ntsd with AWS Secrets Manager"
aws_start
chmod 0755 "$T" "$AWS_DIR"
chmod 0644 "$AWS_DIR/ca.pem"
choose_ports
make_certs "$CERTS"
mkdir -m 0700 "$T/state"
give_away "$T/state"

metric() {
    curl -s -m 5 "http://127.0.0.1:$HTTP/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}
fetched() { metric "ntsd_keys_fetches_total{outcome=\"$1\"}"; }
is_at_least() { [ "$(metric "$1")" -ge "$2" ] 2>/dev/null; }
issuing() { curl -s -m 5 "http://127.0.0.1:$HTTP/metrics" | sed -n 's/^ntsd_key_issuing{id="\([0-9a-f]*\)".*/\1/p'; }
issues_other_than() { local id && id=$(issuing) && [ -n "$id" ] && [ "$id" != "$1" ]; }
speaks() { [ "$(http_status /healthz)" = 200 ]; }
keys_process() {
    local p
    for p in $(children_of "$NTSD_PID"); do
        if [ "$(cat "/proc/$p/comm")" = "ntsd: keys" ]; then echo "$p"; fi
    done
}

# run: with the instance's credentials, and none of the environment.
run() {
    aws_environment AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY=
    write_conf "$T/ntsd.conf" "ntskeys aws-secretsmanager $AWS_FIXTURE_ARN" "local stratum 10"
    sed -i '/^ntskeys auto/d' "$T/ntsd.conf"
    start ntsd env -i "${AWS_ENV[@]}" "$BIN/ntsd" -c "$T/ntsd.conf"
    NTSD_PID=$PID
}

"$BIN/ntsctl" keys init "$T/doc.json" >>"$T/ntsctl.log" 2>&1
aws_control secret "$(cat "$T/doc.json")" >/dev/null
aws_control "refuse?on=service" >/dev/null

run
verdict "without the store ntsd starts, and is not ready" "$(http_status /readyz)" \
    within 5000 speaks
verdict "it says why" "$(http_status /readyz/ntp)" [ "$(http_status /readyz/ntp)" = 503 ]
verdict "and goes on asking" "$(fetched unreachable) times" \
    within 6000 is_at_least 'ntsd_keys_fetches_total{outcome="unreachable"}' 2
aws_control "accept?on=service" >/dev/null
verdict "ready when the store answers" "$(http_status /readyz)" within 8000 is_ready
verdict "within 3 s of it, $ELAPSED_MS ms" "$ELAPSED_MS" [ "$ELAPSED_MS" -lt 3000 ]
verdict "an authenticated answer with its keys" "none" within 3000 canary

first=$(issuing)
"$BIN/ntsctl" keys add --in 2 "$T/doc.json" >>"$T/ntsctl.log" 2>&1
aws_control secret "$(cat "$T/doc.json")" >/dev/null
kill -HUP "$NTSD_PID"
verdict "a new epoch there issues here, after $first" "$(issuing)" \
    within 10000 issues_other_than "$first"

aws_control "fault?on=service&kind=throttle" >/dev/null
for _ in 1 2 3; do kill -HUP "$NTSD_PID" && sleep 0.3; done
verdict "a store that fails is told as a metric" "$(metric ntsd_keys_provider_failing)" \
    within 6000 is_at_least ntsd_keys_provider_failing 1
verdict "and changes nothing" "not served" canary
memory=$(awk '/^Rss/ { print $2 }' "/proc/$(keys_process)/smaps_rollup")
verdict "the keys process has $memory KiB" "more than 15 MB" [ "$memory" -lt 15000 ]
kill -KILL "$(keys_process)"
sleep 0.5
verdict "and goes on when it dies meanwhile" "not served" within 3000 canary
verdict "nothing was forbidden by the sandbox" "$(grep 'signal=31' "$T/ntsd.log")" \
    [ "$(grep -c 'signal=31' "$T/ntsd.log")" = 0 ]
finish "$NTSD_PID"
status=$?
verdict "it ends with 0" "$status" [ "$status" = 0 ]
aws_stop
[ "$FAILED" = 0 ] || show_logs
