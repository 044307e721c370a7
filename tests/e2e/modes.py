#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon does besides serving: --once, --top, messages to systemd, and
limits on requests.

usage: modes.py DAEMON DEBUGFS [TEST]
"""
import fcntl
import functools
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request

import daemon as under_test
from daemon import LIMIT, free_port

DAEMON, FIXTURES = sys.argv[1:3]
SOURCE = ["--source=module", f"--path.debugfs={FIXTURES}"]
Daemon = functools.partial(under_test.Daemon, DAEMON, FIXTURES)


def run(*flags, **how):
    return subprocess.run([DAEMON, *SOURCE, *flags], capture_output=True,
                          text=True, timeout=LIMIT, **how)


def once():
    """--once prints one exposition that promtool takes, and ends."""
    done = run("--once")
    assert done.returncode == 0, done.stderr
    assert re.search(r'^page_faults_total{pid="1",comm="init"} \d+$',
                     done.stdout, re.M)
    # The sums have the counts of the first read, because there is no other.
    assert re.search(r'^page_fault_comm_faults_total{comm="init",.*} [1-9]',
                     done.stdout, re.M)
    # In a textfile of node_exporter process_* would conflict with its own, and what
    # tells of a running daemon would stand still.
    own = re.findall(r"^(?:process|page_fault_exporter_(?:scrapes|config|ticks?|"
                     r"snapshot|read_errors))_\w+", done.stdout, re.M)
    assert not own, own
    assert re.search(r"^page_fault_exporter_last_read_timestamp_seconds [1-9]",
                     done.stdout, re.M), done.stdout
    check = subprocess.run(["promtool", "check", "metrics"], text=True,
                           capture_output=True, input=done.stdout)
    assert check.returncode == 0, check.stderr
    done = subprocess.run([DAEMON, "--once", "--source=module",
                           "--path.debugfs=/nonexistent"],
                          capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1 and "/nonexistent" in done.stderr, done
    assert "page_fault_exporter_last_read_success 0" in done.stdout


def names_that_cannot_be_read():
    """--once and --top warn of them in the words of the log."""
    with tempfile.TemporaryDirectory() as root:
        os.symlink("pods", os.path.join(root, "pods"))
        # A process of the table, in a pod.
        os.mkdir(os.path.join(root, "123"))
        for name, text in (
                ("stat", "123 (x) S 1 2 3 0 -1 0 7 0 8 0 5 6 0 0 20 0 1 0 223 "
                 "8192000 250 0 1 1 0\n"),
                ("cgroup", "0::/kubepods/pod2f1c7a60-5b0e-4d0b-9a3e-0c5d9f6c1b11"
                 "\n")):
            with open(os.path.join(root, "123", name), "w") as f:
                f.write(text)
        for mode in (["--once"], ["--top=3", "--interval=100ms"]):
            done = run(*mode, "--path.cgroup=/nonexistent",
                       f"--path.procfs={root}", f"--path.pod-logs={root}")
            assert done.returncode == 0, done
            for said in ("pods and containers have no names: cannot read "
                         f"{root}/pods: Too many levels",
                         "the ids of control groups cannot be looked up"):
                assert done.stderr.count(said) == 1, (mode, said, done.stderr)


def hidden_processes():
    """Processes that hidepid hides are a read error, with the way out."""
    def once_with(mount, *privileges):
        return subprocess.run(
            [*under_test.SANDBOX, mount, *privileges, DAEMON, "--once",
             "--path.debugfs=/nonexistent"],
            capture_output=True, text=True, timeout=LIMIT)

    def caps(*names):
        return [f"--{kind}-caps={','.join(names)}"
                for kind in ("inh", "ambient")]

    plain = ("--clear-groups", *caps(under_test.UNIT))
    seen = once_with("rw", *plain)
    assert seen.returncode == 0, seen.stderr
    assert "only a container's processes are there" in seen.stderr, seen.stderr
    for mode in ("noaccess", "invisible", "ptraceable"):
        hidden = once_with(f"hidepid={mode}", *plain)
        assert hidden.returncode == 1, (mode, hidden.stderr)
        for cause in ("hidden", "no_debugfs"):
            line = f'page_fault_exporter_read_error{{cause="{cause}"}} 1'
            assert line in hidden.stdout, (mode, hidden.stdout)
        assert "page_faults_total{" not in hidden.stdout, mode
        assert "/nonexistent" in hidden.stderr, hidden.stderr
        assert "CAP_SYS_PTRACE" in hidden.stderr, hidden.stderr
    # What the message names.
    for way in (once_with("hidepid=invisible", "--clear-groups",
                          *caps(under_test.UNIT, "+sys_ptrace")),
                once_with("hidepid=invisible,gid=4242", "--groups=4242",
                          *caps(under_test.UNIT))):
        assert way.returncode == 0, way.stderr
        assert 'page_faults_total{pid="1",comm="sh"}' in way.stdout, way.stdout
    alone = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c",
         'mount -t proc proc /proc && exec "$@"', "sh", DAEMON, "--once",
         "--source=procfs"], capture_output=True, text=True, timeout=LIMIT)
    assert alone.returncode == 1 and "--path.procfs" in alone.stderr, alone


def of_a_container():
    """Where only the processes of a container are seen, that is logged once."""
    port = free_port()
    process = subprocess.Popen(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
         'mount -t proc proc /proc; "$@"; exit', "sh", DAEMON, "--source=procfs",
         "--interval=100ms", f"--web.listen-address=127.0.0.1:{port}"],
        stderr=subprocess.PIPE, text=True)

    def ticks():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status",
                                    timeout=LIMIT) as answer:
            return json.load(answer)["ticks"]

    under_test.wait_until(lambda: ticks() > 5, "some ticks")
    process.kill()
    said = process.communicate(timeout=LIMIT)[1]
    assert said.count("level=warning") == 1, said
    assert said.count("/proc: only a container's processes are there") == 1, said


def top():
    """--top=N prints N rows into a pipe, and is refreshed on a terminal."""
    done = run("--top=3", "--interval=100ms", "--source=procfs")
    # Only the module measures time: STALL% and >10 MS.
    columns = done.stdout.splitlines()[1].split()
    assert columns[-6] == "-" and columns[-3] == "-", done.stdout
    done = run("--top=3", "--interval=100ms")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 4, done
    assert lines[0].split()[:2] == ["PID", "COMM"]
    assert b"preferred" not in terminal_of(*SOURCE)
    fell_back = terminal_of("--path.debugfs=/nonexistent")
    assert fell_back.count(b"because the preferred one") >= 3, fell_back


def top_by():
    """--top.by sums processes, --top.filter selects names, and names are cut to
    the terminal."""
    fast = ("--top", "--interval=100ms")
    for by, title in (("comm", "COMM"), ("group", "GROUP"),
                      ("cgroup", "CGROUP")):
        done = run(*fast, f"--top.by={by}", "--group.by=comm")
        lines = done.stdout.splitlines()
        assert done.returncode == 0 and len(lines) > 1, done
        assert lines[0].split()[:2] == ["PROCS", title], done
    done = run(*fast, "--top.by=comm", "--top.filter=^init$")
    assert [line.split()[1] for line in done.stdout.splitlines()
            ] == ["COMM", "init"], done
    refused = run(*fast, "--top.by=group")
    assert refused.returncode == 2, refused
    assert "--top.by: group needs group rules (--group.by" in refused.stderr, refused
    # A rule's name may be much longer than a terminal is wide.
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"groups": [{"name": "/long" * 30 + "/end"}]}, config)
        config.flush()
        screen = terminal_of(*SOURCE, "--top.by=group", "--config.file",
                             config.name, width=80).decode()
    lines = re.split(r"\r\n|\x1b\[H\x1b\[2J", screen)
    assert any("long/end " in line and "…" in line for line in lines), lines
    assert max(map(len, lines)) <= 80, lines


def terminal_of(*options, width=0):
    """What three refreshes of --top show on a terminal."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, width, 0, 0))
    process = subprocess.Popen([DAEMON, *options, "--top", "--interval=100ms"],
                               stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    seen, end = b"", time.monotonic() + LIMIT
    while seen.count(b"\x1b[H") < 4 and time.monotonic() < end:
        if select.select([screen], [], [], 1)[0]:
            seen += os.read(screen, 65536)
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT) == 0
    os.close(screen)
    assert seen.count(b"\x1b[H") >= 4
    return seen


def systemd():
    """READY, WATCHDOG, RELOADING with its time, READY, STOPPING."""
    with tempfile.TemporaryDirectory() as work:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(os.path.join(work, "notify"))
        manager.settimeout(LIMIT)
        process = subprocess.Popen(
            [DAEMON, *SOURCE, "--interval=100ms",
             f"--web.listen-address=127.0.0.1:{free_port()}"],
            stderr=subprocess.DEVNULL,
            env={"NOTIFY_SOCKET": os.path.join(work, "notify"),
                 "WATCHDOG_USEC": "600000000"})

        def until(word):
            for _ in range(10000):
                message = manager.recv(4096).decode()
                if word in message:
                    return message
            raise AssertionError(f"10,000 messages, and none has {word}")

        until("WATCHDOG_USEC=600000000")
        until("READY=1")
        until("WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        assert re.search(r"MONOTONIC_USEC=\d+", until("RELOADING=1"))
        until("READY=1")
        process.send_signal(signal.SIGTERM)
        until("STOPPING=1")
        # Receives messages until the daemon ends, as systemd does.
        while process.poll() is None:
            try:
                manager.settimeout(0.1)
                manager.recv(4096)
            except TimeoutError:
                pass
        assert process.returncode == 0


def repeated_headers():
    """If an Accept or Accept-Encoding header comes twice, both count."""
    with Daemon() as daemon:
        _, _, headers = daemon.get("/metrics", [("Accept-Encoding", "br"),
                                                ("Accept-Encoding", "gzip")])
        assert headers["Content-Encoding"] == "gzip"
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

        for _ in range(100):
            if found == {200, 503}:
                break
            threads = [threading.Thread(target=ask) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert found <= {200, 503}, found
        assert found == {200, 503}, found
        assert daemon.get("/api/v1/processes")[0] == 200
        assert daemon.get("/-/healthy")[0] == 200


def closed_streams():
    """With stdin, stdout and stderr closed no log goes into a socket."""
    with Daemon(command=("/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
                ) as daemon:
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
        assert process.wait(LIMIT) == 0
        for line in lines:
            if form == "json":
                assert {"ts", "level", "msg"} == set(json.loads(line))
            else:
                assert re.fullmatch(
                    r'ts=\S+ level=\w+ msg="([^"\\]|\\.)*"\n', line), line
        assert any('/no\\"where\\n=' in line for line in lines), lines


def failed_reload():
    """A reload that fails is one line of the log, in its format."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config, \
            tempfile.NamedTemporaryFile("r+") as log:
        config.write("{}")
        config.flush()
        with Daemon("--config.file", config.name, "--log.format=json",
                    stderr=log) as daemon:
            config.write("no JSON")
            config.flush()
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_metric("page_fault_exporter_config_reload_success 0")
        log.seek(0)
        lines = [json.loads(line) for line in log]
        failed = [line for line in lines if line["level"] == "error"]
        assert len(failed) == 1, lines
        assert "stays as it was" in failed[0]["msg"], failed
        assert config.name in failed[0]["msg"], failed


def two_addresses():
    """--web.listen-address can be given again."""
    other = free_port()
    with Daemon(f"--web.listen-address=127.0.0.1:{other}") as daemon:
        assert daemon.get("/metrics")[0] == 200
        daemon.port = other
        assert daemon.get("/metrics")[0] == 200


def has_ipv6():
    """Whether the build takes an address of IPv6; if not, it says so."""
    done = run("--config.check", "--web.listen-address=[::1]:80")
    assert (done.returncode, "this build of civetweb has no IPv6" in done.stderr
            ) in ((0, False), (2, True)), done
    return done.returncode == 0


def port_of_the_system():
    """With port 0 the log has the port, and says where there is no IPv6."""
    process = subprocess.Popen(
        [DAEMON, *SOURCE, "--web.listen-address=127.0.0.1:0",
         "--web.listen-address=:0"], stderr=subprocess.PIPE, text=True)
    try:
        ports, notes = [], []
        while len(ports) < 2:
            found = re.search(r"listening on \S*:(\d+)/metrics(.*)",
                              process.stderr.readline())
            if found:
                ports.append(int(found[1]))
                notes.append("without IPv6" in found[2])
        assert 0 not in ports, ports
        # For an address of IPv4 it does not matter.
        assert notes == [False, not has_ipv6()], notes
        for port in ports:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthy",
                                        timeout=LIMIT) as answer:
                assert answer.status == 200
    finally:
        process.terminate()
        status = process.wait(LIMIT)
    assert status == 0


if __name__ == "__main__":
    under_test.run_tests(
        [once, names_that_cannot_be_read, hidden_processes, of_a_container, top,
         top_by, systemd, repeated_headers, too_many_requests, closed_streams, logs,
         failed_reload, two_addresses, port_of_the_system], *sys.argv[3:])
