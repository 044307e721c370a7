# SPDX-License-Identifier: Apache-2.0
# The daemon from outside, on captured tables: HTTP, bad networks, bad tables,
# signals; what it serves, against a kept scrape and strict parsers; and a real Prometheus
# that scrapes both formats.
# shellcheck shell=bash

# e2e_run NAME SCRIPT ARGUMENT...: runs a script; each of its tests is a result.
# $WORK/NAME has the script's output, the daemons' logs, and the last scrape of
# a daemon whose test failed.
e2e_run() {
  local name=$1 script=$2 logs=$WORK/$1 log=$WORK/$1/$2.log status=0 line
  shift 2
  mkdir -p "$logs"
  PFE_LOGS=$logs /usr/bin/python3 -B "$ROOT/tests/e2e/$script.py" "$@" \
    >"$log" 2>&1 || status=$?
  sed -n "s/^ok /ok $name $script: /p" "$log" | tee -a "$RESULTS"
  sed -n 's/^FAIL //p' "$log" | while read -r line; do
    fail "$name $script: $line" "$log"
  done
  if [ "$status" != 0 ] && ! grep -q '^FAIL ' "$log"; then
    fail "$name $script: ended with status $status: $(tail -3 "$log" |
      tr '\n' ' ')" "$log"
  fi
}

# The part sanitizers sources this file for the function only.
[ -z "${E2E_FUNCTIONS_ONLY:-}" ] || return 0

DAEMON=$BUILD/exporter/page_fault_exporter
# The tests mostly wait, so they run in three groups side by side.
e2e_run e2e hard "$DAEMON" "$ROOT/tests/fixtures/debugfs" &
HARD=$!
e2e_run e2e protocol "$DAEMON" "$ROOT/tests/fixtures" &
PROTOCOL=$!
{
  e2e_run e2e modes "$DAEMON" "$ROOT/tests/fixtures/debugfs"
  e2e_run e2e groups "$DAEMON" "$ROOT/tests/fixtures/debugfs"
  e2e_run e2e memory "$DAEMON" "$ROOT/tests/fixtures/debugfs"
  e2e_run e2e golden "$DAEMON" "$ROOT/tests/fixtures"
  e2e_run e2e series "$DAEMON" "$ROOT/tests/fixtures"
  e2e_run e2e prometheus "$DAEMON"
}
wait "$HARD"
wait "$PROTOCOL"
