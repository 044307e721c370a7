#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon under what a network and a host do to it.

usage: hard.py DAEMON DEBUGFS
Prints a line for each thing tried; ends at the first that fails, with 1.
"""
import gzip
import http.client
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DAEMON, FIXTURES = sys.argv[1:3]
SANITIZED = "tsan" in DAEMON or "asan" in DAEMON


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    """A running daemon on a copy of the fixtures."""

    def __init__(self, *flags, stderr=subprocess.PIPE):
        self.root = tempfile.mkdtemp()
        self.debugfs = os.path.join(self.root, "debugfs")
        shutil.copytree(FIXTURES, self.debugfs)
        self.port = free_port()
        self.process = subprocess.Popen(
            [DAEMON, f"--web.listen-address=127.0.0.1:{self.port}",
             "--interval=100ms", "--source=module",
             f"--path.debugfs={self.debugfs}", *flags], stderr=stderr)
        self.wait(lambda: self.get("/-/ready")[0] == 200)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(20)
        shutil.rmtree(self.root)
        assert code == 0, f"exit code {code}"

    def get(self, path, headers=None, method="GET", timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=timeout)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def wait(self, condition, seconds=20):
        end = time.time() + seconds
        while time.time() < end:
            assert self.process.poll() is None, "the daemon died"
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("not within %d s" % seconds)

    def metric(self, line):
        return line in self.get("/metrics")[1].decode().splitlines()

    def table(self):
        return os.path.join(self.debugfs, "page_faults", "processes")

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * 4096


def connect(daemon, data=b"", room=0):
    s = socket.socket()
    if room:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    s.settimeout(10)
    s.connect(("127.0.0.1", daemon.port))
    s.sendall(data)
    return s


def write_rows(daemon, rows):
    """Gives the daemon a table of so many processes like the first one."""
    with open(daemon.table()) as f:
        lines = f.readlines()
    tail = lines[2].split("\t", 1)[1]
    with open(daemon.table() + ".new", "w") as f:
        f.writelines(lines[:2])
        for i in range(rows):
            f.write(f"{i + 1}\t{tail}")
        f.write(f"# end rows={rows}\n")
    os.rename(daemon.table() + ".new", daemon.table())
    daemon.wait(lambda: daemon.metric(f"page_fault_exporter_processes {rows}"),
                120)


def half_open_and_deaf_clients():
    """500 half-open connections and 64 clients that never read."""
    with Daemon() as daemon:
        write_rows(daemon, 5000)  # an answer is more than sockets hold
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
        status, body, _ = daemon.get("/metrics", timeout=60)
        took = time.time() - start
        for s in held:
            s.close()
        assert status == 200 and b"page_faults_total{" in body
        # Prometheus's own timeout, which is what is promised here.
        assert took < 10 or SANITIZED, took
        print("  a scrape among them took %.1f s" % took)


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
            daemon.wait(lambda: daemon.get("/-/healthy")[0] == 200, 60)

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
        assert daemon.get("/metrics", {"Accept": "image/png"})[0] == 406


def sigterm_finishes_scrapes():
    """A scrape in flight is finished when SIGTERM comes."""
    with Daemon() as daemon:
        # Enough that an answer does not fit the sockets' buffers.
        write_rows(daemon, 60000)
        s = connect(daemon, b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
                            b"Connection: close\r\n\r\n")
        data = s.recv(65536)
        daemon.process.send_signal(signal.SIGTERM)
        s.settimeout(20)
        while True:
            more = s.recv(1 << 20)
            if not more:
                break
            data += more
        length = int(data.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        body = data.split(b"\r\n\r\n", 1)[1]
        assert len(body) == length, (len(body), length)


def bad_tables():
    """Each bad table is said in a metric; the next good one is taken."""
    with Daemon() as daemon:
        good = open(daemon.table(), "rb").read()
        cases = {
            "truncated": good[:len(good) // 2],
            "malformed": good.replace(b"\tlive\t", b"\tdead\t", 1),
            "unknown_version": good.replace(b"# page_faults 1", b"# page_faults 7"),
        }
        for cause, data in cases.items():
            with open(daemon.table() + ".new", "wb") as f:
                f.write(data)
            os.rename(daemon.table() + ".new", daemon.table())
            daemon.wait(lambda: daemon.metric(
                'page_fault_exporter_read_error{cause="%s"} 1' % cause))
            assert b"page_faults_total{" not in daemon.get("/metrics")[1]
            with open(daemon.table() + ".new", "wb") as f:
                f.write(good)
            os.rename(daemon.table() + ".new", daemon.table())
            daemon.wait(lambda: daemon.metric(
                "page_fault_exporter_last_read_success 1"))
        os.unlink(daemon.table())
        os.symlink("/proc/self/mem", daemon.table())  # EIO at its start
        daemon.wait(lambda: daemon.metric(
            'page_fault_exporter_read_error{cause="io"} 1'))


def odd_stderr():
    """A full stderr, or one that nobody reads, ends nothing."""
    read, write = os.pipe()
    os.close(read)
    for stderr in (open("/dev/full", "w"), write):
        with Daemon(stderr=stderr) as daemon:
            shutil.rmtree(os.path.join(daemon.debugfs, "page_faults"))
            daemon.wait(lambda: daemon.metric(
                "page_fault_exporter_last_read_success 0"))


def full_disk():
    """--once into a full disk says so and fails."""
    done = subprocess.run(
        [DAEMON, "--once", f"--path.debugfs={FIXTURES}"],
        stdout=open("/dev/full", "w"), stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "stdout" in done.stderr, done


def a_million_rows():
    """10^6 rows are read, what is exported is capped, memory goes back."""
    with Daemon("--interval=1s") as daemon:
        write_rows(daemon, 1000000)
        assert daemon.metric("page_fault_exporter_processes_omitted 995000")
        crowded = daemon.resident()
        print("  resident: %d MB" % (crowded >> 20))
        write_rows(daemon, 10)
        daemon.wait(lambda: daemon.resident() < crowded / 4)


def reload_of_the_configuration():
    """SIGHUP takes what is good and refuses what is not."""
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
                daemon.wait(lambda: daemon.metric(
                    "page_fault_exporter_config_reload_success %d" % ok))
                daemon.wait(lambda: b"page_faults_total{" not in
                            daemon.get("/metrics")[1])


TESTS = [forms, bad_tables, reload_of_the_configuration, odd_stderr, full_disk,
         sigterm_finishes_scrapes, half_open_and_deaf_clients, bad_requests,
         a_million_rows]

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    for test in TESTS:
        if SANITIZED and test is a_million_rows:
            continue
        print(test.__name__ + ": " + test.__doc__, flush=True)
        test()
