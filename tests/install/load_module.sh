# SPDX-License-Identifier: Apache-2.0
# deploy/kubernetes/load-module on a node that is a directory, whose kernel is a
# few stand-ins: of the commands that load and unload, and of the kernel's own
# makefile. What is really built and loaded, tests/parts/docker.sh and install.sh
# show. Sourced by fleet.sh.
# shellcheck shell=bash disable=SC2016

NODE=$WORK/node

stand_in() {
  printf '#!/bin/bash\n%s\n' "$2" >"$NODE/bin/$1"
  chmod +x "$NODE/bin/$1"
}

# Everything else that the script may call.
TOOLS=(awk bash cat cp dirname grep ln ls make mkdir mktemp paste rm sed sh sleep
  sort tail touch)

# node_with FILE[=TEXT]...: a new node; files tell what it has.
#   loaded, installed  the version that is loaded or installed
#   trampoline         the module's trampoline is loaded
#   gcc, clang         it has headers, and its kernel was built by that compiler
#   held               a process has a file of the module open
#   signer             who signed what is installed
#   refuses-NAME       the kernel refuses modprobe, or the file NAME
#   lockdown           the kernel is locked down and takes signed modules only
#   selinux            SELinux is enforcing
node_with() {
  local what build=$NODE/host/lib/modules/1.2.3/build
  rm -rf "$NODE"
  mkdir -p "$NODE/bin" "$NODE/host" "$NODE/source"
  for what in "$@"; do printf '%s' "${what#*=}" >"$NODE/${what%%=*}"; done
  printf 'PF_MODULE_VERSION := 2.0\n' >"$NODE/source/Kbuild"
  cp "$ROOT/kernel/Makefile" "$NODE/source/"
  if [ -e "$NODE/gcc" ] || [ -e "$NODE/clang" ]; then
    mkdir -p "$build/include/config"
    printf '%s\n' 'modules:' \
      '	@[ ! -e "$(NODE)/changed" ] || { echo "no such member"; exit 2; }' \
      '	@echo "LLVM=$(LLVM)" >"$(NODE)/made"' \
      '	@touch "$(M)/page_faults.ko" "$(M)/page_faults_trampoline.ko"' \
      >"$build/Makefile"
    [ -e "$NODE/gcc" ] || echo CONFIG_CC_IS_CLANG=y >"$build/include/config/auto.conf"
  fi
  if [ -e "$NODE/selinux" ]; then
    mkdir -p "$NODE/host/sys/fs/selinux"
    printf 1 >"$NODE/host/sys/fs/selinux/enforce"
  fi
  for what in "${TOOLS[@]}"; do ln -s "$(command -v "$what")" "$NODE/bin/"; done
  if [ -e "$NODE/lockdown" ]; then
    mkdir -p "$NODE/host/sys/kernel/security"
    echo 'none [integrity] confidentiality' >"$NODE/host/sys/kernel/security/lockdown"
  fi
  stand_in modinfo 'case $* in *signer*) cat "$NODE/signer" ;; *) cat "$NODE/installed" ;; esac'
  stand_in modprobe '[ ! -e "$NODE/refuses-modprobe" ] ||
      { echo "Key was rejected" >&2; exit 1; }
    mkdir /sys/module/page_faults
    cp "$NODE/installed" /sys/module/page_faults/version'
  stand_in insmod 'name=${1##*/}
    echo "$name" >>"$NODE/inserted"
    [ -e "$1" ] && [ ! -e "$NODE/refuses-$name" ] || { echo "Key was rejected" >&2; exit 1; }
    mkdir "/sys/module/${name%.ko}"
    printf 2.0 >"/sys/module/${name%.ko}/version"'
  stand_in rmmod '[ ! -e "$NODE/held" ] || { echo "in use" >&2; exit 1; }
    rm -r /sys/module/page_faults'
}

# on_node COMMAND...: where /sys/module is the node's, and links in /usr/lib are
# not this machine's.
on_node() {
  # shellcheck disable=SC2097,SC2098
  NODE=$NODE HOST=$NODE/host SOURCE=$NODE/source RELEASE=1.2.3 \
    unshare --mount bash -euc '
      mount -t tmpfs tmpfs /sys/module
      mkdir "$NODE/links"
      mount -t tmpfs tmpfs "$NODE/links"
      mkdir "$NODE/links/"{upper,work}
      mount -t overlay overlay /usr/lib -o \
        "lowerdir=/usr/lib,upperdir=$NODE/links/upper,workdir=$NODE/links/work"
      PATH=$NODE/bin
      [ ! -e "$NODE/trampoline" ] || mkdir /sys/module/page_faults_trampoline
      [ ! -e "$NODE/loaded" ] || {
        mkdir /sys/module/page_faults
        cp "$NODE/loaded" /sys/module/page_faults/version
      }
      "$@" 2>&1 || echo "status $?"
      echo "then: $(cat /sys/module/page_faults/version 2>/dev/null)"' - "$@"
}

# loads WHAT PATTERN THEN [OPTION]: it says PATTERN, and THEN is loaded in the end.
loads() {
  local said
  said=$(on_node "$ROOT/deploy/kubernetes/load-module" "${@:4}")
  printf '%s\n' "$said" >"$WORK/said"
  check "load-module: $1" bash -c \
    'cat "$1"; grep -q -- "$2" "$1" && grep -qx "then: $3" "$1"' \
    - "$WORK/said" "$2" "$3"
}

load_module() {
  node_with gcc
  loads "it builds what the node has not" 'built and loaded' 2.0
  check "load-module: the trampoline comes first" diff "$NODE/inserted" \
    <(printf 'page_faults%s.ko\n' _trampoline "")
  node_with loaded=2.0 gcc
  loads "it lets its own version be" 'version 2.0 is loaded already' 2.0
  node_with loaded=1.0 gcc
  loads "it replaces another version" 'unloaded version 1.0' 2.0
  node_with loaded=1.0 gcc held
  loads "a version in use stays, and it says so" 'version 1.0 stays loaded' 1.0
  node_with loaded=1.0 gcc changed
  loads "what it cannot replace it does not unload" 'does not build.*1.0 stays' 1.0
  node_with loaded=1.0
  loads "nor where there are no headers" 'no headers of 1.2.3: version 1.0 stays' 1.0
  node_with loaded=1.0 trampoline gcc
  loads "the trampoline stays when the module is replaced" \
    'unloaded version 1.0; its trampoline.*stays until the next boot' 2.0
  check "load-module: and is not loaded again" refused grep refuses "$WORK/said"
  node_with gcc refuses-page_faults_trampoline.ko
  loads "without the trampoline it loads the module" 'refuses the trampoline' 2.0
  node_with installed=3.0 gcc
  loads "the node's own comes first" "the node's own version 3.0" 3.0
  node_with installed=3.0 loaded=2.0 gcc
  loads "the node's own replaces another one" "the node's own version 3.0" 3.0
  node_with installed=1.0 loaded=1.0
  loads "the node's own stays, be it older" 'version 1.0 is loaded already' 1.0

  node_with loaded=1.0 gcc refuses-page_faults.ko
  loads "it says what it gave up for one that the kernel refuses" \
    'refuses the module.*version 1.0 was unloaded for it' ""
  check "load-module: and why" grep 'Key was rejected' "$WORK/said"
  node_with loaded=1.0 installed=3.0 refuses-modprobe
  loads "it says what it gave up for the node's own" \
    'no headers of 1.2.3 (version 1.0 was unloaded for it)' ""
  check "load-module: and that it does not load" grep "own version 3.0 does not load" "$WORK/said"
  check "load-module: and why not" grep 'Key was rejected' "$WORK/said"
  node_with installed=3.0 refuses-modprobe gcc
  loads "it builds if the node's own does not load" 'built and loaded' 2.0
  node_with loaded=1.0 gcc lockdown
  loads "for an unsigned one nothing is unloaded" 'signed modules only.*1.0 stays' 1.0
  node_with loaded=1.0 installed=3.0 lockdown
  loads "nor for the node's own" 'signed modules only.*1.0 stays' 1.0
  node_with loaded=1.0 installed=3.0 signer=someone lockdown
  loads "a signed one replaces it" "the node's own version 3.0" 3.0

  node_with clang
  loads "it does not build for clang's kernel with gcc" 'built by clang' ""
  node_with clang
  stand_in clang ''
  stand_in ld.lld ''
  loads "it builds for clang's kernel with clang" 'built and loaded' 2.0
  check "load-module: and tells make so" grep -x LLVM=1 "$NODE/made"
  node_with gcc
  loads "it builds for gcc's kernel with gcc" 'built and loaded' 2.0
  check "load-module: and tells make nothing" grep -x LLVM= "$NODE/made"

  node_with gcc selinux
  loads "it says what SELinux needs" 'SELinux is enforcing.*seLinuxOptions' 2.0

  node_with loaded=2.0
  loads "--unload leaves nothing" 'unloaded version 2.0' "" --unload
  node_with loaded=2.0 held
  loads "--unload fails while it is held" 'status 1' 2.0 --unload
  node_with
  loads "--unload of nothing" 'not loaded' "" --unload
  node_with loaded=2.0 installed=2.0
  loads "--unload leaves the node's own to its package" 'goes with its package' 2.0 --unload
}
