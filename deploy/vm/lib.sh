# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts that fetch kernels, build the module and boot VMs:
# messages, the cache, and an apt of our own. Source it.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${PAGE_FAULT_EXPORTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/page_fault_exporter}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# need_root "$@": goes on as root, by sudo where it exists.
need_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || die "needs root, and there is no sudo here"
  exec sudo --preserve-env=XDG_CACHE_HOME,PAGE_FAULT_EXPORTER_CACHE -- "$0" "$@"
}

# install_packages PACKAGE...: installs those that are not there yet.
install_packages() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null |
      grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  apt-get -q=2 update >&2 || die "apt-get update failed: is there a network?"
  DEBIAN_FRONTEND=noninteractive apt-get -q=2 install --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >&2 ||
    die "cannot install ${missing[*]}"
}

# cached NAME COMMAND...: runs COMMAND with a fresh directory as its last
# argument, once; later calls find the result. Prints the directory. Safe
# against a second run at the same time and against being interrupted.
cached() {
  local name=$1 directory=$CACHE/$1 work
  shift
  mkdir -p "$(dirname "$directory")"
  exec 9>"$CACHE/lock"
  flock 9
  if [ ! -d "$directory" ]; then
    work=$directory.new
    rm -rf "$work"
    mkdir -p "$work"
    "$@" "$work" >&2 || { rm -rf "$work"; exec 9>&-; die "cannot make $name"; }
    mv "$work" "$directory"
  fi
  exec 9>&-
  printf '%s\n' "$directory"
}

# The entries of this machine's apt that serve Debian's main archive: lines of
# "URI SIGNED-BY", the archive itself and not its security or updates suites.
archive_entries() {
  # deb822 stanzas, then one-line entries.
  awk -v RS= '/Types:[^\n]*deb/ && /Suites:[^\n]*(bookworm|trixie|stable)/ &&
      /Components:[^\n]*main/ {
    uri = signed = ""
    n = split($0, line, "\n")
    for (i = 1; i <= n; i++) {
      if (line[i] ~ /^URIs:/) { split(line[i], f, " "); uri = f[2] }
      if (line[i] ~ /^Signed-By:/) { split(line[i], f, " "); signed = f[2] }
    }
    print uri, signed
  }' /etc/apt/sources.list.d/*.sources 2>/dev/null || true
  sed -n 's/#.*//; /^deb /p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    2>/dev/null | awk '/(bookworm|trixie|stable)/ && / main/ {
    signed = ""
    if (match($0, /signed-by=[^] ]*/)) signed = substr($0, RSTART + 10, RLENGTH - 10)
    gsub(/\[[^]]*\]/, "")
    print $2, signed
  }' || true
}

# The archive's URI and keyring, by the first entry that is not the security
# archive.
archive() {
  archive_entries | grep -v security | grep -m1 . ||
    die "no Debian archive in /etc/apt: cannot tell where to fetch kernels from"
}

# suite_apt SUITE COMMAND...: apt with nothing but one suite of Debian, its
# state in the cache; the machine's own apt is not touched.
suite_apt() {
  local suite=$1 state=$CACHE/apt/$1 uri signed
  shift
  mkdir -p "$state/etc/sources.list.d" "$state/etc/preferences.d" \
    "$state/etc/trusted.gpg.d" "$state/state/lists/partial" \
    "$state/cache/archives/partial"
  if [ ! -s "$state/etc/sources.list" ]; then
    read -r uri signed <<<"$(archive)"
    signed=${signed:-/usr/share/keyrings/debian-archive-keyring.gpg}
    printf 'deb [signed-by=%s] %s %s main\n' "$signed" "$uri" "$suite" \
      >"$state/etc/sources.list"
    : >"$state/state/status"
  fi
  local options=(-q=2 -o "Dir::Etc=$state/etc" -o "Dir::State=$state/state"
    -o "Dir::State::status=$state/state/status" -o "Dir::Cache=$state/cache"
    -o APT::Sandbox::User=root -o APT::Architecture=amd64)
  if [ -z "$(find "$state/state/lists" -name '*Packages*' -mmin -720)" ]; then
    apt-get "${options[@]}" update >&2 ||
      die "cannot read Debian's suite $suite: is there a network?"
  fi
  local tool=$1
  shift
  "$tool" "${options[@]}" "$@"
}
