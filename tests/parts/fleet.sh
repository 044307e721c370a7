# SPDX-License-Identifier: Apache-2.0
# Tests deploy/prometheus on loopback: daemons on generated tables, an agent
# that sends everything, an agent that sends the sums, and one centre. The
# centre and an agent are restarted. Also checks the files for Kubernetes and
# compose, as far as possible without a cluster.
# shellcheck shell=bash
. "$ROOT/tests/install/hosts.sh"
. "$ROOT/tests/install/load_module.sh"
trap stop_all EXIT

PROCESSES=200
DAEMONS=(127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5)
# A host whose exporter is still 0.1.0: what that one served.
OLD=127.0.0.6
HOSTS=("${DAEMONS[@]}" "$OLD")
mapfile -t PORTS < <(free_ports 4)
DAEMON=${PORTS[0]} CENTRE=${PORTS[1]} AGENTS=("${PORTS[@]:2}")
PROVE=(/usr/bin/python3 -B "$ROOT/tests/dashboards/prove.py")
CONFIG=$WORK/fleet CGROUPS=$WORK/cgroup

# The tables grow by a unit of time each second, until $WORK/frozen is there.
grow() {
  local t=10 host
  while :; do
    if [ ! -e "$WORK/frozen" ]; then
      t=$((t + 1))
      for host in "${DAEMONS[@]}"; do table "$WORK/$host" "$PROCESSES" "$t"; done
    fi
    sleep 1
  done
}

# The shipped files, with shorter intervals, our ports and our hosts.
configure() {
  local shipped=$ROOT/deploy/prometheus
  mkdir -p "$CONFIG"/{centre,agent-all,agent-sums}/targets "$CONFIG/centre/rules"
  for file in "$ROOT"/dashboards/rules/*.yml; do
    sed 's/interval: [0-9a-z]*/interval: 1s/' "$file" \
      >"$CONFIG/centre/rules/$(basename "$file")"
  done
  sed 's/_interval: 15s/_interval: 1s/' "$shipped/central.yml" \
    >"$CONFIG/centre/centre.yml"
  local number=1 name
  for name in agent-all agent-sums; do
    sed "s/_interval: 15s/_interval: 1s/; s/central.example:9090/127.0.0.1:$CENTRE/
      s/site-1/site-$number/" "$shipped/$name.yml" >"$CONFIG/$name/$name.yml"
    printf -- '- targets: ["%s:%s", "%s:%s"]\n' \
      "${DAEMONS[number * 2 - 2]}" "$DAEMON" "${DAEMONS[number * 2 - 1]}" "$DAEMON" \
      >"$CONFIG/$name/targets/hosts.yml"
    number=$((number + 1))
  done
  printf -- '- targets: ["%s:%s"]\n' "$OLD" "$DAEMON" \
    >"$CONFIG/agent-all/targets/old.yml"
}

start_centre() {
  start centre prometheus --config.file="$CONFIG/centre/centre.yml" \
    --web.enable-remote-write-receiver --storage.tsdb.path="$CONFIG/tsdb" \
    --web.listen-address="127.0.0.1:$CENTRE"
  CENTRE_PID=$PID
}

# start_agent NAME PORT
start_agent() {
  start "$1" prometheus --enable-feature=agent --config.file="$CONFIG/$1/$1.yml" \
    --storage.agent.path="$WORK/$1" --web.listen-address="127.0.0.1:$2"
}

# hosts_of EXPRESSION: prints the instances that it returns at the centre.
hosts_of() {
  query "$CENTRE" "$1" | grep -o '"instance":"[^"]*"' | sort -u | cut -d'"' -f4
}

every_host() {
  local hosts
  hosts=$(hosts_of "$1")
  [ "$hosts" = "$(printf '%s\n' "${HOSTS[@]}")" ] ||
    { printf 'only: %s' "$hosts" && return 1; }
}

# The Fleet dashboard's queries, all variables at All.
fleet_queries() {
  # shellcheck disable=SC2016
  jq -r '[.panels[] | recurse(.panels[]?) | .targets[]?.expr | select(.)] |
    unique[] | gsub("\\$(job|site|instance)"; ".+") | gsub("\\$__range"; "1m") |
    gsub("\n"; " ")' "$ROOT/dashboards/fleet.json"
}

# Each query returns data, and a query by instance returns data of every host.
fleet_dashboard() {
  local expression
  while IFS= read -r expression; do
    query "$CENTRE" "$expression" | grep -q . ||
      { printf 'nothing: %s\n' "$expression" && return 1; }
    case $expression in
      *"by (site, job, instance)"* | instance:*) every_host "$expression" || return 1 ;;
    esac
  done < <(fleet_queries)
}

# samples_of HOST SECONDS: how many samples the centre has of the last SECONDS.
samples_of() {
  query "$CENTRE" "count_over_time(up{instance=\"$1\"}[${2}s])" | sed 's/.* //'
}

# no_gap HOST SINCE MISSED: at most MISSED of the scrapes since SINCE, one in
# each second, are not at the centre.
no_gap() {
  local span=$(($(date +%s) - $2)) samples
  samples=$(samples_of "$1" "$span")
  [ "${samples:-0}" -ge $((span - $3)) ] ||
    { printf '%s of %s' "$samples" "$span" && return 1; }
}

fresh() { [ "$(samples_of "$1" 3)" -ge 1 ]; }

# Everything that a process of HOST has counted is at the centre.
same_counts() {
  diff <(curl -sf "http://$1:$DAEMON/metrics" |
    sed -n 's/^page_faults_total{.*pid="\([0-9]*\)".* /\1 /p' | sort) \
    <(query "$CENTRE" "page_faults_total{instance=\"$1\"}" |
      sed -n 's/.*"pid":"\([0-9]*\)".*} /\1 /p' | sort) | head -5
}
counts_arrive() { [ "$(same_counts "$1")" = "" ]; }

series_of() {
  query "$CENTRE" "count({__name__!~\".*:.*\",instance=\"$1\"})" | sed 's/.* //'
}

restarts_centre() {
  local since
  since=$(date +%s)
  stop "$CENTRE_PID"
  sleep 8
  start_centre
  check "fleet: after a restart of the centre new samples come" \
    eventually 60 fresh "${DAEMONS[0]}"
  for host in "${DAEMONS[0]}" "${DAEMONS[2]}"; do
    check "fleet: $host: nothing was lost meanwhile" \
      eventually 60 no_gap "$host" "$since" 2
  done
}

restarts_agent() {
  local since absence
  since=$(date +%s)
  stop "$AGENT_PID"
  sleep 5 # longer than fresh() looks back
  start_agent agent-all "${AGENTS[0]}"
  check "fleet: after a restart of an agent new samples come" \
    eventually 60 fresh "${DAEMONS[0]}"
  absence=$(($(date +%s) - since))
  check "fleet: only the scrapes of its absence are missing" \
    eventually 60 no_gap "${DAEMONS[0]}" "$since" $((absence + 2))
  touch "$WORK/frozen"
  check "fleet: no fault is missing" eventually 30 counts_arrive "${DAEMONS[0]}"
}

# make_models DIR: Kubernetes' types and schemas, for node.
make_models() {
  cp "$ROOT/tests/install/manifests.mjs" "$1"
  npm install --prefix "$1" --silent --no-fund --no-audit yaml@2.9.1 \
    kubernetes-models@5.1.0 @kubernetes-models/prometheus-operator@6.0.0 \
    typescript@7.0.2 >&2
}

# manifests FILE: whether what kustomize printed fits the schemas and the types.
manifests() {
  local models
  models=$(cached "kubernetes/models-$(sha256sum \
    <"$ROOT/tests/install/manifests.mjs" | cut -c1-12)" make_models)
  node "$models/manifests.mjs" "$models/manifests.ts" <"$1" &&
    "$models/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck \
      --target es2022 --module nodenext "$models/manifests.ts"
}

up_to_date() {
  mkdir -p "$WORK/generated"
  "$ROOT/deploy/kubernetes/generate" "$WORK/generated"
  for name in rules dashboards; do
    diff -q "$WORK/generated/$name.yaml" "$ROOT/deploy/kubernetes/$name.yaml" ||
      { printf 'run deploy/kubernetes/generate' && return 1; }
  done
}

# uninstalls: whether the patch of deploy/README.md makes the init container unload.
uninstalls() {
  local patch
  patch=$(sed -n "s/^ *-p '\(.*\)'$/\1/p" "$ROOT/deploy/README.md")
  kubectl patch --local --filename "$ROOT/deploy/kubernetes/daemonset.yaml" \
    --type=json --patch "$patch" --output json |
    jq -e '.spec.template.spec.initContainers[0].args == ["--unload"]'
}

# profiles: whether the component lets the daemon profile.
profiles() {
  cp -r "$ROOT/deploy/kubernetes" "$WORK/profiling"
  printf 'components: [profile]\n' >>"$WORK/profiling/kustomization.yaml"
  kubectl kustomize "$WORK/profiling" >"$WORK/profiling.yaml" &&
    grep -A9 'args:' "$WORK/profiling.yaml" | grep -- '- --profile$' &&
    grep 'hostPID: true' "$WORK/profiling.yaml" &&
    grep -A3 '^ *add:' "$WORK/profiling.yaml" | grep -c 'PERFMON\|SYS_PTRACE' |
    grep -x 2 &&
    manifests "$WORK/profiling.yaml"
}

kubernetes() {
  check "kubernetes: the generated manifests are up to date" up_to_date
  if ! { command -v kubectl && command -v npm; } >/dev/null; then
    say "no kubectl or no npm: the manifests are not judged"
    return
  fi
  check "kubernetes: kustomize builds it" bash -c \
    'kubectl kustomize "$1" >"$2"' - "$ROOT/deploy/kubernetes" "$WORK/manifests.yaml"
  check "kubernetes: the manifests fit schemas and types" \
    manifests "$WORK/manifests.yaml"
  check "kubernetes: no volume is of a debugfs that may be absent" \
    refused grep 'path: /sys/kernel/debug' "$WORK/manifests.yaml"
  sed 's/# \(seLinuxOptions\)/\1/' "$ROOT/deploy/kubernetes/daemonset.yaml" \
    >"$WORK/selinux.yaml"
  check "kubernetes: seLinuxOptions can be switched on" \
    grep '^ *seLinuxOptions' "$WORK/selinux.yaml"
  check "kubernetes: and fit the types" manifests "$WORK/selinux.yaml"
  check "kubernetes: with the component profile the daemon profiles" profiles
  check "kubernetes: the page's uninstall unloads the module" uninstalls
  sed 's/allowPrivilegeEscalation/allowEscalation/' "$WORK/manifests.yaml" \
    >"$WORK/wrong.yaml"
  check "kubernetes: a wrong manifest does not fit" refused manifests "$WORK/wrong.yaml"
}

# fit FILE...: whether every scrape interval is a multiple of the daemon's own.
fit() {
  local own interval count=0
  own=$("$BUILD/exporter/page_fault_exporter" --help |
    sed -nE 's/^ *--interval DURATION=([0-9]+)s.*/\1/p')
  while read -r interval; do
    [ $((interval % own)) = 0 ] || { printf '%s s' "$interval" && return 1; }
    count=$((count + 1))
  done < <(sed -nE 's/^ *(scrape_)?interval: ([0-9]+)s$/\2/p' "$@")
  [ "$count" = $# ]
}

intervals() {
  local shipped=("$ROOT"/deploy/prometheus/{prometheus,agent-all,agent-sums}.yml
    "$ROOT/deploy/kubernetes/podmonitor.yaml")
  check "fleet: scrapes fit the daemon's ticks" fit "${shipped[@]}"
  sed 's/_interval: 15s/_interval: 12s/' "${shipped[0]}" >"$WORK/uneven.yml"
  check "fleet: at 12 s they would not" refused fit "$WORK/uneven.yml"
}

# The files that compose.yaml mounts.
compose_files() {
  local path
  sed -nE 's/^ *- (\.\.?\/[^:]*):.*/\1/p' "$ROOT/deploy/compose.yaml" |
    while read -r path; do
      [ -e "$ROOT/deploy/$path" ] || { printf 'no %s' "$path" && return 1; }
    done
}

install_packages prometheus jq
kubernetes
load_module
check "compose: what it mounts is there" compose_files
intervals
configure
for name in prometheus central agent-all agent-sums; do
  case $name in agent-*) agent=--agent ;; *) agent="" ;; esac
  # shellcheck disable=SC2086
  check "fleet: promtool accepts $name.yml" \
    promtool check config $agent "$ROOT/deploy/prometheus/$name.yml"
done
for name in tls/prometheus-password tls/prometheus-client-certificate; do
  check "fleet: promtool accepts $name.yml" \
    promtool check config --syntax-only "$ROOT/deploy/$name.yml"
done
make_cgroups "$CGROUPS" system.slice/worker-{0..9}.service
for host in "${DAEMONS[@]}"; do
  table "$WORK/$host" "$PROCESSES" 10
  options=()
  [ "$host" != "${DAEMONS[1]}" ] || options=(--containers)
  start "daemon-$host" "$BUILD/exporter/page_fault_exporter" \
    --path.debugfs "$WORK/$host" --path.cgroup "$CGROUPS" --group.by comm \
    --web.listen-address="$host:$DAEMON" --interval 1s "${options[@]}"
done
mkdir "$WORK/old"
cp "$ROOT/tests/fixtures/fleet/exporter-0.1.0.metrics" "$WORK/old/metrics"
start "daemon-$OLD" /usr/bin/python3 -m http.server --bind "$OLD" \
  --directory "$WORK/old" "$DAEMON"
grow &
STARTED+=($!)
start_centre
start_agent agent-all "${AGENTS[0]}"
AGENT_PID=$PID
start_agent agent-sums "${AGENTS[1]}"

check "fleet: every host is at the centre" eventually 60 every_host 'up == 1'
check "fleet: agent-all.yml sends every process" eventually 30 \
  answers "$CENTRE" "count(page_faults_total{instance=\"${DAEMONS[1]}\"})" " $PROCESSES\$"
check "fleet: agent-sums.yml sends none" \
  refused answers "$CENTRE" "{pid!=\"\",instance=\"${DAEMONS[2]}\"}" .
check "fleet: the Fleet dashboard shows every host, also one with 0.1.0" \
  eventually 120 fleet_dashboard
check "fleet: every dashboard works with 0.1.0 among the hosts, and takes no id for a name" \
  "${PROVE[@]}" mixed "http://127.0.0.1:$CENTRE" "$ROOT/dashboards" 60 "$OLD" \
  "${DAEMONS[0]}"
check "fleet: the rules run without an error" \
  "${PROVE[@]}" rules "http://127.0.0.1:$CENTRE"
printf 'series that a host of %s processes costs: %s with agent-all.yml, %s with agent-sums.yml\n' \
  "$PROCESSES" "$(series_of "${DAEMONS[0]}")" "$(series_of "${DAEMONS[2]}")"
restarts_centre
restarts_agent
