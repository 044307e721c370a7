# SPDX-License-Identifier: Apache-2.0
# The module's tests and the storms in a kernel that checks memory, locks,
# contexts and leaks; and mistakes made on purpose, which it must find.
# PF_DETAILS: "full totals" by default.
# shellcheck shell=bash
# shellcheck source=tests/debug/lib.sh
. "$ROOT/tests/debug/lib.sh"

MISTAKES=(sleep overrun overrun_vmalloc early_free double_free lock_order rcu
  list)
KMEMLEAK=/sys/kernel/debug/kmemleak

debug_pack() {
  local kernel
  kernel=$("$ROOT/tests/debug/kernel" debug) || return
  eval "$kernel"
  "$ROOT/tests/debug/module" "$ROOT/kernel" "$KDIR" "$WORK/module-debug" &&
    "$ROOT/tests/debug/module" "$ROOT/tests/debug/bad" "$KDIR" "$WORK/bad" &&
    storms_pack 6.1 "$WORK/debug.initrd" "$WORK/module-debug" "$KDIR" \
      "$WORK/bad/bad.ko:/bad.ko"
}

# debug_start NAME [BOOT OPTION]...: with the memory that the checkers need.
debug_start() {
  local name=$1
  shift
  PF_IMAGE=$IMAGE vm_start 6.1 "$WORK/debug.initrd" "$name" --memory 2G "$@"
}

# What is unreferenced now: twice, since a pointer may be on its way.
leaks() {
  guest -t 300 "echo scan >$KMEMLEAK; sleep 6; echo scan >$KMEMLEAK;
    cat $KMEMLEAK"
}

no_leaks() {
  leaks >"$WORK/leaks"
  ! grep . "$WORK/leaks"
}

# Boot has leaks of its own.
forget_leaks() { guest -t 300 "echo scan >$KMEMLEAK; echo clear >$KMEMLEAK"; }

debug_suite() {
  local detail
  storms_disk "$WORK/disk"
  debug_start debug --disk "$WORK/disk" --timeout 7200 || return 0
  forget_leaks
  for detail in ${PF_DETAILS:-full totals}; do
    case $detail in
      full) storms_suite debug 1800 full '-Reload*:StormReload*' ;;
      totals) storms_suite debug 1800 totals '-Load*:Reload*:StormReload*' ;;
    esac
  done
  check "debug kmemleak is clean after the suite" no_leaks
  vm_stop
  storms_judge "debug nothing in dmesg"
}

# LeavesNothingBehind compares the kernel's memory, in which KASAN keeps what
# was freed for a while; kmemleak is asked instead.
debug_reload() {
  local detail
  storms_disk "$WORK/disk"
  debug_start debug-reload --disk "$WORK/disk" --reload --timeout 7200 || return 0
  forget_leaks
  for detail in ${PF_DETAILS:-full totals}; do
    storms_suite debug 2400 "$detail" \
      'Reload*:StormReload*:-*LeavesNothingBehind'
  done
  check "debug kmemleak is clean after 200 unloads" no_leaks
  vm_stop
  storms_judge "debug nothing in dmesg after reloads"
}

# debug_control MISTAKE: it must end the guest, or stand in its log.
debug_control() {
  debug_start "bad-$1" --timeout 300 || return 0
  # Others fault meanwhile.
  guest -t 60 "insmod /bad.ko mistake=$1 &
    for i in 1 2 3 4 5 6 7 8 9; do sleep 0.2; done; wait" >/dev/null || true
  vm_stop
  if [ -n "$(storms_splats "$VM_CONSOLE")" ]; then
    ok "debug control: $1 is found ($(storms_splats "$VM_CONSOLE" | head -1 |
      sed 's/^\[[^]]*\] //; s/\r//' | cut -c1-70))"
  else
    fail "debug control: $1 went unnoticed: $(tail -5 "$VM_CONSOLE" | tr '\n' '|')"
  fi
}

leaks_are_found() {
  leaks >"$WORK/leaks"
  grep -q 'bad' "$WORK/leaks" || { cat "$WORK/leaks" && return 1; }
}

debug_control_leak() {
  debug_start bad-leak --timeout 300 || return 0
  forget_leaks
  guest 'insmod /bad.ko mistake=none && rmmod bad'
  check "debug control: no leak without a mistake" no_leaks
  guest 'insmod /bad.ko mistake=leak'
  check "debug control: leak is found" leaks_are_found
  vm_stop
}

if debug_pack >"$WORK/pack.log" 2>&1; then
  for mistake in "${MISTAKES[@]}"; do debug_control "$mistake"; done
  debug_control_leak
  debug_suite
  debug_reload
else
  fail "debug builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')"
fi
