# SPDX-License-Identifier: Apache-2.0
# The names of control groups in a whole Debian with systemd and the module underneath:
# services, scopes, services of a user, containers of podman as root and as a user,
# and a machine of systemd-nspawn. tests/cgroups/environments starts them.
# shellcheck shell=bash
. "$ROOT/tests/install/lib.sh"
. "$ROOT/tests/install/guest.sh"

install_packages mmdebstrap python3-prometheus-client
JUDGE=(/usr/bin/python3 -B "$ROOT/tests/cgroups/judge.py")
INCLUDED=podman,crun,uidmap,dbus-user-session,systemd-container,libpam-systemd,passwd

# make_data: the module, the daemon with its libraries, and a container's image, as a
# disk.
make_data() {
  local module
  module=$(module_for 6.1) && mkdir -p "$WORK/data/lib" "$WORK/image/bin" || return
  cp "$module"/*.ko "$ROOT/tests/cgroups/environments" /bin/busybox \
    "$BUILD/exporter/page_fault_exporter" "$WORK/data"
  ldd "$WORK/data/page_fault_exporter" | grep -o '/[^ ]*' |
    xargs cp -Lu -t "$WORK/data/lib"
  cp /bin/busybox "$WORK/image/bin"
  tar -C "$WORK/image" -cf "$WORK/data/busybox.tar" .
  truncate -s 128M "$WORK/data.disk"
  mkfs.ext4 -q -F -d "$WORK/data" "$WORK/data.disk"
}

starts_daemon() {
  inside 300 "insmod $WORK/data/page_faults_trampoline.ko
    insmod $WORK/data/page_faults.ko
    systemd-run --quiet --unit=exporter $WORK/data/lib/ld-linux-x86-64.so.2 \
      --library-path $WORK/data/lib $WORK/data/page_fault_exporter \
      --web.listen-address=:9110 --interval 1s --birth.hold 0s"
}

# starts_environments [services]: the environments, one a line, go to $WORK/expected.
starts_environments() {
  guest -t 1800 "$WORK/data/environments $WORK/data/busybox.tar $WORK/data/busybox $* \
    2>/root/environments" >"$WORK/expected" || {
    guest cat /root/environments
    return 1
  }
}

named() {
  metrics >"$WORK/metrics" &&
    "${JUDGE[@]}" labels "$WORK/metrics" "$WORK/expected" >"$WORK/named"
}
all_are_named() {
  eventually 300 named || { cat "$WORK/named" && return 1; }
}

# layout NAME KERNEL-OPTIONS [services]: boots with a layout of hierarchies.
layout() {
  local name="containers, $1"
  disk_of "$ROOT_DIRECTORY" "$WORK/disk"
  debian_start "containers-$1" "$WORK/disk" "$RELEASE" --disk "$WORK/data.disk" \
    --forward "$PORT" --append "$2" || return 0
  mount_data
  must "$name: the daemon starts" starts_daemon
  must "$name: the environments start" starts_environments "${@:3}"
  check "$name: $(wc -l <"$WORK/expected") environments have their names" all_are_named
  grep '^|' "$WORK/named"
  check "$name: no fault is lost" "${JUDGE[@]}" conserved "$WORK/metrics"
  debian_stop
  vm_judge "$name: nothing in dmesg"
}

RELEASE=$("$ROOT/deploy/vm/kernel" 6.1 | sed -n 's/^RELEASE=//p')
if make_data >"$WORK/data.log" 2>&1; then
  ROOT_DIRECTORY=$(root_of bookworm "$RELEASE" "" "$INCLUDED")
  layout unified ""
  layout hybrid systemd.unified_cgroup_hierarchy=0 services
  layout legacy "systemd.unified_cgroup_hierarchy=0 \
systemd.legacy_systemd_cgroup_controller=1" services
else
  fail "containers: the guest is made" "$WORK/data.log"
fi
