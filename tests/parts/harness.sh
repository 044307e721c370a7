# SPDX-License-Identifier: Apache-2.0
# The tests' own word: a guest that ends too early is told by its cause, with its
# last lines and its console kept; one whose QEMU was killed is started once more.
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

# ends FUNCTION PATTERN: the guest of FUNCTION fails once, for that reason, and
# the file that its FAIL line names is there.
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

# is_started_again: one passes whose QEMU was killed, and it is said, with both
# consoles kept.
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

# The same twice is a failure.
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
  check "harness: a panic is told" ends panics \
    'panics: a step: the guest is lost: its kernel panicked: .*last words|sysrq'
  check "harness: a triple fault is told" ends faults_three_times \
    'the guest is lost: a triple fault'
  check "harness: a reset is told" ends resets 'it reset without a word'
  check "harness: silence is told" ends is_silent 'it said nothing for 5 s'
  check "harness: QEMU's time limit is told" ends takes_too_long \
    "QEMU's time limit was reached"
  check "harness: the test that a guest died in is told" ends dies_in_gtest \
    'gtest Suite.Test: the guest is lost: its kernel panicked'
else
  fail "harness: the guest builds" "$WORK/pack.log"
fi
