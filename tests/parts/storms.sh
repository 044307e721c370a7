# SPDX-License-Identifier: Apache-2.0
# All storms, in Debian's kernels, beside a daemon that reads every second. Its
# argument is a hook (auto by default). tests/README.md lists the storms.
# shellcheck shell=bash
# shellcheck source=tests/debug/lib.sh
. "$ROOT/tests/debug/lib.sh"

STORMS_PARAMETERS=hook=${1:-auto}
install_packages bpftrace linux-perf

# storms_tools DISK: makes an image with other tracers and their libraries.
storms_tools() {
  local tools=$WORK/disk.d/tools name
  mkdir -p "$tools"
  for name in bpftrace perf; do
    cp -L "$(command -v "$name")" "$tools/$name"
    ldd "$tools/$name" | grep -o '/[^ ]*' | xargs cp -Lu -t "$tools"
  done
  cp -L "$tools/ld-linux-x86-64.so.2" "$tools/ld.so"
  vm_disk "$1" "$WORK/disk.d"
}

storms_version() {
  vm_disk "$WORK/disk"
  vm_start "$1" "$INITRD" "storms-$1" --disk "$WORK/disk" || return 0
  storms_daemon
  storms_suite "$1" '*StormQuick*:*StormSlow*' PF_DAEMON=9110
  vm_stop
  storms_judge "$1 nothing in dmesg after storms"
}

storms_reload() {
  storms_tools "$WORK/disk"
  vm_start "$1" "$INITRD" "storms-reload-$1" --disk "$WORK/disk" --reload ||
    return 0
  storms_daemon
  storms_suite "$1" '*StormReload*' PF_DAEMON=9110
  vm_stop
  storms_judge "$1 nothing in dmesg after reloads in storms"
}

for version in "${KERNELS[@]}"; do
  INITRD=$WORK/$version.initrd
  if storms_pack_debian "$version" "$INITRD" >"$WORK/pack.log" 2>&1; then
    guest_job "storms-$version" storms_version "$version"
    guest_job "reload-$version" storms_reload "$version"
  else
    fail "$version builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')" \
      "$WORK/pack.log"
  fi
done
