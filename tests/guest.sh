# SPDX-License-Identifier: Apache-2.0
# A guest to test in: it boots, takes commands one at a time, and is judged by
# how it ends. Sourced by tests/lib.sh; tests/parts/*.sh show how to use it.
#
# A part runs one guest at a time. These variables describe it:
#   VM_NAME      names its files in $WORK:
#                  NAME.console  what the kernel printed
#                  NAME.qemu     what QEMU printed, and the CPUs at each reset
#                  NAME.lost     why its control channel is not used any more
#   VM_CONSOLE   $WORK/NAME.console
#   VM_PID       the process of deploy/vm/boot; empty when there is no guest
#   VM_END       how the last guest ended; "powered off" if all is well
# shellcheck shell=bash

# What a kernel's log must never contain.
SPLAT='WARNING:|BUG:|Oops|Call Trace|rcu:.*(stall|detected)|possible (circular|recursive|irq|deadlock)|suspicious RCU|INFO: task .* blocked|KASAN|KCSAN|UBSAN|kernel panic|Kernel panic|general protection|unable to handle'

# How long a guest may be silent, in seconds. No step of a test takes this long,
# even on a busy host, so a guest that is silent for longer hangs.
VM_SILENCE=600

# vm_start VERSION INITRD NAME [BOOT OPTION]...: boots a guest with a control
# channel and waits until it takes commands.
vm_start() {
  local version=$1 initrd=$2 control
  VM_NAME=$3
  shift 3
  VM_CONSOLE=$WORK/$VM_NAME.console
  VM_END="" VM_KILLED=""
  control=$WORK/$VM_NAME.control
  rm -f "$control".{in,out} "$WORK/$VM_NAME.lost"
  mkfifo "$control".{in,out}
  # Opened for reading and writing, so that neither end waits for the other one,
  # and a writer gets no SIGPIPE when the guest dies.
  exec {VM_IN}<>"$control.in" {VM_OUT}<>"$control.out"
  "$ROOT/deploy/vm/boot" "$version" "$initrd" "$VM_CONSOLE" --strict \
    --control "$control" --resets "$WORK/$VM_NAME.qemu" --timeout 7200 "$@" \
    >>"$WORK/$VM_NAME.qemu" 2>&1 &
  VM_PID=$!
  vm_read "${VM_BOOT_SECONDS:-$VM_SILENCE}" >/dev/null
  [ "$VM_STATUS" = ready ] || {
    vm_lost "$VM_NAME boots"
    return 1
  }
}

# vm_is_alive: whether the guest's QEMU runs.
vm_is_alive() {
  local state
  [ -n "${VM_PID:-}" ] &&
    state=$(sed 's/.*) //; s/ .*//' "/proc/$VM_PID/stat" 2>/dev/null) &&
    [ -n "$state" ] && [ "$state" != Z ]
}

# vm_read SECONDS: copies the guest's output to stdout until a command ends, and
# sets VM_STATUS to the command's status. If the guest has died or is silent for
# SECONDS, VM_STATUS is "lost", and VM_NAME.lost says which of the two it is.
vm_read() {
  local line="" piece last=$SECONDS
  VM_STATUS=lost
  while :; do
    if IFS= read -r -t 1 -u "$VM_OUT" piece; then
      line=$line${piece%$'\r'} last=$SECONDS
      case $line in
        *$'\001'*)
          [ "${line%%$'\001'*}" = "" ] || printf '%s\n' "${line%%$'\001'*}"
          VM_STATUS=${line##*$'\001'}
          return
          ;;
      esac
      printf '%s\n' "$line"
      line=""
    elif [ -n "$piece" ]; then
      line=$line$piece last=$SECONDS
    elif ! vm_is_alive; then
      echo "its QEMU has ended" >"$WORK/$VM_NAME.lost"
      return
    elif [ $((SECONDS - last)) -ge "$1" ]; then
      echo "it said nothing for $1 s" >"$WORK/$VM_NAME.lost"
      return
    fi
  done
}

# guest [-t SECONDS] COMMAND: runs a line in the guest's shell, prints its
# output and returns its status. Returns 255 if the guest is lost: it has died,
# or it is silent for SECONDS (default VM_SILENCE). A newline in COMMAND becomes
# a blank.
guest() {
  local limit=$VM_SILENCE
  if [ "$1" = -t ]; then
    limit=$2
    shift 2
  fi
  if ! vm_is_lost; then
    printf '%s\n' "${*//$'\n'/ }" >&"$VM_IN"
    vm_read "$limit" >"$WORK/guest.out"
    cat "$WORK/guest.out"
  fi
  if vm_is_lost; then
    printf 'the guest is lost: %s\n' "$(cat "$WORK/$VM_NAME.lost")" >&2
    return 255
  fi
  return "$VM_STATUS"
}

# vm_is_lost: whether the guest takes no more commands.
vm_is_lost() {
  [ ! -e "$WORK/$VM_NAME.lost" ] && ! vm_is_alive &&
    echo "its QEMU has ended" >"$WORK/$VM_NAME.lost"
  [ -e "$WORK/$VM_NAME.lost" ]
}

# vm_fate: ends a guest that was lost, and sets VM_FATE to the reason.
vm_fate() {
  VM_FATE=$(cat "$WORK/$VM_NAME.lost")
  vm_end
  [ "$VM_END" = "powered off" ] || VM_FATE=$VM_END
  VM_FATE="the guest is lost: $VM_FATE; its last lines: $(vm_last_lines)"
}

# vm_lost NAME: reports a failure of NAME, during which the guest was lost.
vm_lost() {
  vm_fate
  fail "$1: $VM_FATE" "$VM_CONSOLE"
}

# vm_go_on NAME: ends the part, with a failure, if the guest was lost in NAME.
# What comes after it would only fail for the same reason.
vm_go_on() {
  [ -n "${VM_PID:-}" ] && vm_is_lost || return 0
  vm_lost "$1"
  exit 0
}

# must NAME COMMAND...: runs a step that later steps need. If it fails, this is
# a failed test, and the part ends.
must() {
  local name=$1 output
  shift
  output=$("$@" 2>&1) && return
  vm_go_on "$name"
  fail "$name: $(printf '%s' "$output" | tail -5 | tr '\n' ' ')"
  vm_end
  exit 0
}

vm_last_lines() {
  tr -d '\r' <"$VM_CONSOLE" | grep . | tail -5 | tr '\n' '|'
}

# vm_wait SECONDS: waits for the end of QEMU; fails if it takes longer.
vm_wait() {
  local last=$SECONDS
  while vm_is_alive; do
    [ $((SECONDS - last)) -lt "$1" ] || return 1
    sleep 0.1
  done
}

# vm_stop [COMMAND]: the last step of a test: powers the guest off, by COMMAND
# if the guest needs another one.
vm_stop() {
  [ -n "${VM_PID:-}" ] || return 0
  if ! vm_is_lost; then
    printf '%s\n' "${1:-poweroff -f}" >&"$VM_IN"
    vm_wait "$VM_SILENCE" || true
  fi
  vm_end
}

# vm_end: ends QEMU if it still runs, and says in VM_END how the guest ended.
vm_end() {
  local status=0
  [ -n "${VM_PID:-}" ] || return 0
  if vm_is_alive; then
    VM_KILLED=1
    kill "$VM_PID" 2>/dev/null || true
  fi
  wait "$VM_PID" 2>/dev/null || status=$?
  VM_PID=""
  exec {VM_IN}>&- {VM_OUT}<&-
  VM_END=$(vm_cause "$status")
  printf '%s\n' "$VM_END" >"$WORK/$VM_NAME.end"
}

# vm_cause STATUS: prints how the guest ended. STATUS is that of deploy/vm/boot.
# It is 0 for a panic too, because the kernel then reboots, which ends QEMU.
vm_cause() {
  if [ -n "$VM_KILLED" ]; then
    echo "it had to be killed: $(cat "$WORK/$VM_NAME.lost" 2>/dev/null ||
      echo "it did not power off within $VM_SILENCE s")"
  elif grep -q '^timeout: sending signal' "$WORK/$VM_NAME.qemu"; then
    echo "QEMU's time limit was reached"
  elif [ "$1" -gt 128 ]; then
    echo "QEMU died by SIG$(kill -l $(($1 - 128)))"
  elif grep -q 'terminating on signal' "$WORK/$VM_NAME.qemu"; then
    echo "QEMU died by a signal: $(grep 'terminating on signal' \
      "$WORK/$VM_NAME.qemu")"
  elif [ "$1" != 0 ]; then
    echo "QEMU ended with status $1: $(tail -1 "$WORK/$VM_NAME.qemu")"
  elif grep -aq 'Kernel panic' "$VM_CONSOLE"; then
    echo "its kernel panicked: $(vm_panic)"
  elif grep -q 'Triple fault' "$WORK/$VM_NAME.qemu"; then
    echo "a triple fault"
  elif grep -aq 'reboot: Power down' "$VM_CONSOLE"; then
    echo "powered off"
  else
    echo "it reset without a word"
  fi
}

# vm_panic: prints why the kernel panicked, on one line. The call trace comes
# with it, because the console's last lines are but the registers after it.
vm_panic() {
  sed -E 's/^(\[[^]]*\])+ //; s/\r$//' "$VM_CONSOLE" | awk '
    /^(WARNING|BUG|Oops|INFO):|^general protection|^Unable to handle/ {
      if (!cause) cause = "; first: " $0 }
    /^Call Trace:/ { if (!traces++) within = 1; next }
    /^ <\/TASK>|^Code:|^RIP:/ { within = 0 }
    within && /^ [a-z_]/ { trace = trace " " $1 }
    /^Kernel panic/ { print $0 cause (trace ? "; called by:" trace : ""); exit }'
}

# guest_job NAME FUNCTION [ARGUMENT]...: runs FUNCTION, which tests in one
# guest, in a shell of its own. If QEMU crashed or was killed from outside, this
# says nothing about the code under test. Then FUNCTION runs once more, and the
# files of the first guest stay in $WORK/first-NAME.
guest_job() {
  local name=$1 top=$WORK try kept
  shift
  for try in first second; do
    rm -rf "${top:?}/$name"
    mkdir "$top/$name"
    (
      WORK=$top/$name RESULTS=$top/$name/results
      : >"$RESULTS"
      trap vm_end EXIT
      "$@"
    ) >"$top/$name.output" 2>&1 ||
      printf 'FAIL %s: its shell ended with status %s\n' "$name" $? |
      tee -a "$top/$name/results" >>"$top/$name.output"
    [ "$try" = first ] && grep -q '^QEMU died by' "$top/$name"/*.end || break
    kept=$top/first-$name
    mv "$top/$name" "$kept"
    printf '   %s: %s; the guest is started once more; the first one: %s\n' \
      "$name" "$(cat "$kept"/*.end)" "${kept#"$ROOT"/}"
    touch "$top/keep"
  done 2>/dev/null
  cat "$top/$name.output"
  rm "$top/$name.output"
  cat "$top/$name/results" >>"$RESULTS"
}

# vm_gtest PREFIX NAME SECONDS COMMAND: runs a GoogleTest program in the guest,
# which may be silent for SECONDS. Its output is in $WORK/NAME.log. If the guest
# is lost, the part ends.
vm_gtest() {
  local log=$WORK/$2.log
  guest -t "$3" "$4" >"$log" 2>/dev/null || true
  if vm_is_lost; then
    vm_fate
    gtest_results "$1 " "$log" "$VM_FATE"
    exit 0
  fi
  gtest_results "$1 " "$log"
}

# vm_judge NAME [FILTER]: tests how the guest ended and what its kernel printed.
# FILTER is a function that prints the lines of a console that must not be
# there.
vm_judge() {
  local splats
  splats=$("${2:-vm_splats}" "$VM_CONSOLE")
  if [ -n "$splats" ]; then
    fail "$1: $(printf '%s' "$splats" | head -30 | tr '\n' '|')" "$VM_CONSOLE"
  elif [ "$VM_END" != "powered off" ]; then
    fail "$1: the guest did not come to its end: $VM_END; its last lines: \
$(vm_last_lines)" "$VM_CONSOLE"
  else
    ok "$1"
  fi
}

vm_splats() { grep -aE -A12 "$SPLAT" "$1" | tr -d '\r' | head -20 || true; }

# free_port: a port of this machine that nobody listens on.
free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)) &&
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  printf '%s\n' "$port"
}

# vm_disk IMAGE [DIRECTORY]: makes a file system with the files of DIRECTORY.
vm_disk() {
  truncate -s 512M "$1"
  mkfs.ext4 -q -F ${2:+-d "$2"} "$1"
}
