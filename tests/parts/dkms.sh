# SPDX-License-Identifier: Apache-2.0
# What DKMS makes of a kernel whose API has moved on, in Debian 12 and 13: neither
# the package nor the kernel's headers may fail in apt. Headers whose build fails
# stand in for such a kernel; tests/parts/install.sh builds for real ones.
# shellcheck shell=bash
. "$ROOT/tests/install/hosts.sh"

VERSION=$(sed -nE 's/^PACKAGE_VERSION="(.*)"$/\1/p' "$ROOT/kernel/dkms.conf")
IFS=. read -r MAJOR MINOR <<<"$("$ROOT/deploy/vm/kernel" 7 |
  sed -nE 's/^RELEASE=([0-9]+\.[0-9]+).*/\1/p')"
TESTED=$MAJOR.$MINOR.99-test-amd64
NEWER=$MAJOR.$((MINOR + 1)).1-test-amd64

# make_dkms SUITE DIR
make_dkms() {
  local uri keyring
  read -r uri keyring <<<"$(archive)"
  say "making a Debian $1 with DKMS"
  mmdebstrap --quiet --variant=minbase --include=dkms,make,gcc,libc6-dev,kmod \
    "$1" "$2/root" "deb [signed-by=$keyring] $uri $1 main" >&2
}

# kernel_in ROOT RELEASE: headers of a kernel that has no longer what a module
# calls.
kernel_in() {
  local headers=$1/lib/modules/$2/build
  mkdir -p "$headers/include/config"
  printf 'all modules:\n\t@echo no such member; false\nclean:\n\ttrue\n' \
    >"$headers/Makefile"
  printf 'CONFIG_%s=y\n' DEBUG_FS TRACEPOINTS \
    VM_EVENT_COUNTERS KRETPROBES MODULES |
    tee "$headers/.config" >"$headers/include/config/auto.conf"
}

# apt_would RELEASE COMMAND...: in a Debian with that kernel and the module's
# source, of which nothing is left afterwards.
apt_would() {
  (
    mkdir -p "$WORK/copy"
    unshare --mount bash -euc '
      mount -t tmpfs tmpfs "$1"
      mkdir "$1/"{upper,work,root}
      mount -t overlay overlay "$1/root" \
        -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work"
      mount -t proc proc "$1/root/proc"
      cp -r "$3/kernel" "$1/root/usr/src/page_faults-$4"
      eval "$5"
      kernel_in "$1/root" "$6"
      exec chroot "$1/root" env DEBIAN_FRONTEND=noninteractive "${@:7}"' - \
      "$WORK/copy" "$DEBIAN" "$ROOT" "$VERSION" "$(declare -f kernel_in)" "$@"
  )
}

# What the package's postinst runs, and then the headers' one.
PACKAGE=(/usr/lib/dkms/common.postinst page_faults "$VERSION")
headers_of() {
  apt_would "$1" sh -c "dkms add page_faults/$VERSION >/dev/null &&
    run-parts --report --exit-on-error --arg=$1 /etc/kernel/header_postinst.d"
}
says_so() { "$@" 2>&1 | grep -E 'BUILD_EXCLUSIVE|is not built for Linux'; }

# modules_of OPTION...: what DKMS is told to install for a kernel with these options.
# shellcheck disable=SC2016 # another shell expands it
modules_of() { dkms_says 'echo "${BUILT_MODULE_NAME[@]}"' "$@"; }
# What it wants of such a kernel.
# shellcheck disable=SC2016
wanted_of() { dkms_says 'echo " $BUILD_EXCLUSIVE_CONFIG "' "$@"; }

# dkms_says SCRIPT OPTION...: what a script prints that has read dkms.conf, for a
# kernel with these options.
dkms_says() {
  local headers=$WORK/headers script=$1
  shift
  rm -rf "$headers"
  mkdir -p "$headers/include/config"
  printf 'CONFIG_%s=y\n' "$@" >"$headers/include/config/auto.conf"
  kernel_source_dir=$headers bash -c ". \"\$1\"; $script" - "$ROOT/kernel/dkms.conf"
}
modules() {
  local both="page_faults page_faults_trampoline"
  check "dkms: with direct calls it installs the trampoline too" \
    test "$(modules_of X86_64 DYNAMIC_FTRACE_WITH_DIRECT_CALLS)" = "$both"
  check "dkms: without direct calls it does not" \
    test "$(modules_of X86_64)" = page_faults
  check "dkms: without direct calls it wants return probes" \
    grep ' CONFIG_KRETPROBES ' <<<"$(wanted_of X86_64)"
  check "dkms: with direct calls it does not" \
    test -z "$(wanted_of X86_64 DYNAMIC_FTRACE_WITH_DIRECT_CALLS |
      grep ' CONFIG_KRETPROBES ')"
  check "dkms: nor on another architecture" \
    test "$(modules_of DYNAMIC_FTRACE_WITH_DIRECT_CALLS)" = page_faults
  check "dkms: it removes both when the headers are gone" \
    test "$(kernel_source_dir=/nonexistent bash -c '. "$1"
      echo "${BUILT_MODULE_NAME[@]}"' - "$ROOT/kernel/dkms.conf")" = "$both"
}

# Each of the kernels that are tested, and no other line.
is_built_for() {
  apt_would "$1" bash -c '. "/usr/src/page_faults-$1/dkms.conf"
    [[ $2 =~ $BUILD_EXCLUSIVE_KERNEL ]]' - "$VERSION" "$1"
}
bounds() {
  local release
  for release in 6.1.0-50-cloud-amd64 6.12.95+deb12-cloud-amd64 "$TESTED"; do
    check "dkms: it builds for $release" is_built_for "$release"
  done
  for release in 6.0.12-1-amd64 5.10.0-30-amd64 "$NEWER" "${MAJOR}0.1.0-1-amd64"; do
    check "dkms: it does not build for $release" refused is_built_for "$release"
  done
}

install_packages mmdebstrap
modules
for suite in bookworm trixie; do
  DEBIAN=$(cached "dkms/$suite" make_dkms "$suite")/root
  [ "$suite" != bookworm ] || bounds
  check "dkms: $suite: a build that fails would fail the package" \
    refused apt_would "$TESTED" "${PACKAGE[@]}"
  check "dkms: $suite: and the kernel's headers" refused headers_of "$TESTED"
  check "dkms: $suite: with a newer kernel the package installs" \
    apt_would "$NEWER" "${PACKAGE[@]}"
  check "dkms: $suite: and says so" says_so apt_would "$NEWER" "${PACKAGE[@]}"
  check "dkms: $suite: and so do the newer kernel's headers" headers_of "$NEWER"
  check "dkms: $suite: and say so" says_so headers_of "$NEWER"
done
