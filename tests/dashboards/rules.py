#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Checks what promtool does not: that every alert has its labels, numbers,
runbook section and tests, and every recorded series a name that tells its
level. Prints what is wrong; a clean run prints nothing.
usage: tests/dashboards/rules.py DASHBOARDS-DIRECTORY"""
import pathlib
import re
import sys

import yaml

from promql import catalogue, selectors

ROOT = pathlib.Path(sys.argv[1])
KNOWN = catalogue()
RUNBOOK = "dashboards/README.md#"
wrong = []


def rules_of(path):
    return [rule for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"]]


def check_metrics(name, expr):
    for selector in selectors(expr):
        if selector.name not in KNOWN | recorded:
            wrong.append(f"{name}: unknown metric {selector.name}")


recorded = set()
for rule in rules_of(ROOT / "rules/recording.yml"):
    name = rule.get("record", "(an alert)")
    recorded.add(name)
    if not re.fullmatch(r"(instance|job)(_[a-z]+)*:[a-z_]+:[a-z0-9_]+", name):
        wrong.append(f"{name}: is not level:metric:operations")
    if "pid" in name or re.search(r"\bpid\b", rule["expr"]):
        wrong.append(f"{name}: has to do with pid")
for rule in rules_of(ROOT / "rules/recording.yml"):
    check_metrics(rule["record"], rule["expr"])

fires, silent = set(), set()
for path in sorted((ROOT / "rules/tests").glob("*_test.yml")):
    for test in yaml.safe_load(path.read_text())["tests"]:
        for case in test.get("alert_rule_test", []):
            (fires if case.get("exp_alerts") else silent).add(case["alertname"])

sections = {line[4:].strip().lower()
            for line in (ROOT / "README.md").read_text().splitlines()
            if line.startswith("### ")}
alerts = rules_of(ROOT / "rules/alerts.yml")
for rule in alerts:
    name, notes = rule["alert"], rule.get("annotations", {})
    check_metrics(name, rule["expr"])
    if rule.get("labels", {}).get("severity") not in ("critical", "warning"):
        wrong.append(f"{name}: its severity is neither critical nor warning")
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
