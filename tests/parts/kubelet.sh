# SPDX-License-Identifier: Apache-2.0
# The names and sums of control groups with the module underneath: 200 pods that come
# and go, as a kubelet makes them; and a job in one group, against the kernel's own
# memory.stat. Its argument is a kernel.
# shellcheck shell=bash

install_packages python3-prometheus-client
JUDGE=(/usr/bin/python3 -B "$ROOT/tests/cgroups/judge.py")
PODS=200 AT_ONCE=20
# The processes of the job, and how many pages each reads from a disk.
PROCESSES=30 PAGES=16

kubelet_pack() {
  local module
  module=$(module_for "$1") &&
    "$ROOT/deploy/vm/initramfs" "$1" "$INITRD" \
      "$module/page_faults.ko:/page_faults.ko" \
      --module "$module/page_faults_trampoline.ko" \
      "$ROOT/tests/cgroups/kubelet:/kubelet" "$ROOT/tests/cgroups/job:/job" \
      "$BUILD/tests/cgroups/touch_pages:/touch_pages" \
      --bin "$BUILD/exporter/page_fault_exporter:/page_fault_exporter"
}

# scrape: what the daemon serves now.
scrape() {
  curl -sS --fail --max-time 60 "http://127.0.0.1:$PORT/metrics" >"$WORK/metrics"
}

ticks() { sed -n 's/^page_fault_exporter_ticks_total //p' "$WORK/metrics"; }

# scrape_next: what it serves after a whole tick more.
scrape_next() {
  local since
  scrape && since=$(ticks) || return
  while [ "$(ticks)" -lt $((since + 2)) ]; do
    sleep 0.1
    scrape || return
  done
}

# What a process did before the daemon's first tick is not counted, so that comes first.
pods() {
  local first
  until scrape && [ "$(ticks)" -gt 0 ]; do sleep 0.2; done
  : >"$WORK/expected"
  for ((first = 1; first <= PODS; first += AT_ONCE)); do
    guest "/kubelet start $first $((first + AT_ONCE - 1))" >>"$WORK/expected" &&
      scrape_next && # the daemon sees the groups before they go
      guest "/kubelet remove $first $((first + AT_ONCE - 1))" || return
  done
  scrape_next
}

names_pods() {
  "${JUDGE[@]}" labels "$WORK/metrics" "$WORK/expected" >"$WORK/named" &&
    [ "$(wc -l <"$WORK/expected")" = $PODS ] || { cat "$WORK/named" && return 1; }
}

# kernel_faults: the kernel's own count of faults, and of major ones. It adds up the
# counts of the CPUs every two seconds.
kernel_faults() {
  guest 'sleep 3; cat /sys/fs/cgroup/job/memory.stat' |
    awk '{ of[$1] = $2 } END { print of["pgfault"], of["pgmajfault"] }'
}

faults_here() { "${JUDGE[@]}" faults "$WORK/metrics" /job; }

# calls_of COLUMN...: the sum of these columns of the table over the job's processes.
calls_of() {
  guest 'stat -c %i /sys/fs/cgroup/job && cat /sys/kernel/debug/page_faults/processes' |
    awk -F '\t' -v columns="$*" '
      NR == 1 { id = $1; n = split(columns, column, " ") }
      $1 == "pid" { for (i = 1; i <= NF; i++) at[$i] = i }
      NR > 3 && $at["cgroup"] == id { for (i = 1; i <= n; i++) sum += $at[column[i]] }
      END { print sum + 0 }'
}

# job: runs the job. Writes to $WORK/job the faults and the major faults that its group
# had in it by the exporter, those by the kernel, and how many calls were to be retried
# and how many were errors.
job() {
  local before after
  guest 'echo +memory >/sys/fs/cgroup/cgroup.subtree_control &&
    echo 3600000 >/sys/module/page_faults/parameters/retain_ms &&
    { /job /sys/fs/cgroup/job '"$PROCESSES /disk/file $PAGES"' /go >/dev/null 2>&1 &
      echo $! >/job.pid; }' &&
    before=$(kernel_faults) && scrape_next && before="$(faults_here) $before" || return
  # shellcheck disable=SC2016
  guest -t 1800 'echo >/go; while [ -d /proc/$(cat /job.pid) ]; do sleep 1; done' &&
    after=$(kernel_faults) && scrape_next && after="$(faults_here) $after" || return
  echo "$after $before $(calls_of retried) $(calls_of sigbus sigsegv oom hwpoison)" |
    awk '{ print $1 - $5, $2 - $6, $3 - $7, $4 - $8, $9, $10 }' >"$WORK/job"
}

# same_faults: the kernel counts what the exporter counts, errors, and before Linux 6.4
# each call that is retried.
same_faults() {
  local here major kernel kernel_major retried errors twice=0
  read -r here major kernel kernel_major retried errors <"$WORK/job"
  [ "$version" != 6.1 ] || twice=$retried
  echo "   by the exporter $here faults, $major major, $retried retries, errors: $errors;" \
    "by memory.stat $kernel and $kernel_major"
  [ "$kernel" = $((here + errors + twice)) ] && [ "$here" -ge 1000 ] &&
    [ "$errors" = 1 ] && [ "$kernel_major" = "$major" ] &&
    [ "$major" = $((PROCESSES * PAGES)) ]
}

# kubelet_version VERSION
kubelet_version() {
  local version=$1
  mkdir -p "$WORK/disk.d"
  head -c $((PROCESSES * PAGES * 4096)) /dev/urandom >"$WORK/disk.d/file"
  vm_disk "$WORK/disk" "$WORK/disk.d"
  vm_start "$version" "$INITRD" "kubelet-$version" --forward "$PORT" \
    --disk "$WORK/disk" || return 0
  must "kubelet $version: the daemon starts" guest 'insmod /page_faults.ko &&
    { /page_fault_exporter --interval 200ms --birth.hold 0s --cgroups.max 1000
      </dev/null >/dev/ttyS0 2>&1 & }'
  must "kubelet $version: pods come and go" pods
  check "kubelet $version: $PODS pods have their names" names_pods
  grep '^|' "$WORK/named"
  check "kubelet $version: and their faults" \
    "${JUDGE[@]}" pages "$WORK/metrics" "$WORK/expected"
  check "kubelet $version: no fault is lost" "${JUDGE[@]}" conserved "$WORK/metrics"
  must "kubelet $version: a job runs in a group" job
  check "kubelet $version: memory.stat counts the job's faults, major ones, and errors" \
    same_faults
  same_faults
  vm_stop
  vm_judge "kubelet $version: nothing in dmesg"
}

PORT=$(free_port)
INITRD=$WORK/kubelet.initrd
for version in ${1:-"${KERNELS[@]}"}; do
  if kubelet_pack "$version" >"$WORK/kubelet.log" 2>&1; then
    kubelet_version "$version"
  else
    fail "kubelet $version: the guest builds" "$WORK/kubelet.log"
  fi
done
