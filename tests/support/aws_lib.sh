#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starting, steering and stopping the AWS fixture (tests/support/aws/fixture.mjs). Sourced after
# lib.sh, whose words and processes it uses.
#
#   need_aws TEST...        installs its packages, or skips the tests and ends
#   aws_start               on free ports of loopback; sets AWS_FIXTURE_SERVICE_HTTPS and so on,
#                           AWS_FIXTURE_ARN, and AWS_DIR with ca.pem and agent.token
#   aws_control COMMAND     steers it (the head of fixture.mjs has the commands)
#   aws_environment [NAME=VALUE]...   into AWS_ENV: for `env -i "${AWS_ENV[@]}" PROGRAM`
#   aws_stop
# shellcheck disable=SC2034

AWS_DIR=""
AWS_PID=""
AWS_ENV=()

need_aws() {
    local why
    if ! why=$("$ROOT/tests/support/aws.sh" 2>&1); then
        while [ $# -gt 0 ]; do
            skip "$1" "no AWS fixture: ${why##*$'\n'}"
            shift
        done
        exit 0
    fi
}

# Two certificates of one CA: for localhost, and for another name.
aws_certificates() {
    local name=$1
    "$BIN/ntsctl" certs dev "$AWS_DIR/$name" "${@:2}" >>"$T/ntsctl.log" 2>&1 &&
        cp "$AWS_DIR/$name/server.pem" "$AWS_DIR/$name.pem" &&
        cp "$AWS_DIR/$name/server.key" "$AWS_DIR/$name.key"
}

aws_start() {
    AWS_DIR=$T/aws
    mkdir -m 0755 "$AWS_DIR" || return
    if ! aws_certificates server --name localhost --ip 127.0.0.1 ||
        ! aws_certificates other --name elsewhere.example; then
        show_logs
        not_ok "start the AWS fixture" "no certificates"
        exit 1
    fi
    cat "$AWS_DIR"/server/ca.pem "$AWS_DIR"/other/ca.pem >"$AWS_DIR/ca.pem"
    start aws env "AWS_FIXTURE_MODULES=${AWS_FIXTURE_DIR:-$ROOT/build/aws}" \
        node "$ROOT/tests/support/aws/fixture.mjs" "$AWS_DIR"
    AWS_PID=$PID
    if ! within 20000 test -e "$AWS_DIR/ports"; then
        show_logs
        not_ok "start the AWS fixture" "not there within 20 s"
        exit 1
    fi
    # shellcheck disable=SC1091
    . "$AWS_DIR/ports"
}
aws_stop() {
    [ -z "$AWS_PID" ] || finish "$AWS_PID"
    AWS_PID=""
}

# aws_control COMMAND [BODY]
aws_control() {
    curl -sf --noproxy '*' -m 10 -X POST --data-binary "${2:-}" -H 'Content-Type: text/plain' \
        "http://127.0.0.1:$AWS_FIXTURE_CONTROL/$1"
}

# Credentials of the environment; nothing else of the caller's environment but the way.
aws_environment() {
    AWS_ENV=(
        "PATH=$PATH" "HOME=$T" "NO_PROXY=*"
        "AWS_ENDPOINT_URL_SECRETS_MANAGER=https://localhost:$AWS_FIXTURE_SERVICE_HTTPS"
        "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:$AWS_FIXTURE_METADATA"
        "AWS_CA_BUNDLE=$AWS_DIR/ca.pem"
        "AWS_ACCESS_KEY_ID=AKIDFROMENVIRONMENT1"
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYtestonly000"
        "$@"
    )
}
