# SPDX-License-Identifier: Apache-2.0
# Tests the test harness. If a guest ends too early, the failure names the cause
# and the last lines, and the console is kept. A guest whose QEMU was killed is
# started once more.
# shellcheck shell=bash

# start NAME [BOOT OPTION]...
start() {
  local name=$1
  shift
  vm_start 6.1 "$INITRD" "$name" "$@" || exit 0
}

guest_is_killed() {
  start killed
  if [ ! -e "$HARNESS/killed-once" ]; then
    : >"$HARNESS/killed-once"
    kill -KILL "$(pgrep --newest --full "$WORK/killed.console")"
  fi
  check "killed: a step after it" guest true
  vm_stop
  vm_judge "killed: nothing in dmesg"
}

guest_panics() {
  start panics
  check "panics: a step" guest 'echo "last words" >/dev/kmsg; echo c >/proc/sysrq-trigger'
  check "panics: a step after it" guest true
}

guest_faults_three_times() {
  start faults
  check "faults: a step" guest insmod /triple_fault.ko
}

guest_resets() {
  start resets
  check "resets: a step" guest 'echo b >/proc/sysrq-trigger'
}

guest_is_silent() {
  start silent
  check "silent: a step" guest -t 5 'sleep 1000'
  check "silent: a step after it" guest true
}

guest_takes_too_long() {
  start late --timeout 20
  check "late: a step" guest 'sleep 1000'
}

guest_dies_in_gtest() {
  start gtest
  vm_gtest "gtest" tests 600 \
    'echo "[ RUN      ] Suite.Test"; echo c >/proc/sysrq-trigger'
  ok "gtest: not reached"
}

# ends FUNCTION PATTERN: the guest of FUNCTION gives one failure, with that
# reason, and the file that the FAIL line names exists.
ends() {
  local inner=$WORK/$1-results file
  (
    RESULTS=$inner
    : >"$RESULTS"
    guest_job "$1" "guest_$1"
  ) >"$WORK/$1-output" 2>&1
  cat "$inner" "$WORK/$1-output"
  [ "$(grep -c . "$inner")" = 1 ] && grep -E "^FAIL .*$2" "$inner" || return
  file=$(sed -n 's/.*(see \(.*\))$/\1/p' "$inner")
  [ -s "$ROOT/$file" ]
}

# is_started_again: a test whose QEMU was killed once passes. The restart is
# reported, and both consoles are kept.
is_started_again() {
  (
    RESULTS=$WORK/killed-results
    : >"$RESULTS"
    guest_job is_killed guest_is_killed
  ) >"$WORK/killed-output" 2>&1
  cat "$WORK/killed-results" "$WORK/killed-output"
  [ "$(grep -c '^ok ' "$WORK/killed-results")" = 2 ] &&
    ! grep -q '^FAIL ' "$WORK/killed-results" &&
    grep -q 'QEMU died by SIGKILL; the guest is started once more' \
      "$WORK/killed-output" &&
    [ -e "$WORK/first-is_killed/killed.console" ] &&
    [ -s "$WORK/is_killed/killed.console" ] && rm "$WORK/keep"
}

# If QEMU is killed twice, the test fails.
is_not_started_for_ever() {
  mkdir "$HARNESS/twice"
  (
    HARNESS=$HARNESS/twice RESULTS=$WORK/twice-results
    : >"$RESULTS"
    guest_job twice guest_is_always_killed
  ) >"$WORK/twice-output" 2>&1
  cat "$WORK/twice-results" "$WORK/twice-output"
  grep -E '^FAIL .*QEMU died by SIGKILL' "$WORK/twice-results" && rm "$WORK/keep"
}

guest_is_always_killed() {
  rm -f "$HARNESS/killed-once"
  guest_is_killed
}

HARNESS=$WORK
INITRD=$WORK/initrd
if {
  kernel=$("$ROOT/deploy/vm/kernel" 6.1) &&
    eval "$(grep '^KDIR=' <<<"$kernel")" &&
    "$ROOT/tests/debug/module" "$ROOT/tests/vm/triple_fault" "$KDIR" \
      "$WORK/triple_fault" &&
    "$ROOT/deploy/vm/initramfs" 6.1 "$INITRD" \
      "$WORK/triple_fault/triple_fault.ko:/triple_fault.ko"
} >"$WORK/pack.log" 2>&1; then
  check "harness: a guest whose QEMU was killed is started once more" \
    is_started_again
  check "harness: but not twice" is_not_started_for_ever
  check "harness: a panic is reported" ends panics \
    'panics: a step: the guest is lost: its kernel panicked: .*last words|sysrq'
  check "harness: a triple fault is reported" ends faults_three_times \
    'the guest is lost: a triple fault'
  check "harness: a reset is reported" ends resets 'it reset without a word'
  check "harness: silence is reported" ends is_silent 'it said nothing for 5 s'
  check "harness: QEMU's time limit is reported" ends takes_too_long \
    "QEMU's time limit was reached"
  check "harness: the test that a guest died in is reported" ends dies_in_gtest \
    'gtest Suite.Test: the guest is lost: its kernel panicked'
else
  fail "harness: the guest builds" "$WORK/pack.log"
fi
