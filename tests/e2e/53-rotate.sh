#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ntsctl keys rotate from a timer on every instance: of ten at once exactly one adds an epoch, to a
# file as well as to a secret of AWS Secrets Manager; at any other time there is nothing to do.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
# shellcheck source=tests/support/aws_lib.sh
. "$(dirname "$0")/../support/aws_lib.sh"

FILE=$T/fleet.json
DAY=86400
OLD=$(($(date +%s) - 40 * DAY)) # more than 30 days
TEN="1 2 3 4 5 6 7 8 9 10"
OUT=$T/out

# counts REGEX: how many of the ten said so.
counts() { cat "$OUT".* | grep -cE "$1"; }
# ten COMMAND...: at once; FAILURES.
ten() {
    local i pid pids=()
    rm -f "$OUT".*
    for i in $TEN; do
        "$@" >"$OUT.$i" 2>&1 &
        pids+=($!)
    done
    FAILURES=0
    for pid in "${pids[@]}"; do wait "$pid" || FAILURES=$((FAILURES + 1)); done
    cat "$OUT".* >>"$T/said"
}
# judge WHERE: of ten at once.
judge() {
    verdict "$1: ten rotators at once, one adds an epoch, nine have nothing to do" \
        "$FAILURES failed: $(cat "$OUT".*)" \
        [ "$FAILURES $(counts ' added: begins ') $(counts 'nothing to do')" = "0 1 9" ]
}
# become STATUS REGEX: of the last call of `keys`.
becomes() { [ "$STATUS" = "$1" ] && grep -qE "$2" <<<"$SAID"; }
keys() {
    SAID=$("$BIN/ntsctl" keys "$@" 2>&1)
    STATUS=$?
    printf '%s\n' "$SAID" >>"$T/said"
}
epochs_in() { grep -cE '^ *[0-9]+ +(past|issuing|waiting)'; }
make_document() {
    rm -f "$FILE"
    "$BIN/ntsctl" keys init "$FILE" "$@" >/dev/null || not_ok "make a document" "ntsctl keys init"
    remember_secrets
}
remember_secrets() { grep -oE '"secret": *"[0-9a-f]{64}"' "$FILE" | grep -oE '[0-9a-f]{64}' >>"$T/secrets"; }

# ---- a file
make_document --at "$OLD"
ten "$BIN/ntsctl" keys rotate "$FILE"
judge "a file"
remember_secrets
shown=$("$BIN/ntsctl" keys show "$FILE")
verdict "a file: two epochs, the first one's expired keys are forgotten" "$shown, $(cat "$OUT".*)" \
    [ "$(epochs_in <<<"$shown") $(counts 'the expired keys of 1 epoch')" = "2 1" ]
before=$(sha256sum <"$FILE")
keys rotate "$FILE"
verdict "a file: nothing to do again" "status $STATUS: $SAID" becomes 0 'nothing to do: .* waits already'
verdict "a file: and nothing done" "changed" [ "$(sha256sum <"$FILE")" = "$before" ]
make_document
keys rotate "$FILE"
verdict "a new document is young" "status $STATUS: $SAID" becomes 0 'nothing to do: .* is young enough'
keys rotate "$FILE" --every 1 --in 600
verdict "--every and --in: $(grep -o 'begins .*)' <<<"$SAID")" "status $STATUS: $SAID" \
    becomes 0 'added: begins .*\(in (10 min|599 s|9 min)\)'
remember_secrets

# ---- a secret
need_aws "rotate --aws"
aws_start
aws_environment "LANG=C"
rotate() { env -i "${AWS_ENV[@]}" "$BIN/ntsctl" keys rotate --aws "${1:-$AWS_FIXTURE_ARN}" "${@:2}"; }
keys_aws() {
    SAID=$(rotate "$@" 2>&1)
    STATUS=$?
    printf '%s\n' "$SAID" >>"$T/said"
}
# the_secret: its text, by way of the agent, which needs no signature.
the_secret() {
    curl -sf --noproxy '*' -m 10 -H "X-Aws-Parameters-Secrets-Token: $(cat "$AWS_DIR/agent.token")" \
        "http://127.0.0.1:$AWS_FIXTURE_AGENT/secretsmanager/get?secretId=$AWS_FIXTURE_ARN" |
        python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["SecretString"])'
}
journal() { aws_control journal; }

make_document --at "$OLD"
aws_control secret "$(cat "$FILE")" >/dev/null
journal >/dev/null
ten rotate
judge "a secret"
said=$(journal)
say "the service counted $said"
the_secret >"$FILE"
remember_secrets
shown=$("$BIN/ntsctl" keys show - <"$FILE" 2>&1)
verdict "a secret: two epochs, one of them waits" "$shown" \
    [ "$(epochs_in <<<"$shown") $(grep -c ' waiting ' <<<"$shown")" = "2 1" ]
before=$(the_secret | sha256sum)
keys_aws
verdict "a secret: nothing to do again" "status $STATUS: $SAID" becomes 0 'nothing to do: .* waits already'
verdict "a secret: and nothing done" "changed" [ "$(the_secret | sha256sum)" = "$before" ]

# ---- a secret that is no document is never made into one
aws_control secret '{"username":"x"}' >/dev/null
before=$(the_secret | sha256sum)
keys_aws
verdict "another secret: refused" "status $STATUS: $SAID" becomes 1 'is not a document of keys'
verdict "another secret: and left as it is" "changed" [ "$(the_secret | sha256sum)" = "$before" ]
keys_aws "${AWS_FIXTURE_ARN%fleet*}other-ZyXwVu"
verdict "a secret that is not there: says how to make one" "status $STATUS: $SAID" \
    becomes 1 'aws secretsmanager create-secret --name NAME --secret-string file://FILE'

# ---- a service that fails
make_document --at "$OLD"
aws_control secret "$(cat "$FILE")" >/dev/null
before=$(the_secret | sha256sum)
aws_control 'refuse?on=service' >/dev/null
keys_aws
verdict "no connection: fails with a reason" "status $STATUS: $SAID" becomes 1 'ntsctl keys rotate: '
aws_control 'accept?on=service' >/dev/null
verdict "no connection: the secret is as it was" "changed" [ "$(the_secret | sha256sum)" = "$before" ]
keys_aws
verdict "and later it is done" "status $STATUS: $SAID" becomes 0 'added: begins '
AWS_ENV+=("AWS_SECRET_ACCESS_KEY=wrong")
keys_aws
verdict "wrong credentials: fails with a reason" "status $STATUS: $SAID" becomes 1 'ntsctl keys rotate: '
aws_stop

# ---- what it said in all of this
leaks=$(grep -cFf "$T/secrets" "$T/said")
verdict "$(wc -l <"$T/secrets") secrets, none of them said" "$leaks lines" [ "$leaks" = 0 ]
[ "$FAILED" = 0 ] || { show_logs && tail -n 30 "$T/said"; }
