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
  guest -t 240 "PF_PARAMETERS=detail=$2 /vm_tests --gtest_color=no ${3:-}" \
    >"$WORK/suite.log" || true
  gtest_results "$1 $2 " "$WORK/suite.log"
}

vm_module() {
  vm_disk "$WORK/disk"
  vm_start "$1" "$WORK/$1.initrd" "vm-$1" --disk "$WORK/disk" --timeout 900 ||
    return 0
  vm_suite "$1" full '--gtest_filter=-Reload*'
  vm_suite "$1" totals '--gtest_filter=-Load*:Reload*'
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

for version in "${KERNELS[@]}"; do
  if vm_pack "$version" >"$WORK/pack.log" 2>&1; then
    vm_module "$version"
    vm_reload "$version"
  else
    fail "$version builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')"
  fi
done
