# SPDX-License-Identifier: Apache-2.0
# The Dockerfile, built and run without an engine: buildah and podman, in
# storage of their own, on a base image made by mmdebstrap.
# shellcheck shell=bash

. "$ROOT/tests/install/lib.sh"
. "$ROOT/tests/install/hosts.sh"

BASE=docker.io/library/debian
IMAGE=localhost/page_fault_exporter
PORT=$(free_ports 1)

STORAGE=(--root "$WORK/containers/root" --runroot "$WORK/containers/run"
  --storage-driver vfs)
build() { buildah "${STORAGE[@]}" "$@"; }
run() {
  podman "${STORAGE[@]}" --runtime /usr/sbin/runc --cgroup-manager=cgroupfs \
    --events-backend=file "$@"
}

# make_base SUITE DIR
make_base() {
  local archive uri keyring
  archive=$(archive)
  read -r uri keyring <<<"$archive"
  mmdebstrap --quiet --variant=minbase \
    --customize-hook="echo 'deb $uri $1 main' >\"\$1/etc/apt/sources.list\"" \
    "$1" "$2/base.tar" "deb [signed-by=$keyring] $uri $1 main"
}

# import_base SUITE: as the registry's image of that name.
import_base() {
  local base container
  base=$(cached "docker/$1" make_base "$1")
  container=$(build from scratch)
  build add --quiet "$container" "$base/base.tar" / &&
    build commit --quiet --rm "$container" "$BASE:$1-slim"
}

# build_image NAME OPTION...
build_image() {
  BUILDAH_ISOLATION=chroot build build --quiet --pull-never --format docker \
    --network host --tag "$1" "${@:2}" "$ROOT"
}

# container OPTION...: without what an engine would have of its own.
# --no-healthcheck: podman would want systemd's timers.
container() {
  run run --rm --network=host --ulimit nofile=1024:1024 \
    --ulimit nproc=1000:1000 --no-healthcheck --read-only --cap-drop ALL \
    --security-opt no-new-privileges "$@"
}

# program PATH ARGUMENT...: another program of the image.
program() { container --entrypoint "$1" "$IMAGE" "${@:2}"; }

# start_daemon OPTION...: in the background.
start_daemon() {
  container --name daemon "$@" "$IMAGE" --web.listen-address="127.0.0.1:$PORT" \
    >"$WORK/container.log" 2>&1 &
  CONTAINER=$!
}

end() {
  run stop --time 5 daemon >/dev/null
  wait "$CONTAINER" || true
}

page_shows() {
  for _ in $(seq 100); do
    curl -sf --max-time 2 "http://127.0.0.1:$PORT$1" >"$WORK/answer" && break
    sleep 0.1
  done
  grep -E "$2" "$WORK/answer" || {
    cat "$WORK/container.log"
    return 1
  }
}

size_in_mb() {
  run image inspect --format '{{.Size}}' "$IMAGE" |
    awk '{ print int($1 / 1e6 + 0.5) }'
}

install_packages mmdebstrap buildah podman runc
table "$WORK/debug" 3 7
chmod 700 "$WORK/debug"
chmod 400 "$WORK/debug/page_faults/"*
check "docker: the base image" import_base bookworm
check "docker: the image builds" build_image "$IMAGE"
size=$(size_in_mb)
check "docker: the image has ${size:-?} MB, at most 25" test "${size:-99}" -le 25

start_daemon --user 0 --volume "$WORK/debug:/sys/kernel/debug:ro"
check "docker: root without a capability reads the table" \
  page_shows /metrics '^page_faults_total\{.*pid="1".* 14$'
# The image's own check, which an engine runs in the container.
health() {
  program /bin/wget -q -O /dev/null "http://127.0.0.1:$PORT/-/healthy"
}
check "docker: the health check passes" health
end
check "docker: the health check fails without the daemon" refused health

start_daemon --volume "$WORK/debug:/sys/kernel/debug:ro"
check "docker: without root it reads procfs" \
  page_shows /metrics '^page_fault_exporter_source\{source="procfs"\} 1'
end

shell() { program "$1" -c :; }
for name in /bin/sh /bin/bash; do
  check "docker: there is no $name" refused shell "$name"
done

# The module's image on a node of Debian 12 that is a directory. This machine's
# kernel takes no module: to build it is all that can be shown here, and a VM
# shows the rest (tests/parts/install.sh).
load_module() {
  run run --rm --network=host --ulimit nofile=1024:1024 \
    --ulimit nproc=1000:1000 "$@" "$IMAGE-module"
}
# module_says PATTERN OPTION...
module_says() {
  load_module "${@:2}" 2>&1 | tee "$WORK/module.log" | grep "$1" ||
    { cat "$WORK/module.log" && return 1; }
}

mapfile -t kernels < <(kernels_of bookworm)
node=$(build_root bookworm "${kernels[-2]}")
check "docker: the base image of the module's image" import_base trixie
check "docker: the module's image builds" \
  build_image "$IMAGE-module" --target module
check "docker: it builds the module from a node's headers" \
  module_says 'the kernel refuses the module' \
  --volume "$node:/host:ro" --env RELEASE="${kernels[-2]}"
check "docker: without headers it leaves the daemon to procfs" \
  module_says 'no headers of 1.2.3: the daemon' \
  --volume "$node:/host:ro" --env RELEASE=1.2.3
