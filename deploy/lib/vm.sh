# SPDX-License-Identifier: Apache-2.0
# The VM half of deploy/run. Sourced by it.
# shellcheck shell=bash

vm_initramfs() {
  local module
  module=$(module_for "$VERSION")
  "$ROOT/deploy/vm/initramfs" "$VERSION" "$WORK/initrd" \
    "$module/page_faults.ko:/page_faults.ko" \
    --bin "$BUILD/exporter/page_fault_exporter:/bin/page_fault_exporter" \
    "$ROOT/deploy/vm/work:/work" "$ROOT/deploy/vm/start:/start"
}

# Boots the guest and stays until it ends, which it should not by itself.
run_on_vm() {
  VERSION=${VERSION:-default}
  # shellcheck disable=SC2046
  install_packages $(packages_in "$ROOT/deploy/vm/packages")
  quietly "preparing a VM with Debian's kernel $VERSION" vm_initramfs
  say "booting"
  "$ROOT/deploy/vm/boot" "$VERSION" "$WORK/initrd" "$WORK/console" \
    --forward "$PORT" --timeout 0 2>"$WORK/qemu.log" &
  CHILD=$!
  announce "$CHILD"
  wait "$CHILD" || true
  CHILD=""
  tail -20 "$WORK/console" "$WORK/qemu.log" >&2 2>/dev/null || true
  die "the VM ended by itself: its last words are above"
}
