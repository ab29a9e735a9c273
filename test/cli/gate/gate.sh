#!/bin/sh
# The gate of `rollcall check` as a CI job runs it, with each exit code and format.
# usage: gate.sh FOLDER URL; FOLDER holds base.yaml and new.yaml and receives what each format writes.
# Prints `PASS name` or `FAIL name: exit CODE, expected CODE` for each step; ends with 1 when one failed.
folder=$1
url=$2
cd "$folder" || exit 1
failed=0

# step NAME EXPECTED-CODE FLAGS…
step() {
  name=$1
  expected=$2
  shift 2
  $ROLLCALL check --service shop --url "$url" "$@" > "$name.out" 2> "$name.err"
  code=$?
  if [ "$code" -eq "$expected" ]; then
    echo "PASS $name"
  else
    echo "FAIL $name: exit $code, expected $expected: $(cat "$name.err")"
    failed=1
  fi
}

step passes 0 --spec base.yaml
step none 0 --spec new.yaml --base-spec base.yaml --fail-on none
step breaking 3 --spec new.yaml --base-spec base.yaml
step dead 3 --spec base.yaml --fail-on dead --min-confidence 0
step undocumented 3 --spec base.yaml --fail-on undocumented
step deprecated 3 --spec base.yaml --fail-on deprecated-used
step early 3 --spec new.yaml --base-spec base.yaml --fail-on removal-before-deprecation
step no-analyzer 1 --spec new.yaml --url http://127.0.0.1:1
step no-file 1 --spec nothing.yaml
step no-document 1 --spec wrong.yaml
step no-baseline 1 --spec new.yaml --baseline nothing.json
step wrong-kind 2 --spec new.yaml --fail-on everything
step wrong-format 2 --spec new.yaml --format text
step wrong-confidence 2 --spec new.yaml --min-confidence 90
step wrong-window 2 --spec new.yaml --window week

all=breaking,removal-before-deprecation,undocumented,deprecated-used
for format in table github github-comment gitlab junit sarif json; do
  step "$format" 3 --spec new.yaml --base-spec base.yaml --fail-on "$all" --format "$format"
done

step written 0 --spec new.yaml --base-spec base.yaml --fail-on "$all" --baseline known.json --write-baseline
step known 0 --spec new.yaml --base-spec base.yaml --fail-on "$all" --baseline known.json
for format in junit sarif; do
  step "known-$format" 0 --spec new.yaml --base-spec base.yaml --fail-on "$all" --baseline known.json --format "$format"
done
exit $failed
