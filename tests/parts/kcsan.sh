# SPDX-License-Identifier: Apache-2.0
# The module's tests and the storms in a kernel that looks for data races; and
# races made on purpose, which it must find. Its arguments are a hook (auto by
# default), and one of its guests: control, suite or reload (all by default).
# shellcheck shell=bash
# shellcheck source=tests/debug/lib.sh
. "$ROOT/tests/debug/lib.sh"
HOOK=${1:-auto}
VM_SILENCE=3600 # a kernel that watches is many times slower

# A report that has one of these modules in a stack is about our code.
KCSAN_OURS='\[(page_faults|page_faults_trampoline|bad|borrow)\]'

KCSAN_WATCH="kcsan.early_enable=0 kcsan.skip_watch=5000 \
kcsan.udelay_task=3000 kcsan.udelay_interrupt=2000"

# kcsan_reports CONSOLE [ours]: prints the reports of data races, each on one
# line: all of them, or only those about our code. A stack ends where an
# interrupt began, because the interrupted code is not part of the race.
kcsan_reports() {
  awk -v ours="${2:+$KCSAN_OURS}" '
    { gsub(/\r/, ""); sub(/^\[[^]]*\] /, "") }
    /^BUG: KCSAN/ { report = $0; open = 1; interrupted = 0; next }
    open && /^======/ { if (report ~ ours) print report; open = 0; next }
    / by (task|interrupt)/ { interrupted = 0 }
    interrupted { next }
    / asm_[a-z]/ { interrupted = 1 }
    open && NF { report = report " | " $0 }' "$1"
}

# kcsan_rest CONSOLE: the console without these reports.
kcsan_rest() {
  awk '/BUG: KCSAN/ { open = 1 }
    !open
    open && /======/ { open = 0 }' "$1"
}

# kcsan_start NAME [BOOT OPTION]...: boots a guest that goes on after a warning,
# because the kernel has races of its own. Its log is judged at the end. A
# watchpoint lasts as long as a time slice of the host, because the host seldom
# runs both CPUs of the guest at the same time.
kcsan_start() {
  local name=$1
  shift
  checker_start kcsan "$name" --append "$KCSAN_WATCH" "$@" || return
  must "kcsan watches" guest 'echo 0 >/proc/sys/kernel/panic_on_warn;
    echo on >/sys/kernel/debug/kcsan'
}

# Prints how much KCSAN has watched.
kcsan_told() {
  guest cat /sys/kernel/debug/kcsan >"$WORK/kcsan.stats" || true
  printf '   %s: %s watchpoints, %s races reported, %s of them the module'"'"'s\n' \
    "$VM_NAME" "$(sed -n 's/^setup_watchpoints: //p' "$WORK/kcsan.stats")" \
    "$(kcsan_reports "$VM_CONSOLE" | wc -l)" \
    "$(kcsan_reports "$VM_CONSOLE" ours | wc -l)"
}

# kcsan_judge NAME
kcsan_judge() {
  kcsan_reports "$VM_CONSOLE" ours >"$WORK/races"
  if [ -s "$WORK/races" ]; then
    fail "$1, no race: $(wc -l <"$WORK/races"): $(cut -c1-600 "$WORK/races" |
      head -3 | tr '\n' ' ')" "$VM_CONSOLE"
  else
    ok "$1, no race"
  fi
  kcsan_rest "$VM_CONSOLE" >"$WORK/rest"
  VM_CONSOLE=$WORK/rest storms_judge "$1, nothing else in dmesg"
}

# Whether the compiler has instrumented the module.
kcsan_instruments() {
  nm "$WORK/module-kcsan/page_faults.ko" | grep -c ' U __tsan_' >"$WORK/tsan" &&
    [ "$(cat "$WORK/tsan")" -ge 8 ]
}

# kcsan_control MISTAKE: a race that must be reported.
kcsan_control() {
  kcsan_start "bad-$1" || return 0
  guest "insmod /bad.ko mistake=$1 & i=0; while [ \$i -lt 100 ]; do
    /bin/true; i=\$((i + 1)); done; wait" >/dev/null || true
  kcsan_told
  vm_stop
  if kcsan_reports "$VM_CONSOLE" ours | grep -q "bad_$1"; then
    ok "kcsan control: $1 is found ($(kcsan_reports "$VM_CONSOLE" ours |
      head -1 | cut -c1-70))"
  else
    fail "kcsan control: $1 went unnoticed" "$VM_CONSOLE"
  fi
}

kcsan_suite() {
  local STORMS_PARAMETERS="hook=$HOOK retain_ms=1200000"
  vm_disk "$WORK/disk"
  kcsan_start kcsan --disk "$WORK/disk" --timeout 14400 || return 0
  storms_suite kcsan '-Reload*:Hook*:Event*:StormReload*'
  kcsan_told
  vm_stop
  kcsan_judge "kcsan suite"
}

kcsan_reload() {
  local STORMS_PARAMETERS="hook=$HOOK max_processes=1024 maxactive=256"
  vm_disk "$WORK/disk"
  kcsan_start kcsan-reload --disk "$WORK/disk" --reload --timeout 14400 || return 0
  storms_suite kcsan 'Reload*:Hook*:Event*:StormReload*'
  kcsan_told
  vm_stop
  kcsan_judge "kcsan reloads"
}

if checker_pack kcsan >"$WORK/pack.log" 2>&1; then
  check "kcsan: the module is instrumented" kcsan_instruments
  if checker_wants control "${2:-}"; then
    guest_job race kcsan_control race
    guest_job race_in_handler kcsan_control race_in_handler
  fi
  ! checker_wants suite "${2:-}" || guest_job suite kcsan_suite
  ! checker_wants reload "${2:-}" || guest_job reload kcsan_reload
else
  fail "kcsan builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')" "$WORK/pack.log"
fi
