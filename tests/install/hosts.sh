# SPDX-License-Identifier: Apache-2.0
# Hosts that are daemons on generated tables, and Prometheus servers beside
# them, all on loopback. Sourced by parts that need them.
# shellcheck shell=bash

STARTED=()

# start NAME COMMAND...: in the background, its output in $WORK/NAME.log;
# stop_all ends it. Sets PID.
start() {
  local name=$1
  shift
  setpriv --pdeathsig KILL "$@" >"$WORK/$name.log" 2>&1 &
  PID=$!
  STARTED+=("$PID")
}

# stop PID...: and waits until they have ended.
stop() {
  kill "$@" 2>/dev/null || true
  wait "$@" 2>/dev/null || true
}

stop_all() { stop "${STARTED[@]}"; }

# free_ports COUNT: prints that many in a row, none of them in use.
free_ports() {
  local first port
  while :; do
    first=$((20000 + RANDOM % 10000))
    for ((port = first; port < first + $1; port++)); do
      ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
    done
    seq "$first" $((first + $1 - 1))
    return
  done
}

# eventually SECONDS COMMAND...: until it succeeds; its last output.
eventually() {
  local end=$((SECONDS + $1)) output
  shift
  until output=$("$@" 2>&1); do
    [ "$SECONDS" -lt "$end" ] || { printf '%s\n' "$output" && return 1; }
    sleep 0.2
  done
  printf '%s\n' "$output"
}

refused() { ! "$@"; }

# table DIR PROCESSES TIME: a debugfs with the module's table as it would be at
# TIME: faults of process N grow by N with each unit of it.
table() {
  local directory=$1/page_faults
  mkdir -p "$directory"
  awk -v n="$2" -v t="$3" 'BEGIN {
    OFS = "\t"
    print "# page_faults 1"
    print "pid", "start_ns", "state", "vma_kb", "rss_kb", "faults", "minor",
      "major", "comm"
    for (i = 1; i <= n; i++)
      print i, 1000000 * i, "live", 8000 + i, 900 + i, i * t, i * t, 0,
        "worker-" i % 10
    print "# end rows=" n }' >"$directory/processes.new"
  awk -v n="$2" 'BEGIN {
    print "version 1"; print "module_version 0.1.0"; print "detail totals"
    print "loaded_ns 1"; print "capacity 16384"; print "live " n
    print "exited 0"; print "retired_rows 0"; print "end 8" }' \
    >"$directory/stats.new"
  mv "$directory/processes.new" "$directory/processes"
  mv "$directory/stats.new" "$directory/stats"
}

# query PORT EXPRESSION: a Prometheus server's answer as `LABELS VALUE` lines.
query() {
  curl -sf --max-time 5 --data-urlencode "query=$2" \
    "http://127.0.0.1:$1/api/v1/query" |
    jq -r '.data.result[] | "\(.metric | tojson) \(.value[1])"'
}

# answers PORT EXPRESSION PATTERN: whether a line of the answer matches.
answers() { query "$1" "$2" | grep -E "$3"; }
