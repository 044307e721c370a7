# SPDX-License-Identifier: Apache-2.0
# Hosts that are daemons on generated tables, and Prometheus servers beside
# them, all on loopback. Sourced by parts that need them.
# shellcheck shell=bash

STARTED=()

# start NAME COMMAND...: runs a command in the background, with its output in
# $WORK/NAME.log. stop_all ends it. Sets PID.
start() {
  local name=$1
  shift
  setpriv --pdeathsig KILL "$@" >"$WORK/$name.log" 2>&1 &
  PID=$!
  STARTED+=("$PID")
}

# stop PID...: ends processes and waits until they have ended.
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

# eventually SECONDS COMMAND...: repeats a command until it succeeds, and prints
# its last output.
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

# make_cgroups DIR PATH...: makes a unified hierarchy with these groups. Their ids, which
# are the numbers of their inodes, go to CGROUP_IDS.
CGROUP_IDS=()
make_cgroups() {
  local path
  mkdir -p "$1"
  touch "$1/cgroup.controllers"
  for path in "${@:2}"; do
    mkdir -p "$1/$path"
    CGROUP_IDS+=("$(stat -c %i "$1/$path")")
  done
}

# table DIR PROCESSES TIME: writes the module's files into DIR, as in debugfs,
# as they would be at TIME. In each unit of time, process N takes N minor faults
# and one major fault. With ids of control groups in CGROUP_IDS, the processes are
# in these in turn.
table() {
  local directory=$1/page_faults file
  mkdir -p "$directory"
  awk -v n="$2" -v t="$3" -v out="$directory" -v ids="${CGROUP_IDS[*]}" 'BEGIN {
    groups = split(ids, group, " ")
    OFS = "\t"
    OFMT = CONVFMT = "%.0f" # no exponents
    file = out "/processes.new"
    print "# page_faults 1" >file
    print "pid", "start_ns", "state", "vma_kb", "rss_kb", "rss_anon_kb",
      "rss_file_kb", "rss_shmem_kb", "swap_kb", "faults", "minor", "major",
      "stall_ns", (groups ? "cgroup\t" : "") "comm" >file
    for (i = 1; i <= n; i++) {
      print i, 1000000 * i, "live", 8000 + i, 900 + i, 600, 300 + i, 0, 0,
        i * t + t, i * t, t, i * t * 1000 + t * 1000000,
        (groups ? group[i % groups + 1] "\t" : "") "worker-" i % 10 >file
      minor += i * t
      major += t
    }
    print "# end rows=" n >file

    file = out "/stats.new"
    print "version 1\nmodule_version 0.2.0\ndetail full\nloaded_ns 1" >file
    print "capacity 16384\nlive " n "\nexited 0\nretired_rows 0" >file
    print "blocks 256\nblocks_used 0" >file
    print "faults " minor + major "\nminor " minor "\nmajor " major >file
    print "sigbus 0\nsigsegv 0\noom 0\nhwpoison 0\nretried 0" >file
    print "stall_ns " minor * 1000 + major * 1000000 "\nend 19" >file

    file = out "/latency.new"
    print "# page_faults 1\nle_ns\tminor\tmajor" >file
    print 1024, minor, 0 >file
    print 1048576, minor, major >file
    print "inf", minor, major >file
    print "sum", minor * 1000, major * 1000000 >file
    print "count", minor, major >file
    print "# end rows=5" >file
  }'
  for file in processes stats latency; do
    mv "$directory/$file.new" "$directory/$file"
  done
}

# query PORT EXPRESSION: a Prometheus server's answer as `LABELS VALUE` lines.
query() {
  curl -sf --max-time 5 --data-urlencode "query=$2" \
    "http://127.0.0.1:$1/api/v1/query" |
    jq -r '.data.result[] | "\(.metric | tojson) \(.value[1])"'
}

# answers PORT EXPRESSION PATTERN: whether a line of the answer matches.
answers() { query "$1" "$2" | grep -E "$3"; }
