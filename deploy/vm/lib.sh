# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts that fetch kernels, build the module and boot VMs:
# messages, the cache, and an apt of our own. Source it.
# shellcheck shell=bash
# shellcheck disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${PAGE_FAULT_EXPORTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/page_fault_exporter}

# Where tools such as depmod and mkfs are; not in every user's path.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# The number of this machine's Debian, e.g. 12; 0 where it is none.
debian_release() {
  local number
  # Debian testing has no VERSION_ID; it is newer than all releases.
  # shellcheck source=/dev/null
  number=$(. /etc/os-release && [ "${ID:-}" = debian ] &&
    printf '%s' "${VERSION_ID:-99}") || true
  printf '%s\n' "${number:-0}"
}

# need_root "$@": starts the script again as root, by sudo, unless it is root.
need_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || die "needs root, and there is no sudo here"
  exec sudo --preserve-env=XDG_CACHE_HOME,PAGE_FAULT_EXPORTER_CACHE -- "$0" "$@"
}

# Names of installed packages, and what they provide: libelf1 is libelf1t64 on
# Debian 13.
installed_packages() {
  # shellcheck disable=SC2016
  dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' |
    sed -n 's/^installed //p' | sed 's/([^)]*)//g' | tr -s ' ,' '\n'
}

# install_packages PACKAGE...: installs those that are not there yet, by sudo
# where needed.
install_packages() {
  local package installed missing=()
  installed=$(installed_packages)
  for package in "$@"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  [ "$(id -u)" = 0 ] || {
    command -v sudo >/dev/null ||
      die "not root and no sudo: cannot install ${missing[*]}"
    apt=(sudo "${apt[@]}")
  }
  local log
  log=$(mktemp)
  # apt waits for another apt that installs, but not for one that updates.
  locked apt-get run_apt "$log" "${apt[@]}" || {
    tail -20 "$log" >&2
    die "cannot install ${missing[*]}"
  }
  rm "$log"
}

# run_apt LOG APT...: installs what the array `missing` of the caller names.
run_apt() {
  local log=$1
  shift
  "$@" update >"$log" 2>&1 &&
    "$@" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1
}

# packages_in FILE...: the packages that lists name; # begins a comment.
packages_in() { sed 's/#.*//' "$@" | xargs -n1; }

# locked NAME COMMAND...: runs COMMAND while no other run here holds NAME.
locked() {
  local name=$1
  shift
  mkdir -p "$CACHE"
  (
    flock 9
    "$@"
  ) 9>"$CACHE/$name.lock"
}

# cached NAME COMMAND...: runs COMMAND with a fresh directory as its last
# argument, once; later calls find the result. Prints the directory. Safe
# against a second run at the same time and against being interrupted.
cached() {
  [ -d "$CACHE/$1" ] || locked "${1//\//-}" fill "$@" >&2 ||
    die "cannot make $CACHE/$1"
  printf '%s\n' "$CACHE/$1"
}

fill() {
  local directory=$CACHE/$1 work=$CACHE/$1.new
  shift
  [ ! -d "$directory" ] || return 0
  # A tool that was killed may have left mounts in it.
  rm -rf --one-file-system "$work" || return 1
  mkdir -p "$work"
  ("$@" "$work") || { rm -rf --one-file-system "$work"; return 1; }
  mv "$work" "$directory"
}

# Prints the URI and the keyring of Debian's main archive, from this machine's
# own apt. So the kernels of every suite come from the mirror that the machine
# uses.
archive() {
  local uri entry keyring
  local all=/usr/share/keyrings/debian-archive-keyring.gpg
  # shellcheck disable=SC2016
  read -r uri entry < <(apt-get indextargets \
    --format '$(REPO_URI) $(SOURCESENTRY)' 'Created-By: Packages' \
    'Origin: Debian' 'Label: Debian' 'Component: main') ||
    die "apt knows no Debian archive to fetch kernels from: after \
'apt-get update', 'apt-get indextargets' must list one"
  keyring=$(grep -ihoE 'signed-by[:=] *[^] ]+' "${entry%:*}" |
    sed -n '1s/.*[:=] *//p' || true)
  # The keyring of one release does not have the keys of the others.
  case $keyring in
    */debian-archive-* | "") keyring=$all ;;
    /*) ;;
    *) keyring=$all ;;
  esac
  printf '%s %s\n' "$uri" "$keyring"
}

# suite_update STATE SUITE OPTION...: brings the index of a suite up to date
# twice a day. Without a network the old index is used.
suite_update() {
  local state=$1 suite=$2 fresh
  shift 2
  fresh=$(find "$state/state/updated" -mmin -720 2>/dev/null || true)
  [ -z "$fresh" ] || return 0
  if apt-get "$@" update -o APT::Update::Error-Mode=any >&2; then
    touch "$state/state/updated"
  elif [ -e "$state/state/updated" ]; then
    say "cannot reach Debian's archive: going on with what is in the cache"
  else
    die "cannot read Debian's suite $suite: is there a network?"
  fi
}

# suite_apt SUITE COMMAND...: runs apt with only one suite of Debian. Its state
# is in the cache; the machine's own apt is not touched.
suite_apt() {
  local suite=$1 tool=$2 state=$CACHE/apt/$1 archive uri keyring
  shift 2
  mkdir -p "$state/etc/sources.list.d" "$state/etc/preferences.d" \
    "$state/etc/trusted.gpg.d" "$state/state/lists/partial" \
    "$state/cache/archives/partial"
  if [ ! -s "$state/etc/sources.list" ]; then
    archive=$(archive)
    read -r uri keyring <<<"$archive"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite" \
      >"$state/etc/sources.list"
  fi
  local options=(-q=2 -o "Dir::Etc=$state/etc" -o "Dir::State=$state/state"
    -o "Dir::State::status=$state/state/status" -o "Dir::Cache=$state/cache"
    -o APT::Sandbox::User=root -o APT::Architecture=amd64)
  [ -e "$state/state/status" ] || : >"$state/state/status"
  locked "apt-$suite" suite_update "$state" "$suite" "${options[@]}"
  "$tool" "${options[@]}" "$@"
}

# module_for VERSION: the directory of page_faults.ko for one of Debian's
# kernels, built once for each source, kernel and compiler.
module_for() {
  local kernel key VERSION RELEASE
  kernel=$("$ROOT/deploy/vm/kernel" "$1")
  eval "$kernel"
  key=$({
    cd "$ROOT/kernel" && find . -type f -print0 | sort -z | xargs -0 sha256sum
    cat "$ROOT/deploy/vm/build-module"
    gcc --version
  } | sha256sum | cut -c1-16)
  cached "modules/$RELEASE-$key" "$ROOT/deploy/vm/build-module" "$VERSION"
}
