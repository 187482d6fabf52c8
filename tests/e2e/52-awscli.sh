#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Is the stand-in of 52-aws.sh what it stands for? Amazon's own command line reads from it and
# stores to it, with credentials of the environment and of the instance; and both programs find what
# the other stored. Runs where `aws` is installed ($AWS_CLI names another one).
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
# shellcheck source=tests/support/aws_lib.sh
. "$(dirname "$0")/../support/aws_lib.sh"

NAME="the AWS command line agrees with the stand-in"
CLI=${AWS_CLI:-$(command -v aws)}
if [ -z "$CLI" ]; then
    skip "$NAME" "aws is not installed"
    exit 0
fi
need_aws "$NAME"
aws_start
URL=https://localhost:$AWS_FIXTURE_SERVICE_HTTPS
# The program may need its caller's home to be found.
cli() {
    env -i "${AWS_ENV[@]}" "HOME=$HOME" AWS_CONFIG_FILE="$T/none" \
        AWS_SHARED_CREDENTIALS_FILE="$T/none" AWS_MAX_ATTEMPTS=1 AWS_PAGER= \
        "$CLI" --endpoint-url "$URL" --region eu-west-1 --output text secretsmanager "$@" \
        2>"$T/cli.log"
}
# get [OPTION...]: the text and the id of its version, with a tab between them.
get() {
    cli get-secret-value --secret-id "$AWS_FIXTURE_ARN" --query '[SecretString,VersionId]' "$@"
}
put() { cli put-secret-value --secret-id "$AWS_FIXTURE_ARN" "$@"; }
ours() { env -i "${AWS_ENV[@]}" "$BIN/tests/e2e/secretget" "$AWS_FIXTURE_ARN" | head -n 1; }
said() { tail -n 1 "$T/cli.log"; }

aws_environment
aws_control secret '{"by":"control"}' >/dev/null
IFS=$'\t' read -r text before < <(get)
if grep -q 'command not found\|No module' "$T/cli.log"; then
    skip "$NAME" "$(said)"
    exit 0
fi
verdict "its signature is the official signer's, too" "$(said)" test "$text" = '{"by":"control"}'
verdict "it stores" "$(said)" quietly put --secret-string '{"by":"cli"}'
verdict "what it stored is what ntsd fetches" "$(ours)" grep -q \
    "^ok .* sha256 $(printf '{"by":"cli"}' | sha256sum | cut -d' ' -f1)" <(ours)
IFS=$'\t' read -r text version < <(get --version-stage AWSPREVIOUS)
verdict "the version before is AWSPREVIOUS" "$(said)" test "$text $version" = \
    '{"by":"control"}'" $before"

printf '{"by":"ntsd"}' >"$T/ours.json"
order() { env -i "${AWS_ENV[@]}" "$BIN/tests/e2e/secretget" --orders "$AWS_FIXTURE_ARN"; }
version=$(echo version | order | sed 's/^ok //')
stored=$(echo "put $T/ours.json $version" | order)
IFS=$'\t' read -r text token < <(get)
verdict "what ntsd stored is what it fetches" "$stored" test "$text" = '{"by":"ntsd"}'
verdict "the same token and the same text are taken" "$(said)" \
    quietly put --client-request-token "$token" --secret-string '{"by":"ntsd"}'
put --client-request-token "$token" --secret-string '{"by":"cli"}' >/dev/null
verdict "the same token and another text are refused" "$(said)" \
    grep -q ResourceExistsException "$T/cli.log"

aws_environment AWS_SECRET_ACCESS_KEY=wrong
get >/dev/null
verdict "it understands a wrong signature" "$(said)" grep -q InvalidSignatureException "$T/cli.log"
aws_environment
aws_control "fault?on=service&kind=throttle&count=9" >/dev/null
get >/dev/null
verdict "it understands being throttled" "$(said)" grep -q ThrottlingException "$T/cli.log"
aws_control calm >/dev/null

# It takes a variable that is empty for one that is set, and wants a slash behind the endpoint.
aws_environment "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:$AWS_FIXTURE_METADATA/"
for i in "${!AWS_ENV[@]}"; do
    case ${AWS_ENV[i]} in AWS_ACCESS_KEY_ID=* | AWS_SECRET_ACCESS_KEY=*) unset "AWS_ENV[i]" ;; esac
done
aws_control journal >/dev/null
IFS=$'\t' read -r text token < <(get)
verdict "it gets credentials of the instance" "$(said)" test "$text" = '{"by":"ntsd"}'
verdict "from the stand-in's metadata service" "no" \
    grep -q '"PUT 200"' <(aws_control journal)
aws_stop
say "$("$CLI" --version 2>&1)"
[ "$FAILED" = 0 ] || show_logs
