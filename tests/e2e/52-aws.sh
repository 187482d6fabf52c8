#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The secret document comes from AWS Secrets Manager: against a stand-in that judges each request
# with the official signer, through everything that can go wrong on the way. Each fault has its
# outcome and its words, ends within the deadline, and the next good answer is taken by the same
# process.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
# shellcheck source=tests/support/aws_lib.sh
. "$(dirname "$0")/../support/aws_lib.sh"

need_aws "secrets from AWS Secrets Manager"
aws_start
SECRETGET=$BIN/tests/e2e/secretget
DEADLINE_MS=7500 # five seconds, on a machine that has other things to do

# ---- a process that is told what to do

mkfifo "$T/orders"
exec 7<>"$T/orders"
DRIVER=""
# driver [NAME=VALUE]...: with this environment.
driver() {
    driver_stop
    aws_environment "$@"
    : >"$T/answers"
    env -i "${AWS_ENV[@]}" "$SECRETGET" --orders "$AWS_FIXTURE_ARN" \
        <"$T/orders" >"$T/answers" 2>>"$T/secretget.log" 7>&- &
    DRIVER=$!
    STARTED+=("$DRIVER")
}
# A sanitizer has its say when it ends.
driver_stop() {
    local status
    [ -z "$DRIVER" ] && return
    echo quit >&7
    wait "$DRIVER"
    status=$?
    [ "$status" = 0 ] || not_ok "a process that fetches ends well" "status $status"
    DRIVER=""
}
answers() { wc -l <"$T/answers"; }
has_more() { [ "$(answers)" -gt "$1" ]; }
# order WORDS...: the answer in ANSWER, also kept for the end.
order() {
    local seen
    seen=$(answers)
    echo "$*" >&7
    ANSWER="no answer"
    within 20000 has_more "$seen" && ANSWER=$(tail -n 1 "$T/answers")
    echo "$ANSWER" >>"$T/said"
}
# got OUTCOME [WORDS]: was the answer of that outcome, in time, with these words in it?
got() {
    local outcome key ms rest
    read -r outcome key ms rest <<<"$ANSWER"
    [ "$outcome" = "$1" ] || return
    [ "$key" != ms ] || [ "$ms" -le "$DEADLINE_MS" ] || return
    grep -qF -- "${2:-}" <<<"$rest"
}
# expect NAME OUTCOME [WORDS]: orders one fetch.
expect() {
    local name=$1
    shift
    order get
    verdict "$name" "$ANSWER" got "$@"
}
# faulty PART KIND OUTCOME [WORDS]: one fault, and the next fetch is good again.
faulty() {
    local part=$1 kind=$2
    shift 2
    aws_control "fault?on=$part&kind=$kind&count=1" >/dev/null
    order get
    if ! got "$@"; then
        not_ok "$part: $kind is $1" "$ANSWER"
    else
        order get
        verdict "$part: $kind is $1, the next answer is taken" "$ANSWER" got ok
    fi
    aws_control calm >/dev/null
}
control() { aws_control "$@" >/dev/null || say "control: $1 failed"; }
# journal TEXT: what was counted since the last time holds TEXT.
journal() { grep -qF -- "$1" <<<"$(aws_control journal)"; }

# ---- the service, with credentials of the environment

value='{"ntsd_keys": 1, "quoted": "\"\\", "lines": "of
text"}'
control secret "$value"
control journal
driver
sum=$(printf '%s' "$value" | sha256sum | cut -d' ' -f1)
expect "a secret is fetched as it was stored" ok "sha256 $sum"
verdict "the official signer agrees with the signature" "it does not" journal '"service":{"ok":1}'

faulty service throttle throttled "ThrottlingException"
faulty service throttled throttled "ThrottlingException"
faulty service internal failed "InternalServiceError, status 500"
faulty service html failed "status 503"
faulty service denied denied "secretsmanager:GetSecretValue of $AWS_FIXTURE_ARN"
faulty service truncated senseless "not a JSON object"
faulty service cut senseless
faulty service empty senseless "it is empty"
faulty service nonsense senseless "not a JSON object"
faulty service binary senseless "store it as SecretString"
faulty service redirect senseless "status 307"
faulty service hangup senseless
faulty service endless too_long
faulty service drip timeout
faulty service silence timeout
faulty service echo denied "InvalidSignatureException"

control "refuse?on=service"
expect "a refused connection is unreachable" unreachable "https://localhost:"
control "accept?on=service"
expect "and the next answer is taken" ok

control "sign?secret=anothersecret"
expect "a wrong signature is denied" denied "the secret access key is wrong"
control "sign?secret=wJalrXUtnFEMI/K7MDENG%2BbPxRfiCYtestonly000"
expect "and the right one taken again" ok
control "clock?ahead=900"
expect "a host's clock that is off is named" denied "this host's clock is off"
control calm

control "size?octets=65536"
expect "the longest secret there can be" ok "octets 65536"
control "size?octets=65537"
expect "an octet more is too long" too_long
control secret "$value"
expect "and the next answer is taken" ok "sha256 $sum"

# ---- TLS: who cannot prove who it is gets no request

control journal
tls() {
    local name=$1
    shift
    driver "$@"
    expect "$name" unreachable
}
endpoint=AWS_ENDPOINT_URL_SECRETS_MANAGER
tls "TLS: a certificate for another name" \
    "$endpoint=https://localhost:$AWS_FIXTURE_SERVICE_OTHER_NAME"
tls "TLS: another CA than AWS_CA_BUNDLE's" "AWS_CA_BUNDLE=$AWS_DIR/other/ca.pem"
tls "TLS: a CA that the system does not know" "AWS_CA_BUNDLE="
tls "TLS: no file with CAs" "AWS_CA_BUNDLE=$T/nothing"
tls "TLS: 1.1" "$endpoint=https://localhost:$AWS_FIXTURE_SERVICE_OLD_TLS"
tls "TLS: a port that speaks plain HTTP" "$endpoint=https://localhost:$AWS_FIXTURE_SERVICE_HTTP"
verdict "and no request was sent in any of them" "one was" test "$(aws_control journal)" = '{}'
driver "$endpoint=http://127.0.0.1:$AWS_FIXTURE_SERVICE_HTTP"
expect "plain HTTP on loopback is taken" ok
aws_environment "$endpoint=http://192.0.2.1"
verdict "plain HTTP elsewhere is refused" "it is not" \
    grep -q '^refused .*https://' <(env -i "${AWS_ENV[@]}" "$SECRETGET" "$AWS_FIXTURE_ARN")

# ---- credentials of the instance

unset_keys=(AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY=)
control "credentials?ttl=21600"
control journal
driver "${unset_keys[@]}"
expect "the instance's role gives credentials" ok
order get
order get
verdict "which are kept: three fetches, one visit" "more" \
    journal '{"metadata":{"PUT 200":1,"GET 200":2},"service":{"ok":3}}'
control expire
expect "expired on the way: others are got and taken" ok
verdict "after one refusal" "no" journal '"ExpiredTokenException":1,"ok":1'
control forget
expect "withdrawn on the way: others are got and taken" ok
verdict "after one refusal" "no" journal '"UnrecognizedClientException":1,"ok":1'
control "credentials?ttl=240"
driver "${unset_keys[@]}"
order get
control journal
expect "soon to expire: the instance is asked before it happens" ok
verdict "and was" "was not" journal '"PUT 200":1'
control "refuse?on=metadata"
expect "an instance that does not answer: what is kept does" ok
control expire
expect "until the service does not take it" no_credentials "is not there"
control "accept?on=metadata"
expect "and the next answer is taken" ok

metadata_faulty() {
    driver "${unset_keys[@]}" # nothing kept
    faulty metadata "$@"
}
metadata_faulty internal failed "status 500"
metadata_faulty empty senseless
metadata_faulty endless senseless
metadata_faulty silence timeout "hop limit"
driver "${unset_keys[@]}"
control "fault?on=metadata&kind=truncated&after=2&count=1"
expect "metadata: half of the credentials is senseless" senseless "security-credentials/ntsd-instance"
expect "and the next answer is taken" ok
driver "${unset_keys[@]}"
control "fault?on=metadata&kind=drip&after=2&count=1"
expect "metadata: credentials that drip time out" timeout
driver "${unset_keys[@]}" AWS_EC2_METADATA_DISABLED=true
expect "an instance that must not be asked" no_credentials "AWS_EC2_METADATA_DISABLED"
driver AWS_SECRET_ACCESS_KEY=
expect "half of the environment's credentials" no_credentials "AWS_SECRET_ACCESS_KEY"
driver "${unset_keys[@]}"
control "fault?on=service&kind=echo&count=1"
expect "a service that says back what it was sent is not quoted" denied "status 400"
verdict "and nothing of a credential was ever said" "it was" \
    test "$(grep -ciE 'AWS4-HMAC|wJalrXUt|ASIA[0-9A-F]{8}|AKIDFROM' "$T/said")" = 0

# ---- storing

driver
order version
version=${ANSWER#ok }
printf '{"new": 1}' >"$T/new.json"
printf '{"new": 2}' >"$T/newer.json"
order put "$T/new.json" "$version"
verdict "a successor is stored" "$ANSWER" got ok
expect "and is the current version" ok "sha256 $(sha256sum <"$T/new.json" | cut -d' ' -f1)"
order put "$T/new.json" "$version"
verdict "storing it once more changes nothing" "$ANSWER" test "${ANSWER%% *}" = ok
order put "$T/newer.json" "$version"
verdict "another successor of the same version is told that it was overtaken" "$ANSWER" \
    grep -q '^failed overtaken 1 ' <(echo "$ANSWER")
expect "and changes nothing" ok "sha256 $(sha256sum <"$T/new.json" | cut -d' ' -f1)"
order version
version=${ANSWER#ok }
won=0
for i in 1 2 3 4; do
    printf '{"rotator": %s}' "$i" >"$T/rotator$i.json"
    (echo "put $T/rotator$i.json $version" | env -i "${AWS_ENV[@]}" "$SECRETGET" --orders \
        "$AWS_FIXTURE_ARN" >"$T/rotator$i.out") &
    STARTED+=("$!")
    rotators[i]=$!
done
for i in 1 2 3 4; do
    wait "${rotators[i]}"
    grep -q '^ok overtaken 0' "$T/rotator$i.out" && won=$((won + 1))
done
verdict "of four who store at once, one does" "$won" test "$won" = 1
verdict "and three know that they did not" "they do not" \
    test "$(cat "$T"/rotator?.out | grep -c '^failed overtaken 1')" = 3

# ---- the agent

agent_get() {
    aws_environment "${unset_keys[@]}"
    ANSWER=$(env -i "${AWS_ENV[@]}" "$SECRETGET" --agent \
        "http://localhost:$AWS_FIXTURE_AGENT" "${TOKEN_FILE:-$AWS_DIR/agent.token}" \
        "$AWS_FIXTURE_ARN" | head -n 1)
    echo "$ANSWER" >>"$T/said"
}
agent_expect() {
    local name=$1
    shift
    agent_get
    verdict "$name" "$ANSWER" got "$@"
}
control secret "$value"
control journal
agent_expect "agent: the secret comes" ok "sha256 $sum"
verdict "agent: nobody else was asked" "somebody was" \
    test "$(aws_control journal)" = '{"agent":{"200":1}}'
echo wrong >"$T/wrong.token"
TOKEN_FILE=$T/wrong.token agent_expect "agent: another token is denied" denied "$T/wrong.token"
TOKEN_FILE=$T/no.token agent_expect "agent: no token" no_credentials "$T/no.token"
control "fault?on=agent&kind=throttled&count=1"
agent_expect "agent: throttled" throttled
control "fault?on=agent&kind=endless&count=1"
agent_expect "agent: endless is too long" too_long
control "refuse?on=agent"
agent_expect "agent: not there" unreachable
control "accept?on=agent"
agent_expect "agent: the next answer is taken" ok

# ---- a name server that says nothing must not hold up the deadline

silent_name_server() {
    ip link set lo up
    python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("bound", flush=True)
time.sleep(60)' >"$T/name_server" &
    local server=$!
    within 10000 test -s "$T/name_server"
    echo "nameserver 127.0.0.1" >"$T/resolv.conf"
    mount --bind "$T/resolv.conf" /etc/resolv.conf
    env -i "${AWS_ENV[@]}" "$SECRETGET" "$AWS_FIXTURE_ARN"
    kill "$server"
}
name="a name server that says nothing does not hold up the deadline"
if ! quietly unshare -rmn mount --bind "$T/said" /etc/resolv.conf; then
    skip "$name" "no namespaces"
else
    aws_environment "$endpoint="
    export T SECRETGET AWS_FIXTURE_ARN
    ANSWER=$(unshare -rmn bash -c "$(declare -p AWS_ENV); $(declare -f now_ms within silent_name_server)
        silent_name_server" 2>&1 | head -n 1)
    verdict "$name" "$ANSWER" got timeout "https://secretsmanager.eu-west-1.amazonaws.com/"
fi

# ---- memory

case $BIN in
*/san-*) skip "memory of a process that fetches" "a sanitizer has its own" ;;
*)
    driver_stop
    mark=$(head -c 60 /dev/urandom | base64 -w 0 | tr -dc 'A-Za-z0-9')
    control secret "{\"mark\":\"$mark\"}"
    cat /etc/ssl/certs/ca-certificates.crt "$AWS_DIR/ca.pem" >"$T/all.pem" 2>/dev/null
    aws_environment "MARK=$mark" "AWS_CA_BUNDLE=$T/all.pem" "${unset_keys[@]}"
    memory=$(env -i "${AWS_ENV[@]}" "$SECRETGET" --count 50 "$AWS_FIXTURE_ARN" | tail -n 1)
    verdict "nothing of the secret is left in memory" "$memory" grep -q ' left 0$' <(echo "$memory")
    kb=$(echo "$memory" | sed -n 's/.* peak_kb \([0-9]*\) .*/\1/p')
    verdict "a process that fetches stays under 15 MB: $kb KB at its peak, with all CAs" "more" \
        test "${kb:-99999}" -lt 15000
    ;;
esac
driver_stop
aws_stop
verdict "a process that fetches complained of nothing" "see below" test ! -s "$T/secretget.log"
verdict "the stand-in met nothing unforeseen" "see below" test ! -s "$T/aws.log"
[ "$FAILED" = 0 ] || show_logs
