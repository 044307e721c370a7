# SPDX-License-Identifier: Apache-2.0
# Runs Debian's Docker engine without installing it. It is unpacked into the
# cache, and runs in mount, network and pid namespaces of its own. So it does
# not touch this machine's ports and firewall rules, and leaves nothing behind.
# Sourced by parts that need it.
# shellcheck shell=bash

ENGINE_PACKAGES=(docker.io containerd runc tini iptables libip4tc2 libip6tc2
  libmnl0 libnfnetlink0 libnftnl11 libnetfilter-conntrack3 libxtables12
  libdevmapper1.02.1 libseccomp2)

ENGINE_CGROUP=page-faults-test

# make_engine DIR: the engine's programs. Compose is that of Debian 13, which is
# the first Debian with Compose v2; it needs no library.
make_engine() {
  local package
  mkdir "$1/debs"
  (cd "$1/debs" && suite_apt bookworm apt-get download "${ENGINE_PACKAGES[@]}" &&
    suite_apt trixie apt-get download docker-compose) || return 1
  for package in "$1/debs/"*.deb; do
    dpkg-deb -x "$package" "$1" || return 1
  done
  rm -r "$1/debs"
  ln -s xtables-nft-multi "$1/usr/sbin/iptables"
  ln -s xtables-nft-multi "$1/usr/sbin/ip6tables"
}

# in_engine COMMAND...: runs a command in the namespaces of the engine.
in_engine() { "${ENTER[@]}" "$@"; }

containerd_configuration() {
  cat <<CONFIGURATION
version = 2
root = "$WORK/engine/containerd"
state = "$WORK/engine/containerd-run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$WORK/engine/containerd.sock"
CONFIGURATION
}

# engine_start DEBUGFS: starts the engine on a host whose /sys/kernel/debug is
# that directory.
engine_start() {
  local directory
  directory=$(cached docker/engine-1 make_engine)
  mkdir -p "$WORK/engine"
  # shellcheck disable=SC2016
  start engine unshare --mount --net --pid --fork --kill-child --mount-proc \
    bash -euc 'mount --bind "$1" /sys/kernel/debug
      ip link set lo up
      while :; do sleep 3600; done' - "$1"
  ENGINE=$PID
  local init
  init=$(eventually 10 pgrep -P "$ENGINE") || return 1
  ENTER=(nsenter --target "$init" --mount --net --pid --
    env PATH="$directory/usr/bin:$directory/usr/sbin:$PATH"
    LD_LIBRARY_PATH="$directory/usr/lib/x86_64-linux-gnu"
    XTABLES_LIBDIR="$directory/usr/lib/x86_64-linux-gnu/xtables"
    DOCKER_HOST="unix://$WORK/engine/docker.sock")
  eventually 10 in_engine ls /sys/kernel/debug/page_faults || return 1
  containerd_configuration >"$WORK/engine/containerd.toml"
  start containerd "${ENTER[@]}" containerd --config "$WORK/engine/containerd.toml"
  eventually 30 test -S "$WORK/engine/containerd.sock" || return 1
  start dockerd "${ENTER[@]}" dockerd --containerd "$WORK/engine/containerd.sock" \
    --host "unix://$WORK/engine/docker.sock" --data-root "$WORK/engine/docker" \
    --exec-root "$WORK/engine/exec" --pidfile "$WORK/engine/pid" \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$ENGINE_CGROUP" \
    --default-ulimit nofile=1024:1024 --default-ulimit nproc=1000:1000
  eventually 60 in_engine docker info ||
    { tail -3 "$WORK"/{containerd,dockerd}.log && return 1; }
}

# engine_stop: ends the engine and all that runs in it. unshare ignores TERM.
engine_stop() {
  [ -n "${ENGINE:-}" ] || return 0
  kill -KILL "$ENGINE" 2>/dev/null || true
  wait "$ENGINE" 2>/dev/null || true
  rmdir /sys/fs/cgroup/{,*/}"$ENGINE_CGROUP" 2>/dev/null || true
}
