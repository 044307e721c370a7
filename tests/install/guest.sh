# SPDX-License-Identifier: Apache-2.0
# A Debian in a VM: boots it, and looks at it from inside and from outside.
# Sourced by parts that need one, behind lib.sh.
# shellcheck shell=bash

# 127.0.0.1:PORT is the guest's daemon.
PORT=$((20000 + RANDOM % 8000))
# Enough for a machine that is slow at the moment.
export VM_BOOT_SECONDS=1800

metrics() { curl -sf --max-time 10 "http://127.0.0.1:$PORT/metrics"; }

# serves PATTERN: a line of the metrics, as seen from outside of the guest. Not by a
# pipe: grep ends at the first match, and curl then fails to write the rest.
serves() { metrics >"$WORK/served" && grep -q "^$1" "$WORK/served"; }

# Whether the daemon reads the module.
reads_module() { serves 'page_fault_exporter_source{source="module"} 1'; }
# Whether the daemon reads /proc.
misses_module() { serves 'page_fault_exporter_source{source="module"} 0'; }
# Whether the module in the guest sees faults by a direct call, so that its trampoline
# was found, and accepted by the kernel.
is_direct() { guest 'grep -x "hook direct" /sys/kernel/debug/page_faults/stats'; }

# eventually SECONDS COMMAND...: repeats a command until it succeeds.
eventually() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 1
  done
}

# inside SECONDS SCRIPT: a script of several lines in the guest.
inside() {
  guest -t "$1" "bash -o pipefail -c \"\$(echo $(base64 -w0 <<<"$2") | base64 -d)\""
}

# apt_inside ARGUMENT...: runs apt in the guest. Its cache has all packages that
# it needs.
apt_inside() {
  guest -t 3000 "apt-get -q=2 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
--yes $*"
}

# falls_back NAME: tests that a daemon without a module says so and goes on.
falls_back() {
  check "$1: the daemon says that the module is missing" inside 300 '
    for i in $(seq 30); do
      journalctl -u page-fault-exporter -o cat | tail -1 |
        grep "source procfs, because .* page_faults is not loaded" && exit 0
      sleep 1
    done
    exit 1'
  check "$1: and reads procfs" \
    eventually 300 serves 'page_fault_exporter_source{source="procfs"} 1'
}

unit_is_up() { [ "$(guest systemctl is-active page-fault-exporter)" = active ]; }

has_module_for() { guest "dkms status page_faults/$1 -k $2 | grep ': installed'"; }

mount_data() {
  guest "mkdir -p $WORK/data && mount /dev/vdb $WORK/data"
}

# debian_start NAME DISK KERNEL [BOOT OPTION]...: boots the Debian on DISK with
# its own kernel and initrd, and waits until systemd has started all.
debian_start() {
  local name=$1 disk=$2 kernel=$3
  shift 3
  file_from "$disk" "/boot/vmlinuz-$kernel" "$WORK/$name.vmlinuz" &&
    file_from "$disk" "/boot/initrd.img-$kernel" "$WORK/$name.initrd" ||
    { fail "$name: no kernel $kernel on the disk" && return 1; }
  export PF_IMAGE=$WORK/$name.vmlinuz
  vm_start default "$WORK/$name.initrd" "$name" --disk "$disk" --memory 2G \
    --timeout 7200 "$@" --append "root=/dev/vda rw" || return 1
  unset PF_IMAGE
  guest -t 1800 'systemctl is-system-running --wait || systemctl --failed' \
    >"$WORK/$name.state"
  grep -q '^running' "$WORK/$name.state" ||
    fail "$name: systemd's state: $(tr '\n' ' ' <"$WORK/$name.state")"
}

# debian_stop: shuts down in order, so that the disk keeps what was written.
debian_stop() { vm_stop 'sync; systemctl poweroff'; }
