# SPDX-License-Identifier: Apache-2.0
# A Debian of its own to install in, as a directory and as a VM's disk. Sourced
# by parts that need one; guest.sh boots it.
# shellcheck shell=bash

# kernels_of SUITE: the releases of its cloud kernels, oldest first.
kernels_of() {
  suite_apt "$1" apt-cache search --names-only \
    '^linux-image-[0-9].*-cloud-amd64$' |
    sed 's/ .*//; s/^linux-image-//' | grep -v unsigned | sort -V
}

# What runs in the guest: systemd, DKMS, and a kernel older than the newest.
guest_packages() {
  printf '%s\n' systemd systemd-sysv udev dbus kmod iproute2 procps curl \
    initramfs-tools zstd dkms openssl "linux-image-$1" "linux-headers-$1"
}

build_packages() {
  packages_in "$ROOT/deploy/packages"
  printf '%s\n' git build-essential fakeroot debhelper dh-dkms lintian
}

# make_root SUITE KERNEL FETCHED INCLUDED DIR: makes the Debian in DIR/root. The
# packages FETCHED are in its apt's cache, because the guest has no network.
make_root() {
  local suite=$1 kernel=$2 fetched=$3 included=$4 root=$5/root archive uri keyring
  archive=$(archive)
  read -r uri keyring <<<"$archive"
  say "making a Debian $suite"
  # shellcheck disable=SC2016
  mmdebstrap --quiet --variant=minbase --skip=cleanup/apt \
    --include="$(guest_packages "$kernel" | xargs | tr ' ' ,),$included" \
    --customize-hook='cp -r "'"$ROOT"'/tests/install/files/." "$1"' \
    --customize-hook='chroot "$1" systemctl enable --quiet control systemd-networkd' \
    --customize-hook='chroot "$1" systemctl mask --quiet apt-daily.timer \
      apt-daily-upgrade.timer e2scrub_all.timer dpkg-db-backup.timer' \
    --customize-hook='rm -f "$1"/var/cache/apt/archives/*.deb' \
    --customize-hook="[ -z '$fetched' ] || APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG \
      apt-get -q=2 --yes --download-only install $fetched" \
    "$suite" "$root" "deb [signed-by=$keyring] $uri $suite main" >&2
}

# root_of SUITE KERNEL [FETCHED [INCLUDED]]: prints the directory, made once.
root_of() {
  local key
  key=$({ printf '%s\n' "$@" && declare -f make_root guest_packages &&
    find "$ROOT/tests/install/files" -type f -exec cat {} +; } |
    sha256sum | cut -c1-12)
  printf '%s/root\n' \
    "$(cached "install/$1-$key" make_root "$1" "$2" "${3:-}" "${4:-}")"
}

# build_root SUITE KERNEL: prints a root in which the packages can be built.
build_root() {
  root_of "$1" "$2" "" "$(build_packages | sort -u | xargs | tr ' ' ,)"
}

# in_root ROOT COMMAND...: runs a command in the chroot. The sources are at
# /src, read-only, and WORK is at the same path.
in_root() {
  # The mounts are in a namespace of their own, and disappear with it.
  # shellcheck disable=SC2016
  unshare --mount bash -euc '
    mkdir -p "$1/src" "$1$3"
    mount --bind "$2" "$1/src"
    mount -o remount,bind,ro "$1/src"
    mount --bind "$3" "$1$3"
    mount -t proc proc "$1/proc"
    root=$1
    shift 3
    exec chroot "$root" "$@"
  ' - "$1" "$ROOT" "$WORK" "${@:2}"
}

# disk_of ROOT FILE: makes an ext4 image of the root.
disk_of() {
  rm -f "$2"
  truncate -s 5G "$2"
  mkfs.ext4 -q -F -O ^metadata_csum_seed -d "$1" "$2"
}

# file_from DISK PATH FILE: copies a file out of an image.
file_from() { debugfs -R "dump $2 $3" "$1" 2>/dev/null && [ -s "$3" ]; }

# dependencies_of DEB...: the names of the packages that they depend on.
dependencies_of() {
  local package
  for package in "$@"; do
    dpkg-deb -f "$package" Depends
    printf '\n'
  done | tr ',' '\n' | sed -nE 's/^ *([a-z0-9+.-]+).*/\1/p' | sort -u | xargs
}
