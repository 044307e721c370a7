#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes the daemon: comms of every kind, a comm that is born
with many faults, and the labels that the PodMonitor must keep.

usage: prometheus.py DAEMON
"""
import contextlib
import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import yaml

from daemon import LIMIT, LOGS, free_port, run_tests, wait_until


def escape(comm):
    out = ""
    for byte in comm:
        out += {0x5c: "\\\\", 0x0a: "\\n", 0x09: "\\t"}.get(
            byte, chr(byte) if 0x20 <= byte <= 0x7e else "\\%03o" % byte)
    return out


def write_table(directory, rows):
    """The module's files, with rows of pid, state, faults and comm."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "processes")
    with open(path + ".new", "w") as f:
        f.write("# page_faults 1\npid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults"
                "\tminor\tmajor\tcomm\n")
        for pid, state, faults, comm in rows:
            f.write(f"{pid}\t1\t{state}\t4\t4\t{faults}\t{faults}\t0\t"
                    f"{escape(comm)}\n")
        f.write(f"# end rows={len(rows)}\n")
    os.rename(path + ".new", path)
    with open(os.path.join(directory, "stats"), "w") as f:
        f.write("version 1\nmodule_version 0\nend 2\n")


def comms_of_every_kind():
    """A process for each byte, alone and after a letter."""
    comms = [bytes([b]) for b in range(1, 256)]
    comms += [b"x" + bytes([b, b]) for b in range(1, 256)]
    return [(pid, "live", pid, comm) for pid, comm in enumerate(comms, 1)]


def query(port, expression):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    connection.request("GET", "/api/v1/query?query=" +
                       urllib.parse.quote(expression))
    return json.loads(connection.getresponse().read())["data"]["result"]


def get(port, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    connection.request("GET", "/metrics", headers=headers)
    response = connection.getresponse()
    return response.headers["Content-Type"], response.read()


def text_proxy(port):
    """A port at which /metrics is always text."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            kind, body = get(port, {"Accept": "text/plain"})
            assert kind.startswith("text/plain")
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


@contextlib.contextmanager
def prometheus(work, daemon_port, seconds, more="", labels=()):
    """A Prometheus that scrapes the daemon every so many seconds; its port.
    `more` is for the scrape configuration, `labels` are the target's."""
    port = free_port()
    data = tempfile.mkdtemp(dir=work)
    config = os.path.join(data, "prometheus.yml")
    with open(config, "w") as f:
        f.write(f"scrape_configs:\n- job_name: x\n  scrape_interval: {seconds}s\n"
                f"  scrape_timeout: {seconds}s\n{more}  static_configs:\n"
                f"  - targets: ['127.0.0.1:{daemon_port}']\n"
                f"    labels: {json.dumps(dict(labels))}\n")
    with open(os.path.join(LOGS, "prometheus.log"), "a") as log:
        process = subprocess.Popen(
            ["prometheus", "--config.file", config, "--storage.tsdb.path", data,
             f"--web.listen-address=127.0.0.1:{port}"], stderr=log)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(LIMIT)


def number(port, expression):
    """The value of an expression, or None if there is none yet."""
    try:
        return float(query(port, expression)[0]["value"][1])
    except (KeyError, IndexError, ValueError):  # not up, or nothing yet
        return None


def wait_number(port, expression, value):
    wait_until(lambda: number(port, expression) == value,
               f"{expression} is {value} in the Prometheus at {port}")


@contextlib.contextmanager
def running(work, *flags):
    """A daemon that reads WORK/debugfs; its port and its process."""
    port = free_port()
    with open(os.path.join(LOGS, "scraped.stderr"), "a") as log:
        daemon = subprocess.Popen(
            [sys.argv[1], f"--web.listen-address=127.0.0.1:{port}",
             f"--path.debugfs={work}/debugfs", "--source=module", *flags],
            stderr=log)
    try:
        wait_until(lambda: get(port, {}), "/metrics")
        yield port, daemon
    finally:
        daemon.terminate()
        assert daemon.wait(LIMIT) == 0


def scrapes_both_formats():
    """Prometheus stores each process, whatever its comm is."""
    with tempfile.TemporaryDirectory() as work:
        rows = comms_of_every_kind()
        write_table(os.path.join(work, "debugfs", "page_faults"), rows)
        with running(work) as (port, _):
            # Debian's Prometheus asks for OpenMetrics first; the proxy asks for
            # text whatever it is asked.
            for form, at in (("OpenMetrics", port), ("text", text_proxy(port))):
                with prometheus(work, at, 3) as server:
                    found = wait_until(
                        lambda: number(server, "count(page_faults_total)"),
                        "page_faults_total in Prometheus")
                assert found == len(rows), f"{form}: {found} series"
            check = subprocess.run(["promtool", "check", "metrics"],
                                   capture_output=True, timeout=LIMIT,
                                   input=get(port, {})[1])
            assert check.returncode == 0, check.stderr


BURST = 'page_fault_comm_faults_total{comm="burst"}'
FAULTS = 100000


def scraped_value(port, name):
    text = get(port, {"Accept": "text/plain"})[1].decode()
    found = re.search(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M)
    return found and float(found[1])


def counts_what_is_born():
    """Whoever scrapes, and however often, the first and the last sample of a
    program that ran once differ by all its faults."""
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        table = os.path.join(work, "debugfs", "page_faults")
        config = os.path.join(work, "config.json")

        def hold_for(duration):
            with open(config, "w") as f:
                json.dump({"birth.hold": duration}, f)

        write_table(table, [])
        hold_for("1h")
        port, daemon = stack.enter_context(
            running(work, "--interval=100ms", f"--config.file={config}"))
        servers = [stack.enter_context(prometheus(work, port, seconds))
                   for seconds in (1, 2)]
        for server in servers:
            wait_number(server, "up", 1)
        write_table(table, [(7, "exited", FAULTS, b"burst")])
        series = "page_fault_comm_faults_total{comm=\"burst\","
        wait_until(lambda: scraped_value(port, series + ".*}") == 0, "its birth")
        assert scraped_value(port, "page_fault_exporter_held_faults") == FAULTS
        write_table(table, [])
        for server in servers:
            wait_number(server, BURST, 0)
        # Each has seen the 0. The hold ends, as if its time had passed.
        hold_for("0s")
        daemon.send_signal(signal.SIGHUP)
        for server in servers:
            wait_number(server, BURST, FAULTS)
            seen = number(server, f"max_over_time({BURST}[1h]) - "
                          f"min_over_time({BURST}[1h])")
            assert seen == FAULTS, seen
            assert number(server, f"increase({BURST}[1h])") >= FAULTS
        assert scraped_value(port, "page_fault_exporter_held_faults") == 0


PODMONITOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                          "deploy", "kubernetes", "podmonitor.yaml")


def as_the_operator_does(path):
    """The scrape configuration of a PodMonitor, as Prometheus Operator makes it."""
    with open(path) as f:
        endpoint = yaml.safe_load(f)["spec"]["podMetricsEndpoints"][0]
    relabel = [{re.sub("[A-Z]", lambda c: "_" + c[0].lower(), key): value
                for key, value in rule.items()}
               for rule in endpoint.get("relabelings", [])]
    return (f"  honor_labels: {json.dumps(endpoint.get('honorLabels', False))}\n"
            f"  relabel_configs: {json.dumps(relabel)}\n")


# What the operator says of the exporter's own pod.
OWN_POD = {"namespace": "page-faults", "pod": "page-fault-exporter-x7f2q",
           "container": "exporter", "endpoint": "metrics",
           "__meta_kubernetes_pod_node_name": "node1"}
UID = "8a5b5c1e-0f2d-4c8e-9f3a-1b2c3d4e5f60"
CONTAINER = "ab" * 32


def write_node(work):
    """A node with a process in a pod and one in a unit."""
    write_table(os.path.join(work, "debugfs", "page_faults"),
                [(7, "live", 1, b"in-a-pod"), (8, "live", 1, b"in-a-unit")])
    for pid, path in ((7, f"/kubepods/pod{UID}/{CONTAINER}"),
                      (8, "/system.slice/ssh.service")):
        os.makedirs(os.path.join(work, "proc", str(pid)))
        with open(os.path.join(work, "proc", str(pid), "cgroup"), "w") as f:
            f.write(f"0::{path}\n")
        # It starts in the first tick of the clock, as it does in the table.
        with open(os.path.join(work, "proc", str(pid), "stat"), "w") as f:
            f.write(f"{pid} (x) S 1 2 3 0 -1 0 7 0 8 0 5 6 0 0 20 0 1 0 0 8192 2\n")
    os.makedirs(os.path.join(work, "log", "pods", f"shop_web-0_{UID}"))
    os.makedirs(os.path.join(work, "log", "containers"))
    os.symlink("/nowhere", os.path.join(
        work, "log", "containers", f"web-0_shop_nginx-{CONTAINER}.log"))


def labels_by_podmonitor(podmonitor):
    """The labels of page_fault_process_info in Prometheus, by comm, and how
    many series have a label exported_*."""
    with tempfile.TemporaryDirectory() as work:
        write_node(work)
        with running(work, "--containers", f"--path.procfs={work}/proc",
                     f"--path.pod-logs={work}/log") as (port, _), \
             prometheus(work, port, 1, as_the_operator_does(podmonitor),
                        OWN_POD) as server:
            wait_number(server, "count(page_fault_process_info)", 2)
            info = query(server, "page_fault_process_info")
            names = query(server, "count({__name__=~'.+',instance='node1'}) "
                          "by (exported_namespace, exported_pod, "
                          "exported_container)")
            renamed = [series for series in names if series["metric"]]
            return {series["metric"]["comm"]: series["metric"]
                    for series in info}, len(renamed)


def podmonitor_keeps_our_labels():
    """namespace, pod and container are those of the process, not those of the
    exporter's pod, and no label becomes exported_*."""
    info, renamed = labels_by_podmonitor(PODMONITOR)
    assert renamed == 0, renamed
    pod = info["in-a-pod"]
    assert (pod["namespace"], pod["pod"], pod["container"]) == \
        ("shop", "web-0", "nginx"), pod
    unit = info["in-a-unit"]
    assert not {"namespace", "pod", "container"} & set(unit), unit


def without_honor_labels_they_are_renamed():
    """The test above can fail."""
    with open(PODMONITOR) as f:
        text = f.read()
    wrong = text.replace("honorLabels: true", "honorLabels: false")
    wrong = re.sub("regex: namespace\\|pod", "regex: pod", wrong)
    assert wrong != text
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(wrong)
        f.flush()
        info, renamed = labels_by_podmonitor(f.name)
    assert renamed > 0
    assert info["in-a-unit"]["namespace"] == "page-faults", info


run_tests([scrapes_both_formats, counts_what_is_born,
           podmonitor_keeps_our_labels, without_honor_labels_they_are_renamed])
