# SPDX-License-Identifier: Apache-2.0
# Guests for the storms, with Debian's kernels and with kernels that look for
# defects. The parts storms, debug, kcsan and soak source it after tests/lib.sh.
# shellcheck shell=bash

# storms_pack VERSION OUT MODULE-DIRECTORY BORROW-DIRECTORY [INITRAMFS
# ARGUMENT]...: packs a guest with the module, the storms, the daemon and the
# module borrow.
storms_pack() {
  local version=$1 out=$2 module=$3 borrow=$4
  shift 4
  "$ROOT/deploy/vm/initramfs" "$version" "$out" \
    "$module/page_faults.ko:/page_faults.ko" \
    --module "$module/page_faults_trampoline.ko" \
    "$borrow/borrow.ko:/borrow.ko" \
    "$BUILD/tests/vm/vm_tests:/vm_tests" \
    --bin "$BUILD/exporter/page_fault_exporter:/page_fault_exporter" "$@"
}

# storms_pack_debian VERSION OUT: packs it for one of Debian's kernels.
storms_pack_debian() {
  local module
  module=$(module_for "$1") &&
    "$ROOT/deploy/vm/build-module" "$1" "$WORK/borrow-$1" \
      --source "$ROOT/tests/debug/borrow" &&
    storms_pack "$1" "$2" "$module" "$WORK/borrow-$1"
}

# checker_wants GUEST ONE: whether a part that checks runs this guest. ONE is the
# only one that is wanted, or empty.
checker_wants() { [ -z "$2" ] || [ "$1" = "$2" ]; }

# checker_pack KERNEL: packs it for a kernel of tests/debug/kernel, with the module
# of mistakes besides. Sets IMAGE, KDIR and INITRD.
checker_pack() {
  local kernel
  INITRD=$WORK/$1.initrd
  kernel=$("$ROOT/tests/debug/kernel" "$1") || return
  eval "$kernel"
  "$ROOT/tests/debug/module" "$ROOT/kernel" "$KDIR" "$WORK/module-$1" &&
    "$ROOT/tests/debug/module" "$ROOT/tests/debug/bad" "$KDIR" "$WORK/bad-$1" &&
    "$ROOT/tests/debug/module" "$ROOT/tests/debug/borrow" "$KDIR" \
      "$WORK/borrow-$1" &&
    "$ROOT/tests/debug/module" "$ROOT/tests/vm/ftrace_holder" "$KDIR" \
      "$WORK/holder-$1" &&
    storms_pack 6.1 "$INITRD" "$WORK/module-$1" "$WORK/borrow-$1" \
      "$WORK/bad-$1/bad.ko:/bad.ko" \
      "$WORK/holder-$1/ftrace_holder.ko:/ftrace_holder.ko"
}

# checker_start KERNEL NAME [BOOT OPTION]...: boots it, with more memory and time,
# because the checks need both.
checker_start() {
  local kernel=$1 name=$2
  shift 2
  # Without the allocator's own checks: KASAN finds the same, and they are slow.
  PF_IMAGE=$IMAGE vm_start 6.1 "$INITRD" \
    "$name" --memory 2G --append "slub_debug=-" "$@"
}

# storms_daemon: starts a daemon in the guest, which vm_tests then checks.
storms_daemon() {
  must "the daemon starts" guest '/page_fault_exporter --interval 1s --log.level error
    >/tmp/daemon.log 2>&1 &'
}

# storms_suite PREFIX FILTER [ENVIRONMENT]: runs storms in the guest; each is one
# result. STORMS_PARAMETERS are parameters for the module.
storms_suite() {
  vm_gtest "$1" storms "${STORMS_SILENCE:-$VM_SILENCE}" \
    "${3:-} PF_PARAMETERS='${STORMS_PARAMETERS:-}'
    /vm_tests --gtest_color=no --gtest_filter=$2"
  sed -n 's/^survived: //p' "$WORK/storms.log" | tail -1 |
    sed "s/^/   $1 survived /"
}

# storms_splats CONSOLE: the lines that must not be in a kernel's log. The call
# traces of OOM kills and failed allocations are left out, because storms cause
# these on purpose.
storms_splats() {
  awk -v splat="$SPLAT" '
    /invoked oom-killer|allocation failure|vmalloc error|Huh VM_FAULT_OOM/ { asked = 1 }
    asked && /Call Trace/ { asked = 0; next }
    $0 ~ splat { print; n++ }
    n && n < 40 { n++; print }' "$1"
}

# storms_judge NAME: a test of how the guest ended and what its kernel printed.
storms_judge() { vm_judge "$1" storms_splats; }
