# SPDX-License-Identifier: Apache-2.0
# Tests Secure Boot, starting with the firmware: OVMF with Microsoft's keys,
# Debian's signed shim, GRUB and kernel, and DKMS's key in the list of the
# machine's owner (MOK). On a real machine `mokutil --import` and the prompt at
# the next boot put the key there. It is slow, and not part of the default run.
# INSTALL_SUITES names the Debian releases.
# shellcheck shell=bash
. "$ROOT/tests/install/lib.sh"
. "$ROOT/tests/install/guest.sh"

# make_loaders SUITE DIR: fetches the suite's shim and GRUB, and a program that
# writes variables of the firmware.
make_loaders() {
  local package
  (cd "$2" && suite_apt "$1" apt-get download shim-signed grub-efi-amd64-signed &&
    suite_apt trixie apt-get download python3-virt-firmware) || return 1
  for package in "$2"/*.deb; do
    dpkg-deb -x "$package" "$2" || return 1
  done
  rm "$2"/*.deb
}

# install_in ROOT: installs the packages, as apt would. DKMS makes its key and
# signs the module.
install_in() {
  # shellcheck disable=SC2016
  in_root "$1" bash -euc 'dpkg -i "$1"/*.deb
    dkms status "page_faults/$2" -k "$3" | grep installed ||
      dkms install "page_faults/$2" -k "$3"
    test -s /var/lib/dkms/mok.pub' - "$WORK/packages" "$VERSION" "$OLD"
}

# enrol CERTIFICATE LOADERS DIR: makes DIR/code.fd and DIR/vars.fd, with the key
# enrolled.
enrol() {
  local shim=605dab50-e046-4300-abb6-3dd810dd8b23 # owner of the variable
  cp /usr/share/OVMF/OVMF_CODE_4M.secboot.fd "$3/code.fd"
  openssl x509 -inform DER -in "$1" -out "$WORK/mok.pem" &&
    PYTHONPATH=$2/usr/lib/python3/dist-packages "$2/usr/bin/virt-fw-vars" \
      --input /usr/share/OVMF/OVMF_VARS_4M.ms.fd --output "$3/vars.fd" \
      --add-mok "$shim" "$WORK/mok.pem"
}

# boot_disk ROOT LOADERS FILE: makes the disk that the firmware reads, with
# shim, GRUB and the kernel.
boot_disk() {
  local boot=$WORK/boot
  mkdir -p "$boot/EFI/BOOT" "$boot/EFI/debian"
  cp "$2/usr/lib/shim/shimx64.efi.signed" "$boot/EFI/BOOT/BOOTX64.EFI"
  cp "$2/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" \
    "$boot/EFI/BOOT/grubx64.efi"
  cp "$1/boot/vmlinuz-$OLD" "$boot/vmlinuz"
  cp "$1/boot/initrd.img-$OLD" "$boot/initrd"
  cat >"$boot/EFI/debian/grub.cfg" <<CONFIGURATION
serial --unit=0 --speed=115200
terminal_output serial
linux /vmlinuz console=ttyS0 panic=-1 loglevel=5 panic_on_warn=1 oops=panic root=/dev/vda rw
initrd /initrd
boot
CONFIGURATION
  rm -f "$3"
  truncate -s 128M "$3"
  mkfs.fat "$3" && mcopy -s -i "$3" "$boot"/* ::
}

# prepare SUITE: makes both disks and the firmware.
prepare() {
  local root loaders installed=$WORK/installed
  root=$(build_root "$1" "$OLD") && loaders=$(cached "efi/$1" make_loaders "$1") &&
    in_root "$root" /src/deploy/build-packages "$WORK/packages" || return 1
  rm -rf "$installed" "${WORK:?}/boot"
  mkdir -p "$WORK/efi"
  cp -a "$root" "$installed" && install_in "$installed" &&
    enrol "$installed/var/lib/dkms/mok.pub" "$loaders" "$WORK/efi" &&
    boot_disk "$installed" "$loaders" "$WORK/boot.disk" &&
    disk_of "$installed" "$WORK/disk"
}


# refuses FILE PATTERN: insmod must fail, and the kernel's log must have
# PATTERN.
refuses() {
  inside 300 "insmod $1 && exit 1
    dmesg | tail -20 | grep '$2'"
}

judges_modules() {
  inside 300 '
    modprobe -r page_faults || { sleep 1; modprobe -r page_faults; }
    module=$(modinfo -n page_faults)
    case $module in
      *.xz) xz -dc $module >/root/enrolled.ko ;;
      *) cp $module /root/enrolled.ko ;;
    esac
    cp /root/enrolled.ko /root/unsigned.ko && strip -g /root/unsigned.ko
    cp /root/unsigned.ko /root/foreign.ko
    openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=foreign -outform DER \
      -keyout /root/foreign.key -out /root/foreign.der 2>/dev/null
    /usr/lib/linux-kbuild-*/scripts/sign-file sha256 /root/foreign.key \
      /root/foreign.der /root/foreign.ko'
  check "secureboot $1: an unsigned module is refused" \
    refuses /root/unsigned.ko 'unsigned module is rejected'
  check "secureboot $1: a module signed by a key that is not enrolled is refused" \
    refuses /root/foreign.ko 'unavailable key is rejected'
  falls_back "secureboot $1"
  guest 'modprobe page_faults'
  check "secureboot $1: with the signed module back the daemon reads it" \
    eventually 300 reads_module
}

locks_all() {
  guest 'echo confidentiality >/sys/kernel/security/lockdown
    && systemctl restart page-fault-exporter'
  check "secureboot $1: with lockdown=confidentiality the table can still be read" guest \
    'grep "\[confidentiality\]" /sys/kernel/security/lockdown &&
    curl -s localhost:9110/metrics | grep "^page_fault_exporter_source{source=\"module\"} 1"'
}

boots_securely() {
  local suite=$1 kernels
  mapfile -t kernels < <(kernels_of "$suite")
  OLD=${kernels[-2]}
  prepare "$suite" >"$WORK/prepare.log" 2>&1 || {
    fail "secureboot $suite: prepares: $(tail -5 "$WORK/prepare.log" | tr '\n' ' ')" \
      "$WORK/prepare.log"
    return
  }
  debian_start "secureboot-$suite" "$WORK/disk" "$OLD" --disk "$WORK/boot.disk" \
    --efi "$WORK/efi" --forward "$PORT" || return 0
  check "secureboot $suite: the kernel has Secure Boot enabled" \
    guest 'dmesg | grep "Secure boot enabled"'
  check "secureboot $suite: the kernel is locked down" \
    guest 'grep "\[integrity\]" /sys/kernel/security/lockdown'
  check "secureboot $suite: DKMS's module was loaded at boot" \
    guest 'test -d /sys/module/page_faults && modinfo -F signer page_faults | grep DKMS'
  check "secureboot $suite: its trampoline was, too" is_direct
  check "secureboot $suite: the daemon reads it" eventually 300 reads_module
  judges_modules "$suite"
  locks_all "$suite"
  debian_stop
  vm_judge "secureboot $suite: nothing in dmesg"
}

install_packages mmdebstrap ovmf dosfstools mtools openssl python3-cryptography \
  python3-pefile python3-importlib-resources
VERSION=$(sed -nE 's/^PACKAGE_VERSION="(.*)"$/\1/p' "$ROOT/kernel/dkms.conf")
for suite in ${INSTALL_SUITES:-bookworm trixie}; do boots_securely "$suite"; done
