#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the daemon against bad clients, bad tables and a bad host.

usage: hard.py DAEMON DEBUGFS [TEST]
"""
import functools
import gzip
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import daemon as under_test
from daemon import LIMIT

DAEMON, FIXTURES = sys.argv[1:3]
SANITIZED = "tsan" in DAEMON or "asan" in DAEMON
# The usual limit of open files, whatever it is here.
Daemon = functools.partial(under_test.Daemon, DAEMON, FIXTURES,
                           command=("prlimit", "--nofile=1024:"))


def connect(daemon, data=b"", room=0):
    s = socket.socket()
    if room:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    s.settimeout(LIMIT)
    s.connect(("127.0.0.1", daemon.port))
    s.sendall(data)
    return s


def half_open_and_deaf_clients():
    """500 half-open connections and 64 clients that never read."""
    # On a slow host all 64 may ask at the same time as the scrape.
    with Daemon("--web.max-requests=0") as daemon:
        daemon.write_rows(5000)  # an answer is more than sockets hold
        held = []

        def hold(data, n, room=0):
            for _ in range(n):
                held.append(connect(daemon, data, room))

        # At once, as an attacker would.
        threads = [threading.Thread(target=hold, args=(b"GET /metrics HT", 25))
                   for _ in range(20)]
        threads += [threading.Thread(target=hold, args=(
            b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 8, 4096))
            for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        start = time.time()
        status, body, _ = daemon.get("/metrics")
        print("  a scrape among them took %.1f s" % (time.time() - start))
        for s in held:
            s.close()
        assert status == 200 and b"page_faults_total{" in body, (status, body[:99])


def slow_clients():
    """100 clients that read slowly do not keep a scrape out."""
    ended = threading.Event()
    served = []

    def read_slowly(daemon):
        with connect(daemon, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                     room=2304) as s:
            served.append(s.recv(1))
            try:
                while not ended.is_set() and s.recv(4096):
                    time.sleep(0.1)  # faster than a client alone must be
            except ConnectionResetError:
                pass

    with Daemon("--web.max-requests=0", "--processes.max=40000") as daemon:
        daemon.write_rows(40000)  # it takes such a client longer than LIMIT
        threads = [threading.Thread(target=read_slowly, args=(daemon,))
                   for _ in range(100)]
        for thread in threads:
            thread.start()
        try:
            # Each has a thread of the daemon, or had one.
            daemon.wait(lambda: len(served) >= 72, "slow clients")
            assert daemon.get("/metrics")[0] == 200
        finally:
            ended.set()
            for thread in threads:
                thread.join()


def more_connections_than_descriptors():
    """1,100 half-open connections leave the descriptors that reading takes."""
    for source, limit in ("module", "1024:"), ("procfs", "256:256"):
        with Daemon(f"--source={source}",
                    command=("prlimit", f"--nofile={limit}")) as daemon:
            held = [connect(daemon, b"GET /metrics HT") for _ in range(1100)]
            status, body, _ = daemon.get("/metrics")
            for s in held:
                s.close()
            errors = re.findall(
                rb"page_fault_exporter_read_errors_total\{.*\} (\d+)", body)
            assert status == 200 and errors, (status, body[-2000:])
            assert set(errors) == {b"0"}, (limit, source, errors)
            assert b"page_faults_total{" in body


def bad_requests():
    """10,000 bad requests crash nothing and leak nothing."""
    rng = random.Random(7)
    pieces = [b"GET", b"POST", b"\x00", b"/" * 300, b"%zz", b"HTTP/1.1", b" ",
              b"\r\n", b"Host: x", b"Content-Length: -1", b"\xff" * 50,
              b"Transfer-Encoding: chunked", b"/metrics", b"?" * 100,
              b"Range: bytes=0-", b"Accept: " + b"a," * 500, b"A" * 9000,
              b"/api/v1/processes?filter=(((", b"/api/v1/comms?limit=-1"]

    def send(daemon, n):
        for _ in range(n):
            data = b"".join(rng.choice(pieces) for _ in range(rng.randint(1, 8)))
            try:
                s = connect(daemon, data + b"\r\n\r\n")
                s.settimeout(0.01)
                s.recv(1024)
                s.close()
            except OSError:
                pass

    with Daemon() as daemon:
        def storm(n):
            threads = [threading.Thread(target=send, args=(daemon, n // 8))
                       for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            daemon.wait(lambda: daemon.get("/-/healthy")[0] == 200, "healthy")

        storm(2000)
        before = daemon.resident()
        storm(8000)
        grown = daemon.resident() - before
        print("  resident memory grew by %d kB" % (grown // 1024))
        assert grown < 16 << 20 or SANITIZED, grown
        assert daemon.get("/metrics")[0] == 200


def forms():
    """Methods, paths, and the forms of an answer."""
    with Daemon() as daemon:
        text = daemon.get("/metrics")[1]
        packed = daemon.get("/metrics", {"Accept-Encoding": "gzip"})
        assert packed[2]["Content-Encoding"] == "gzip"
        names = lambda body: [line.split(b" ")[0] for line in body.splitlines()
                              if not line.startswith(b"#")]
        assert names(gzip.decompress(packed[1])) == names(text)
        openmetrics = daemon.get("/metrics", {
            "Accept": "application/openmetrics-text;version=1.0.0"})
        assert openmetrics[1].endswith(b"\n# EOF\n")
        assert names(openmetrics[1]) == names(text)
        head = daemon.get("/metrics", method="HEAD")
        assert head[1] == b"" and int(head[2]["Content-Length"]) > 1000
        for path, status in (("/metricsXY", 404), ("/metrics/", 404),
                             ("/%2e%2e/etc/passwd", 404), ("/", 200)):
            assert daemon.get(path)[0] == status, path
        assert daemon.get("/metrics", method="POST")[0] == 405


def sigterm_finishes_scrapes():
    """A scrape in flight is finished when SIGTERM comes."""
    with Daemon() as daemon:
        # The answer is larger than the sockets' buffers, and small enough to
        # be read well within the five seconds that the daemon gives it.
        daemon.write_rows(20000)
        s = connect(daemon, b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
                            b"Connection: close\r\n\r\n", room=65536)
        data = s.recv(4096)
        daemon.process.send_signal(signal.SIGTERM)
        while True:
            more = s.recv(1 << 20)
            if not more:
                break
            data += more
        length = int(data.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        body = data.split(b"\r\n\r\n", 1)[1]
        assert len(body) == length, (len(body), length)


def sigterm_while_an_explanation_hangs():
    """An explanation that hangs does not keep the daemon from ending."""
    with tempfile.TemporaryDirectory() as procfs:
        os.mkdir(os.path.join(procfs, "7"))
        status = os.path.join(procfs, "7", "status")
        os.mkfifo(status)
        with Daemon("--profile", "--path.procfs", procfs) as daemon:
            asked = connect(daemon, b"GET /api/v1/explain?pid=7 HTTP/1.1\r\n"
                                    b"Host: localhost\r\n\r\n")
            # Opens as soon as the daemon does. It then waits for a line.
            with open(status, "w"):
                daemon.process.send_signal(signal.SIGTERM)
                daemon.process.wait(LIMIT)
            asked.close()


def bad_tables():
    """A metric names the cause of each bad table; the next good one is read."""
    with Daemon() as daemon:
        good = open(daemon.table(), "rb").read()
        cases = {
            "truncated": good[:len(good) // 2],
            "malformed": good.replace(b"\tlive\t", b"\tdead\t", 1),
            "unknown_version": good.replace(b"# page_faults 1", b"# page_faults 7"),
        }
        for cause, data in cases.items():
            daemon.replace_table(data)
            daemon.wait_metric(
                'page_fault_exporter_read_error{cause="%s"} 1' % cause)
            assert b"page_faults_total{" not in daemon.get("/metrics")[1]
            daemon.replace_table(good)
            daemon.wait_metric("page_fault_exporter_last_read_success 1")
        os.unlink(daemon.table())
        os.symlink("/proc/self/mem", daemon.table())  # EIO at its start
        daemon.wait_metric('page_fault_exporter_read_error{cause="io"} 1')


def odd_stderr():
    """A full stderr, or one that nobody reads, does not end the daemon."""
    read, write = os.pipe()
    os.close(read)
    for stderr in (open("/dev/full", "w"), write):
        with Daemon(stderr=stderr) as daemon:
            shutil.rmtree(os.path.join(daemon.debugfs, "page_faults"))
            daemon.wait_metric("page_fault_exporter_last_read_success 0")


def full_disk():
    """Whatever prints into a full disk says so and fails."""
    for flags in (["--once"], ["--top=1"], ["--config.check"], ["--help"],
                  ["--version"], ["--man"]):
        source = [f"--path.debugfs={FIXTURES}", "--interval=100ms"]
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [DAEMON, *flags, *(source if flags != ["--man"] else [])],
                stdout=full, stderr=subprocess.PIPE, text=True, timeout=LIMIT)
        assert done.returncode == 1 and "stdout" in done.stderr, (flags, done)


def a_million_rows():
    """10^6 rows are read, fewer are exported, and the memory is freed later."""
    with Daemon("--interval=1s") as daemon:
        daemon.write_rows(1000000)
        assert daemon.metric("page_fault_exporter_processes_omitted 995000")
        crowded = daemon.resident()
        print("  resident: %d MB" % (crowded >> 20))
        daemon.write_rows(10)
        daemon.wait(lambda: daemon.resident() < crowded / 4,
                    "a quarter of the memory that the million took")


def reload_of_the_configuration():
    """SIGHUP applies a good configuration and refuses a bad one."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        config.write("{}")
        config.flush()
        with Daemon("--config.file", config.name) as daemon:
            assert b"page_faults_total{" in daemon.get("/metrics")[1]
            for text, ok in (('{"no-pid": true}', 1), ('{"no-pid": ', 0)):
                config.seek(0)
                config.truncate()
                config.write(text)
                config.flush()
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_metric(
                    "page_fault_exporter_config_reload_success %d" % ok)
                daemon.wait(lambda: b"page_faults_total{" not in
                            daemon.get("/metrics")[1], "no series by pid")


TESTS = [forms, bad_tables, reload_of_the_configuration, odd_stderr, full_disk,
         sigterm_finishes_scrapes, sigterm_while_an_explanation_hangs,
         half_open_and_deaf_clients, slow_clients,
         more_connections_than_descriptors, bad_requests]
if not SANITIZED:
    TESTS.append(a_million_rows)

if __name__ == "__main__":
    # Each connection of the tests takes a descriptor here too.
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    under_test.run_tests(TESTS, *sys.argv[3:])
