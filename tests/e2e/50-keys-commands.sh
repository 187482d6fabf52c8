#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ntsctl keys on a real file: made once and for its owner alone, changed as a whole or not at all,
# whoever else changes it and whenever it is killed; nothing it prints is a secret.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

DIR=$T/keys
FILE=$DIR/fleet.json
KILLS=${NTSD_TEST_KILLS:-25}
mkdir -m 0755 "$DIR"

# keys COMMAND...: what it says is in SAID and kept in T/said, its exit status in STATUS.
keys() {
    SAID=$("$BIN/ntsctl" keys "$@" 2>&1)
    STATUS=$?
    printf '%s\n' "$SAID" >>"$T/said"
}
# becomes STATUS REGEX: of the last call.
becomes() { [ "$STATUS" = "$1" ] && grep -qE "$2" <<<"$SAID"; }
sum() { sha256sum <"$FILE"; }
mode() { stat -c %a "$FILE"; }
# column N [STATE]: of the table that show prints: 1 the epochs' ids, 2 their states.
column() {
    "$BIN/ntsctl" keys show "$FILE" | awk -v n="$1" -v state="${2:-}" '
        /^ *[0-9]+ / && (state == "" || $2 == state) { printf "%s%s", found ? " " : "", $n; found = 1 }'
}
epochs() { column 1 "${1:-}" | wc -w; }
fresh() {
    rm -f "$FILE"
    "$BIN/ntsctl" keys init "$FILE" "$@" >/dev/null 2>&1
}
remember_secrets() { grep -oE '"secret": *"[0-9a-f]{64}"' "$FILE" | grep -oE '[0-9a-f]{64}' >>"$T/secrets"; }

# ---- init
umask 000
keys init "$FILE"
umask 022
verdict "init: $(head -n 1 <<<"${SAID/"$T/"/}")" "status $STATUS: $SAID" becomes 0 'epoch [0-9]+ '
verdict "init under umask 000: mode 0600" "$(mode)" [ "$(mode)" = 600 ]
remember_secrets
before=$(sum)
keys init "$FILE"
verdict "init never replaces a document" "status $STATUS: $SAID" becomes 1 'exists and is not replaced'
verdict "and has not touched it" "it has" [ "$(sum)" = "$before" ]
verdict "its first epoch issues" "$(column 2)" [ "$(column 2)" = issuing ]

# ---- add
keys add "$FILE"
verdict "add: $(grep -o 'begins .*)' <<<"$SAID")" "status $STATUS: $SAID" becomes 0 'added: begins .*\(in 2[34] h\)'
remember_secrets
before=$(sum)
keys add "$FILE"
verdict "add again: nothing to do" "status $STATUS: $SAID" becomes 0 'nothing to do: .* waits already'
verdict "and nothing done" "the file is another one" [ "$(sum)" = "$before" ]
keys add "$FILE" --again --in 60
verdict "add --again before the one that waits: refused, with what to do" "status $STATUS: $SAID" \
    becomes 1 'begin after epoch .* --in [0-9]+ or more, or revoke'
keys add "$FILE" --again --in 172800
verdict "add --again: a third epoch" "status $STATUS: $SAID" [ "$STATUS $(epochs)" = "0 3" ]
remember_secrets
fresh
keys add "$FILE" --in 60
verdict "add --in 60: warns of haste" "status $STATUS: $SAID" becomes 0 'warning: .* 900 s suffice'
for i in {2..15}; do keys add "$FILE" --again --in $((i * 1000)); done
keys add "$FILE" --again --in 99999
verdict "a seventeenth epoch: refused, with what to do" "status $STATUS: $SAID" becomes 1 'keys prune'
remember_secrets

# ---- show
keys show "$FILE"
verdict "show: a line for each of 16 epochs" "status $STATUS: $SAID" \
    [ "$STATUS $(grep -cE '^ *[0-9]+ +(issuing|waiting) ' <<<"$SAID")" = "0 16" ]
here=$SAID
SAID=$("$BIN/ntsctl" keys show - <"$FILE" 2>&1)
verdict "show -: the same from standard input" "$SAID" \
    [ "$(sed 's/(.*//' <<<"$SAID")" = "$(sed 's/(.*//' <<<"$here")" ]
keys show "$T/nothing"
verdict "show of nothing" "status $STATUS: $SAID" becomes 1 'No such file'
"$BIN/ntsctl" keys show "$FILE" >/dev/full 2>/dev/null
status=$?
verdict "show to a full disk fails" "status $status" [ "$status" = 1 ]

# ---- revoke
fresh
id=$(column 1)
keys revoke "$FILE" "$id"
verdict "revoke of the only epoch: another one issues at once" "status $STATUS: $SAID" \
    becomes 0 "epoch $id is revoked: .* one new handshake"
states=$(column 2)
verdict "states: $states" "not so" [ "$(tr ' ' '\n' <<<"$states" | sort | xargs)" = "issuing revoked" ]
before=$(sum)
keys revoke "$FILE" "$id"
verdict "revoke twice: nothing to do" "status $STATUS: $SAID" becomes 0 'revoked already'
verdict "and nothing done" "the file is another one" [ "$(sum)" = "$before" ]
for ((free = 1; free < 5; free++)); do grep -qw "$free" <<<"$(column 1)" || break; done
keys revoke "$FILE" "$free"
verdict "revoke of nothing" "status $STATUS: $SAID" becomes 1 "no epoch of it has the id $free"
remember_secrets

# ---- prune: a document of 20 days ago
fresh --at $(($(date +%s) - 20 * 86400))
remember_secrets
old=$(tail -n 1 "$T/secrets")
keys prune "$FILE"
verdict "prune: $SAID" "status $STATUS: $SAID" becomes 0 'the expired keys of 1 epoch'
verdict "the old chain value is gone" "it is there" [ "$(grep -c "$old" "$FILE")" = 0 ]
keys prune "$FILE"
verdict "prune twice: nothing to do" "status $STATUS: $SAID" becomes 0 'nothing has expired'
remember_secrets

# ---- what it refuses to touch
fresh
for mode in 644 660 602; do
    chmod $mode "$FILE"
    before=$(sum)
    keys add "$FILE"
    verdict "a file of mode 0$mode: refused, with the remedy" "status $STATUS: $SAID" \
        becomes 1 "open to other users .*chmod 0600 $FILE"
done
chmod 600 "$FILE"
ln -s fleet.json "$DIR/link"
keys add "$DIR/link"
verdict "a symbolic link: refused" "status $STATUS: $SAID" becomes 1 'is a symbolic link to fleet.json'
rm "$DIR/link"
head -c 100 "$FILE" >"$DIR/half" && chmod 600 "$DIR/half"
before=$(sha256sum <"$DIR/half")
keys add "$DIR/half"
verdict "half a document: refused" "status $STATUS: $SAID" becomes 1 'it ends in the middle'
verdict "and left as it is" "changed" [ "$(sha256sum <"$DIR/half")" = "$before" ]
chmod 777 "$DIR"
keys add "$FILE"
verdict "a directory in which anybody may write: refused" "status $STATUS: $SAID" \
    becomes 1 "anybody may write .*chmod o-w $DIR"
chmod 755 "$DIR"
for wrong in "" "list" "add" "init $FILE --every 5" "add $FILE --in x" "rotate" "revoke $FILE 256"; do
    # shellcheck disable=SC2086
    keys $wrong
    [ "$STATUS" = 2 ] || break
done
verdict "wrong usage: 2" "'$wrong': status $STATUS" [ "$STATUS" = 2 ]

# ---- a directory that may not be written, a file that belongs to somebody else, a full disk
before=$(sum)
chmod 755 "$T"
give_away "$DIR"
chmod 555 "$DIR"
SAID=$( (powerless "$BIN/ntsctl" keys add "$FILE") 2>&1)
STATUS=$?
printf '%s\n' "$SAID" >>"$T/said"
verdict "a read-only directory: refused" "status $STATUS: $SAID" becomes 1 'Permission denied; do this as'
verdict "and the document is whole" "changed" [ "$(sum)" = "$before" ]
chmod 755 "$DIR"
if is_root; then
    chmod 640 "$FILE"
    owner=$(stat -c '%u %g %a' "$FILE")
    keys add "$FILE"
    verdict "root changes nobody's file: $owner stays" "status $STATUS: $SAID $(stat -c '%u %g %a' "$FILE")" \
        [ "$STATUS $(stat -c '%u %g %a' "$FILE")" = "0 $owner" ]
    chown -R root: "$DIR"
    SAID=$( (powerless "$BIN/ntsctl" keys add "$FILE") 2>&1)
    STATUS=$?
    verdict "nobody changes root's file: refused" "status $STATUS: $SAID" becomes 1 'denied|belongs to uid 0'
fi
cat >"$T/full.sh" <<'END'
mount -t tmpfs -o size=16k,mode=0755 none "$2" || exit 77
"$1" keys init "$2/f" >/dev/null || exit 76
before=$(sha256sum <"$2/f")
head -c 64k /dev/zero >"$2/fill" 2>/dev/null
"$1" keys add "$2/f"
status=$?
[ "$(sha256sum <"$2/f")" = "$before" ] || exit 75
rm "$2/fill"
"$1" keys add "$2/f" >/dev/null || exit 74
[ "$(ls -A "$2")" = f ] || exit 73
exit $status
END
mkdir "$T/small"
SAID=$(unshare -m bash "$T/full.sh" "$BIN/ntsctl" "$T/small" 2>&1)
STATUS=$?
if [ "$STATUS" = 77 ] || ! unshare -m true 2>/dev/null; then
    skip "a full disk" "no mount namespace"
else
    verdict "a full disk: refused, the old document is whole, and room mends it" \
        "status $STATUS: $SAID" becomes 1 'No space left on device; make room'
fi

# ---- many at once
fresh
pids=()
for i in 1 2 3 4 5 6 7 8 9 10; do
    "$BIN/ntsctl" keys add "$FILE" >"$T/add.$i.txt" 2>&1 &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
verdict "ten adders at once: one epoch added, nine with nothing to do" \
    "$failed failed, $(epochs) epochs" [ "$failed $(epochs)" = "0 2" ]
verdict "and they say so" "$(cat "$T"/add.*.txt)" \
    [ "$(cat "$T"/add.*.txt | grep -c 'nothing to do')" = 9 ]
for i in {1..10}; do keys add "$FILE" --again --in $((90000 + i * 1000)); done
pids=()
for id in $(column 1 | cut -d' ' -f3-); do
    "$BIN/ntsctl" keys revoke "$FILE" "$id" >>"$T/said" 2>&1 &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
revoked=$(epochs revoked)
verdict "ten different changes at once: none is lost" "$failed failed, $revoked of 10" \
    [ "$failed $revoked" = "0 10" ]

# ---- kill -9 at any moment: the old document or the new one
fresh
whole=0 changed=0
for ((i = 0; i < KILLS; i++)); do
    n=$(epochs)
    [ "$n" -lt 15 ] || { fresh && n=1; }
    "$BIN/ntsctl" keys add "$FILE" --again --in $((n * 1000)) >/dev/null 2>&1 &
    pid=$!
    sleep "0.00$((RANDOM % 10))"
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    after=$(epochs)
    if [ "$after" = "$n" ] || [ "$after" = $((n + 1)) ]; then whole=$((whole + 1)); fi
    [ "$after" = "$n" ] || changed=$((changed + 1))
done
verdict "$KILLS times kill -9: old or new, always whole ($changed were quick enough)" "$whole whole" \
    [ "$whole" = "$KILLS" ]
fresh
keys add "$FILE"
left=$(find "$DIR" -mindepth 1 ! -name fleet.json ! -name half)
verdict "nothing is left behind" "$left" [ -z "$left" ]
remember_secrets

# ---- what it said in all of this
leaks=$(grep -cFf "$T/secrets" "$T/said")
verdict "$(wc -l <"$T/secrets") secrets, none of them said" "$leaks lines" [ "$leaks" = 0 ]
[ "$FAILED" = 0 ] || tail -n 30 "$T/said"
