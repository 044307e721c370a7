# SPDX-License-Identifier: Apache-2.0
# The dashboards and alerts against a live Prometheus with the shipped scrape
# configuration and rules and the daemon in a guest: calm, then a storm, then calm
# again. Hours pass in minutes: every duration of the rules is divided by FACTOR.
# shellcheck shell=bash

install_packages prometheus python3 python3-yaml
FACTOR=40
ALERT=PageFaultRateSpike
CGROUP_ALERT=PageFaultCgroupRateSpike
PROVE=(/usr/bin/python3 -B "$ROOT/tests/dashboards/prove.py")

panels_pack() {
  local module
  module=$(module_for "$1") &&
    "$ROOT/deploy/vm/initramfs" "$1" "$WORK/panels.initrd" \
      "$module/page_faults.ko:/page_faults.ko" \
      --module "$module/page_faults_trampoline.ko" \
      "$ROOT/tests/dashboards/workload:/workload" \
      --bin "$BUILD/exporter/page_fault_exporter:/page_fault_exporter" &&
    vm_disk "$WORK/panels.disk"
}

# panels_guest VERSION PORT: the guest with its workload and the daemon.
panels_guest() {
  local daemon="/page_fault_exporter --interval 500ms --containers --group.by comm"
  daemon+=" --birth.hold $((60000 / FACTOR))ms"
  vm_start "$1" "$WORK/panels.initrd" "panels-$1" --disk "$WORK/panels.disk" \
    --forward "$2" || return 1
  must "panels: the workload starts" \
    guest 'insmod /page_faults.ko && /workload </dev/null >/dev/null 2>&1'
  must "panels: the daemon starts" guest "$daemon </dev/null >/dev/ttyS0 2>&1 &"
}

# panels_prometheus PORT TARGET: a Prometheus with the shipped configuration and
# rules, faster.
panels_prometheus() {
  local shipped=$ROOT/deploy/prometheus/prometheus.yml
  mkdir -p "$WORK/prometheus/targets"
  sed 's/^  scrape_interval: .*/  scrape_interval: 1s\n  evaluation_interval: 1s/' \
    "$shipped" >"$WORK/prometheus/prometheus.yml"
  printf -- '- targets: ["127.0.0.1:%s"]\n' "$2" \
    >"$WORK/prometheus/targets/guest.yml"
  /usr/bin/python3 -B "$ROOT/tests/dashboards/scale.py" "$FACTOR" \
    "$ROOT/dashboards/rules" "$WORK/prometheus/rules"
  setpriv --pdeathsig KILL timeout 900 prometheus \
    --config.file "$WORK/prometheus/prometheus.yml" \
    --storage.tsdb.path "$WORK/prometheus/data" \
    --web.listen-address "127.0.0.1:$1" --log.level warn \
    >"$WORK/prometheus.log" 2>&1 &
  PROMETHEUS_PID=$!
}

# The alert compares a storm with the time up to one hour before it. An hour is
# 90 s here, so after 130 s there are 40 s to compare with.
panels_prove() {
  local prometheus=http://127.0.0.1:$1 started=$SECONDS alert
  sleep 130
  check "panels: no alert while calm" \
    "${PROVE[@]}" wait "$prometheus" "$ALERT" inactive 5
  check "panels: every metric of the catalogue is served" \
    "${PROVE[@]}" served "$prometheus"
  must "panels: the storm starts" guest 'touch /run/storm'
  check "panels: the spike is pending" \
    "${PROVE[@]}" wait "$prometheus" "$ALERT" pending 40
  for alert in "$ALERT" "$CGROUP_ALERT"; do
    check "panels: $alert fires" \
      "${PROVE[@]}" wait "$prometheus" "$alert" firing 60
  done
  "${PROVE[@]}" panels "$prometheus" "$ROOT/dashboards" $((SECONDS - started)) |
    sed 's/^\(ok\|FAIL\) /\1 panels: /' | tee -a "$RESULTS"
  check "panels: the variable pod chooses a pod's processes and control groups" \
    "${PROVE[@]}" pod "$prometheus" "$ROOT/dashboards" $((SECONDS - started)) shop web-0
  must "panels: the storm ends" guest 'rm /run/storm'
  for alert in "$ALERT" "$CGROUP_ALERT"; do
    check "panels: $alert resolves" \
      "${PROVE[@]}" wait "$prometheus" "$alert" inactive 90
  done
  sleep 3
  check "panels: pending, firing, resolved for the program" \
    "${PROVE[@]}" alerts "$prometheus" "$ALERT" comm=dd $((SECONDS - started))
  check "panels: pending, firing, resolved for its pod" \
    "${PROVE[@]}" alerts "$prometheus" "$CGROUP_ALERT" pod=web-0 $((SECONDS - started))
  check "panels: no false alert" \
    "${PROVE[@]}" others "$prometheus" comm=dd pod=web-0 $((SECONDS - started))
  check "panels: the rules run without an error" "${PROVE[@]}" rules "$prometheus"
}

version=${KERNELS[0]}
if panels_pack "$version" >"$WORK/panels.log" 2>&1; then
  exporter_port=$(free_port)
  prometheus_port=$(free_port)
  if panels_guest "$version" "$exporter_port"; then
    panels_prometheus "$prometheus_port" "$exporter_port"
    panels_prove "$prometheus_port"
    kill "$PROMETHEUS_PID"
    wait "$PROMETHEUS_PID" 2>/dev/null || true
    vm_stop
    vm_judge "panels: nothing in dmesg"
  fi
else
  fail "panels: the guest builds" "$WORK/panels.log"
fi
