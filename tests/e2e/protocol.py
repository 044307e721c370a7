#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the daemon's HTTP (RFC 9110 and 9112), byte by byte.

usage: protocol.py DAEMON FIXTURES [TEST]
"""
import datetime
import email.utils
import functools
import os
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
Daemon = functools.partial(under_test.Daemon, DAEMON,
                           os.path.join(FIXTURES, "debugfs"))


def exchange(port, request):
    """What the daemon sends until it closes the connection. It does at the
    latest when it sees that nothing comes behind the request."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as s:
        s.sendall(request)
        s.shutdown(socket.SHUT_WR)
        data = b""
        try:
            while more := s.recv(65536):
                data += more
        except ConnectionResetError:
            pass  # it closes without reading a body
        return data


def answers(data, head=False):
    """The answers: status, fields and body of each. `head`: without bodies."""
    found = []
    while data:
        top, separator, data = data.partition(b"\r\n\r\n")
        assert separator, top
        lines = top.decode().split("\r\n")
        version, status = lines[0].split(" ")[:2]
        assert version == "HTTP/1.1", lines[0]
        fields = dict(line.split(": ", 1) for line in lines[1:])
        assert len(fields) == len(lines) - 1, f"a field twice: {lines}"
        length = 0 if head else int(fields["Content-Length"])
        body, data = data[:length], data[length:]
        assert len(body) == length, f"{len(body)} of {length} bytes"
        found.append((int(status), fields, body))
    return found


def check_date(text):
    sent = email.utils.parsedate_to_datetime(text)
    assert email.utils.format_datetime(sent, usegmt=True) == text, text
    age = datetime.datetime.now(datetime.timezone.utc) - sent
    assert abs(age.total_seconds()) < LIMIT, text


def cases():
    with open(os.path.join(FIXTURES, "http.tsv"), encoding="ascii") as f:
        for line in f:
            if not line.startswith("#"):
                request, statuses, connection, why = line.rstrip("\n").split("\t")
                raw = request.encode().decode("unicode_escape").encode("latin1")
                yield raw, statuses, connection, why


def requests_of_the_table():
    """Each request of http.tsv has its answers, with Date and Connection."""
    wrong = []
    with Daemon() as daemon:
        for request, statuses, connection, why in cases():
            request = request.replace(b"PORT", b"%d" % daemon.port)
            try:
                found = answers(exchange(daemon.port, request),
                                request.startswith(b"HEAD"))
                got = " then ".join(str(status) for status, _, _ in found)
                assert got == statuses or (statuses, got) == ("none", ""), got
                for status, fields, _ in found:
                    check_date(fields["Date"])
                    assert (status == 405) == ("Allow" in fields), fields
                last = found[-1][1].get("Connection", "") if found else ""
                assert last == connection, f"Connection: {last}"
            except (AssertionError, KeyError, ValueError) as error:
                wrong.append(f"{request[:99]} ({why}): {error!r}")
        assert not wrong, "\n".join(wrong)


def large_heads():
    """A head that is more than civetweb reads is refused, not cut short."""
    request = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n"
    many = b"".join(b"A%d: b\r\n" % i for i in range(70))
    with Daemon() as daemon:
        for raw, status in (
                (request + many + b"Content-Length: 37\r\n\r\n" + request +
                 b"\r\n", 431),
                # As many bytes as civetweb reads, and no end of the head.
                ((request + b"A: " + b"b" * 8192)[:8192], 400)):
            found = answers(exchange(daemon.port, raw))
            assert [code for code, _, _ in found] == [status], found
            assert found[0][1]["Connection"] == "close", found


def head_is_get_without_body():
    """HEAD has the fields of GET, and no body behind them."""
    with Daemon() as daemon:
        for path in ("/web/page.js", "/api/v1/status/no", "/"):
            get, head = (answers(exchange(
                daemon.port,
                f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()),
                method == "HEAD")[0] for method in ("GET", "HEAD"))
            for _, fields, _ in (get, head):
                del fields["Date"]
            assert (head[0], head[1]) == (get[0], get[1]), (get, head)


def starts():
    """A daemon that starts answers with 200 from its first answer on."""
    for _ in range(60):
        port, first, ended = under_test.free_port(), set(), threading.Event()

        def knock():
            while not ended.is_set():
                try:
                    first.add(exchange(port, b"GET /-/healthy HTTP/1.1\r\n"
                                             b"Host: x\r\n\r\n")[:12])
                    return
                except OSError:
                    pass  # it does not listen yet

        threads = [threading.Thread(target=knock) for _ in range(4)]
        with subprocess.Popen(
            [DAEMON, f"--web.listen-address=127.0.0.1:{port}", "--source=procfs",
             "--log.level=error"]) as process:
            try:
                for thread in threads:
                    thread.start()
                under_test.wait_until(lambda: first, "an answer")
            finally:
                ended.set()
                for thread in threads:
                    thread.join()
                process.kill()
        assert first == {b"HTTP/1.1 200"}, first


def big_answer(daemon, receive_room, pause):
    """Reads a large answer in parts of 64 KiB, with a pause after each, and a
    request for another one behind it. Returns all that comes."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_room)
        s.settimeout(LIMIT)
        s.connect(("127.0.0.1", daemon.port))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        s.shutdown(socket.SHUT_WR)
        data = b""
        try:
            while more := s.recv(65536):
                data += more
                time.sleep(pause(len(data)))
        except ConnectionResetError:
            pass
        return data


def a_slow_reader_is_served():
    """A client that reads 400 kB/s gets the whole of two answers of 12 MB."""
    with Daemon("--processes.max=20000") as daemon:
        daemon.write_rows(20000)
        data = big_answer(daemon, 65536, lambda got: 0.16 if got < 6e6 else 0)
        found = answers(data)
        assert [status for status, _, _ in found] == [200, 200], found
        print("  %.1f MB" % (len(data) / 1e6))
        assert len(found[0][2]) > 10e6, len(found[0][2])


def an_answer_that_is_not_whole_is_the_last():
    """Behind an answer that is given up there is no other one."""
    with Daemon("--processes.max=20000") as daemon:
        daemon.write_rows(20000)
        waited = []

        def pause(got):
            if waited or got < 2e6:
                return 0
            waited.append(1)
            return 20  # longer than the daemon waits

        data = big_answer(daemon, 65536, pause)
        length = int(data.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        assert waited and len(data) < length, (len(data), length)
        assert data.count(b"HTTP/1.1 ") == 1, data.count(b"HTTP/1.1 ")


def ends_soon(process, status=0):
    """A signal ends it, although a read hangs."""
    process.terminate()
    try:
        assert process.wait(60) == status
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def a_source_that_hangs():
    """/-/healthy tells of a tick that does not end, and SIGTERM ends it all."""
    with Daemon() as daemon:
        daemon.make_reads_hang()
        daemon.wait(lambda: daemon.get("/-/healthy")[0] == 503, "unhealthy")
        assert b"a tick has not ended" in daemon.get("/-/healthy")[1]
        assert daemon.get("/-/ready")[0] == 503
        assert daemon.get("/metrics")[0] == 200
        ends_soon(daemon.process)


def a_source_that_hangs_at_the_start():
    """The same if the first read hangs; --once and --top end by a signal too."""
    with Daemon(hangs=True) as daemon:
        daemon.wait(lambda: daemon.get("/-/healthy")[0] == 503, "unhealthy")
        assert daemon.get("/-/ready")[0] == 503
        ends_soon(daemon.process)
    modes = [("--once", -signal.SIGTERM)]
    if "tsan" not in DAEMON:  # it delays handlers until a call returns
        modes.append(("--top", 0))
    for mode, status in modes:
        with tempfile.TemporaryDirectory() as root:
            stats = os.path.join(root, "page_faults", "stats")
            os.mkdir(os.path.dirname(stats))
            os.mkfifo(stats)
            with subprocess.Popen([DAEMON, mode, "--source=module",
                                   f"--path.debugfs={root}"]) as process:
                # This succeeds when the pipe is being read.
                writer = under_test.wait_until(
                    lambda: os.open(stats, os.O_WRONLY | os.O_NONBLOCK),
                    "a read that hangs")
                ends_soon(process, status)
                os.close(writer)


TESTS = [requests_of_the_table, large_heads, head_is_get_without_body, starts,
         an_answer_that_is_not_whole_is_the_last, a_slow_reader_is_served,
         a_source_that_hangs, a_source_that_hangs_at_the_start]

if __name__ == "__main__":
    under_test.run_tests(TESTS, *sys.argv[3:])
