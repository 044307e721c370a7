# SPDX-License-Identifier: Apache-2.0
# Guests for storms, with Debian's kernels and with those that look for defects.
# Sourced by the parts storms, debug and soak, after tests/lib.sh.
# shellcheck shell=bash

# A guest that dies takes nobody with it who writes to it.
trap : PIPE

# storms_pack VERSION OUT MODULE-DIRECTORY BORROW-DIRECTORY [INITRAMFS
# ARGUMENT]...: a guest with the module, the storms, the daemon and what the
# storms load.
storms_pack() {
  local version=$1 out=$2 module=$3 borrow=$4
  shift 4
  "$ROOT/deploy/vm/initramfs" "$version" "$out" \
    "$module/page_faults.ko:/page_faults.ko" "$borrow/borrow.ko:/borrow.ko" \
    "$BUILD/tests/vm/vm_tests:/vm_tests" \
    --bin "$BUILD/exporter/page_fault_exporter:/page_fault_exporter" "$@"
}

# storms_pack_debian VERSION OUT: for one of Debian's kernels.
storms_pack_debian() {
  local module
  module=$(module_for "$1")
  "$ROOT/deploy/vm/build-module" "$1" "$WORK/borrow-$1" \
    --source "$ROOT/tests/debug/borrow" &&
    storms_pack "$1" "$2" "$module" "$WORK/borrow-$1"
}

# checker_pack KERNEL: a guest for one of tests/debug/kernel, with mistakes to
# find. Sets IMAGE and KDIR.
checker_pack() {
  local kernel
  kernel=$("$ROOT/tests/debug/kernel" "$1") || return
  eval "$kernel"
  "$ROOT/tests/debug/module" "$ROOT/kernel" "$KDIR" "$WORK/module-$1" &&
    "$ROOT/tests/debug/module" "$ROOT/tests/debug/bad" "$KDIR" "$WORK/bad-$1" &&
    "$ROOT/tests/debug/module" "$ROOT/tests/debug/borrow" "$KDIR" \
      "$WORK/borrow-$1" &&
    storms_pack 6.1 "$WORK/$1.initrd" "$WORK/module-$1" "$WORK/borrow-$1" \
      "$WORK/bad-$1/bad.ko:/bad.ko"
}

# checker_start KERNEL NAME [BOOT OPTION]...: with the memory and the patience
# that checkers need.
checker_start() {
  local kernel=$1 name=$2
  shift 2
  # KASAN sees what the allocator's own checks would, which cost as much again.
  PF_IMAGE=$IMAGE VM_BOOT_SECONDS=600 vm_start 6.1 "$WORK/$kernel.initrd" \
    "$name" --memory 2G --append "slub_debug=-" "$@"
}

# storms_disk IMAGE [DIRECTORY]: a file system with what is in the directory.
storms_disk() {
  truncate -s 512M "$1"
  mkfs.ext4 -q -F ${2:+-d "$2"} "$1"
}

# storms_daemon: a daemon in the guest, which vm_tests then holds to its word.
storms_daemon() {
  guest '/page_fault_exporter --interval 1s --log.level error
    >/tmp/daemon.log 2>&1 &'
}

# storms_suite PREFIX SECONDS DETAIL FILTER [ENVIRONMENT]: runs storms in the
# guest, one result each. STORMS_PARAMETERS are the module's besides.
storms_suite() {
  guest -t "$2" "${5:-} PF_PARAMETERS='detail=$3 ${STORMS_PARAMETERS:-}'
    /vm_tests --gtest_color=no
    --gtest_filter=$4" >"$WORK/suite.log" || true
  [ -z "${STORMS_LOGS:-}" ] || cp "$WORK/suite.log" "$STORMS_LOGS/$VM_NAME.$3.log"
  gtest_results "$1 $3 " "$WORK/suite.log"
  sed -n 's/^survived: //p' "$WORK/suite.log" | tail -1 |
    sed "s/^/   $1 $3 survived /"
}

# storms_splats CONSOLE: what should not stand there. A storm asks for OOM kills
# and for allocations that fail: the call traces of these reports are none.
storms_splats() {
  awk -v splat="$SPLAT" '
    /invoked oom-killer|allocation failure|vmalloc error|Huh VM_FAULT_OOM/ { asked = 1 }
    asked && /Call Trace/ { asked = 0; next }
    $0 ~ splat { print; n++ }
    n && n < 40 { n++; print }' "$1"
}

# storms_judge NAME: a test of what the kernel has printed.
storms_judge() {
  local splats
  splats=$(storms_splats "$VM_CONSOLE")
  if [ -n "$splats" ]; then
    fail "$1: $(printf '%s' "$splats" | head -30 | tr '\n' '|')"
  elif ! grep -aq 'reboot: Power down' "$VM_CONSOLE"; then
    fail "$1: the guest did not come to its end: $(tail -5 "$VM_CONSOLE" | tr '\n' '|')"
  else
    ok "$1"
  fi
}
