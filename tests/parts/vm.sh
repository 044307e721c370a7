# SPDX-License-Identifier: Apache-2.0
# Tests the module in real kernels, compares its rows with the kernel's own
# accounting, and tests the daemon with it. Its arguments are a test, which is a
# function vm_TEST, and a kernel: each test has a guest of its own.
# shellcheck shell=bash

# vm_pack VERSION [FILE:PATH]...: packs a guest with the module, its tests, the
# daemon, and these files.
vm_pack() {
  local version=$1 module
  shift
  module=$(module_for "$version") || return
  "$ROOT/deploy/vm/initramfs" "$version" "$INITRD" "$@" \
    "$module/page_faults.ko:/page_faults.ko" \
    --module "$module/page_faults_trampoline.ko" \
    "$BUILD/tests/vm/vm_tests:/vm_tests" \
    --bin "$BUILD/exporter/page_fault_exporter:/page_fault_exporter"
}

# vm_run_tests PREFIX FILTER [PARAMETERS]: the module's tests in the guest, with
# these parameters of the module.
vm_run_tests() {
  vm_gtest "$1" tests "$VM_SILENCE" \
    "PF_PARAMETERS=${3:-} /vm_tests --gtest_color=no --gtest_filter=$2"
}

vm_suite() {
  vm_disk "$WORK/disk"
  vm_start "$1" "$INITRD" "suite-$1" --disk "$WORK/disk" || return 0
  vm_run_tests "$1" '-Reload*:Hook*:Event*:StormSlow*:StormReload*'
  vm_stop
  vm_judge "$1 nothing in dmesg"
}

# Turning the event on and off changes kernel code.
vm_event() {
  vm_disk "$WORK/disk"
  vm_start "$1" "$INITRD" "event-$1" --disk "$WORK/disk" --reload || return 0
  vm_run_tests "$1" 'Event*'
  vm_run_tests "$1 kretprobe" 'Event*' hook=kretprobe
  vm_stop
  vm_judge "$1 nothing in dmesg with the event"
}

opens_while_it_goes() {
  guest "insmod /page_faults.ko && insmod /unload_window.ko; status=\$?;
    rmmod unload_window; rmmod page_faults; exit \$status"
}

vm_reload() {
  vm_start "$1" "$INITRD" "reload-$1" --reload || return 0
  # First, because it needs a kernel in which nothing was loaded.
  vm_run_tests "$1" 'HookFresh*'
  vm_run_tests "$1" 'Reload*:Hook.*'
  check "$1 a file is opened while the module goes" opens_while_it_goes
  vm_stop
  vm_judge "$1 nothing in dmesg after reloads"
}

# hook_is HOOK [REASON]: loads the module and unloads it; it uses this hook, and
# says why.
hook_is() {
  guest insmod /page_faults.ko &&
    guest cat /sys/kernel/debug/page_faults/stats >"$WORK/stats" &&
    guest rmmod page_faults || return
  grep -x "hook $1" "$WORK/stats" || { grep hook "$WORK/stats" && return 1; }
  if [ -n "${2:-}" ]; then grep -x "hook_reason .*$2.*" "$WORK/stats"; fi
}

direct_is_refused() {
  ! guest insmod /page_faults.ko hook=direct && guest dmesg | grep "$1"
}

# overcount_shows HOOK: a module that counts some faults twice has a drift. dd
# faults on each of its 16,384 pages.
overcount_shows() {
  guest "insmod /page_faults.ko hook=$1 &&
    echo never >/sys/kernel/mm/transparent_hugepage/enabled;
    for i in 1 2 3 4; do dd if=/dev/zero of=/dev/null bs=64M count=1; done;
    grep -E '^(hook|drift|faults) ' /sys/kernel/debug/page_faults/stats;
    rmmod page_faults" | tee "$WORK/twice.log"
  grep -qx "hook $1" "$WORK/twice.log" &&
    awk '$1 == "drift" { exit !($2 > 500) }' "$WORK/twice.log"
}

# hook_guest VERSION NAME MODULES TRAMPOLINES [INITRAMFS ARGUMENT]...: boots a guest
# with the module of one directory and the trampoline of another one.
hook_guest() {
  local version=$1 name=$2 modules=$3 trampolines=$4
  shift 4
  "$ROOT/deploy/vm/initramfs" "$version" "$WORK/$name.initrd" \
    "$modules/page_faults.ko:/page_faults.ko" \
    ${trampolines:+--module "$trampolines/page_faults_trampoline.ko"} "$@" &&
    vm_start "$version" "$WORK/$name.initrd" "$name-$version" --reload
}

# The whole suite with the return probe, and the reasons for it.
vm_hook() {
  local module
  module=$(module_for "$1")
  vm_disk "$WORK/disk"
  vm_start "$1" "$INITRD" "kretprobe-$1" --disk "$WORK/disk" --reload || return 0
  vm_run_tests "$1 kretprobe" '-StormSlow*:StormReload*:HookFresh*:Event*' \
    hook=kretprobe
  vm_stop
  vm_judge "$1 nothing in dmesg with the return probe"

  hook_guest "$1" alone "$module" "" || return 0
  check "$1 without the trampoline the return probe is used" \
    hook_is kretprobe 'page_faults_trampoline is not loaded'
  check "$1 without the trampoline hook=direct is refused" \
    direct_is_refused 'page_faults_trampoline is not loaded'
  vm_stop
  vm_judge "$1 nothing in dmesg without the trampoline"

  # Call depth tracking, on a CPU that needs it. 6.1 has none, and Debian's 6.12
  # does not boot with it in QEMU 7.2.
  if [ "$1" = 7 ]; then
    vm_start "$1" "$INITRD" "stuff-$1" --reload --cpu Skylake-Client,-cx16 \
      --append "retbleed=stuff spectre_v2=retpoline" || return 0
    check "$1 with retbleed=stuff the kernel tracks the depth of calls" \
      guest 'dmesg | grep "RETBleed: Mitigation: Stuffing"'
    check "$1 with retbleed=stuff the return probe is used" \
      hook_is kretprobe 'retbleed=stuff'
    check "$1 with retbleed=stuff hook=direct is refused" \
      direct_is_refused 'retbleed=stuff'
    vm_stop
    vm_judge "$1 nothing in dmesg with retbleed=stuff"
  fi

  cp -r "$ROOT/kernel" "$WORK/other-source"
  sed -i 's/\(#define PF_TRAMPOLINE_VERSION\).*/\1 1000000/' \
    "$WORK/other-source/trampoline.h"
  "$ROOT/deploy/vm/build-module" "$1" "$WORK/other" \
    --source "$WORK/other-source" &&
    hook_guest "$1" other "$module" "$WORK/other" || return 0
  check "$1 with another version of the trampoline the return probe is used" \
    hook_is kretprobe 'of another version'
  check "$1 with another version of the trampoline hook=direct is refused" \
    direct_is_refused 'of another version'
  vm_stop
  vm_judge "$1 nothing in dmesg with another version of the trampoline"

  # Counts each fault on every fiftieth page twice.
  cp -r "$ROOT/kernel" "$WORK/twice-source"
  sed -i 's/PF_SHAPES + call->shape, 1)/PF_SHAPES + call->shape, \
\t\t       1 + !((call->address >> PAGE_SHIFT) % 50))/' \
    "$WORK/twice-source/call.h"
  "$ROOT/deploy/vm/build-module" "$1" "$WORK/twice" \
    --source "$WORK/twice-source" &&
    hook_guest "$1" twice "$WORK/twice" "$WORK/twice" || return 0
  check "$1 drift shows an overcount by the direct call" \
    overcount_shows direct
  check "$1 drift shows an overcount by the return probe" \
    overcount_shows kretprobe
  vm_stop
  vm_judge "$1 nothing in dmesg with an overcount"
}

# Threads on 64 CPUs. QEMU gives each CPU a thread of this machine, so this is
# slow: some minutes where the same takes seconds with two CPUs. The kernel would
# take a CPU that waits for its turn for one that is stuck.
vm_cpus() {
  vm_disk "$WORK/disk"
  vm_start "$1" "$INITRD" "cpus-$1" --disk "$WORK/disk" --cpus 64 \
    --memory 4G --append "nosoftlockup sysctl.kernel.hung_task_timeout_secs=0 \
rcupdate.rcu_cpu_stall_suppress=1" || return 0
  vm_run_tests "$1" \
    'Blocks*:StormQuick.*Thread*:StormSlow.CpusComeAndGoUnderThreads:StormSlow.ThreadsOfAThousand'
  vm_stop
  vm_judge "$1 nothing in dmesg with 64 CPUs"
}

# Two CPUs, where the kernel expects 64 and little memory is left for their blocks.
vm_possible() {
  vm_start "$1" "$INITRD" "possible-$1" --cpus 2,maxcpus=64 \
    --memory 256M || return 0
  vm_run_tests "$1" \
    'Blocks*:StormQuick.*Thread*:StormSlow.CpusComeAndGo*:StormSlow.ACpuGoes*'
  vm_stop
  vm_judge "$1 nothing in dmesg with 64 possible CPUs"
}

clock_is() { guest "insmod /page_faults.ko && grep -x 'clock $1' \
/sys/kernel/debug/page_faults/stats && rmmod page_faults"; }

# build_check VERSION NAME: builds the code that checks one of the module's
# files, together with that file, as a kernel module.
build_check() {
  local kernel KDIR
  kernel=$("$ROOT/deploy/vm/kernel" "$1")
  eval "$(grep '^KDIR=' <<<"$kernel")"
  mkdir -p "$WORK/$2-source"
  cp "$ROOT"/kernel/*.[ch] "$ROOT/tests/vm/$2"/* "$WORK/$2-source"
  "$ROOT/tests/debug/module" "$WORK/$2-source" "$KDIR" "$WORK/$2"
}

# keeps_its_word CHECK: loads the module CHECK; it loads only if its checks
# pass.
keeps_its_word() { guest "insmod /$1.ko || { dmesg | grep $1; false; }"; }

# Tests timing by the TSC. In a guest with two CPUs the kernel considers the TSC
# stable only if tsc=reliable is given.
vm_clock() {
  local module
  module=$(module_for "$1") && build_check "$1" clock_check &&
    "$ROOT/deploy/vm/initramfs" "$1" "$WORK/clock.initrd" \
      "$module/page_faults.ko:/page_faults.ko" \
      --module "$module/page_faults_trampoline.ko" \
      "$WORK/clock_check/clock_check.ko:/clock_check.ko" \
      "$BUILD/tests/vm/vm_tests:/vm_tests" || {
    fail "$1 clock_check builds"
    return
  }
  vm_disk "$WORK/disk"
  vm_start "$1" "$WORK/clock.initrd" "clock-$1" --disk "$WORK/disk" \
    --append tsc=reliable || return 0
  check "$1 the TSC is chosen where it is stable" clock_is tsc
  vm_gtest "$1 tsc" tests "$VM_SILENCE" '/vm_tests --gtest_color=no
    --gtest_filter=Latency*:Special*:*Faults*:StormQuick.Threads'
  check "$1 clock_check passes" keeps_its_word clock_check
  check "$1 local_clock() is chosen where it is not" clock_is local
  vm_stop
  vm_judge "$1 nothing in dmesg by the TSC"
}

scrape() { curl -sf --max-time "$VM_SILENCE" "$URL/metrics"; }

# metric_is LINE: waits until /metrics has the line; SCRAPE is then the scrape
# that has it.
metric_is() {
  local last=$SECONDS
  SCRAPE=$WORK/scrape
  until scrape >"$SCRAPE" && grep -qxF -- "$1" "$SCRAPE"; do
    if vm_is_lost || [ $((SECONDS - last)) -ge "$VM_SILENCE" ]; then
      printf 'within %s s /metrics did not say: %s\n' $((SECONDS - last)) "$1"
      return 1
    fi
    sleep 0.2
  done
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

# The daemon serves the table as of its last tick. So a scrape is compared only
# with rows that did not change between a reading before that tick and one after
# it. Two more ticks make sure that the tick lies between both readings.
serves_the_table() {
  local table=/sys/kernel/debug/page_faults/processes
  guest cat "$table" >"$WORK/table-before" || return
  next_tick && next_tick || return
  guest cat "$table" >"$WORK/table-after" || return
  quiet_rows "$WORK/table-before" "$WORK/table-after" >"$WORK/expected"
  [ "$(wc -l <"$WORK/expected")" -ge 15 ] || {
    echo "only $(wc -l <"$WORK/expected") quiet values"
    return 1
  }
  ! grep -Fvxf "$WORK/scrape" "$WORK/expected"
}

ticks() { awk '/^page_fault_exporter_ticks_total / { print $2 }' "$WORK/scrape"; }

# next_tick: waits until the daemon has read its source again; $WORK/scrape is
# of that read or a later one.
next_tick() {
  local before last=$SECONDS
  scrape >"$WORK/scrape" || return
  before=$(ticks)
  while scrape >"$WORK/scrape" && [ "$(ticks)" = "$before" ]; do
    [ $((SECONDS - last)) -lt "$VM_SILENCE" ] || {
      echo "no tick within $VM_SILENCE s"
      return 1
    }
    sleep 0.1
  done
  [ -s "$WORK/scrape" ]
}

faults() { awk '/^page_faults_total/ { n += $2 } END { print n + 0 }' "$WORK/scrape"; }

# The faults of the processes that work grow.
faults_grow() {
  local before last=$SECONDS
  next_tick || return
  before=$(faults)
  until next_tick && [ "$(faults)" -gt "$before" ]; do
    [ $((SECONDS - last)) -lt "$VM_SILENCE" ] || {
      echo "$before, and still $(faults) after $VM_SILENCE s"
      return 1
    }
  done
}

odd_comm_is_escaped() {
  grep -qF $'comm="a\\"b\\\\c\\nd\xef\xbf\xbd"' "$WORK/scrape"
}

promtool_is_content() {
  scrape >"$WORK/scrape" && grep -q '^rss_bytes{' "$WORK/scrape" &&
    promtool check metrics <"$WORK/scrape"
}

# Whether no value of page_faults_total decreased from the first scrape to the
# second, and the values of the processes named idle, which no longer fault,
# stayed the same.
no_fall_or_spike() {
  awk '
    !/^page_faults_total\{/ { next }
    { name = $0; sub(/ [0-9]+$/, "", name) }
    FNR == NR { before[name] = $NF; next }
    name in before && $NF < before[name] { print "fell: " $0; bad = 1 }
    name in before && /comm="idle"/ {
      n++
      if ($NF != before[name]) { print "was " before[name] ": " $0; bad = 1 }
    }
    END { if (n < 6) print n + 0 " idle processes"; exit bad || n < 6 }' "$1" "$2"
}

# rmmod is refused while the daemon reads.
unload() {
  guest 'i=0; until rmmod page_faults; do
    i=$((i + 1)); [ $i -lt 1000 ] || exit 1; sleep 0.05; done'
}

unload_under_load() {
  scrape >"$WORK/scrape-before" && unload || return
  metric_is 'page_fault_exporter_source{source="procfs"} 1' || return
  grep -xF 'page_fault_exporter_read_error{cause="no_module"} 1' \
    "$WORK/scrape" && no_fall_or_spike "$WORK/scrape-before" "$WORK/scrape"
}

recovers() {
  scrape >"$WORK/scrape-before" && guest insmod /page_faults.ko || return
  metric_is 'page_fault_exporter_source{source="module"} 1' &&
    no_fall_or_spike "$WORK/scrape-before" "$WORK/scrape"
}

says_the_cause_once() {
  guest 'cat /tmp/daemon.log' >"$WORK/daemon.log" || return
  cat "$WORK/daemon.log"
  [ "$(grep -c 'is not loaded' "$WORK/daemon.log")" = 1 ] &&
    [ "$(grep -c 'can be read again' "$WORK/daemon.log")" = 1 ]
}

debugfs_unmounted() {
  guest 'i=0; until umount /sys/kernel/debug; do
    i=$((i + 1)); [ $i -lt 1000 ] || exit 1; sleep 0.05; done' || return
  metric_is 'page_fault_exporter_read_error{cause="no_debugfs"} 1' || return
  guest mount -t debugfs debugfs /sys/kernel/debug || return
  metric_is 'page_fault_exporter_source{source="module"} 1'
}

start_of_init() {
  awk '/^page_fault_process_start.*\{pid="1",/ { print int($2) }' "$WORK/scrape"
}

# When init started, by the kernel's own numbers: the time of the boot, and
# init's start in ticks since then.
kernel_start_of_init() {
  guest 'sed -n "s/^btime //p" /proc/stat; cut -d" " -f22 /proc/1/stat' |
    awk 'NR == 1 { boot = $1 } NR == 2 { print int(boot + $1 / 100) }'
}

# When the clock is set, start times change and nothing else does.
clock_jumps() {
  local before after expected last=$SECONDS
  next_tick || return
  before=$(start_of_init)
  cp "$WORK/scrape" "$WORK/scrape-before"
  # shellcheck disable=SC2016
  guest 'date -s @$(($(date +%s) + 86400))' >/dev/null || return
  expected=$(kernel_start_of_init)
  until next_tick && after=$(start_of_init) && [ "$after" != "$before" ]; do
    [ $((SECONDS - last)) -lt "$VM_SILENCE" ] || break
  done
  echo "start of init: $before, then $after; the kernel says $expected"
  [ $((expected - before)) -gt 80000 ] && [ $((after - expected)) -ge -2 ] &&
    [ $((after - expected)) -le 2 ] &&
    no_fall_or_spike "$WORK/scrape-before" "$WORK/scrape"
}

# The wait in the guest has no limit of its own; VM_SILENCE limits it.
ends_cleanly() {
  # shellcheck disable=SC2016
  guest 'kill $(cat /tmp/daemon.pid);
    while [ ! -s /tmp/daemon.status ]; do sleep 0.1; done' || return
  [ "$(guest cat /tmp/daemon.status)" = 0 ]
}

# The daemon beside the module, with work going on.
vm_daemon() {
  local port URL
  port=$(free_port) URL=http://127.0.0.1:$port
  vm_start "$1" "$INITRD" "daemon-$1" --reload --forward "$port" || return 0
  must "$1 module loads" guest insmod /page_faults.ko
  # shellcheck disable=SC2016
  must "$1 work starts" guest '(while :; do md5sum /bin/busybox; done) >/dev/null 2>&1 &
    for i in 1 2 3 4 5 6; do
      (printf idle >/proc/self/comm; sleep 100000; :) >/dev/null 2>&1 & done;
    (printf "a\"b\\\\c\nd\377" >/proc/self/comm; while :; do
      sleep 0.1; done) >/dev/null 2>&1 &
    { sh -c "echo \$\$ >/tmp/daemon.pid;
      exec /page_fault_exporter --interval 200ms" 2>/tmp/daemon.log;
    echo $? >/tmp/daemon.status; } >/dev/null 2>&1 &'
  check "$1 daemon is ready" \
    metric_is 'page_fault_exporter_source{source="module"} 1'
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
  check "$1 module unloads at the end" unload
  vm_stop
  vm_judge "$1 nothing in dmesg beside the daemon"
}

# explains NAME COMMAND MAPPING FUNCTION [CALLER]: a culprit runs, and --explain
# names its mapping and its function first, and its caller. STACKS is how callers
# are found.
explains() {
  local text=$WORK/explain-$1 mapping function
  guest "$2 >/dev/null 2>&1 & echo \$! >/tmp/culprit" || return
  local asked=$SECONDS
  guest -t 300 "/page_fault_exporter --explain $COMM --seconds 5 \
    --profile.stacks=${STACKS:-fp}" >"$text" || return
  # shellcheck disable=SC2016
  guest 'kill $(cat /tmp/culprit)' || return
  cat "$text"
  mapping=$(grep -A1 ' MAPPING$' "$text" | sed -n '2s/.* s  //p')
  function=$(grep -A1 ' FUNCTION$' "$text" | sed -n '2s/.* s  //p')
  printf '   %s: %s, %s, in %s s\n' "$1" "$mapping" "$function" \
    $((SECONDS - asked)) >>"$WORK/culprits"
  # shellcheck disable=SC2053
  [[ $mapping == $3 && $function == $4 ]] || return
  grep -qF -- "$4 < ${5:-}" "$text" || [ -z "${5:-}" ]
}

# The exact sums: those of the functions, and what no sample has, are all faults.
sums_are_exact() {
  awk '/ faults, / { all = $2 }
    / FUNCTION$/ { on = 1; next }
    /^$/ { on = 0 }
    on { sum += $1 }
    END { print all, sum; exit !(all > 100 && sum > all - 20 && sum < all + 20) }' \
    "$WORK/explain-$1"
}

# Each 11th fault of a CPU is sampled, also if it is one of another process. And faults
# go on while the counters are read. So the share is right to 2 %. One sample for 10 or
# 12 faults would be 9 % off.
samples_are_one_of_11() {
  awk '/ faults, / { all = $2 }
    / samples by / { print all, $1; exit !($1 * 11 > all * 0.98 && $1 * 11 < all * 1.02) }' \
    "$WORK/explain-$1"
}

EXPLAIN_URL=http://127.0.0.1:9110/api/v1/explain

# The daemon answers the same question. The sums of all functions, and what is not
# sampled, are all faults.
explains_over_http() {
  # shellcheck disable=SC2016
  guest 'options="--profile --profile.mappings=10 --birth.hold=0s --interval=1s";
    /page_fault_exporter $options >/tmp/daemon.log 2>&1 &
    echo $! >/tmp/daemon; /culprits heap >/dev/null 2>&1 & echo $! >/tmp/culprit;
    ip link set lo up;
    until wget -qO /dev/null http://127.0.0.1:9110/-/ready; do sleep 0.2; done' &&
    guest -t 300 "wget -qO- '$EXPLAIN_URL?comm=culprits&seconds=5&limit=10000'" \
      >"$WORK/explain.json" && guest 'kill $(cat /tmp/culprit)' || return
  jq . "$WORK/explain.json"
  jq -e '.exact and .source == "module" and .samples > 100 and
    .mappings[0].name == "[heap]" and
    .functions[0].name == "culprit::TouchNewPages(char*)" and
    .stacks[0].frames[1] == "culprit::GrowHeap()" and
    (([.functions[].faults] | add) + .not_sampled.faults - .faults | fabs) < 1' \
    "$WORK/explain.json"
}

# What Debian's Go reads of the profile: the function and the mapping with the
# most faults, the call path, and sums that are those of the counters.
pprof_names_it() {
  local file=$WORK/page_faults.pb.gz url=http://127.0.0.1:9110 web
  # shellcheck disable=SC2016
  guest -t 300 '/culprits heap >/dev/null 2>&1 & echo $! >/tmp/culprit; sleep 1;
    '"wget -qO /tmp/profile '$url/debug/pprof/page_faults?seconds=5'"';
    kill $(cat /tmp/culprit); base64 /tmp/profile' | tr -d '\r' |
    grep -xE '[A-Za-z0-9+/=]+' | base64 -d >"$file" || return
  export PPROF_TMPDIR=$WORK
  go tool pprof -top "$file" | tee "$WORK/pprof.top"
  go tool pprof -traces "$file" >"$WORK/pprof.traces"
  go tool pprof -tags "$file" | tee "$WORK/pprof.tags"
  go tool pprof -comments "$file"
  awk '$1 == "flat" { getline; print; exit }' "$WORK/pprof.top" |
    grep -qF 'culprit::TouchNewPages' &&
    grep -A1 -F 'culprit::TouchNewPages' "$WORK/pprof.traces" |
    grep -qF 'culprit::GrowHeap' &&
    grep -A1 '^ *mapping:' "$WORK/pprof.tags" | grep -qF '[heap]' &&
    grep -q '^ *kind:' "$WORK/pprof.tags" &&
    grep -q '^ *access:' "$WORK/pprof.tags" &&
    grep -qF 'those of the module' <(go tool pprof -comments "$file") || return
  # The page that people look at.
  timeout 60 go tool pprof -http=127.0.0.1:19111 -no_browser "$file" &
  web=$!
  for _ in {1..100}; do
    curl -sf http://127.0.0.1:19111/ui/flamegraph >"$WORK/flamegraph" && break
    sleep 0.2
  done
  kill "$web"
  grep -qF 'culprit::TouchNewPages' "$WORK/flamegraph"
}

# The sum of a family's samples that have some labels.
sum_of() {
  awk -v name="$1" -v labels="$2" '
    index($0, name "{") == 1 && index($0, labels) { sum += $NF }
    END { printf "%.0f\n", sum }' "$WORK/mappings"
}

# Sampled all the time, and so estimates: of 3,000 samples at least.
mappings_are_metrics() {
  local all heap
  # shellcheck disable=SC2016
  guest -t 300 '/culprits heap >/dev/null 2>&1 & echo $! >/tmp/culprit;
    sleep 20; kill $(cat /tmp/culprit); sleep 3;
    wget -qO- http://127.0.0.1:9110/metrics' | grep -aE '_mapping_|_comm_|_profile_' \
    >"$WORK/mappings" || return
  cat "$WORK/mappings"
  all=$(sum_of page_fault_comm_faults_total 'comm="culprits"')
  heap=$(sum_of page_fault_mapping_faults_total 'comm="culprits",mapping="[heap]"')
  [ "$all" -gt 30000 ] && [ $((heap * 100)) -gt $((all * 90)) ] &&
    [ $((heap * 100)) -lt $((all * 110)) ] &&
    grep -q '^page_fault_exporter_profile_attached 1' "$WORK/mappings" &&
    grep -q '^page_fault_mapping_stall_seconds_total{comm="culprits",mapping="\[heap\]"} [0-9.]*[1-9]' \
      "$WORK/mappings"
}

# An explanation, and the sums of mappings, hold the module until the daemon is
# reloaded. The explanation then answers with what it has.
lets_the_module_go() {
  # shellcheck disable=SC2016
  guest -t 300 "count() { ls -l /proc/\$(cat /tmp/daemon)/fd | grep -c perf_event; };
    held=\$(count);
    wget -qO /tmp/explained '$EXPLAIN_URL?pid=1&seconds=60' &"'
    asked=$!; [ $held -gt 0 ] || exit;
    until [ $(count) -gt $held ]; do sleep 0.1; done;
    rmmod page_faults && exit 1;
    kill -HUP $(cat /tmp/daemon);
    until rmmod page_faults; do sleep 0.1; done;
    wait $asked && cat /tmp/explained' >"$WORK/explained.json" &&
    jq -e '.source == "module" and .seconds < 60' \
      <(grep '^{' "$WORK/explained.json")
}

# The daemon attaches to the module that was loaded anew.
reloads_while_it_samples() {
  # shellcheck disable=SC2016
  guest -t 600 'insmod /page_faults.ko slow_us=0 sample=11;
    /culprits forks >/dev/null 2>&1 & echo $! >/tmp/culprit;
    attached() { wget -qO- http://127.0.0.1:9110/metrics |
      grep -q "^page_fault_exporter_profile_attached 1"; };
    event=/sys/kernel/tracing/events/page_faults/fault/id;
    uses() { cat /sys/module/page_faults/refcnt; };
    for i in 1 2 3 4 5; do
      until attached && [ $(uses) -gt 0 ]; do sleep 0.5; done;
      kill -HUP $(cat /tmp/daemon);
      until rmmod page_faults 2>/dev/null; do sleep 0.1; done;
      insmod /page_faults.ko slow_us=0 sample=11 || exit;
    done;
    until attached && [ $(uses) -gt 0 ]; do sleep 0.5; done;
    kill $(cat /tmp/culprit); kill -HUP $(cat /tmp/daemon);
    until rmmod page_faults 2>/dev/null; do sleep 0.1; done; test -e $event && exit 1; true'
}

# strip_apart PROGRAM OUT: without symbols, which are in a debug file beside it.
strip_apart() {
  objcopy --only-keep-debug "$1" "$2.debug" && cp "$1" "$2" && strip "$2" &&
    objcopy --add-gnu-debuglink="$2.debug" "$2"
}

explains_swap() {
  explains swap \
    "sh -c 'echo \$\$ >/sys/fs/cgroup/small/cgroup.procs; exec /culprits swap'" \
    '[[]anonymous]' 'culprit::ReadBack(char const*)' \
    'culprit::SwapIn()' &&
    grep -qE ' faults, [1-9][0-9]* of them major' "$WORK/explain-swap"
}

vm_explain() {
  command -v go >/dev/null || install_packages golang-go
  local COMM=culprits
  vm_disk "$WORK/disk"
  vm_start "$1" "$INITRD" "explain-$1" --disk "$WORK/disk" --reload || return 0
  must "$1 module loads" guest insmod /page_faults.ko slow_us=0 sample=11
  check "$1 explain: a heap that grows" explains heap "/culprits heap" \
    '[[]heap]' 'culprit::TouchNewPages(char*)' 'culprit::GrowHeap()'
  check "$1 explain: the sums are exact" sums_are_exact heap
  check "$1 explain: one sample for 11 faults" samples_are_one_of_11 heap
  check "$1 explain: a cold file that is read at random" \
    explains file "/culprits file /disk/cold" '/disk/cold' \
    'culprit::ReadAtRandom(char const*)' 'culprit::File(char const*)'
  check "$1 explain: copy-on-write after fork" explains cow "/culprits cow" \
    '[[]anonymous]' 'culprit::ChangeWhileSaving(char*)' 'culprit::CopyOnWrite()'
  check "$1 explain: shared memory that is touched first" \
    explains shm "/culprits shm" '/SYSV00000000 (deleted)' \
    'culprit::FillSegment(char*)' 'culprit::SharedMemory()'
  must "$1 swap" guest "dd if=/dev/zero of=/disk/swap bs=1M count=32 2>/dev/null &&
    chmod 600 /disk/swap && mkswap /disk/swap >/dev/null && swapon /disk/swap &&
    echo +memory >/sys/fs/cgroup/cgroup.subtree_control && mkdir /sys/fs/cgroup/small &&
    echo 6M >/sys/fs/cgroup/small/memory.max"
  check "$1 explain: pages that come back from swap" explains_swap
  must "$1 no swap" guest "swapoff /disk/swap"
  check "$1 explain: children that live for a moment" \
    explains forks "/culprits forks" '[[]anonymous]' 'culprit::WorkOfAChild()'
  check "$1 explain: a storm of execs" \
    explains execs "/culprits execs" '[[]anonymous]' 'culprit::WorkOfAChild()'
  COMM=stripped
  check "$1 explain: a program whose symbols are in a debug file" \
    explains stripped "/stripped heap" '[[]heap]' \
    'culprit::TouchNewPages(char*)' 'culprit::GrowHeap()'
  COMM=frameless
  check "$1 explain: callers by frame pointers, where there are none" \
    no_caller_is_found
  STACKS=dwarf check "$1 explain: callers by dwarf" explains dwarf \
    "/frameless heap" '[[]heap]' 'culprit::TouchNewPages(char*)' \
    'culprit::GrowHeap() < culprit::Heap() < main'
  check "$1 explain: the sums are exact by dwarf" sums_are_exact dwarf
  STACKS=dwarf check "$1 explain: callers of short-lived children by dwarf" \
    explains dwarf-forks "/frameless forks" '[[]anonymous]' \
    'culprit::WorkOfAChild()' 'culprit::Forks()'
  COMM="sort"
  check "$1 explain: Debian's sort" explains sort \
    'sh -c "while :; do seq 20000 | /sort -R; done"' '[[]*' '*'
  # A control group, with the groups below it.
  COMM=/one
  must "$1 a control group" guest "mkdir -p /sys/fs/cgroup/one/two"
  check "$1 explain: a control group" explains cgroup \
    "sh -c 'echo \$\$ >/sys/fs/cgroup/one/two/cgroup.procs; exec /culprits shm'" \
    '/SYSV00000000 (deleted)' 'culprit::FillSegment(char*)' 'culprit::SharedMemory()'
  check "$1 explain: by HTTP" explains_over_http
  check "$1 explain: by pprof" pprof_names_it
  check "$1 explain: mappings are metrics" mappings_are_metrics
  check "$1 explain: a reload lets the module go" lets_the_module_go
  check "$1 explain: the module is reloaded while it samples" \
    reloads_while_it_samples
  COMM=culprits
  check "$1 explain: without the module" without_module
  vm_stop
  vm_judge "$1 nothing in dmesg while faults are explained"
  cat "$WORK/culprits"
}

no_caller_is_found() {
  explains frameless "/frameless heap" '[[]heap]' 'culprit::TouchNewPages(char*)' &&
    ! grep -F 'culprit::GrowHeap()' "$WORK/explain-frameless"
}

without_module() {
  explains plain "/culprits heap" x x
  grep "by the kernel's events" "$WORK/explain-plain" &&
    grep 'the sums are estimates$' "$WORK/explain-plain" &&
    grep "the module's trace event is not there" "$WORK/explain-plain" &&
    grep -A1 ' MAPPING$' "$WORK/explain-plain" | grep -F '[heap]' &&
    grep -A1 ' FUNCTION$' "$WORK/explain-plain" |
      grep -F 'culprit::TouchNewPages(char*)'
}

# vm_pack_for TEST VERSION: packs what the test needs.
vm_pack_for() {
  local name files=()
  case $1 in
    reload | hook)
      for name in ftrace_holder cmdline_livepatch unload_window; do
        "$ROOT/deploy/vm/build-module" "$2" "$WORK/$name-$2" \
          --source "$ROOT/tests/vm/$name" || return
        files+=("$WORK/$name-$2/$name.ko:/$name.ko")
      done
      vm_pack "$2" "${files[@]}"
      ;;
    event) vm_pack "$2" --driver overlay ;;
    explain)
      strip_apart "$BUILD/tests/vm/culprits" "$WORK/stripped" || return
      vm_pack "$2" --bin "$BUILD/tests/vm/culprits:/culprits" \
        --bin "$BUILD/tests/vm/frameless:/frameless" \
        "$WORK/stripped:/stripped" "$WORK/stripped.debug:/.debug/stripped.debug" \
        --bin /usr/bin/sort:/sort
      ;;
    *) vm_pack "$2" ;;
  esac
}

INITRD=$WORK/$2.initrd
if vm_pack_for "$1" "$2" >"$WORK/pack.log" 2>&1; then
  guest_job "$1-$2" "vm_$1" "$2"
else
  fail "$2 builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')" "$WORK/pack.log"
fi
