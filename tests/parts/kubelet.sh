# SPDX-License-Identifier: Apache-2.0
# The names and sums of control groups with the module underneath: 200 pods that come
# and go, as a kubelet makes them; and a job in one group, against the kernel's own
# memory.stat. Its argument is the kernel (6.1 by default).
# shellcheck shell=bash

install_packages python3-prometheus-client
JUDGE=(/usr/bin/python3 -B "$ROOT/tests/cgroups/judge.py")
PODS=200 AT_ONCE=20 PROCESSES=30

kubelet_pack() {
  local module
  module=$(module_for "$1") &&
    "$ROOT/deploy/vm/initramfs" "$1" "$WORK/kubelet.initrd" \
      "$module/page_faults.ko:/page_faults.ko" \
      --module "$module/page_faults_trampoline.ko" \
      "$ROOT/tests/cgroups/kubelet:/kubelet" "$ROOT/tests/cgroups/job:/job" \
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
  [ "$(wc -l <"$WORK/expected")" = $PODS ] &&
    "${JUDGE[@]}" labels "$WORK/metrics" "$WORK/expected"
}

# kernel_faults: the kernel's own count. It adds up the counts of the CPUs every two
# seconds.
kernel_faults() {
  guest 'sleep 3; cat /sys/fs/cgroup/job/memory.stat' | sed -n 's/^pgfault //p'
}

faults_here() { "${JUDGE[@]}" faults "$WORK/metrics" /job; }

# job: runs the job, and writes the faults that its group had in it by the exporter and
# by the kernel to $WORK/job.
job() {
  local here kernel
  guest 'echo +memory >/sys/fs/cgroup/cgroup.subtree_control &&
    { /job /sys/fs/cgroup/job '$PROCESSES' /go >/dev/null 2>&1 & echo $! >/job.pid; }' &&
    kernel=$(kernel_faults) && scrape_next && here=$(faults_here) || return
  # shellcheck disable=SC2016
  guest -t 1800 'echo >/go; while [ -d /proc/$(cat /job.pid) ]; do sleep 1; done' || return
  kernel=$(($(kernel_faults) - kernel)) && scrape_next &&
    here=$(($(faults_here) - here)) || return
  echo "$here $kernel" >"$WORK/job"
}

same_faults() {
  local here kernel
  read -r here kernel <"$WORK/job"
  echo "$here by the exporter, $kernel by memory.stat"
  [ "$here" = "$kernel" ] && [ "$here" -ge 1000 ]
}

version=${1:-6.1}
PORT=$(free_port)
if kubelet_pack "$version" >"$WORK/kubelet.log" 2>&1; then
  if vm_start "$version" "$WORK/kubelet.initrd" kubelet --forward "$PORT"; then
    must "kubelet: the daemon starts" guest 'insmod /page_faults.ko &&
      { /page_fault_exporter --interval 200ms --birth.hold 0s --cgroups.max 1000
        </dev/null >/dev/ttyS0 2>&1 & }'
    must "kubelet: pods come and go" pods
    check "kubelet: $PODS pods have their names" names_pods
    check "kubelet: and their faults" \
      "${JUDGE[@]}" pages "$WORK/metrics" "$WORK/expected"
    check "kubelet: no fault is lost" "${JUDGE[@]}" conserved "$WORK/metrics"
    must "kubelet: a job runs in a group" job
    check "kubelet: a job of $PROCESSES processes: $(tr ' ' = <"$WORK/job"), by the exporter and by memory.stat" \
      same_faults
    vm_stop
    vm_judge "kubelet: nothing in dmesg"
  fi
else
  fail "kubelet: the guest builds" "$WORK/kubelet.log"
fi
