#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon does besides serving: --once, --top, what it tells systemd,
and how it bounds what it is asked.

usage: modes.py DAEMON DEBUGFS
"""
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DAEMON, FIXTURES = sys.argv[1:3]
SOURCE = ["--source=module", f"--path.debugfs={FIXTURES}"]


def run(*flags, **how):
    return subprocess.run([DAEMON, *SOURCE, *flags], capture_output=True,
                          text=True, timeout=60, **how)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def once():
    """--once prints one exposition that promtool takes, and ends."""
    done = run("--once")
    assert done.returncode == 0, done.stderr
    assert re.search(r'^page_faults_total{pid="1",comm="init"} \d+$',
                     done.stdout, re.M)
    # What it counts is there at once: nothing comes after it.
    assert re.search(r'^page_fault_comm_faults_total{comm="init",.*} [1-9]',
                     done.stdout, re.M)
    check = subprocess.run(["promtool", "check", "metrics"], text=True,
                           capture_output=True, input=done.stdout)
    assert check.returncode == 0, check.stderr
    done = subprocess.run([DAEMON, "--once", "--source=module",
                           "--path.debugfs=/nonexistent"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "/nonexistent" in done.stderr, done
    assert "page_fault_exporter_last_read_success 0" in done.stdout


def top():
    """--top=N prints N rows into a pipe, and is refreshed on a terminal."""
    done = run("--top=3", "--interval=100ms")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 4, done
    assert lines[0].split()[:2] == ["PID", "COMM"]
    screen, terminal = pty.openpty()
    process = subprocess.Popen([DAEMON, *SOURCE, "--top", "--interval=100ms"],
                               stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    seen, end = b"", time.time() + 30
    while seen.count(b"\x1b[H") < 3 and time.time() < end:
        if select.select([screen], [], [], 1)[0]:
            seen += os.read(screen, 65536)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    os.close(screen)
    assert seen.count(b"\x1b[H") >= 3


def systemd():
    """READY, WATCHDOG, RELOADING with its time, READY, STOPPING."""
    with tempfile.TemporaryDirectory() as work:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(os.path.join(work, "notify"))
        manager.settimeout(30)
        process = subprocess.Popen(
            [DAEMON, *SOURCE, "--interval=100ms",
             f"--web.listen-address=127.0.0.1:{free_port()}"],
            stderr=subprocess.DEVNULL,
            env={"NOTIFY_SOCKET": os.path.join(work, "notify"),
                 "WATCHDOG_USEC": "30000000"})

        def until(word):
            while True:
                message = manager.recv(4096).decode()
                if word in message:
                    return message

        until("WATCHDOG_USEC=30000000")
        until("READY=1")
        until("WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        assert re.search(r"MONOTONIC_USEC=\d+", until("RELOADING=1"))
        until("READY=1")
        process.send_signal(signal.SIGTERM)
        until("STOPPING=1")
        # As a manager does, it is listened to until the end.
        while process.poll() is None:
            try:
                manager.settimeout(0.1)
                manager.recv(4096)
            except TimeoutError:
                pass
        assert process.returncode == 0


class Daemon:
    """A daemon in the background."""

    def __init__(self, *flags, command=(DAEMON,)):
        self.port = free_port()
        self.process = subprocess.Popen(
            [*command, *SOURCE, "--interval=100ms",
             f"--web.listen-address=127.0.0.1:{self.port}", *flags])

    def __enter__(self):
        for _ in range(400):
            assert self.process.poll() is None
            try:
                if self.get("/-/ready")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("it never became ready")

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(20) == 0

    def get(self, path, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=30)
        try:
            connection.putrequest("GET", path)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()


def repeated_headers():
    """Of two Accept or Accept-Encoding headers both count."""
    with Daemon() as daemon:
        _, _, headers = daemon.get("/metrics", [("Accept-Encoding", "br"),
                                                ("Accept-Encoding", "gzip")])
        assert headers["Content-Encoding"] == "gzip"
        assert daemon.get("/metrics", [("Accept", "image/png"),
                                       ("Accept", "text/plain;q=0")])[0] == 406
        _, _, headers = daemon.get("/metrics", [
            ("Accept", "text/plain;q=0.2"),
            ("Accept", "application/openmetrics-text;q=0.3")])
        assert headers["Content-Type"].startswith("application/openmetrics")


def too_many_requests():
    """Beyond --web.max-requests there is 503, and later 200 again."""
    with Daemon("--web.max-requests=1") as daemon:
        found = set()

        def ask():
            for _ in range(40):
                found.add(daemon.get("/api/v1/processes?limit=1000&history=1")[0])

        while found != {200, 503}:
            threads = [threading.Thread(target=ask) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert found <= {200, 503}, found
        assert daemon.get("/api/v1/processes")[0] == 200
        assert daemon.get("/-/healthy")[0] == 200


def closed_streams():
    """With stdin, stdout and stderr closed no log goes into a socket."""
    with Daemon(command=("/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh",
                         DAEMON)) as daemon:
        for fd in range(3):
            assert os.readlink(
                f"/proc/{daemon.process.pid}/fd/{fd}") == "/dev/null"


def logs():
    """Each line of the log is JSON, or logfmt, whatever a path is."""
    odd = '/no"where\n=\xe9'
    for form in ("json", "logfmt"):
        process = subprocess.Popen(
            [DAEMON, "--source=module", f"--path.debugfs={odd}",
             f"--log.format={form}", "--interval=100ms",
             f"--web.listen-address=127.0.0.1:{free_port()}"],
            stderr=subprocess.PIPE, text=True)
        lines = [process.stderr.readline() for _ in range(3)]
        process.terminate()
        assert process.wait(20) == 0
        for line in lines:
            if form == "json":
                assert {"ts", "level", "msg"} == set(json.loads(line))
            else:
                assert re.fullmatch(
                    r'ts=\S+ level=\w+ msg="([^"\\]|\\.)*"\n', line), line
        assert any('/no\\"where\\n=' in line for line in lines), lines


def two_addresses():
    """--web.listen-address can be given again."""
    other = free_port()
    with Daemon(f"--web.listen-address=127.0.0.1:{other}") as daemon:
        assert daemon.get("/metrics")[0] == 200
        daemon.port = other
        assert daemon.get("/metrics")[0] == 200


for test in (once, top, systemd, repeated_headers, too_many_requests,
             closed_streams, logs, two_addresses):
    print(test.__name__ + ": " + test.__doc__, flush=True)
    test()
