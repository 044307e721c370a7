# SPDX-License-Identifier: Apache-2.0
"""A daemon under test, on a copy of the captured tables, and how tests of it run.

Every wait ends by an event, or by a failure after LIMIT seconds, which is far
longer than any step takes on a busy host. PFE_LOGS has the logs of the daemons,
and the last scrape of a daemon whose test failed.
"""
import fnmatch
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

LIMIT = 600
LOGS = os.environ.get("PFE_LOGS", tempfile.gettempdir())
_test = "daemon"  # the name of the test that runs


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# As root in a pid namespace of its own: mounts a procfs with options, and runs
# a command in what is like the sandbox of the shipped unit.
SANDBOX = ("unshare", "--mount", "--pid", "--fork", "sh", "-c", """
    mount -t proc -o "$1" proc /proc
    shift
    setpriv --reuid=65534 --regid=65534 --no-new-privs "$@"
    status=$?  # so that the shell stays as process 1
    exit $status""", "sh")
UNIT = "+dac_read_search"  # the unit's capability


def wait_until(condition, what):
    """Waits until `condition` returns something true, which is returned."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            result = condition()
            if result:
                return result
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"within {LIMIT} s there was not: {what}")


class Daemon:
    """A running daemon; its stderr is in a file unless given."""

    def __init__(self, binary, fixtures, *flags, command=(), stderr=None,
                 hangs=False):
        """`hangs`: its first read does, so that it does not get ready."""
        self.root = tempfile.mkdtemp()
        self.debugfs = os.path.join(self.root, "debugfs")
        shutil.copytree(fixtures, self.debugfs)
        # A hierarchy of control groups that has no group but its root.
        cgroups = os.path.join(self.root, "cgroup")
        os.mkdir(cgroups)
        open(os.path.join(cgroups, "cgroup.controllers"), "w").close()
        if hangs:
            self.make_reads_hang()
        self.port = free_port()
        self.log = stderr or open(os.path.join(LOGS, f"{_test}.stderr"), "a")
        self.process = subprocess.Popen(
            [*command, binary, f"--web.listen-address=127.0.0.1:{self.port}",
             "--interval=100ms", "--source=module",
             f"--path.debugfs={self.debugfs}", f"--path.cgroup={cgroups}",
             *flags], stderr=self.log)
        if not hangs:
            self.wait(lambda: self.get("/-/ready")[0] == 200, "/-/ready is 200")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.keep_scrape()
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(LIMIT)
        shutil.rmtree(self.root)
        assert kind or code == 0, f"exit code {code}"

    def keep_scrape(self):
        try:
            with open(os.path.join(LOGS, f"{_test}.metrics"), "wb") as f:
                f.write(self.get("/metrics")[1])
        except OSError as error:
            print(f"  no last scrape: {error}")

    def get(self, path, headers=(), method="GET"):
        """Status, body and headers; `headers` are pairs, names may repeat."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=LIMIT)
        try:
            connection.putrequest(method, path)
            for name, value in dict(headers).items() if isinstance(
                    headers, dict) else headers:
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def wait(self, condition, what):
        def check():
            assert self.process.poll() is None, "the daemon died"
            return condition()
        return wait_until(check, what)

    def metric(self, line):
        return line in self.get("/metrics")[1].decode().splitlines()

    def wait_metric(self, line):
        self.wait(lambda: self.metric(line), line)

    def table(self):
        return os.path.join(self.debugfs, "page_faults", "processes")

    def replace_table(self, data):
        """Replaces the table in one step, as the module does."""
        with open(self.table() + ".new", "wb") as f:
            f.write(data)
        os.rename(self.table() + ".new", self.table())

    def write_rows(self, rows):
        """Gives it a table of so many processes like the first one."""
        with open(self.table(), "rb") as f:
            lines = f.readlines()
        tail = lines[2].split(b"\t", 1)[1]
        self.replace_table(
            b"".join(lines[:2]) +
            b"".join(b"%d\t%s" % (i + 1, tail) for i in range(rows)) +
            b"# end rows=%d\n" % rows)
        self.wait_metric(f"page_fault_exporter_processes {rows}")

    def make_reads_hang(self):
        """Its reads of `stats` do not end: nobody writes into this pipe."""
        self.stats = os.path.join(self.debugfs, "page_faults", "stats")
        os.unlink(self.stats)
        os.mkfifo(self.stats)

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def run_tests(tests, pattern="*"):
    """Runs each test, and prints `ok NAME` or `FAIL NAME: reason`."""
    def too_long(*_):
        raise AssertionError(f"nothing for {2 * LIMIT} s")

    global _test
    failed = False
    signal.signal(signal.SIGALRM, too_long)
    for test in tests:
        if not fnmatch.fnmatch(test.__name__, pattern):
            continue
        _test = test.__name__
        print(f"{_test}: {test.__doc__}", flush=True)
        signal.alarm(2 * LIMIT)
        try:
            test()
            print(f"ok {_test}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed = True
            traceback.print_exc(file=sys.stdout)
            reason = f"{type(error).__name__}: {error}".replace("\n", " ")[:600]
            print(f"FAIL {_test}: {reason}", flush=True)
        finally:
            signal.alarm(0)
    sys.exit(failed)
