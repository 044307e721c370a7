# SPDX-License-Identifier: Apache-2.0
# Results, and a guest to test in. Sourced by tests/run and its parts, which
# inherit: ROOT, CACHE and what deploy/vm/lib.sh defines; WORK, a directory of
# this run; BUILD, the built tree; RESULTS, a file of `ok` and `FAIL` lines.
# shellcheck shell=bash

ok() { printf 'ok %s\n' "$*" | tee -a "$RESULTS"; }
fail() { printf 'FAIL %s\n' "$*" | tee -a "$RESULTS"; }

# check NAME COMMAND...: a test that is a command; why it failed is its output.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    ok "$name"
  else
    fail "$name: $(printf '%s' "$output" | tail -5 | tr '\n' ' ')"
  fi
}

# gtest_results PREFIX LOG: a GoogleTest program's output as results. A program
# that did not come to its end is a failure, and so is one without a test.
gtest_results() {
  local prefix=$1 log=$2
  awk -v prefix="$prefix" '
    { sub(/\r$/, "") }
    /^\[ RUN      \]/ { why = ""; next }
    /^\[       OK \]/ { print "ok " prefix $4; n++; next }
    /^\[  SKIPPED \] .*\(/ { n++; next }
    /^\[  FAILED  \] .*\([0-9]+ ms\)$/ { sub(/,$/, "", $4)
      print "FAIL " prefix $4 ": " why; n++; next }
    /^\[==========\] .* ran\./ { ended = 1 }
    length(why) < 600 { why = why " " $0 }
    END {
      if (!ended) print "FAIL " prefix "(end): the program died:" why
      else if (!n) print "FAIL " prefix "(all): no test ran"
    }' "$log" | tee -a "$RESULTS"
}

# build_without OPTION: builds the module as a kernel without it would, into
# $WORK/without-OPTION; what is said of it is in $WORK/without.log.
build_without() {
  printf '/* SPDX-License-Identifier: GPL-2.0-only */\n#include <generated/autoconf.h>\n#undef %s\n' \
    "$1" >"$WORK/undefine-$1.h"
  "$ROOT/deploy/vm/build-module" 6.1 "$WORK/without-$1" "$1=" \
    "KCFLAGS=-include $WORK/undefine-$1.h" >"$WORK/without.log" 2>&1
}

# What must never stand in a kernel's log.
SPLAT='WARNING:|BUG:|Oops|Call Trace|rcu:.*(stall|detected)|possible (circular|recursive|irq|deadlock)|suspicious RCU|INFO: task .* blocked|KASAN|KCSAN|UBSAN|kernel panic|Kernel panic|general protection|unable to handle'

# vm_start VERSION INITRD NAME [BOOT OPTION]...: boots a guest with a control
# channel, its console in $WORK/NAME.console, and waits until it takes commands.
vm_start() {
  local version=$1 initrd=$2
  VM_NAME=$3
  shift 3
  VM_CONSOLE=$WORK/$VM_NAME.console
  rm -f "$WORK/$VM_NAME.socket"
  "$ROOT/deploy/vm/boot" "$version" "$initrd" "$VM_CONSOLE" \
    --strict --control "$WORK/$VM_NAME.socket" "$@" &
  VM_PID=$!
  for _ in $(seq 100); do
    [ -S "$WORK/$VM_NAME.socket" ] && break
    sleep 0.1
  done
  coproc VM_CONTROL { exec socat -t 5 - "UNIX-CONNECT:$WORK/$VM_NAME.socket"; }
  # Bash forgets the descriptors when the process ends.
  exec {VM_IN}>&"${VM_CONTROL[1]}" {VM_OUT}<&"${VM_CONTROL[0]}"
  VM_STATUS=""
  vm_read "${VM_BOOT_SECONDS:-90}" >/dev/null
  [ "$VM_STATUS" = ready ] || {
    fail "$VM_NAME boots: $(tail -5 "$VM_CONSOLE" | tr '\n' ' ')"
    vm_stop
    return 1
  }
}

# Copies what the guest says to stdout, until a command's end or SECONDS of
# silence; sets VM_STATUS.
vm_read() {
  local line
  VM_STATUS=lost
  while IFS= read -r -t "$1" -u "$VM_OUT" line; do
    line=${line%$'\r'}
    case $line in
      *$'\001'*)
        [ "${line%%$'\001'*}" = "" ] || printf '%s\n' "${line%%$'\001'*}"
        VM_STATUS=${line##*$'\001'}
        return
        ;;
    esac
    printf '%s\n' "$line"
  done
}

# guest [-t SECONDS] COMMAND: runs a line in the guest's shell: its output on
# stdout, its status returned; 255 if the guest was silent too long (60 s). A
# newline in COMMAND is a blank.
guest() {
  local limit=60
  if [ "$1" = -t ]; then
    limit=$2
    shift 2
  fi
  printf '%s\n' "${*//$'\n'/ }" >&"$VM_IN"
  vm_read "$limit" >"$WORK/guest.out"
  cat "$WORK/guest.out"
  case $VM_STATUS in
    lost | ready) return 255 ;;
    *) return "$VM_STATUS" ;;
  esac
}

# vm_stop: powers the guest off and waits for it.
vm_stop() {
  [ -n "${VM_PID:-}" ] || return 0
  printf 'poweroff -f\n' 1>&"$VM_IN" 2>/dev/null || true
  for _ in $(seq 50); do
    kill -0 "$VM_PID" 2>/dev/null || break
    sleep 0.1
  done
  kill "$VM_PID" 2>/dev/null || true
  wait "$VM_PID" 2>/dev/null || true
  VM_PID=""
  exec {VM_IN}>&- {VM_OUT}<&-
  wait "${VM_CONTROL_PID:-}" 2>/dev/null || true
}

# vm_judge NAME: a test of what the kernel has printed.
vm_judge() {
  if grep -aqE "$SPLAT" "$VM_CONSOLE"; then
    fail "$1: $(grep -aE -A12 "$SPLAT" "$VM_CONSOLE" | head -20 | tr '\n' '|')"
  else
    ok "$1"
  fi
}
