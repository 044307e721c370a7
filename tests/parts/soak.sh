# SPDX-License-Identifier: Apache-2.0
# Runs all storms in turn for PF_SOAK_MINUTES (default 20), while a Prometheus
# scrapes the daemon every second. Prints what was survived, and checks that
# memory stays within its bounds.
# shellcheck shell=bash
# shellcheck source=tests/debug/lib.sh
. "$ROOT/tests/debug/lib.sh"

MINUTES=${PF_SOAK_MINUTES:-20}
KERNEL_BOUND_KB=16384 # slab and vmalloc, module unloaded, caches dropped
DAEMON_BOUND_KB=32768

# prometheus_start: scrapes the guest's daemon at PORT.
prometheus_start() {
  PROMETHEUS_PORT=$(free_port)
  cat >"$WORK/prometheus.yml" <<EOF
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: soak
    static_configs: [{targets: ["127.0.0.1:$PORT"]}]
EOF
  setpriv --pdeathsig TERM prometheus --config.file "$WORK/prometheus.yml" \
    --storage.tsdb.path "$WORK/prometheus" --log.level warn \
    --web.listen-address "127.0.0.1:$PROMETHEUS_PORT" \
    >"$WORK/prometheus.log" 2>&1 &
  PROMETHEUS_PID=$!
}

# query EXPRESSION: the first sample's value, 0 if there is none.
query() {
  curl -sfG --max-time 20 "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" \
    --data-urlencode "query=$1" |
    sed -n 's/.*"value":\[[0-9.]*,"\([^"]*\)"\].*/\1/p; t; s/.*/0/p' | head -1
}

# The kernel's memory in kB, with the module unloaded.
kernel_kb() {
  guest 'sync; echo 3 >/proc/sys/vm/drop_caches; sleep 2' >/dev/null
  guest cat /proc/meminfo |
    awk '/^(SUnreclaim|VmallocUsed):/ { n += $2 } END { print n }'
}

# How much memory loading the module adds, in kB.
module_kb() {
  local without with
  without=$(kernel_kb)
  guest insmod /page_faults.ko >/dev/null
  with=$(kernel_kb)
  guest 'until rmmod page_faults 2>/dev/null; do sleep 0.1; done' >/dev/null
  printf '%s\n' "$((with - without))"
}

daemon_kb() {
  # shellcheck disable=SC2016
  guest 'cat /proc/$(pidof page_fault_exporter)/status' |
    awk '/^VmRSS:/ { print $2 }'
}

# soak_storm NAME: runs one storm. A failure is a result; successes are counted.
soak_storm() {
  guest "PF_DAEMON=9110
    /vm_tests --gtest_color=no --gtest_filter=$1" >"$WORK/suite.log" || true
  if grep -q '^\[  PASSED  \] 1 test' "$WORK/suite.log"; then
    STORMS=$((STORMS + 1))
  elif ! grep -q '^\[  SKIPPED \]' "$WORK/suite.log"; then
    vm_go_on "soak $1"
    cp "$WORK/suite.log" "$WORK/$1.log"
    fail "soak $1: $(tail -20 "$WORK/suite.log" | tr '\n' ' ')" "$WORK/$1.log"
  fi
  read -r faults processes < <(sed -n \
    's/^survived: \([0-9]*\) faults, \([0-9]*\) processes.*/\1 \2/p' \
    "$WORK/suite.log") || true
  FAULTS=$((FAULTS + ${faults:-0})) PROCESSES=$((PROCESSES + ${processes:-0}))
}

# Each storm by name, round and round.
soak_storms() {
  local end=$((SECONDS + MINUTES * 60)) name faults processes
  local names
  names=$("$BUILD/tests/vm/vm_tests" --gtest_list_tests --gtest_filter='Storm*' |
    awk '/^[^ ]/ { suite = $1; next } { print suite $1 }')
  ROUNDS=0
  while :; do
    for name in $names; do
      [ "$SECONDS" -lt "$end" ] || return 0
      soak_storm "$name"
    done
    ROUNDS=$((ROUNDS + 1))
  done
}

# within NAME START END BOUND: tests that a growth in kB is within its bound.
within() {
  if [ $(($3 - $2)) -le "$4" ]; then
    ok "soak $1: $2 kB at start, $3 kB at end (bound: +$4)"
  else
    fail "soak $1: $2 kB at start, $3 kB at end (bound: +$4)"
  fi
}

soak_report() {
  local asked served
  asked=$(query 'count_over_time(up[1d])')
  served=$(query 'sum_over_time(up[1d])')
  printf '   soak: %s min, %s storms (%s whole rounds), %s faults, %s processes\n' \
    "$MINUTES" "$STORMS" "$ROUNDS" "$FAULTS" "$PROCESSES"
  printf '   soak: %s scrapes asked for, %s served within 1 s\n' \
    "$asked" "$served"
  # A guest without free memory or with a thousand threads may take longer.
  if [ "$asked" -gt 0 ] && [ $((served * 100)) -ge $((asked * 90)) ]; then
    ok "soak Prometheus was served: $served of $asked"
  else
    fail "soak Prometheus was served: $served of $asked"
  fi
  if [ "$FAULTS" -gt 0 ] && [ "$STORMS" -gt 0 ]; then
    ok "soak $STORMS storms: $FAULTS faults, $PROCESSES processes, drift 0"
  else
    fail "soak no storm passed"
  fi
}

soak() {
  local kernel_start module_start daemon_start
  STORMS=0 FAULTS=0 PROCESSES=0
  PORT=$(free_port)
  vm_disk "$WORK/disk"
  vm_start "$1" "$INITRD" "soak-$1" --disk "$WORK/disk" --reload \
    --forward "$PORT" --timeout $((MINUTES * 60 + 7200)) || return 0
  storms_daemon
  soak_storm StormQuick.Fork # makes what is made only once
  module_start=$(module_kb)
  kernel_start=$(kernel_kb)
  daemon_start=$(daemon_kb)
  prometheus_start
  soak_storms
  soak_report
  kill "$PROMETHEUS_PID" 2>/dev/null || true
  within "module" "$module_start" "$(module_kb)" 1024
  within "kernel without the module" "$kernel_start" "$(kernel_kb)" \
    "$KERNEL_BOUND_KB"
  within "daemon" "$daemon_start" "$(daemon_kb)" "$DAEMON_BOUND_KB"
  vm_stop
  storms_judge "soak nothing in dmesg"
}

INITRD=$WORK/${KERNELS[0]}.initrd
if storms_pack_debian "${KERNELS[0]}" "$INITRD" >"$WORK/pack.log" 2>&1; then
  guest_job soak soak "${KERNELS[0]}"
else
  fail "soak builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')" "$WORK/pack.log"
fi
