# SPDX-License-Identifier: Apache-2.0
# The module in real kernels, its rows against the kernel's own accounting, and
# the daemon beside it.
# shellcheck shell=bash

# Packs a guest with the module, its tests and the daemon.
vm_pack() {
  local module
  module=$(module_for "$1")
  "$ROOT/deploy/vm/initramfs" "$1" "$WORK/$1.initrd" \
    "$module/page_faults.ko:/page_faults.ko" \
    "$BUILD/tests/vm/vm_tests:/vm_tests" \
    --bin "$BUILD/exporter/page_fault_exporter:/page_fault_exporter"
}

vm_disk() {
  truncate -s 256M "$1"
  mkfs.ext4 -q -F "$1"
}

# vm_suite VERSION DETAIL [GTEST OPTION]: the module's tests in the guest.
vm_suite() {
  guest -t 400 "PF_PARAMETERS=detail=$2 /vm_tests --gtest_color=no ${3:-}" \
    >"$WORK/suite.log" || true
  gtest_results "$1 $2 " "$WORK/suite.log"
}

vm_module() {
  vm_disk "$WORK/disk"
  vm_start "$1" "$WORK/$1.initrd" "vm-$1" --disk "$WORK/disk" --timeout 900 ||
    return 0
  vm_suite "$1" full '--gtest_filter=-Reload*:StormSlow*:StormReload*'
  vm_suite "$1" totals '--gtest_filter=-Load*:Reload*:Storm*'
  vm_stop
  vm_judge "$1 nothing in dmesg"
}

vm_reload() {
  vm_start "$1" "$WORK/$1.initrd" "reload-$1" --reload --timeout 900 || return 0
  vm_suite "$1" full '--gtest_filter=Reload*'
  vm_suite "$1" totals '--gtest_filter=Reload*'
  vm_stop
  vm_judge "$1 nothing in dmesg after reloads"
}

full_is_refused() {
  ! guest insmod /page_faults.ko detail=full &&
    guest dmesg | grep 'detail=full needs a kernel with CONFIG_KRETPROBES'
}

# The module as it is built for a kernel without return probes.
vm_without_kretprobes() {
  build_without CONFIG_KRETPROBES &&
    "$ROOT/deploy/vm/initramfs" "$1" "$WORK/without.initrd" \
      "$WORK/without-CONFIG_KRETPROBES/page_faults.ko:/page_faults.ko" \
      "$BUILD/tests/vm/vm_tests:/vm_tests" || {
    fail "$1 builds without CONFIG_KRETPROBES: $(tail -3 "$WORK/without.log")"
    return
  }
  vm_disk "$WORK/disk"
  vm_start "$1" "$WORK/without.initrd" "without-$1" --disk "$WORK/disk" \
    --timeout 600 || return 0
  check "$1 without CONFIG_KRETPROBES detail=full is refused" full_is_refused
  guest -t 300 '/vm_tests --gtest_color=no
    --gtest_filter=*Faults*:Lifecycle*:Memory*' >"$WORK/suite.log" || true
  gtest_results "$1 without CONFIG_KRETPROBES " "$WORK/suite.log"
  vm_stop
  vm_judge "$1 nothing in dmesg without CONFIG_KRETPROBES"
}

clock_is() { guest "insmod /page_faults.ko; grep -x 'clock $1' \
/sys/kernel/debug/page_faults/stats && rmmod page_faults"; }

# build_check VERSION NAME: one of the module's files with what checks it, as a
# module of its own.
build_check() {
  local kernel KDIR
  kernel=$("$ROOT/deploy/vm/kernel" "$1")
  eval "$(grep '^KDIR=' <<<"$kernel")"
  mkdir -p "$WORK/$2-source"
  cp "$ROOT"/kernel/*.[ch] "$ROOT/tests/vm/$2"/* "$WORK/$2-source"
  "$ROOT/tests/debug/module" "$WORK/$2-source" "$KDIR" "$WORK/$2"
}

# keeps_its_word CHECK: which is loaded only if all holds.
keeps_its_word() { guest "insmod /$1.ko || { dmesg | grep $1; false; }"; }

# By the TSC: guests with two CPUs have none that is stable, unless told so.
vm_clock() {
  build_check "$1" clock_check && build_check "$1" account_check &&
    "$ROOT/deploy/vm/initramfs" "$1" \
    "$WORK/clock.initrd" "$(module_for "$1")/page_faults.ko:/page_faults.ko" \
    "$WORK/clock_check/clock_check.ko:/clock_check.ko" \
    "$WORK/account_check/account_check.ko:/account_check.ko" \
    "$BUILD/tests/vm/vm_tests:/vm_tests" || {
    fail "$1 clock_check and account_check build"
    return
  }
  vm_disk "$WORK/disk"
  vm_start "$1" "$WORK/clock.initrd" "clock-$1" --disk "$WORK/disk" \
    --append tsc=reliable --timeout 600 || return 0
  check "$1 the TSC is chosen where it is stable" clock_is tsc
  guest -t 300 '/vm_tests --gtest_color=no
    --gtest_filter=Latency*:Special*:*Faults*:StormQuick.Threads' \
    >"$WORK/suite.log" || true
  gtest_results "$1 tsc " "$WORK/suite.log"
  check "$1 readings of totals keep their word" keeps_its_word account_check
  check "$1 the clock keeps its word" keeps_its_word clock_check
  check "$1 local_clock() is chosen where it is not" clock_is local
  vm_stop
  vm_judge "$1 nothing in dmesg by the TSC"
}

# A port of this machine that nobody listens on.
free_port() {
  local port=$((20000 + RANDOM % 10000))
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    port=$((port + 1))
  done
  printf '%s\n' "$port"
}

scrape() { curl -sf --max-time 10 "$URL/metrics"; }

# metric_is SECONDS LINE: waits until /metrics has the line.
metric_is() {
  local i
  for ((i = 0; i < $1 * 5; i++)); do
    scrape >"$WORK/scrape" && grep -qxF -- "$2" "$WORK/scrape" && return
    sleep 0.2
  done
  printf '%s\n' "not within $1 s: $2"
  return 1
}

# The three families as the table has them, for live rows whose text is the
# same in two readings.
quiet_rows() {
  grep -Fxf "$1" "$2" | awk -F '\t' '
    $1 == "pid" { for (i = 1; i <= NF; i++) at[$i] = i; next }
    /^#/ || $at["state"] != "live" || /\\/ { next }
    {
      labels = "{pid=\"" $1 "\",comm=\"" $NF "\"} "
      printf "page_faults_total%s%d\n", labels, $at["faults"]
      printf "vma_bytes%s%d\n", labels, $at["vma_kb"] * 1024
      printf "rss_bytes%s%d\n", labels, $at["rss_kb"] * 1024
    }'
}

serves_the_table() {
  local table=/sys/kernel/debug/page_faults/processes
  guest cat "$table" >"$WORK/table1"
  sleep 1
  scrape >"$WORK/scrape" || return
  sleep 1
  guest cat "$table" >"$WORK/table2"
  quiet_rows "$WORK/table1" "$WORK/table2" >"$WORK/expected"
  [ "$(wc -l <"$WORK/expected")" -ge 15 ] || {
    echo "only $(wc -l <"$WORK/expected") quiet values"
    return 1
  }
  ! grep -Fvxf "$WORK/scrape" "$WORK/expected"
}

faults_grow() {
  local before after
  before=$(scrape | awk '/^page_faults_total/ { n += $2 } END { print n }')
  sleep 1
  after=$(scrape | awk '/^page_faults_total/ { n += $2 } END { print n }')
  echo "$before, then $after"
  [ "$after" -gt "$before" ]
}

odd_comm_is_escaped() {
  grep -qF $'comm="a\\"b\\\\c\\nd\xef\xbf\xbd"' "$WORK/scrape"
}

promtool_is_content() {
  scrape >"$WORK/scrape" && grep -q '^rss_bytes{' "$WORK/scrape" &&
    promtool check metrics <"$WORK/scrape"
}

# Whether any of page_faults_total is less in the second scrape, or more by
# what no work here does in the time between.
no_fall_or_spike() {
  awk '
    !/^page_faults_total\{/ { next }
    { name = $0; sub(/ [0-9]+$/, "", name) }
    FNR == NR { before[name] = $NF; next }
    name in before {
      n++
      if ($NF < before[name]) { print "fell: " $0; bad = 1 }
      if ($NF - before[name] > 20000) { print "spike: " $0; bad = 1 }
    }
    END { exit bad || !n }' "$1" "$2"
}

unload_under_load() {
  scrape >"$WORK/scrape.before"
  guest rmmod page_faults
  metric_is 5 'page_fault_exporter_source{source="procfs"} 1' || return
  grep -qxF 'page_fault_exporter_read_error{cause="no_module"} 1' \
    "$WORK/scrape" && no_fall_or_spike "$WORK/scrape.before" "$WORK/scrape"
}

recovers() {
  scrape >"$WORK/scrape.before"
  guest insmod /page_faults.ko
  metric_is 5 'page_fault_exporter_source{source="module"} 1' &&
    no_fall_or_spike "$WORK/scrape.before" "$WORK/scrape"
}

says_the_cause_once() {
  guest 'cat /tmp/daemon.log' >"$WORK/daemon.log"
  [ "$(grep -c 'is not loaded' "$WORK/daemon.log")" = 1 ] &&
    [ "$(grep -c 'can be read again' "$WORK/daemon.log")" = 1 ]
}

debugfs_unmounted() {
  guest umount /sys/kernel/debug
  metric_is 5 'page_fault_exporter_read_error{cause="no_debugfs"} 1' || return
  guest mount -t debugfs debugfs /sys/kernel/debug
  metric_is 5 'page_fault_exporter_source{source="module"} 1'
}

# A clock that is set moves start times, and nothing else.
clock_jumps() {
  local before after
  before=$(scrape | awk '/^page_fault_process_start.*{pid="1",/ { print int($2) }')
  scrape >"$WORK/scrape.before"
  # shellcheck disable=SC2016
  guest 'date -s @$(($(date +%s) + 86400))' >/dev/null
  sleep 2
  scrape >"$WORK/scrape" || return
  after=$(awk '/^page_fault_process_start.*{pid="1",/ { print int($2) }' \
    "$WORK/scrape")
  echo "start of init: $before, then $after"
  [ $((after - before)) -ge 86390 ] && [ $((after - before)) -le 86410 ] &&
    no_fall_or_spike "$WORK/scrape.before" "$WORK/scrape"
}

ends_cleanly() {
  # shellcheck disable=SC2016
  guest -t 20 'kill $(cat /tmp/daemon.pid);
    while [ ! -e /tmp/daemon.status ]; do sleep 0.1; done' || true
  [ "$(guest cat /tmp/daemon.status)" = 0 ]
}

# The daemon beside the module, with work going on.
vm_daemon() {
  local port URL
  port=$(free_port) URL=http://127.0.0.1:$port
  vm_start "$1" "$WORK/$1.initrd" "daemon-$1" --reload --forward "$port" \
    --timeout 300 || return 0
  guest insmod /page_faults.ko
  guest '(while :; do md5sum /bin/busybox; done) >/dev/null 2>&1 &'
  guest 'for i in 1 2 3 4 5 6; do sleep 1000 >/dev/null 2>&1 & done'
  # shellcheck disable=SC2016
  guest '(printf "a\"b\\\\c\nd\377" >/proc/self/comm; while :; do
    sleep 0.1; done) >/dev/null 2>&1 &'
  # shellcheck disable=SC2016
  guest '{ sh -c "echo \$\$ >/tmp/daemon.pid;
    exec /page_fault_exporter --interval 200ms" 2>/tmp/daemon.log;
    echo $? >/tmp/daemon.status; } >/dev/null 2>&1 &'
  check "$1 daemon is ready" \
    metric_is 15 'page_fault_exporter_source{source="module"} 1'
  check "$1 daemon serves what the table says" serves_the_table
  check "$1 daemon's faults grow" faults_grow
  check "$1 daemon escapes an odd comm" odd_comm_is_escaped
  check "$1 promtool check metrics" promtool_is_content
  check "$1 module unloads under load and the daemon says so" unload_under_load
  check "$1 daemon recovers with the module" recovers
  check "$1 daemon says the cause once a change" says_the_cause_once
  check "$1 daemon outlives debugfs" debugfs_unmounted
  check "$1 daemon outlives a clock that jumps" clock_jumps
  check "$1 daemon ends cleanly" ends_cleanly
  guest rmmod page_faults || true
  vm_stop
  vm_judge "$1 nothing in dmesg beside the daemon"
}

# vm_kernel VERSION FUNCTION...: each with a guest of that kernel.
vm_kernel() {
  local version=$1 function
  shift
  if ! vm_pack "$version" >"$WORK/pack.log" 2>&1; then
    fail "$version builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')"
    return
  fi
  for function in "$@"; do "$function" "$version"; done
}

for version in "${KERNELS[@]}"; do
  vm_kernel "$version" vm_module vm_reload vm_daemon
done
case " ${KERNELS[*]} " in
  *" 6.1 "*)
    vm_clock 6.1
    vm_without_kretprobes 6.1
    ;;
esac
for version in "${OTHER_KERNELS[@]}"; do vm_kernel "$version" vm_module; done
