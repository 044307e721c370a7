# SPDX-License-Identifier: Apache-2.0
# Checks the dashboards by the rules of Grafana's dashboard-linter and by ours.
# Then checks that each rule finds a defect that is made on purpose.
# shellcheck shell=bash disable=SC2016

lint_dashboards() {
  /usr/bin/python3 -B "$ROOT/tests/dashboards/dashboards.py" "$1"
}

# finds RULE JQ-FILTER [NAME]: changes the overview, or another dashboard, by the
# filter, and expects a finding of the rule.
finds() {
  local copy=$WORK/dashboards name=${3:-overview}
  rm -rf "$copy"
  cp -r "$ROOT/dashboards" "$copy"
  jq "$2" "$ROOT/dashboards/$name.json" >"$copy/$name.json"
  lint_dashboards "$copy" >"$WORK/findings" 2>&1 || true
  if grep -q "^$1: " "$WORK/findings"; then
    ok "dashboards $1 finds its defect"
  else
    fail "dashboards $1 does not find: $2"
  fi
}

check "dashboards lint" lint_dashboards "$ROOT/dashboards"
finds template-datasource-rule 'del(.templating.list[0])'
finds template-job-rule '.templating.list[1].multi = false'
finds template-instance-rule '.templating.list[3].allValue = ".*"'
finds template-label-promql-rule '.templating.list[1].query = "jobs"'
finds template-on-time-change-reload-rule '.templating.list[1].refresh = 1'
finds panel-datasource-rule '.panels[0].datasource.uid = "prom"'
finds panel-title-description-rule 'del(.panels[0].description)'
finds panel-units-rule '.panels[0].fieldConfig.defaults.unit = "faults"'
finds panel-no-targets-rule '.panels[0].targets = []'
finds target-promql-rule '.panels[0].targets[0].expr |= sub("\\["; "[[")'
finds target-promql-rule '.panels[0].targets[0].expr |= sub("\\$site"; "$comm")'
finds target-rate-interval-rule '.panels[0].targets[0].expr |= sub("\\$__rate_interval"; "5m")'
finds target-job-rule '.panels[0].targets[0].expr |= sub("job=~\"\\$job\","; "")'
finds target-instance-rule '.panels[0].targets[0].expr |= sub("instance=~"; "instance=")'
finds target-counter-agg-rule '.panels[0].targets[0].expr = "sum(page_fault_comm_faults_total{job=~\"$job\",instance=~\"$instance\"})"'
finds uneditable-dashboard '.editable = true'
finds our-catalogue-rule '.panels[0].targets[0].expr |= sub("comm_faults"; "comm_fault")'
finds our-layout-rule '.panels[1].gridPos = .panels[0].gridPos'
finds our-link-rule '.links = []'
# change FROM TO: all strings of the dashboard. Each of these breaks a link.
change() { printf 'walk(if type == "string" then sub("%s"; "%s") else . end)' "$@"; }
finds our-link-rule "$(change /d/page-fault-process/ /d/page-fault-program/)"
finds our-link-rule "$(change var-comm= var-program=)"
finds our-link-rule "$(change 'site:queryparam' place:queryparam)"
finds our-link-rule "$(change 22kube_pod_info 22kube_pod)" container
finds our-link-rule "$(change %2Cpod%3D %2Cpod_name%3D)" container
finds our-link-rule "$(change panes=%7B panes=)" container
finds target-promql-rule "$(change 22kube_pod_info%7B 22kube_pod_info)" container
# A selector of several metrics.
finds our-catalogue-rule "$(change '\"rss_bytes' '\"rss_byte')" process
finds our-agent-rule 'del(.templating.list[2])'
finds our-agent-rule '.templating.list[2].allValue = ".+"'
finds our-agent-rule '.panels[0].targets[0].expr |= sub(",site=~\"\\$site\""; "")'
finds our-target-labels-rule 'walk(if type == "string" then sub("by \\(site, "; "by (") else . end)'
finds our-fault-unit-rule '.panels[0].fieldConfig.defaults.unit = "ops"'
finds panel-units-rule '.panels[0].fieldConfig.defaults.unit = "cps"'
# Series of one panel that look alike: by their names, and by their colours.
panel() { printf '(.panels[] | select(.title | startswith("%s")))' "$1"; }
finds our-look-rule "$(panel 'Who faults').targets[0].legendFormat = \"program\""
finds our-look-rule "$(panel 'Who faults').targets[1].legendFormat = \"{{comm}}\""
finds our-look-rule "$(panel Why).fieldConfig.overrides[1] |= (.matcher.id = \"byRegexp\" | .matcher.options = \"/^minor/\")"
finds our-look-rule "$(panel Why).fieldConfig.overrides[0].properties[0].value.fixedColor = \"blue\""
finds our-look-rule "del($(panel Why).fieldConfig.overrides[0])"
