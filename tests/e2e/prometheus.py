#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes the daemon, whose table has comms of every kind.

usage: prometheus.py DAEMON
"""
import http.client
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from daemon import LIMIT, LOGS, free_port, run_tests, wait_until


def escape(comm):
    out = ""
    for byte in comm:
        out += {0x5c: "\\\\", 0x0a: "\\n", 0x09: "\\t"}.get(
            byte, chr(byte) if 0x20 <= byte <= 0x7e else "\\%03o" % byte)
    return out


def write_table(directory):
    """A process for each byte, alone and after a letter."""
    comms = [bytes([b]) for b in range(1, 256)]
    comms += [b"x" + bytes([b, b]) for b in range(1, 256)]
    os.makedirs(directory)
    with open(os.path.join(directory, "processes"), "w") as f:
        f.write("# page_faults 1\npid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults"
                "\tcomm\n")
        for pid, comm in enumerate(comms, 1):
            f.write(f"{pid}\t1\tlive\t4\t4\t{pid}\t{escape(comm)}\n")
        f.write(f"# end rows={len(comms)}\n")
    with open(os.path.join(directory, "stats"), "w") as f:
        f.write("version 1\nmodule_version 0\nend 2\n")
    return len(comms)


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


def scrapes(daemon_port, work):
    """Runs a Prometheus until it has the series; returns how many."""
    port = free_port()
    config = os.path.join(work, "prometheus.yml")
    with open(config, "w") as f:
        f.write("scrape_configs:\n- job_name: x\n  scrape_interval: 3s\n"
                "  scrape_timeout: 3s\n  static_configs:\n"
                f"  - targets: ['127.0.0.1:{daemon_port}']\n")
    data = tempfile.mkdtemp(dir=work)

    def series():
        try:
            return int(query(port, "count(page_faults_total)")[0]["value"][1])
        except (KeyError, IndexError, ValueError):  # not up, or nothing yet
            return None

    with open(os.path.join(LOGS, "prometheus.log"), "a") as log:
        process = subprocess.Popen(
            ["prometheus", "--config.file", config, "--storage.tsdb.path", data,
             f"--web.listen-address=127.0.0.1:{port}"], stderr=log)
    try:
        return wait_until(series, "page_faults_total in Prometheus")
    finally:
        process.terminate()
        process.wait(LIMIT)


def scrapes_both_formats():
    """Prometheus stores each process, whatever its comm is."""
    with tempfile.TemporaryDirectory() as work:
        rows = write_table(os.path.join(work, "debugfs", "page_faults"))
        port = free_port()
        with open(os.path.join(LOGS, "scraped.stderr"), "a") as log:
            daemon = subprocess.Popen(
                [sys.argv[1], f"--web.listen-address=127.0.0.1:{port}",
                 f"--path.debugfs={work}/debugfs", "--source=module"],
                stderr=log)
        try:
            wait_until(lambda: get(port, {}), "/metrics")
            # Debian's Prometheus asks for OpenMetrics first; the proxy asks for
            # text whatever it is asked.
            for form, at in (("OpenMetrics", port), ("text", text_proxy(port))):
                found = scrapes(at, work)
                assert found == rows, f"{form}: {found} of {rows} series"
            check = subprocess.run(["promtool", "check", "metrics"],
                                   capture_output=True, timeout=LIMIT,
                                   input=get(port, {})[1])
            assert check.returncode == 0, check.stderr
        finally:
            daemon.terminate()
            assert daemon.wait(LIMIT) == 0


run_tests([scrapes_both_formats])
