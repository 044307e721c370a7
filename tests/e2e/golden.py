#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scrape of the captured tables against the ones that are kept, and against a
strict parser.

usage: golden.py DAEMON FIXTURES [-u]
FIXTURES/golden/metrics.txt and openmetrics.txt have every family in both formats.
Values that differ from run to run are *. With -u they are written anew: the diff
is what a reviewer reads when a metric changes.
"""
import difflib
import functools
import os
import re
import shutil
import sys
import tempfile
import time

from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client import parser as text_parser

import daemon as under_test

DAEMON, FIXTURES = sys.argv[1:3]
UPDATE = "-u" in sys.argv[3:]
DEBUGFS = os.path.join(FIXTURES, "debugfs")
GOLDEN = os.path.join(FIXTURES, "golden")
ACCEPT = {"metrics.txt": "text/plain",
          "openmetrics.txt": "application/openmetrics-text;version=1.0.0"}
# Times, and what the exporter says of its own process.
VARIES = re.compile(
    r"^(process_\w+|page_fault_process_start_time_seconds"
    r"|page_fault_module_load_time_seconds"
    r"|page_fault_exporter_(ticks_total|tick_\w+|snapshot_age_seconds"
    r"|last_read_timestamp_seconds|scrapes_total))(\{.*\})? \S+$")


# The control groups of the captured table by their ids. 2006 is gone.
GROUPS = {2001: "init.scope", 2002: "system.slice/build-farm.service",
          2003: "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
                "pod2f1c7a60_5b0e_4d0b_9a3e_0c5d9f6c1b11.slice/cri-containerd-"
                "9b1dc4b3a7e94f5d8c6b2a1f0e3d4c5b6a7988776655443322110ffeeddccbba"
                ".scope",
          2004: "system.slice/docker-4f5e6d7c8b9a00112233445566778899aabbccddee"
                "ff00112233445566778899.scope",
          2005: "user.slice/user-1000.slice/user@1000.service/app.slice/"
                'odd"name.service'}


def with_groups(table, root):
    """The table with the inode numbers of the groups, which are made in `root`."""
    open(os.path.join(root, "cgroup.controllers"), "w").close()
    ids = {2006: 2006}
    for group, path in GROUPS.items():
        os.makedirs(os.path.join(root, path))
        ids[group] = os.stat(os.path.join(root, path)).st_ino
    return re.sub(rb"\t(200\d)(\t[^\t\n]*\n)",
                  lambda m: b"\t%d%s" % (ids[int(m[1])], m[2]), table)


def with_values_hidden(text):
    return "".join(
        re.sub(r"\S+$", "*", line) + "\n" if VARIES.match(line) else line + "\n"
        for line in text.splitlines())


def scrape(options=("--containers", "--group.by=comm", "--profile")):
    """Both formats of one tick that has seen the tables grow."""
    with tempfile.TemporaryDirectory() as root:
        cgroups = os.path.join(root, "cgroup")
        os.mkdir(cgroups)
        debugfs = os.path.join(root, "debugfs")
        shutil.copytree(DEBUGFS, debugfs)
        table = os.path.join(debugfs, "page_faults", "processes")
        with open(table, "rb") as f:
            whole = with_groups(f.read(), cgroups)
        with open(table, "wb") as f:
            f.write(whole)
        return scrape_of(debugfs, whole, f"--path.cgroup={cgroups}", *options)


def scrape_of(debugfs, whole, *flags):
    head = b"".join(whole.splitlines(True)[:2])
    with under_test.Daemon(
            DAEMON, debugfs, "--birth.hold=0s", *flags,
            f"--path.procfs={os.path.join(FIXTURES, 'procfs')}",
            f"--path.pod-logs={os.path.join(FIXTURES, 'log')}") as daemon:
        # Sums by comm begin with the first tick, which sees no process.
        daemon.replace_table(head + b"# end rows=0\n")
        daemon.wait_metric("page_fault_exporter_processes 0")
        daemon.process.send_signal(under_test.signal.SIGHUP)
        daemon.wait_metric("page_fault_exporter_config_reload_success 1")
        daemon.replace_table(whole)
        live = whole.count(b"\tlive\t")
        daemon.wait_metric(f"page_fault_exporter_processes {live}")
        return {name: daemon.get("/metrics", {"Accept": accept})[1].decode()
                for name, accept in ACCEPT.items()}


@functools.lru_cache
def scraped():
    return scrape()


def is_as_it_was():
    """Both formats are those of tests/fixtures/golden."""
    different = ""
    for name, text in scraped().items():
        text = with_values_hidden(text)
        path = os.path.join(GOLDEN, name)
        if UPDATE:
            with open(path, "w") as f:
                f.write(text)
        with open(path) as f:
            kept = f.read()
        with open(os.path.join(under_test.LOGS, name), "w") as f:
            f.write(text)
        different += "".join(difflib.unified_diff(
            kept.splitlines(True), text.splitlines(True), "golden/" + name,
            "the scrape"))
    print(different)
    assert not different, "differs from tests/fixtures/golden: see the diff " \
        "above; -u takes it over"


def has_every_family():
    """No family of the catalogue is missing."""
    page = os.path.join(FIXTURES, "..", "..", "exporter", "METRICS.md")
    with open(page) as f:
        families = re.findall(
            r"^\| `(\w+)` \| (?:counter|gauge|histogram|info) ", f.read(), re.M)
    assert len(families) > 40, families
    # Mappings are those of this machine, and so not among the golden texts.
    text = scraped()["metrics.txt"] + scrape(
        ("--profile", "--profile.mappings=1"))["metrics.txt"]
    missing = [name for name in families if f"# TYPE {name} " not in text]
    assert not missing, missing


def samples_of(families):
    return sorted(
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in families for sample in family.samples)


def is_read_by_a_strict_parser():
    """prometheus_client's parsers read both formats, to the same samples."""
    texts = scraped()
    plain = samples_of(
        text_parser.text_string_to_metric_families(texts["metrics.txt"]))
    strict = samples_of(openmetrics_parser.text_string_to_metric_families(
        texts["openmetrics.txt"]))
    moving = re.compile(
        r"process_|page_fault_exporter_(tick|snap|last_read_time|scrapes)")
    assert [s for s in plain if not moving.match(s[0])] == [
        s for s in strict if not moving.match(s[0])]
    assert len(plain) > 500, len(plain)


def created_is_only_in_openmetrics():
    """With --openmetrics.created a strict parser reads when counters began."""
    with under_test.Daemon(DAEMON, DEBUGFS, "--openmetrics.created") as daemon:
        texts = {name: daemon.get("/metrics", {"Accept": accept})[1].decode()
                 for name, accept in ACCEPT.items()}
    assert "_created" not in texts["metrics.txt"]
    assert "_created" not in scraped()["openmetrics.txt"]
    times = {}
    for family in openmetrics_parser.text_string_to_metric_families(
            texts["openmetrics.txt"]):
        for sample in family.samples:
            if sample.name.endswith("_created"):
                times.setdefault(family.name, []).append(sample.value)
    assert set(times) == {"page_fault_comm_faults",
                          "page_fault_comm_stall_seconds",
                          "page_fault_comm_slow_faults",
                          "page_fault_cgroup_faults",
                          "page_fault_cgroup_stall_seconds",
                          "page_fault_cgroup_slow_faults"}, times
    now = time.time()
    assert all(now - 3600 < t <= now for ts in times.values() for t in ts), times


def odd_comms_are_read():
    """Both parsers read each comm, with any byte, as one label value."""
    escapes = {0x5c: b"\\\\", 0x0a: b"\\n", 0x09: b"\\t"}
    comms = [bytes([b]) for b in range(1, 256)] + [b"a\xc3\xa9", b"\xc3", b"\"}"]
    rows = b"".join(
        b"%d\t1\tlive\t4\t4\t%d\t%s\n" % (pid, pid, b"".join(
            escapes.get(b, bytes([b]) if 0x20 <= b <= 0x7e else b"\\%03o" % b)
            for b in comm)) for pid, comm in enumerate(comms, 1))
    with under_test.Daemon(DAEMON, DEBUGFS) as daemon:
        daemon.replace_table(
            b"# page_faults 1\npid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults"
            b"\tcomm\n%s# end rows=%d\n" % (rows, len(comms)))
        daemon.wait_metric(f"page_fault_exporter_processes {len(comms)}")
        expected = {str(pid): comm.decode("utf-8", "replace")
                    for pid, comm in enumerate(comms, 1)}
        for accept, parser in (
                (ACCEPT["metrics.txt"], text_parser),
                (ACCEPT["openmetrics.txt"], openmetrics_parser)):
            text = daemon.get("/metrics", {"Accept": accept})[1].decode()
            found = {
                sample.labels["pid"]: sample.labels["comm"]
                for family in parser.text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name == "page_faults_total"}
            assert found == expected, [
                (expected[pid], found.get(pid)) for pid in expected
                if found.get(pid) != expected[pid]]


if __name__ == "__main__":
    under_test.run_tests([is_as_it_was, has_every_family,
                          is_read_by_a_strict_parser,
                          created_is_only_in_openmetrics, odd_comms_are_read])
