# SPDX-License-Identifier: Apache-2.0
# The module's tests and the storms in a kernel that checks memory, locks,
# contexts and leaks; and mistakes made on purpose, which it must find.
# Its arguments are a hook (auto by default), and one of its guests: control, suite
# or reload (all by default).
# shellcheck shell=bash
# shellcheck source=tests/debug/lib.sh
. "$ROOT/tests/debug/lib.sh"
HOOK=${1:-auto}
VM_SILENCE=3600 # a kernel that checks is many times slower

MISTAKES=(sleep overrun overrun_vmalloc early_free double_free lock_order rcu
  list)
KMEMLEAK=/sys/kernel/debug/kmemleak

# Prints what is unreferenced now. It scans twice, because a scan can miss a
# pointer that is just being moved.
leaks() {
  guest "echo scan >$KMEMLEAK; sleep 6; echo scan >$KMEMLEAK;
    cat $KMEMLEAK"
}

no_leaks() {
  leaks >"$WORK/leaks" || return
  ! grep . "$WORK/leaks"
}

# Forgets the leaks so far: the boot has some of its own.
forget_leaks() { must "kmemleak is there" guest "echo scan >$KMEMLEAK; echo clear >$KMEMLEAK"; }

debug_suite() {
  local STORMS_PARAMETERS="hook=$HOOK retain_ms=1200000"
  vm_disk "$WORK/disk"
  checker_start debug debug --disk "$WORK/disk" --timeout 14400 || return 0
  forget_leaks
  storms_suite debug '-Reload*:Hook*:Event*:StormReload*'
  check "debug kmemleak is clean after the suite" no_leaks
  vm_stop
  storms_judge "debug nothing in dmesg"
}

# The table is small, because each load takes seconds here. LeavesNothingBehind
# is left out: it compares the kernel's memory, and KASAN keeps freed memory for
# a while. kmemleak looks for leaks instead.
debug_reload() {
  local STORMS_PARAMETERS="hook=$HOOK max_processes=1024 maxactive=256"
  vm_disk "$WORK/disk"
  checker_start debug debug-reload --disk "$WORK/disk" --reload --timeout 14400 ||
    return 0
  forget_leaks
  storms_suite debug 'Reload*:Hook*:Event*:StormReload*:-*LeavesNothingBehind'
  check "debug kmemleak is clean after 200 unloads" no_leaks
  vm_stop
  storms_judge "debug nothing in dmesg after reloads"
}

# debug_control MISTAKE: the mistake must end the guest, or be in its log.
debug_control() {
  checker_start debug "bad-$1" || return 0
  # Other processes fault meanwhile, so that a handler runs.
  guest -t 300 "insmod /bad.ko mistake=$1 &
    for i in 1 2 3 4 5 6 7 8 9; do sleep 0.2; done; wait" >/dev/null || true
  vm_stop
  if [ -n "$(storms_splats "$VM_CONSOLE")" ]; then
    ok "debug control: $1 is found ($(storms_splats "$VM_CONSOLE" | head -1 |
      sed 's/^\[[^]]*\] //; s/\r//' | cut -c1-70))"
  else
    fail "debug control: $1 went unnoticed: $VM_END; the last lines: \
$(vm_last_lines)" "$VM_CONSOLE"
  fi
}

leaks_are_found() {
  leaks >"$WORK/leaks" || return
  grep -q 'bad' "$WORK/leaks" || { cat "$WORK/leaks" && return 1; }
}

debug_control_leak() {
  checker_start debug bad-leak || return 0
  forget_leaks
  must "debug control: bad.ko loads" \
    guest 'insmod /bad.ko mistake=none && rmmod bad'
  check "debug control: no leak without a mistake" no_leaks
  must "debug control: bad.ko leaks" guest 'insmod /bad.ko mistake=leak'
  check "debug control: leak is found" leaks_are_found
  vm_stop
}

if checker_pack debug >"$WORK/pack.log" 2>&1; then
  if checker_wants control "${2:-}"; then
    for mistake in "${MISTAKES[@]}"; do
      guest_job "$mistake" debug_control "$mistake"
    done
    guest_job leak debug_control_leak
  fi
  ! checker_wants suite "${2:-}" || guest_job suite debug_suite
  ! checker_wants reload "${2:-}" || guest_job reload debug_reload
else
  fail "debug builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')" "$WORK/pack.log"
fi
