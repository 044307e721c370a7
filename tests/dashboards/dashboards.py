#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Checks the dashboards: the rules of grafana/dashboard-linter under their own
names, then ours (their names begin with `our-`). Prints one line a finding,
`RULE: DASHBOARD: PANEL: what`; a clean run prints nothing.
usage: tests/dashboards/dashboards.py DASHBOARDS-DIRECTORY"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import yaml

from promql import catalogue, labels_of, selectors

# What counts faults; as a rate it is in FAULTS_UNIT. Grafana's own unit for a
# count a second says "c/s" for whatever is counted.
FAULTS = re.compile(r"(faults|major|breakdown|probe_missed|overflow|unattributed|"
                    r"retries|pgfault)(_total|:rate5m)$")
FAULTS_UNIT = "count:faults/s"
# Those of grafana/grafana's valueFormats/categories.ts that make sense here.
UNITS = {"none", "short", "percent", "percentunit", "bytes", "decbytes", "Bps",
         "s", "ms", "dtdurations", "dateTimeAsIso", "dateTimeFromNow",
         "dateTimeAsIsoNoDateIfToday", FAULTS_UNIT, "ops", "reqps", "string", "bool",
         "bool_yes_no", "bool_on_off"}
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$__interval": "1m"}
# What the labels of a breakdown can be (process_table.h): both are "unknown" where
# the source does not tell.
SEVERITIES = ("minor", "major")
ACCESSES = ("read", "write", "exec")
KINDS = ("anon", "file", "shmem", "hugetlb")
BREAKDOWN = "{{severity}} {{access}} {{kind}}"
AGENTS = pathlib.Path(__file__).parents[2] / "deploy/prometheus"
# Panels whose numbers need a unit.
NUMERIC = {"stat", "timeseries", "gauge", "bargauge", "table"}


def urls_of(part):
    """All values of the keys `url` in a part of a dashboard."""
    found = []
    if isinstance(part, dict):
        found = [part["url"]] if "url" in part else []
        part = list(part.values())
    if isinstance(part, list):
        found += [url for value in part for url in urls_of(value)]
    return found


class Linter:
    def __init__(self, root):
        self.root = root
        self.excluded = yaml.safe_load((root / ".lint").read_text())["exclusions"]
        self.used = set()
        self.findings = []
        self.known = catalogue()
        for group in yaml.safe_load((root / "rules/recording.yml").read_text())["groups"]:
            self.known |= {rule["record"] for rule in group["rules"]}
        self.boards = {path: json.loads(path.read_text())
                       for path in sorted(root.glob("*.json"))}
        self.variables = {
            board["title"]: {v["name"] for v in board["templating"]["list"]}
            for board in self.boards.values()}
        self.uids = {board["uid"]: board["title"] for board in self.boards.values()}
        self.expressions = []
        # The metrics of others that the rules are tested with, and their labels.
        self.others = {}
        for path in (root / "rules/tests").glob("*_test.yml"):
            for test in yaml.safe_load(path.read_text())["tests"]:
                for series in test.get("input_series", []):
                    series = selectors(series["series"])[0]
                    if series.name not in self.known:
                        self.others.setdefault(series.name, set()).update(
                            label for label, _, _ in series.matchers)
        # The labels that the shipped agents add to every series.
        self.added = sorted({
            label for path in AGENTS.glob("agent-*.yml")
            for label in yaml.safe_load(path.read_text())["global"]["external_labels"]})

    def find(self, rule, board, panel, what):
        for i, entry in enumerate(self.excluded.get(rule, {}).get("entries", [])):
            if entry == {"dashboard": board, "panel": panel}:
                self.used.add((rule, i))
                return
        self.findings.append(f"{rule}: {board}: {panel}: {what}")

    def run(self):
        for path, board in self.boards.items():
            self.check_board(path, board)
            self.check_variables(board)
            self.check_annotations(board)
            for panel in board["panels"]:
                if panel["type"] != "row":
                    self.check_panel(board, panel)
            self.check_layout(board)
            for url in urls_of(board):
                self.check_url(board["title"], url)
        page = (self.root / "README.md").read_text()
        for url in re.findall(r"^ +(/\S+)$", page, re.M):
            self.check_url("README.md", url)
        self.check_promql()
        for rule, what in self.excluded.items():
            for i, entry in enumerate(what["entries"]):
                if (rule, i) not in self.used:
                    self.find("our-exclusion-rule", entry["dashboard"],
                              entry["panel"], f"{rule} is excluded for nothing")

    def check_board(self, path, board):
        def need(rule, ok, what):
            if not ok:
                self.find(rule, title, "-", what)
        title = board["title"]
        need("uneditable-dashboard", board.get("editable") is False, "is editable")
        need("our-schema-rule", board["schemaVersion"] >= 39, "schema is old")
        need("our-description-rule", board.get("description"), "no description")
        need("our-id-rule", board.get("id") is None, f"{path.name} has an id")
        need("our-link-rule", any(link["type"] == "dashboards" and
             link["includeVars"] and link["keepTime"] and
             set(link["tags"]) <= set(board["tags"]) for link in board["links"]),
             "no links to the other dashboards")
        ids = [panel["id"] for panel in board["panels"]]
        need("our-id-rule", len(ids) == len(set(ids)), "two panels have one id")

    def check_url(self, title, url):
        """A link to a dashboard of ours sets variables that are there; one to Explore
        asks for metrics and labels that others have."""
        def need(ok, what):
            if not ok:
                self.find("our-link-rule", title, "-", f"{what}: {url}")
        uid = re.match(r"/d/([\w-]+)/", url)
        if uid:
            need(uid[1] in self.uids, "no such dashboard")
            there = self.variables.get(self.uids.get(uid[1]), set())
            passed = set(re.findall(r"\$\{(\w+):queryparam\}", url))
            need(passed <= self.variables.get(title, there), "passes no variable of ours")
            missing = passed.union(re.findall(r"[?&]var-(\w+)=", url)) - there
            need(not missing, f"sets {sorted(missing)}, which are not there")
        elif url.startswith("/explore?"):
            query = urllib.parse.urlsplit(re.sub(r"\$\{.*?\}", "x", url)).query
            try:
                panes = json.loads(urllib.parse.parse_qs(query)["panes"][0])
                expressions = [query["expr"] for pane in panes.values()
                               for query in pane["queries"]]
            except (KeyError, ValueError) as error:
                need(False, f"no panes ({error!r})")
                return
            need(expressions, "no query")
            for expr in expressions:
                self.expressions.append((title, "a link to Explore", expr))
                for selector in selectors(expr):
                    labels = {label for label, _, _ in selector.matchers}
                    need(labels <= self.others.get(selector.name, set()),
                         f"nobody has {selector.name} with {sorted(labels)}")
        else:
            need(not url, "leads to neither a dashboard nor Explore")

    def check_variables(self, board):
        title = board["title"]
        variables = {v["name"]: v for v in board["templating"]["list"]}
        source = variables.get("datasource", {})
        if (source.get("type"), source.get("query"), source.get("label")) != \
                ("datasource", "prometheus", "Data source"):
            self.find("template-datasource-rule", title, "-",
                      "no variable datasource of a Prometheus, 'Data source'")
        for name in ("job", "instance"):
            self.check_template(f"template-{name}-rule", title, name,
                                variables.get(name, {}))
        for name in self.added:  # which a host that no agent scrapes has not
            self.check_template("our-agent-rule", title, name, variables.get(name, {}),
                                all_value=".*")
        for name, variable in variables.items():
            if variable["type"] != "query":
                continue
            if variable["refresh"] != 2:
                self.find("template-on-time-change-reload-rule", title, "-", name)
            query = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"])
            if not query:
                self.find("template-label-promql-rule", title, "-", name)
            else:
                self.note(title, f"variable {name}", query[1])

    def check_template(self, rule, title, name, variable, all_value=".+"):
        expected = {"type": "query", "label": name.title(), "multi": True,
                    "includeAll": True, "allValue": all_value}
        for key, value in expected.items():
            if variable.get(key) != value:
                self.find(rule, title, "-", f"{key} is not {value}")
        if variable.get("datasource", {}).get("uid") != "${datasource}":
            self.find(rule, title, "-", "datasource is not ${datasource}")

    def check_annotations(self, board):
        for annotation in board["annotations"]["list"]:
            if "expr" in annotation:
                self.check_target(board["title"], f"annotation {annotation['name']}",
                                  annotation["expr"])

    def check_panel(self, board, panel):
        title, name = board["title"], panel["title"]

        def need(rule, ok, what):
            if not ok:
                self.find(rule, title, name, what)
        need("panel-title-description-rule",
             panel["title"] and panel.get("description"), "no description")
        need("panel-datasource-rule", panel["datasource"]["uid"] == "${datasource}" and
             all(t["datasource"]["uid"] == "${datasource}" for t in panel["targets"]),
             "not the variable's data source")
        need("panel-no-targets-rule", panel["targets"], "no query")
        field = panel["fieldConfig"]
        units = [p["value"] for o in field["overrides"] for p in o["properties"]
                 if p["id"] == "unit"]
        units.append(field["defaults"].get("unit"))
        if panel["type"] == "heatmap":
            units = [panel["options"]["yAxis"].get("unit")]
        need("panel-units-rule", panel["type"] not in NUMERIC | {"heatmap"} or
             all(unit in UNITS for unit in units), f"units {units}")
        refs = [t["refId"] for t in panel["targets"]]
        need("our-id-rule", len(refs) == len(set(refs)), "two queries have one refId")
        for target in panel["targets"]:
            need("our-legend-rule", panel["type"] == "table" or
                 target["legendFormat"], f"{target['refId']} has no legend")
            self.check_target(title, name, target["expr"])
            self.check_fault_unit(title, panel, target)
        if panel["type"] == "timeseries":
            self.check_looks(title, panel)

    def check_fault_unit(self, title, panel, target):
        # The first one is what is shown; the others choose among its series.
        counted = any(FAULTS.search(s.name) and
                      (s.name.endswith("rate5m") or s.function in ("rate", "irate"))
                      for s in selectors(target["expr"])[:1])
        units = [p["value"] for o in panel["fieldConfig"]["overrides"]
                 for p in o["properties"] if p["id"] == "unit" and
                 o["matcher"]["options"] == f"Value #{target['refId']}"]
        unit = (units + [panel["fieldConfig"]["defaults"].get("unit")])[0]
        if counted and panel["type"] in NUMERIC and unit != FAULTS_UNIT:
            self.find("our-fault-unit-rule", title, panel["title"],
                      f"{target['refId']}: faults a second in {unit}")

    def check_looks(self, title, panel):
        """No two series of a panel have one name or one colour, as far as names
        can be told beforehand; the others take theirs in turn from a palette."""
        names = []
        for target in panel["targets"]:
            legend = target["legendFormat"]
            # One host under two jobs has the same numbers twice.
            lost = labels_of(target["expr"], {"instance", *self.added}) - {"job"} - \
                set(re.findall(r"{{(\w+)}}", legend))
            if lost:
                self.find("our-look-rule", title, panel["title"],
                          f"series that differ by {sorted(lost)} have one name")
            if legend == BREAKDOWN:
                names += [f"{s} {a} {k}" for s in SEVERITIES for a in ACCESSES
                          for k in KINDS] + [f"{s} unknown unknown" for s in SEVERITIES]
            else:
                names.append(legend)
        colours = {name: self.colour(panel, name) for name in names}
        bare = [name for name, colour in colours.items() if not colour]
        if BREAKDOWN in [t["legendFormat"] for t in panel["targets"]] and bare:
            self.find("our-look-rule", title, panel["title"], f"no colour for {bare}")
        given = [colour for colour in colours.values() if colour]
        if len(names) != len(colours) or len(given) != len(set(given)):
            self.find("our-look-rule", title, panel["title"],
                      "two series have one name or one colour")

    @staticmethod
    def colour(panel, name):
        """The fixed colour of a series: the last override that names it wins."""
        found = None
        for override in panel["fieldConfig"]["overrides"]:
            how, what = override["matcher"]["id"], override["matcher"]["options"]
            if (how == "byName" and what == name) or \
                    (how == "byRegexp" and re.search(what.strip("/"), name)):
                found = next((p["value"].get("fixedColor") for p in
                              override["properties"] if p["id"] == "color"), found)
        return found

    def check_target(self, title, name, expr):
        self.note(title, name, expr)
        for kept in re.findall(r"\b(?:by|on) \(([^)]*)\)", expr):
            lost = {"job", *self.added} - set(kept.split(", "))
            if "instance" in kept.split(", ") and lost:
                self.find("our-target-labels-rule", title, name,
                          f"({kept}) drops {sorted(lost)}")
        for selector in selectors(expr):
            for label in ("job", "instance", *self.added):
                rule = "our-agent-rule" if label in self.added else \
                    f"target-{label}-rule"
                if (label, "=~", f"${label}") not in selector.matchers:
                    self.find(rule, title, name, selector.name)
            if selector.function in ("rate", "irate") and \
                    selector.range != "$__rate_interval":
                self.find("target-rate-interval-rule", title, name, selector.name)
            if re.search("_(total|bucket|sum|count)$", selector.name) and \
                    selector.function not in ("rate", "irate", "increase"):
                self.find("target-counter-agg-rule", title, name, selector.name)

    def note(self, title, name, expr):
        self.expressions.append((title, name, expr))
        for selector in selectors(expr):
            if selector.name not in self.known:
                self.find("our-catalogue-rule", title, name,
                          f"unknown metric {selector.name}")

    def check_layout(self, board):
        cells = {}
        for panel in board["panels"]:
            at = panel["gridPos"]
            if at["x"] + at["w"] > 24:
                self.find("our-layout-rule", board["title"], panel["title"], "too wide")
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    if (x, y) in cells:
                        self.find("our-layout-rule", board["title"], panel["title"],
                                  f"covers {cells[x, y]}")
                        return
                    cells[x, y] = panel["title"]

    def check_promql(self):
        """promtool's word on all expressions at once, as rules of a file."""
        rules = []
        for i, (_, _, expr) in enumerate(self.expressions):
            for variable, value in VARIABLES.items():
                expr = expr.replace(variable, value)
            title = self.expressions[i][0]
            unknown = set(re.findall(r"\$(\w+)", expr)) - self.variables[title] - {"1"}
            if unknown:
                self.find("target-promql-rule", *self.expressions[i][:2],
                          "an unknown variable")
            rules.append({"record": f"expression_{i}", "expr": expr})
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}, file)
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name],
                                  capture_output=True, text=True, check=False)
        for place, what in re.findall(r"\"expression_(\d+)\".*?: (.*)", done.stderr):
            self.find("target-promql-rule", *self.expressions[int(place)][:2], what)
        if done.returncode and not self.findings:
            self.find("target-promql-rule", "-", "-", done.stderr.strip())


linter = Linter(pathlib.Path(sys.argv[1]))
linter.run()
print("\n".join(linter.findings))
if len(linter.boards) < 4 or not linter.expressions:
    sys.exit("no dashboards")
sys.exit(bool(linter.findings))
