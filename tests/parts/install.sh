# SPDX-License-Identifier: Apache-2.0
# Tests the packages in whole Debian systems: install, reload, upgrade, kernel
# upgrade, lockdown and purge. Also tests deploy/run from a clone. It is slow,
# and not part of the default run. INSTALL_SUITES names the Debian releases.
# shellcheck shell=bash
. "$ROOT/tests/install/lib.sh"
. "$ROOT/tests/install/guest.sh"

LOAD_MODULE=$WORK/data/clone/deploy/kubernetes/load-module
CONFIGURATION="/etc/default/page-fault-exporter /etc/page-fault-exporter/config.json /etc/modprobe.d/page-faults-dkms.conf"

# Civetweb of Debian 12 has no IPv6, that of Debian 13 has it.
speaks_ipv6() {
  case $1 in
    bookworm) inside 300 'journalctl -u page-fault-exporter -o cat |
      grep "without IPv6: this build of civetweb has none"' ;;
    *) inside 300 'curl -gsf "http://[::1]:9110/metrics" | grep -c ^page_faults_total' ;;
  esac
}

installs() {
  check "$1: the packages install" apt_inside install "$WORK/data/packages/*.deb"
  check "$1: DKMS has built the module" has_module_for "$VERSION" "$OLD"
  check "$1: the module is signed" guest 'for name in page_faults page_faults_trampoline; do
      modinfo -F signer $name | grep . || exit 1; done'
  check "$1: the module is loaded" guest 'test -d /sys/module/page_faults'
  check "$1: by a direct call" is_direct
  check "$1: the unit is up" eventually 300 unit_is_up
  check "$1: curl from outside shows faults" \
    eventually 300 serves 'page_faults_total{.*pid="1"'
  check "$1: the daemon answers on IPv6, or says that it has none" speaks_ipv6 "$1"
  check "$1: the daemon is not root and has one capability" inside 300 '
    pid=$(systemctl show -P MainPID page-fault-exporter)
    grep -E "^Cap(Eff|Bnd):.*0000000000000004$" /proc/$pid/status | wc -l | grep 2 &&
    [ "$(stat -c %u /proc/$pid)" -ge 61184 ]' # the range of DynamicUser
  check "$1: systemd-analyze security is 1.7 or better" inside 300 '
    systemd-analyze security page-fault-exporter --no-pager --threshold=17 | tail -1'
}

# Nothing is unloaded with the module, and nothing is complained of.
modprobe_is_silent() {
  inside 300 'systemctl stop page-fault-exporter
    said=$(modprobe -r page_faults 2>&1); status=$?
    modprobe page_faults; systemctl start page-fault-exporter
    echo "status $status: $said"
    [ "$status" = 0 ] && [ -z "$said" ]'
}

survives() {
  check "$1: modprobe -r ends with 0 and says nothing" modprobe_is_silent
  guest 'modprobe -r page_faults || { sleep 1; modprobe -r page_faults; }'
  check "$1: without the module the daemon says so" \
    eventually 300 misses_module
  check "$1: without the module the unit stays up" unit_is_up
  guest 'modprobe page_faults'
  check "$1: with the module back it serves again" \
    eventually 300 reads_module
  guest 'modprobe -r page_faults || { sleep 1; modprobe -r page_faults; }'
  check "$1: Kubernetes' init container finds the installed module" \
    guest "HOST=/ $LOAD_MODULE | grep 'loaded the node.s own'"
  guest 'systemctl kill -s KILL page-fault-exporter'
  check "$1: killed, the daemon comes back" \
    eventually 300 serves 'page_faults_total{.*pid="1"'
  check "$1: hanging, the daemon is restarted" inside 900 '
    old=$(systemctl show -P MainPID page-fault-exporter)
    kill -STOP $old
    for i in $(seq 120); do
      new=$(systemctl show -P MainPID page-fault-exporter)
      [ $new != 0 ] && [ $new != $old ] && exit 0
      sleep 1
    done
    systemctl status --no-pager page-fault-exporter
    exit 1'
  check "$1: a reload takes the new configuration and keeps the daemon" inside 300 '
    old=$(systemctl show -P MainPID page-fault-exporter)
    echo "{\"processes.include\": \"systemd\"}" >/etc/page-fault-exporter/config.json
    systemctl reload page-fault-exporter
    for i in $(seq 60); do
      curl -s localhost:9110/metrics | grep ^page_faults_total >/tmp/rows
      grep -q systemd /tmp/rows && ! grep -v systemd /tmp/rows && break
      sleep 1
    done
    [ $i -lt 60 ] && [ $(systemctl show -P MainPID page-fault-exporter) = $old ]'
}

keeps_configuration() {
  inside 300 "
    echo 'ARGS=\"--interval=2s\"' >/etc/default/page-fault-exporter
    echo '{ }' >/etc/page-fault-exporter/config.json
    echo 'options page_faults max_processes=9999' >/etc/modprobe.d/page-faults-dkms.conf
    cat $CONFIGURATION | sha256sum >/root/before
    modprobe -r page_faults || { sleep 1; modprobe -r page_faults; }
    modprobe page_faults; systemctl restart page-fault-exporter
    grep loaded_ns /sys/kernel/debug/page_faults/stats >/root/loaded"
  check "$1: the options reach the module" \
    guest 'grep 9999 /sys/module/page_faults/parameters/max_processes'
  check "$1: the upgrade installs" apt_inside install "$WORK/data/newer/*.deb"
  check "$1: the upgrade builds the module" has_module_for "$VERSION.1" "$OLD"
  check "$1: the downgrade installs" \
    apt_inside install --allow-downgrades "$WORK/data/packages/*.deb"
  check "$1: the downgrade builds the module" has_module_for "$VERSION" "$OLD"
  check "$1: both keep the configuration" \
    guest "cat $CONFIGURATION | sha256sum | diff /root/before -"
  check "$1: the daemon runs with its options" \
    eventually 300 guest 'pgrep -af "^/usr/bin/page_fault_exporter --interval=2s"'
  check "$1: the loaded module outlives both" \
    guest 'grep loaded_ns /sys/kernel/debug/page_faults/stats | diff /root/loaded -'
  check "$1: the daemon serves it" eventually 300 serves 'page_faults_total{.*pid="1"'
}

upgrades_kernel() {
  check "$1: a newer kernel installs" \
    apt_inside install "linux-image-$NEW" "linux-headers-$NEW"
  check "$1: DKMS has built the module for it" has_module_for "$VERSION" "$NEW"
  debian_stop
  debian_start "$1-new" "$WORK/disk" "$NEW" --disk "$WORK/data.disk" \
    --forward "$PORT" || return 1
  check "$1: the newer kernel runs" guest "uname -r | grep -Fx $NEW"
  mount_data
  check "$1: after the reboot it serves the module's table" \
    eventually 300 reads_module
  check "$1: after the reboot by a direct call" is_direct
}

# What Secure Boot does to a kernel, without the firmware.
locks_down() {
  guest 'echo integrity >/sys/kernel/security/lockdown'
  check "$1: locked down, the loaded module goes on" inside 300 '
    systemctl restart page-fault-exporter
    sleep 5
    curl -sf localhost:9110/metrics | grep "^page_fault_exporter_source{source=\"module\"} 1"'
  guest 'modprobe -r page_faults || { sleep 1; modprobe -r page_faults; }'
  check "$1: locked down, a module of an unknown signer is refused" \
    guest '! modprobe page_faults && dmesg | grep -i "lockdown\|Loading of"'
  falls_back "$1: locked down"
}

purges() {
  check "$1: the purge ends" apt_inside \
    "purge page-faults-dkms page-fault-exporter >/root/purge.log"
  check "$1: and says what stays in the kernel" \
    guest 'grep "page_faults_trampoline, .*until the next boot" /root/purge.log'
  check "$1: the purge leaves nothing" inside 300 '
    left=$(find / -xdev -iname "*page?fault*" -not -path "/usr/src/linux-*" \
      -not -path "/'"$(cut -d/ -f2 <<<"$WORK")"'/*" -not -path "/root/*"
      ls -d /sys/module/page_faults 2>/dev/null)
    echo "$left"
    [ -z "$left" ]'
}

runs_from_clone() {
  disk_of "$1" "$WORK/disk"
  debian_start "$2-clone" "$WORK/disk" "$OLD" --disk "$WORK/data.disk" \
    --forward "$PORT" || return 0
  mount_data
  inside 300 "setsid $WORK/data/clone/deploy/run --host >/root/run.log 2>&1 &"
  check "$2: deploy/run --host serves the module's table" \
    eventually 3000 serves 'page_faults_total{.*pid="1"'
  check "$2: deploy/run --host brings the trampoline" is_direct
  check "$2: it ends and unloads the module" inside 300 '
    kill $(pgrep -f "clone/deploy/run --host" | head -1)
    for i in $(seq 30); do [ -d /sys/module/page_faults ] || exit 0; sleep 1; done
    cat /root/run.log
    exit 1'
  check "$2: Kubernetes' init container builds and loads the module" guest -t 3000 \
    "HOST=/ SOURCE=$WORK/data/clone/kernel PARAMETERS=max_processes=99 \
$LOAD_MODULE | grep 'built and loaded' && grep 99 /sys/module/page_faults/parameters/max_processes"
  check "$2: and its trampoline" is_direct
  check "$2: a second run leaves the loaded module alone" \
    guest "HOST=/ SOURCE=$WORK/data/clone/kernel $LOAD_MODULE | grep 'loaded already'"
  check "$2: and replaces another version" guest -t 3000 \
    "cp -r $WORK/data/clone/kernel /root/newer && \
sed -i 's/^PF_MODULE_VERSION := .*/PF_MODULE_VERSION := 9.9/' /root/newer/Kbuild && \
HOST=/ SOURCE=/root/newer $LOAD_MODULE | grep 'unloaded version $VERSION' && \
grep -Fx 9.9 /sys/module/page_faults/version"
  check "$2: and unloads it at the end" guest \
    "HOST=/ $LOAD_MODULE --unload && [ ! -d /sys/module/page_faults ]"
  debian_stop
  vm_judge "$2: nothing in dmesg of deploy/run --host"
}

# The packages, the next version's, and a clone whose daemon is built already,
# which takes minutes in the guest.
make_data() {
  local root=$1
  mkdir -p "$WORK/newer" "$WORK/data"
  # A copy, because the second build must have the same sources.
  cp -r "$ROOT"/{CMakeLists.txt,exporter,kernel,dashboards,deploy,.gitignore} \
    "$WORK/newer" &&
    ROOT=$WORK/newer in_root "$root" /src/deploy/build-packages \
      "$WORK/data/packages" &&
    sed -i "s/\b$VERSION\b/$VERSION.1/" "$WORK/newer/CMakeLists.txt" \
      "$WORK/newer/kernel/Kbuild" "$WORK/newer/kernel/dkms.conf" &&
    ROOT=$WORK/newer in_root "$root" /src/deploy/build-packages \
      "$WORK/data/newer" || return 1
  # shellcheck disable=SC2016
  in_root "$root" bash -euc 'git clone --quiet /src "$1"
    cmake -S "$1" -B "$1/build/run" -G Ninja -DCMAKE_BUILD_TYPE=Release \
      -DBUILD_TESTING=OFF
    cmake --build "$1/build/run" --target page_fault_exporter' - \
    "$WORK/data/clone" || return 1
  truncate -s 512M "$WORK/data.disk"
  mkfs.ext4 -q -F -d "$WORK/data" "$WORK/data.disk"
}

has_news() {
  dpkg-deb --fsys-tarfile "$1" |
    tar -xO ./usr/share/doc/page-faults-dkms/NEWS.Debian.gz | zgrep detail=totals
}

debian() {
  local suite=$1 kernels root
  mapfile -t kernels < <(kernels_of "$suite")
  [ ${#kernels[@]} -ge 2 ] || { fail "$suite: has no two kernels" && return; }
  OLD=${kernels[-2]} NEW=${kernels[-1]}
  rm -rf "$WORK"/{data,newer,disk,data.disk}
  root=$(build_root "$suite" "$OLD")
  make_data "$root" >"$WORK/data.log" 2>&1 ||
    { fail "$suite: builds: $(tail -5 "$WORK/data.log" | tr '\n' ' ')" "$WORK/data.log" && return; }
  check "$suite: lintian finds no error" \
    in_root "$root" lintian --allow-root --fail-on error "$WORK/data/packages/"*.deb
  check "$suite: the module's package has its NEWS.Debian" has_news \
    "$WORK"/data/packages/page-faults-dkms_*.deb
  disk_of "$(root_of "$suite" "$OLD" \
    "$(dependencies_of "$WORK/data/packages/"*.deb) linux-image-$NEW linux-headers-$NEW")" \
    "$WORK/disk"
  if debian_start "$suite" "$WORK/disk" "$OLD" --disk "$WORK/data.disk" \
    --forward "$PORT"; then
    mount_data
    installs "$suite"
    survives "$suite"
    keeps_configuration "$suite"
    if upgrades_kernel "$suite"; then
      locks_down "$suite"
      purges "$suite"
      debian_stop
      vm_judge "$suite: nothing in dmesg"
    fi
  fi
  runs_from_clone "$root" "$suite"
}

install_packages mmdebstrap
VERSION=$(sed -nE 's/^PACKAGE_VERSION="(.*)"$/\1/p' "$ROOT/kernel/dkms.conf")
for suite in ${INSTALL_SUITES:-bookworm trixie}; do debian "$suite"; done
