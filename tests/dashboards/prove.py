#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Asks a live Prometheus what the dashboards and alerts promise.
usage: prove.py panels PROMETHEUS DASHBOARDS-DIRECTORY SECONDS
         every query of every panel, variable and annotation returns data
         over the last SECONDS; prints one `ok` or `FAIL` line a dashboard
       prove.py wait PROMETHEUS ALERT STATE SECONDS
         until the alert is pending, firing or inactive
       prove.py alerts PROMETHEUS ALERT LABEL=VALUE SECONDS
         the alert went pending, firing, resolved, for series with that label
       prove.py others PROMETHEUS LABEL=VALUE... SECONDS
         no alert fired except those with one of these labels; but
         PageFault*SlowFaults may have, because faults in a guest on a busy host are
         slow
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


def get(base, path, **query):
    url = f"{base}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return {"error": json.load(error)["error"]}


def fill(expr, seconds):
    """The expression as Grafana would fill it in, with All chosen."""
    for variable, value in (("$__rate_interval", "10s"), ("$__interval", f"{STEP}s"),
                            ("$__range", f"{seconds}s")):
        expr = expr.replace(variable, value)
    expr = re.sub(r"\$(site|namespace|pod|unit)\b", ".*", expr)
    return re.sub(r"\$(job|instance|comm|pid|cgroup)\b", ".+", expr)


def has_data(base, expr, seconds, instant):
    """Returns an empty text if there is data, otherwise the reason."""
    now = time.time()
    if instant:
        data = get(base, "query", query=expr, time=now)
    else:
        data = get(base, "query_range", query=expr, start=now - seconds, end=now,
                   step=STEP)
    if "error" in data:
        return data["error"]
    values = [float(value) for series in data["result"]
              for _, value in series.get("values", [series.get("value")])]
    if not values:
        return "no series"
    return "" if any(map(math.isfinite, values)) else "only NaN"


def panels(base, directory, seconds):
    seconds, good = int(seconds), True
    for path in sorted(pathlib.Path(directory).glob("*.json")):
        board, empty, count = json.loads(path.read_text()), [], 0
        asked = [(f"{panel['title']} {target['refId']}", target["expr"],
                  target.get("instant", False))
                 for panel in board["panels"] for target in panel.get("targets", [])]
        asked += [(a["name"], a["expr"], False)
                  for a in board["annotations"]["list"] if "expr" in a]
        for name, expr, instant in asked:
            why = has_data(base, fill(expr, seconds), seconds, instant)
            count += 1
            if why:
                empty.append(f"{name}: {why}")
        for variable in board["templating"]["list"]:
            # One whose All takes series without the label may have no values.
            if variable["type"] == "query" and variable["allValue"] != ".*":
                match, label = re.fullmatch(r"label_values\((.+), (\w+)\)",
                                            variable["query"]).groups()
                count += 1
                if not get(base, f"label/{label}/values",
                           **{"match[]": fill(match, seconds)}):
                    empty.append(f"variable {variable['name']}: no values")
        good = good and not empty
        print(f"FAIL {path.stem} has data: {'; '.join(empty)}" if empty else
              f"ok {path.stem}: all {count} queries return data")
    return good


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


sys.exit(not {"panels": panels, "wait": wait, "alerts": alerts, "others": others,
              "rules": rules, "served": served}[sys.argv[1]](*sys.argv[2:]))
