#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Checks what promtool does not: that every alert has its labels, numbers,
runbook section and tests, that no rule mixes up the targets of two sites, that
agent-sums.yml sends what the rules read, and that every recorded series has a name
that tells its level. Prints what is wrong; a clean run prints nothing.
usage: tests/dashboards/rules.py DASHBOARDS-DIRECTORY"""
import pathlib
import re
import sys

import yaml

from promql import catalogue, selectors

ROOT = pathlib.Path(sys.argv[1])
KNOWN = catalogue()
AGENT = pathlib.Path(__file__).parents[2] / "deploy/prometheus/agent-sums.yml"
DROPS = [rule for rule in yaml.safe_load(AGENT.read_text())["scrape_configs"][0]
         ["metric_relabel_configs"] if rule["action"] == "drop"]
RUNBOOK = "dashboards/README.md#"
# Labels that the exporter gives to series, none of which tells targets apart.
OF_SERIES = {"cause", "comm", "severity", "access", "kind", "source", "le", "over",
             "unit", "namespace", "pod", "pod_uid", "container", "container_id"}
wrong = []


def rules_of(path):
    return [rule for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"]]


def dropped(selector):
    """Whether agent-sums.yml drops all that the selector asks for."""
    labels = {label: value for label, how, value in selector.matchers if how == "="}
    labels["__name__"] = selector.name
    return any(re.fullmatch(rule["regex"], ";".join(
        labels.get(label, "") for label in rule["source_labels"])) for rule in DROPS)


def check_expr(name, expr):
    """Known metrics, and no target label lost: those that a scrape configuration
    or an agent adds are not known here, so none can be named."""
    for selector in selectors(expr):
        if selector.name not in KNOWN | recorded:
            wrong.append(f"{name}: unknown metric {selector.name}")
        if dropped(selector):
            wrong.append(f"{name}: agent-sums.yml drops {selector.name}")
    for word in re.findall(r"\b(on|by)\b\s*\(", expr):
        wrong.append(f"{name}: {word}() keeps some target labels only")
    for labels in re.findall(r"\bignoring\b\s*\(([^)]*)\)", expr):
        if not set(re.split(r",\s*", labels)) <= OF_SERIES:
            wrong.append(f"{name}: ignoring ({labels}) drops a target label")


rules = [rule for path in sorted((ROOT / "rules").glob("*.yml")) for rule in rules_of(path)]
records = [rule for rule in rules if "record" in rule]
recorded = {rule["record"] for rule in records}
for rule in records:
    name = rule["record"]
    if not re.fullmatch(r"(instance|job)(_[a-z]+)*:[a-z_]+:[a-z0-9_]+", name):
        wrong.append(f"{name}: is not level:metric:operations")
    if "pid" in name or re.search(r"\bpid\b", rule["expr"]):
        wrong.append(f"{name}: has to do with pid")
    check_expr(name, rule["expr"])

fires, silent, tested = set(), set(), set()
for path in sorted((ROOT / "rules/tests").glob("*_test.yml")):
    for test in yaml.safe_load(path.read_text())["tests"]:
        tested |= {" ".join(case["expr"].split())
                   for case in test.get("promql_expr_test", [])}
        for case in test.get("alert_rule_test", []):
            (fires if case.get("exp_alerts") else silent).add(case["alertname"])

page = (ROOT / "README.md").read_text()
for expr in re.findall(r"^```promql\n(.*?)^```", page, re.M | re.S):
    if " ".join(expr.split()) not in tested:
        wrong.append(f"README.md: no test of the expression {expr.split()[0]}...")
    for labels in re.findall(r"\b(?:on|by)\b\s*\(([^)]*)\)", expr):
        if "site" not in re.split(r",\s*", labels):
            wrong.append(f"README.md: ({labels}) adds up the clusters of two sites")
sections = {line[4:].strip().lower()
            for line in page.splitlines()
            if line.startswith("### ")}
alerts = [rule for rule in rules if "alert" in rule]
for rule in alerts:
    name, notes = rule["alert"], rule.get("annotations", {})
    check_expr(name, rule["expr"])
    if rule.get("labels", {}).get("severity") not in ("critical", "warning", "info"):
        wrong.append(f"{name}: its severity is not critical, warning or info")
    if any(re.search(r"\$labels\..*\bquery\b", action)
           for note in notes.values() for action in re.findall(r"{{(.*?)}}", note)):
        wrong.append(f"{name}: it asks for a number by some labels only")
    if "$labels.instance" not in notes.get("summary", ""):
        wrong.append(f"{name}: its summary does not name the instance")
    if "$value" not in notes.get("description", ""):
        wrong.append(f"{name}: its description does not give the number")
    url = notes.get("runbook_url", "")
    if not url.startswith(RUNBOOK) or url[len(RUNBOOK):] not in sections:
        wrong.append(f"{name}: no section for its runbook_url '{url}'")
    if name not in fires or name not in silent:
        wrong.append(f"{name}: has no test in which it fires, or none in which it does not")
if not alerts or not recorded:
    wrong.append("no rules")
print("\n".join(wrong))
sys.exit(bool(wrong))
