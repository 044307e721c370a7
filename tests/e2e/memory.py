#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon on a table that does not fit into its memory.

usage: memory.py DAEMON DEBUGFS
A table of four million rows under `ulimit -v 1500000` must become a read error
with its own cause; with the small table again, the daemon serves it again.
"""
import http.client
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

DAEMON, FIXTURES = sys.argv[1:3]
LIMIT_KB = 1500000
ROWS = 4000000
FAILED = 'page_fault_exporter_read_error{cause="out_of_memory"} 1'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def metrics(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def wait(process, port, condition, what):
    """Until the metrics fulfil a condition; at most some minutes."""
    end = time.time() + 600
    while time.time() < end:
        assert process.poll() is None, f"exit code {process.returncode}: {what}"
        try:
            text = metrics(port)
            if condition(text):
                return text
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"never: {what}")


def replace(table, lines):
    with open(table + ".new", "w") as f:
        f.writelines(lines)
    os.rename(table + ".new", table)


def small_again(text):
    return ("page_fault_exporter_last_read_success 1\n" in text
            and 'page_faults_total{pid="1",comm="init"}' in text)


with tempfile.TemporaryDirectory() as work:
    debugfs = os.path.join(work, "debugfs")
    shutil.copytree(FIXTURES, debugfs)
    table = os.path.join(debugfs, "page_faults", "processes")
    with open(table) as f:
        small = f.readlines()
    tail = small[2].split("\t", 1)[1]
    port = free_port()
    daemon = subprocess.Popen(
        [DAEMON, f"--web.listen-address=127.0.0.1:{port}", "--interval=500ms",
         "--source=module", f"--path.debugfs={debugfs}"],
        stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (LIMIT_KB * 1024, LIMIT_KB * 1024)))
    wait(daemon, port, small_again, "the small table is served")
    replace(table, (line for part in (
        small[:2], (f"{pid}\t{tail}" for pid in range(1, ROWS + 1)),
        [f"# end rows={ROWS}\n"]) for line in part))
    text = wait(daemon, port, lambda text: FAILED in text,
                "the error is in the metrics")
    assert "page_faults_total{" not in text
    replace(table, small)
    wait(daemon, port, small_again, "the small table is served again")
    daemon.terminate()
    assert daemon.wait(60) == 0
    log = daemon.stderr.read()
    assert "not enough memory" in log and "can be read again" in log, log
