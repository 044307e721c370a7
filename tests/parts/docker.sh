# SPDX-License-Identifier: Apache-2.0
# The Dockerfile, built and run without an engine: buildah and podman, in
# storage of their own, on a base image made by mmdebstrap. Then in Debian's
# engine: the docker run of deploy/README.md, and deploy/compose.yaml.
# shellcheck shell=bash

. "$ROOT/tests/install/lib.sh"
. "$ROOT/tests/install/hosts.sh"
. "$ROOT/tests/install/engine.sh"
# podman takes a runroot of at most 50 characters, and a checkout can lie deep.
RUNROOT=$(mktemp -d /tmp/pfe-podman.XXXXXX)
trap 'engine_stop; stop_all; rm -rf "$RUNROOT"' EXIT

BASE=docker.io/library/debian
IMAGE=localhost/page_fault_exporter
PORT=$(free_ports 1)

STORAGE=(--root "$WORK/containers/root" --runroot "$RUNROOT"
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

# import_base SUITE: imports the base under the name of the registry's image.
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

# container OPTION...: runs the image without features that only an engine has.
# --no-healthcheck: podman would want systemd's timers.
container() {
  run run --rm --network="${NETWORK:-host}" --ulimit nofile=1024:1024 \
    --ulimit nproc=1000:1000 --no-healthcheck --read-only --cap-drop ALL \
    --security-opt no-new-privileges "$@"
}

# program PATH ARGUMENT...: runs another program of the image.
program() { container --entrypoint "$1" "$IMAGE" "${@:2}"; }

# start_daemon [PODMAN-OPTION...] [-- OPTION...]: in the background, on
# 127.0.0.1:$PORT unless OPTION say more.
start_daemon() {
  local podman=() options=(--web.listen-address="127.0.0.1:$PORT")
  while [ $# -gt 0 ] && [ "$1" != -- ]; do podman+=("$1") && shift; done
  [ $# = 0 ] || options=("${@:2}")
  container --name daemon "${podman[@]}" "$IMAGE" "${options[@]}" \
    >"$WORK/container.log" 2>&1 &
  CONTAINER=$!
}

end() {
  run stop --time 5 daemon >/dev/null
  wait "$CONTAINER" || true
}

# page_shows PATH PATTERN [HOST]
page_shows() {
  for _ in $(seq 100); do
    curl -sf --max-time 2 "http://${3:-127.0.0.1}:$PORT$1" >"$WORK/answer" && break
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

install_packages mmdebstrap buildah podman runc jq python3-yaml
# A node: its control groups, with a pod's container and a unit, and the names of logs.
NODE=$WORK/node
ID=$(printf '%064d' 7) POD=$(printf '%032d' 8)
make_cgroups "$NODE/sys/fs/cgroup" system.slice/shop.service \
  "kubepods.slice/kubepods-pod$POD.slice/cri-containerd-$ID.scope"
mkdir -p "$NODE/sys/kernel" "$NODE"/var/log/{pods,containers}
touch "$NODE/var/log/containers/web_shop_app-$ID.log"
NAMED_UNIT='^page_fault_cgroup_info\{cgroup="/system.slice/shop.service",unit="shop.service"'
NAMED_POD='^page_fault_cgroup_info\{cgroup="/kubepods.slice/.*,namespace="shop",pod="web",.*container="app"'
table "$WORK/debug" 3 7
chmod 700 "$WORK/debug"
chmod 400 "$WORK/debug/page_faults/"*
check "docker: the base image" import_base trixie
check "docker: the image builds" build_image "$IMAGE"
labels() {
  run image inspect "$IMAGE" | jq -r '.[0].Labels |
    "\(.["org.opencontainers.image.title"]) \(.["org.opencontainers.image.version"])"' |
    grep -x "page_fault_exporter $(sed -nE 's/^ *VERSION ([0-9.]+)$/\1/p' "$ROOT/CMakeLists.txt")"
}
check "docker: its labels have name and version" labels
size=$(size_in_mb)
check "docker: the image has ${size:-?} MB, at most 25" test "${size:-99}" -le 25

start_daemon --user 0 --volume "$WORK/debug:/sys/kernel/debug:ro"
check "docker: root without a capability reads the table" \
  page_shows /metrics '^page_faults_total\{.*pid="1".* 14$'
# The image's own check, which an engine runs in the container.
mapfile -t HEALTH < <(sed -n '/^HEALTHCHECK/{n;s/^ *CMD //p}' "$ROOT/Dockerfile" |
  jq -r '.[]')
health() { run exec daemon "${HEALTH[@]}"; }
check "docker: the health check passes" health
end
without_daemon() { program "${HEALTH[@]}"; }
check "docker: the health check fails without the daemon" refused without_daemon

# asks_at BY HOST [ARGUMENT]...: the health check finds a daemon that is told by
# BY to listen at HOST.
asks_at() {
  start_daemon "${@:3}"
  check "docker: the daemon listens where $1 says" \
    page_shows /metrics '^page_fault_exporter_build_info' "$2"
  check "docker: and the health check asks there" health
  end
}
printf '{"web.listen-address": "127.0.0.1:%s"}\n' "$PORT" >"$WORK/config.json"
asks_at "the environment" 127.0.0.1 \
  --env PAGE_FAULT_EXPORTER_WEB_LISTEN_ADDRESS="127.0.0.1:$PORT" --
asks_at "a file" 127.0.0.1 --volume "$WORK/config.json:/config.json:ro" -- \
  --config.file=/config.json
asks_at "an option with IPv6" '[::1]' -- --web.listen-address="[::1]:$PORT"
asks_at "a port alone, over IPv6" '[::1]' -- --web.listen-address=":$PORT"
asks_at "a port alone, over IPv4" 127.0.0.1 -- --web.listen-address=":$PORT"
# What a host with ipv6.disable=1 answers: 10 is AF_INET6, 97 EAFNOSUPPORT.
jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["socket"],
  action: "SCMP_ACT_ERRNO", errnoRet: 97,
  args: [{index: 0, value: 10, op: "SCMP_CMP_EQ"}]}]}' >"$WORK/no-ipv6.json"
asks_at "a port alone, without IPv6" 127.0.0.1 \
  --security-opt seccomp="$WORK/no-ipv6.json" -- --web.listen-address=":$PORT"
check "docker: and says that it listens on IPv4 alone" \
  grep -F "listening on 0.0.0.0:$PORT/" "$WORK/container.log"
# A container whose engine has no IPv6 has no ::1, but can make sockets of IPv6.
NETWORK=none start_daemon --sysctl net.ipv6.conf.all.disable_ipv6=1 -- \
  --web.listen-address=":$PORT"
check "docker: the health check asks a port alone where there is no ::1" \
  eventually 30 health
end

# daemonset_options DIR: what start_daemon takes to mount what the DaemonSet mounts into
# the daemon's container, from the node DIR and with this machine's /proc, and to give the
# daemon the DaemonSet's options.
daemonset_options() {
  /usr/bin/python3 - "$ROOT/deploy/kubernetes/daemonset.yaml" "$1" "$PORT" <<'PYTHON'
import sys, yaml
manifest, node, port = sys.argv[1:]
pod = yaml.safe_load(open(manifest))["spec"]["template"]["spec"]
daemon = pod["containers"][0]
paths = {v["name"]: v["hostPath"]["path"] for v in pod["volumes"]}
for mount in daemon["volumeMounts"]:
    path = paths[mount["name"]]
    path = path if path == "/proc" else node + path
    print(f"--volume={path}:{mount['mountPath']}:ro")
print("--", *(arg.replace("=:9110", f"=127.0.0.1:{port}") for arg in daemon["args"]),
      sep="\n")
PYTHON
}
cp -r "$NODE" "$WORK/node-without-debugfs"
cp -r "$WORK/debug" "$NODE/sys/kernel/debug"
mapfile -t options < <(daemonset_options "$NODE")
start_daemon --user 0 "${options[@]}"
check "docker: as in the DaemonSet it reads the table" \
  page_shows /metrics '^page_faults_total\{.*pid="1".* 14$'
check "docker: and names units" page_shows /metrics "$NAMED_UNIT"
check "docker: and pods" page_shows /metrics "$NAMED_POD"
end
mapfile -t options < <(daemonset_options "$WORK/node-without-debugfs")
start_daemon --user 0 "${options[@]}"
check "docker: in it on a node without debugfs it reads procfs" \
  page_shows /metrics '^page_fault_exporter_source\{source="procfs"\} 1'
end

start_daemon --volume "$WORK/debug:/sys/kernel/debug:ro"
check "docker: its own /proc is not taken for the host's" \
  page_shows /metrics '^page_fault_exporter_read_error\{cause="hidden"\} 1'
end
start_daemon --volume "$WORK/debug:/sys/kernel/debug:ro" \
  --volume /proc:/host/proc:ro -- \
  --web.listen-address="127.0.0.1:$PORT" --path.procfs=/host/proc
check "docker: without root it reads procfs" \
  page_shows /metrics '^page_fault_exporter_source\{source="procfs"\} 1'
end

shell() { program "$1" -c :; }
for name in /bin/sh /bin/bash; do
  check "docker: there is no $name" refused shell "$name"
done

# Runs the module's image for a node with Debian 12; the node is a directory.
# This machine's kernel loads no modules, so only the build is tested here.
# tests/parts/install.sh tests the rest in a VM.
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
check "docker: the module's image builds" \
  build_image "$IMAGE-module" --target module
check "docker: it builds the module from a node's headers" \
  module_says 'the kernel refuses the module' \
  --volume "$node:/host:ro" --env RELEASE="${kernels[-2]}"
check "docker: without headers it leaves the daemon to procfs" \
  module_says 'no headers of 1.2.3: the daemon' \
  --volume "$node:/host:ro" --env RELEASE=1.2.3

# The rest runs in an engine.
docker() { in_engine docker "$@"; }
compose() {
  in_engine docker-compose --project-directory "$ROOT/deploy" \
    --file "$WORK/compose.yaml" "$@"
}
# on_node: a text in which the host's control groups are those of the node.
on_node() { sed "s,/sys/fs/cgroup:,$NODE/sys/fs/cgroup:,"; }
# at URL: what a browser on the engine's host gets.
at() { in_engine curl -sf --max-time 5 "http://127.0.0.1:$1"; }
# shows URL PATTERN
shows() { at "$1" | grep -E "$2"; }

# make_servers DIR: makes a root with Debian's Prometheus. It stands in for both
# images of compose.yaml, because tests do not use the registry. For Grafana it
# only provides the user, who reads files and queries Prometheus.
make_servers() {
  local archive uri keyring
  archive=$(archive)
  read -r uri keyring <<<"$archive"
  # shellcheck disable=SC2016
  mmdebstrap --quiet --variant=minbase --include=prometheus,curl \
    --customize-hook='install -d -o 65534 -g 65534 "$1/prometheus"' \
    --customize-hook='install -d -o 472 -g 0 "$1/var/lib/grafana"' \
    bookworm "$1/servers.tar" "deb [signed-by=$keyring] $uri bookworm main"
}

# stand_in SERVICE CHANGE...: imports this root as the image that compose.yaml
# names for SERVICE.
stand_in() {
  local image change options=()
  image=$(sed -nE "s/^ *image: (.*\/$1:.*)/\1/p" "$ROOT/deploy/compose.yaml")
  for change in "${@:2}"; do options+=(--change "$change"); done
  docker import "${options[@]}" "$SERVERS/servers.tar" "$image"
}

load_images() {
  SERVERS=$(cached docker/servers make_servers)
  build push --quiet "$IMAGE" "docker-archive:$WORK/image.tar:page_fault_exporter:latest" &&
    docker load --quiet --input "$WORK/image.tar" &&
    stand_in prometheus 'ENTRYPOINT ["/usr/bin/prometheus"]' 'USER nobody' \
      'VOLUME /prometheus' &&
    stand_in grafana 'ENTRYPOINT ["/bin/sleep", "infinity"]' 'USER 472'
}

# The command of deploy/README.md, as it stands there but for the control groups.
docker_run() {
  in_engine bash -euc "$(sed -n \
    '/^    docker run -d/,/^      page_fault_exporter --/p' "$ROOT/deploy/README.md" |
    on_node)"
}

is_healthy() {
  docker inspect --format '{{.State.Health.Status}}' "$1" | grep -x healthy
}

in_an_engine() {
  local id
  check "docker: the engine has the images" load_images
  id=$(docker_run)
  check "docker: the page's docker run serves the table" \
    eventually 30 shows 9110/metrics '^page_faults_total\{.*pid="1".* 14$'
  check "docker: and names units" shows 9110/metrics "$NAMED_UNIT"
  check "docker: the engine calls it healthy" eventually 120 is_healthy "$id"
  check "docker: docker stop ends it with 0" bash -c '
    "${@:2}" stop "$1" && [ "$("${@:2}" inspect --format "{{.State.ExitCode}}" "$1")" = 0 ]' \
    - "$id" "${ENTER[@]}" docker
  docker rm --force "$id" >/dev/null
}

targets_of() { at "9090/api/v1/query?query=up" | jq -c '.data.result[]'; }
scraped() { targets_of | grep '"instance":"exporter".*"1"'; }
sees_fault() {
  at '9090/api/v1/query?query=page_faults_total' | grep '"pid":"3".*"28"'
}
sees_unit() {
  at '9090/api/v1/query?query=page_fault_cgroup_info' | grep '"unit":"shop.service"'
}
has_rules() {
  local shipped groups
  shipped=$(cat "$ROOT"/dashboards/rules/*.yml | grep -c '^ *- name:')
  groups=$(at 9090/api/v1/rules | jq '.data.groups | length')
  [ "$groups" -gt 0 ] && [ "$groups" = "$shipped" ]
}

# Whether Grafana's user can read the files that provisioning names, and reach
# Prometheus.
grafana_finds() {
  local provisioning=$ROOT/deploy/grafana/provisioning path url shipped
  path=$(sed -nE 's/^ *path: //p' "$provisioning"/dashboards/*.yaml)
  url=$(sed -nE 's/^ *url: //p' "$provisioning"/datasources/*.yaml)
  shipped=$(cd "$ROOT/dashboards" && echo ./*.json)
  [ "$(compose exec -T grafana sh -c \
    "cd $path && cat ./*.json >/dev/null && echo ./*.json")" = "$shipped" ] &&
    compose exec -T grafana sh -c 'cat /etc/grafana/provisioning/*/*.yaml' >/dev/null &&
    compose exec -T grafana curl -sf "$url/-/ready"
}

was_restarted() {
  docker inspect --format '{{.RestartCount}} {{.State.Running}}' "$1" |
    grep -x '1 true'
}
comes_back() {
  local id
  id=$(compose ps --quiet exporter)
  in_engine kill -KILL "$(docker inspect --format '{{.State.Pid}}' "$id")"
  eventually 30 was_restarted "$id"
}

provisioning() { "$ROOT/tests/install/provisioning.py" "$1"; }

misspelt() {
  cp -r "$ROOT/deploy/grafana/provisioning" "$WORK/misspelt"
  sed -i 's/folder:/foldr:/' "$WORK/misspelt/dashboards/"*.yaml
  refused provisioning "$WORK/misspelt"
}

with_compose() {
  check "compose: Grafana takes its provisioning" \
    provisioning "$ROOT/deploy/grafana/provisioning"
  check "compose: misspelt provisioning is refused" misspelt
  on_node <"$ROOT/deploy/compose.yaml" >"$WORK/compose.yaml"
  check "compose: docker compose accepts the file" compose config --quiet
  check "compose: it starts" compose up --detach --no-build --pull never
  check "compose: Prometheus scrapes the daemon" eventually 60 scraped
  check "compose: Prometheus has the module's faults" eventually 60 sees_fault
  check "compose: and the names of units" eventually 60 sees_unit
  check "compose: Prometheus has our rules" eventually 30 has_rules
  check "compose: Grafana's user finds dashboards and Prometheus" \
    eventually 30 grafana_finds
  check "compose: the daemon is healthy" eventually 120 is_healthy \
    "$(compose ps --quiet exporter)"
  check "compose: killed, the daemon comes back" comes_back
  check "compose: it goes down" compose down --volumes --timeout 5
}

if engine_start "$WORK/debug" >"$WORK/engine-start.log" 2>&1; then
  ok "docker: Debian's engine starts"
  in_an_engine
  with_compose
else
  fail "docker: Debian's engine starts: $(tail -5 "$WORK/engine-start.log" | tr '\n' ' ')"
fi
