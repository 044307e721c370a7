# SPDX-License-Identifier: Apache-2.0
# All storms, in Debian's kernels, beside a daemon that reads every second.
# tests/README.md lists them.
# shellcheck shell=bash
# shellcheck source=tests/debug/lib.sh
. "$ROOT/tests/debug/lib.sh"

install_packages bpftrace linux-perf

# storms_tools DISK: an image with other tracers, each with its libraries.
storms_tools() {
  local tools=$WORK/disk.d/tools name
  mkdir -p "$tools"
  for name in bpftrace perf; do
    cp -L "$(command -v "$name")" "$tools/$name"
    ldd "$tools/$name" | grep -o '/[^ ]*' | xargs cp -Lu -t "$tools"
  done
  cp -L "$tools/ld-linux-x86-64.so.2" "$tools/ld.so"
  storms_disk "$1" "$WORK/disk.d"
}

storms_version() {
  storms_disk "$WORK/disk"
  vm_start "$1" "$WORK/$1.initrd" "storms-$1" --disk "$WORK/disk" \
    --timeout 2400 || return 0
  storms_daemon
  storms_suite "$1" 900 full '*StormQuick*:*StormSlow*' PF_DAEMON=9110
  storms_suite "$1" 900 totals '*StormQuick*:*StormSlow*' PF_DAEMON=9110
  vm_stop
  storms_judge "$1 nothing in dmesg after storms"
}

storms_reload() {
  storms_tools "$WORK/disk"
  vm_start "$1" "$WORK/$1.initrd" "storms-reload-$1" --disk "$WORK/disk" \
    --reload --timeout 2400 || return 0
  storms_daemon
  storms_suite "$1" 900 full '*StormReload*' PF_DAEMON=9110
  storms_suite "$1" 900 totals '*StormReload*' PF_DAEMON=9110
  vm_stop
  storms_judge "$1 nothing in dmesg after reloads in storms"
}

for version in "${KERNELS[@]}"; do
  if storms_pack_debian "$version" "$WORK/$version.initrd" >"$WORK/pack.log" 2>&1; then
    storms_version "$version"
    storms_reload "$version"
  else
    fail "$version builds: $(tail -5 "$WORK/pack.log" | tr '\n' ' ')"
  fi
done
