# SPDX-License-Identifier: Apache-2.0
# Prometheus's rules: promtool's lint and tests, and checks that promtool does
# not have.
# shellcheck shell=bash

RULES=$ROOT/dashboards/rules

check "rules lint" promtool check rules --lint=all --lint-fatal "$RULES"/*.yml
for file in "$RULES"/tests/*_test.yml; do
  check "rules $(basename "$file" .yml)" promtool test rules "$file"
done
lint_rules() { /usr/bin/python3 -B "$ROOT/tests/dashboards/rules.py" "$1"; }
check "rules are complete" lint_rules "$ROOT/dashboards"

# finds WHAT SED-SCRIPT [FILE]: the check says WHAT when the alerts, or another file,
# are changed so.
finds() {
  local copy=$WORK/dashboards
  rm -rf "$copy"
  cp -r "$ROOT/dashboards" "$copy"
  sed -i "$2" "$copy/${3:-rules/alerts.yml}"
  lint_rules "$copy" >"$WORK/findings" 2>&1 || true
  if grep -qF "$1" "$WORK/findings"; then
    ok "rules: found: $1"
  else
    fail "rules: not found: $1, after $2"
  fi
}

finds 'PageFaultModuleMissing: on() keeps' 's/ignoring (cause)/on (job, instance)/'
finds 'PageFaultModuleMissing: ignoring (cause, site) drops' \
  's/ignoring (cause)/ignoring (cause, site)/'
finds 'PageFaultProbeMissed: by() keeps' \
  's/increase(page_fault_module_probe.*\]) /sum by (instance) (&) /'
finds 'PageFaultRateSpike: it asks for a number by some' \
  's/{{ with printf .*offset 1h" $of/{{ with printf "up{job=%q}" $labels.job/'
finds 'PageFaultProbeMissed: unknown metric' 's/probe_missed_total/probe_missing/'
finds 'PageFaultBusError: its severity' \
  '/alert: PageFaultBusError/,/severity:/s/critical/dire/'
finds 'README.md: (namespace, pod) adds up' 's/on (site, /on (/' README.md
finds 'PageFaultProbeMissed: agent-sums.yml drops page_fault_cgroup_swap_bytes' \
  's/page_fault_module_probe_missed_total/page_fault_cgroup_swap_bytes/'
finds 'PageFaultProbeMissed: agent-sums.yml drops page_fault_cgroup_slow_faults_total' \
  's/page_fault_module_probe_missed_total/page_fault_cgroup_slow_faults_total{over="1"}/'
