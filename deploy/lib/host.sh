# SPDX-License-Identifier: Apache-2.0
# The half of deploy/run that uses the running kernel. Sourced by it.
# shellcheck shell=bash

MODULE_LOADED=""
DEBUGFS_MOUNTED=""

kernel_option() {
  { zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2>/dev/null |
    grep -qx "$1=y"
}

# Whether the kernel's configuration can be read and lacks an option.
kernel_lacks() {
  { [ -r /proc/config.gz ] || [ -r "/boot/config-$(uname -r)" ]; } &&
    ! kernel_option "$1"
}

in_container() {
  [ -e /.dockerenv ] || [ -e /run/.containerenv ] ||
    systemd-detect-virt --quiet --container 2>/dev/null
}

can_load_modules() {
  local capabilities
  [ "$(id -u)" = 0 ] || return 0 # asked for later
  capabilities=$(sed -n 's/^CapEff:\s*//p' /proc/self/status)
  [ $((0x$capabilities >> 16 & 1)) = 1 ] # CAP_SYS_MODULE
}

headers_to_be_had() {
  [ -e "/lib/modules/$(uname -r)/build/Makefile" ] ||
    apt-cache show --no-all-versions "linux-headers-$(uname -r)" 2>/dev/null |
    grep -q '^Filename:'
}

# older_than MAJOR MINOR: whether the running kernel is.
older_than() {
  local major minor
  IFS=.- read -r major minor _ <<<"$(uname -r)"
  [ "$major" -lt "$1" ] || { [ "$major" = "$1" ] && [ "$minor" -lt "$2" ]; }
}

# Why the running kernel cannot be used, in words; nothing if it can.
host_obstacle() {
  if [ -d /sys/module/page_faults ] && [ -d /sys/kernel/debug/page_faults ]; then
    return
  elif [ ! -e /proc/modules ] || kernel_lacks CONFIG_MODULES; then
    echo "the kernel $(uname -r) is built without loadable modules"
  elif [ "$(cat /proc/sys/kernel/modules_disabled 2>/dev/null)" = 1 ]; then
    echo "loading modules is disabled until the next boot (kernel.modules_disabled)"
  elif in_container; then
    echo "this is a container, and the kernel is its host's"
  elif ! can_load_modules; then
    echo "root may not load modules here (CAP_SYS_MODULE is missing)"
  elif older_than 6 1; then
    echo "the kernel $(uname -r) is older than 6.1"
  elif ! grep -qw debugfs /proc/filesystems; then
    echo "the kernel $(uname -r) is built without debugfs"
  elif grep -qs '\[\(integrity\|confidentiality\)\]' /sys/kernel/security/lockdown; then
    echo "the kernel is locked down (Secure Boot) and refuses unsigned modules"
  elif ! headers_to_be_had; then
    echo "the headers of $(uname -r) are neither installed nor in Debian's archive"
  fi
}

build_host_module() {
  rm -rf "$WORK/module"
  cp -r "$ROOT/kernel" "$WORK/module"
  exec make -s -C "$WORK/module" modules
}

load_host_module() {
  if [ -d /sys/module/page_faults ]; then
    say "page_faults $(cat /sys/module/page_faults/version 2>/dev/null) is \
loaded already and stays: reading that one"
    return
  fi
  [ -e "/lib/modules/$(uname -r)/build/Makefile" ] ||
    install_packages "linux-headers-$(uname -r)"
  quietly "building the module for $(uname -r)" build_host_module
  kernel_option CONFIG_KRETPROBES || ! kernel_lacks CONFIG_KRETPROBES ||
    say "this kernel has no return probes: totals only"
  insmod "$WORK/module/page_faults.ko" ||
    die "cannot load the module: $(dmesg 2>/dev/null | tail -1)"
  MODULE_LOADED=1
}

mount_debugfs() {
  grep -qs ' /sys/kernel/debug debugfs ' /proc/mounts && return
  mount -t debugfs debugfs /sys/kernel/debug || die "cannot mount debugfs"
  DEBUGFS_MOUNTED=1
}

# Takes back what this run did to the machine.
host_cleanup() {
  [ -z "$MODULE_LOADED" ] || rmmod page_faults ||
    say "page_faults could not be unloaded: rmmod page_faults"
  [ -z "$DEBUGFS_MOUNTED" ] || umount /sys/kernel/debug || true
}

run_on_host() {
  install_packages kmod
  mount_debugfs
  load_host_module
  say "starting the daemon"
  "$BUILD/exporter/page_fault_exporter" \
    --web.listen-address="127.0.0.1:$PORT" &
  CHILD=$!
  announce "$CHILD"
  wait "$CHILD" || die "the daemon ended with status $?"
  CHILD=""
}
