#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Asks a live Prometheus what the dashboards and alerts promise.
usage: prove.py panels PROMETHEUS DASHBOARDS-DIRECTORY SECONDS
         every query of every panel, variable and annotation returns data
         over the last SECONDS; prints one `ok` or `FAIL` line a dashboard
       prove.py pod PROMETHEUS DIRECTORY SECONDS NAMESPACE POD
         every query that reads the variable pod returns data for this pod, except those
         of major faults, which it may not have; and none for another pod
       prove.py mixed PROMETHEUS DIRECTORY SECONDS OLD PLAIN
         every query is answered without an error. If the host OLD alone is chosen, whose
         exporter knows no names of pods, no answer has one. If the host PLAIN alone is
         chosen, every query returns data, except those of what it lacks
       prove.py wait PROMETHEUS ALERT STATE SECONDS
         until the alert is pending, firing or inactive
       prove.py alerts PROMETHEUS ALERT LABEL=VALUE SECONDS
         the alert went pending, firing, resolved, for series with that label
       prove.py others PROMETHEUS LABEL=VALUE... SECONDS
         only alerts with one of these labels fired, and perhaps PageFault*SlowFaults:
         faults in a guest on a busy host are slow
       prove.py rules PROMETHEUS
         every rule was evaluated without an error
       prove.py served PROMETHEUS
         every metric of the exporter's catalogue is there, but the one of hugetlb"""
import json
import math
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from promql import catalogue

STEP = 2
# Labels for names that people gave.
NAMES = {"namespace", "pod", "container"}
# A host with a generated table, and without --containers, has none of these.
LACKS = re.compile(r"_slow_faults_|_process_breakdown_|_module_|page_fault_process_info{")


def get(base, path, **query):
    url = f"{base}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return {"error": json.load(error)["error"]}


def fill(expr, seconds, **chosen):
    """The expression as Grafana would fill it in, with All chosen for the variables
    that are not given."""
    for variable, value in (("$__rate_interval", "10s"), ("$__interval", f"{STEP}s"),
                            ("$__range", f"{seconds}s")):
        expr = expr.replace(variable, value)
    for variable, value in chosen.items():
        expr = re.sub(rf"\${variable}\b", value, expr)
    expr = re.sub(r"\$(site|namespace|pod|unit)\b", ".*", expr)
    return re.sub(r"\$(job|instance|comm|pid|cgroup)\b", ".+", expr)


def ask(base, expr, seconds, instant):
    now = time.time()
    if instant:
        return get(base, "query", query=expr, time=now)
    return get(base, "query_range", query=expr, start=now - seconds, end=now, step=STEP)


def has_data(base, expr, seconds, instant):
    """Returns an empty text if there is data, otherwise the reason."""
    data = ask(base, expr, seconds, instant)
    if "error" in data:
        return data["error"]
    values = [float(value) for series in data["result"]
              for _, value in series.get("values", [series.get("value")])]
    if not values:
        return "no series"
    return "" if any(map(math.isfinite, values)) else "only NaN"


def boards_of(directory):
    for path in sorted(pathlib.Path(directory).glob("*.json")):
        yield path.stem, json.loads(path.read_text())


def queries_of(board):
    """Name, expression and whether it is instant, of panels and annotations."""
    return [(f"{panel['title']} {target['refId']}", target["expr"],
             target.get("instant", False))
            for panel in board["panels"] for target in panel.get("targets", [])] + \
           [(a["name"], a["expr"], False)
            for a in board["annotations"]["list"] if "expr" in a]


def values(base, variable, seconds, **chosen):
    """What Grafana would offer for a variable."""
    match, label = re.fullmatch(r"label_values\((.+), (\w+)\)",
                                variable["query"]).groups()
    return get(base, f"label/{label}/values",
               **{"match[]": fill(match, seconds, **chosen)})


def panels(base, directory, seconds):
    seconds, good = int(seconds), True
    for stem, board in boards_of(directory):
        empty, count = [], 0
        for name, expr, instant in queries_of(board):
            why = has_data(base, fill(expr, seconds), seconds, instant)
            count += 1
            if why:
                empty.append(f"{name}: {why}")
        for variable in board["templating"]["list"]:
            # One whose All takes series without the label may have no values.
            if variable["type"] == "query" and variable["allValue"] != ".*":
                count += 1
                if not values(base, variable, seconds):
                    empty.append(f"variable {variable['name']}: no values")
        good = good and not empty
        print(f"FAIL {stem} has data: {'; '.join(empty)}" if empty else
              f"ok {stem}: all {count} queries return data")
    return good


def pod(base, directory, seconds, namespace, name):
    seconds, wrong, count = int(seconds), [], 0
    for stem, board in boards_of(directory):
        for query, expr, instant in queries_of(board):
            if "$pod" not in expr or "vector(0)" in expr:  # a 0 where there is nothing
                continue
            count += 1
            there, absent = (has_data(base, fill(expr, seconds, namespace=namespace,
                                                 pod=chosen), seconds, instant)
                             for chosen in (name, f"{name}-absent"))
            if there and 'severity="major"' not in expr:
                wrong.append(f"{stem}: {query}: {there}")
            if absent != "no series":
                wrong.append(f"{stem}: {query}: another pod: {absent or 'data'}")
    print("\n".join(wrong))
    return count and not wrong


def mixed(base, directory, seconds, old, plain):
    seconds, wrong, count = int(seconds), [], 0
    for stem, board in boards_of(directory):
        for query, expr, instant in queries_of(board):
            count += 1
            data = ask(base, fill(expr, seconds, instance=old), seconds, instant)
            names = {label for series in data.get("result", [])
                     for label in series["metric"]} & NAMES
            why = names or data.get("error") or \
                ask(base, fill(expr, seconds), seconds, instant).get("error")
            if not why and not LACKS.search(expr):
                why = has_data(base, fill(expr, seconds, instance=plain), seconds, instant)
            if why:
                wrong.append(f"{stem}: {query}: {why}")
        for variable in board["templating"]["list"]:
            if variable["name"] in NAMES and values(base, variable, seconds, instance=old):
                wrong.append(f"{stem}: {old} offers values for {variable['name']}")
    print("\n".join(wrong))
    return count and not wrong


def wait(base, alert, state, seconds):
    end = time.time() + float(seconds)
    while time.time() < end:
        seen = {a["state"] for a in get(base, "alerts")["alerts"]
                  if a["labels"]["alertname"] == alert} or {"inactive"}
        if state in seen:
            return True
        time.sleep(1)
    print(f"{alert} is {seen} after {seconds} s, not {state}")
    return False


def states(base, seconds, now):
    return get(base, "query_range", query="ALERTS", start=now - float(seconds),
               end=now, step=1)["result"]


def alerts(base, alert, label, seconds):
    now, (name, value) = time.time(), label.split("=")
    times = {series["metric"]["alertstate"]: [t for t, _ in series["values"]]
             for series in states(base, seconds, now)
             if (series["metric"]["alertname"], series["metric"].get(name)) ==
             (alert, value)}
    if set(times) != {"pending", "firing"}:
        print(f"it was only {set(times)}")
        return False
    if not times["pending"][0] < times["firing"][0] or times["firing"][-1] > now - 2:
        print(f"pending from {times['pending'][0]}, firing from "
              f"{times['firing'][0]} to {times['firing'][-1]}; now {now}")
        return False
    return True


def others(base, *labels_and_seconds):
    *labels, seconds = labels_and_seconds
    expected = [tuple(label.split("=")) for label in labels]
    fired = [series["metric"] for series in states(base, seconds, time.time())
             if series["metric"]["alertstate"] == "firing" and
             not any(series["metric"].get(name) == value for name, value in expected) and
             not series["metric"]["alertname"].endswith("SlowFaults")]
    if fired:
        print(f"these fired too: {fired}")
    return not fired


def rules(base):
    bad = [f"{rule['name']}: {rule.get('lastError')}"
           for group in get(base, "rules")["groups"] for rule in group["rules"]
           if rule["health"] != "ok"]
    print("\n".join(bad))
    return not bad


def served(base):
    # No program of the guest uses hugetlb.
    wanted = catalogue() - {"page_fault_process_hugetlb_bytes"}
    missing = wanted - set(get(base, "label/__name__/values"))
    print("\n".join(sorted(missing)))
    return not missing


sys.exit(not {"panels": panels, "pod": pod, "mixed": mixed, "wait": wait,
              "alerts": alerts, "others": others, "rules": rules,
              "served": served}[sys.argv[1]](*sys.argv[2:]))
