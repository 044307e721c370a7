#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Groups of processes: by rules, in a configuration file or by --group.by.

usage: groups.py DAEMON DEBUGFS [TEST]
"""
import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

import daemon as under_test
from daemon import LIMIT

DAEMON, FIXTURES = sys.argv[1:3]
Daemon = functools.partial(under_test.Daemon, DAEMON, FIXTURES)
HEADER = ("# page_faults 1\n"
          "pid\tstart_ns\tstate\tvma_kb\trss_kb\tfaults\tminor\tmajor\t"
          "stall_ns\tcgroup\tcomm\n")


def table(*rows):
    """A table of rows (pid, state, faults, cgroup, comm)."""
    lines = "".join(
        f"{pid}\t{pid}000000\t{state}\t8\t4\t{faults}\t{faults}\t0\t0\t{cgroup}\t{comm}\n"
        for pid, state, faults, cgroup, comm in rows)
    return f"{HEADER}{lines}# end rows={len(rows)}\n".encode()


def programs_of_others():
    """A rule on exe is refused by name without CAP_SYS_PTRACE."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"groups": [{"name": "all"}, {"name": "x:{{exe}}"}]}, config)
        config.flush()
        os.chmod(config.name, 0o644)

        def once_with(*names):
            caps = [f"--{kind}-caps={','.join(names)}"
                    for kind in ("inh", "ambient")]
            return subprocess.run(
                [*under_test.SANDBOX, "rw", "--clear-groups", *caps, DAEMON, "--once",
                 "--source=procfs", "--config.file", config.name],
                capture_output=True, text=True, timeout=LIMIT)

        refused = once_with(under_test.UNIT)
        assert refused.returncode == 2, refused
        assert 'groups: rule 2 ("x:{{exe}}"): exe: ' in refused.stderr, refused
        assert "AmbientCapabilities=CAP_SYS_PTRACE" in refused.stderr, refused
        taken = once_with(under_test.UNIT, "+sys_ptrace")
        assert taken.returncode == 0, taken.stderr


def samples_of(text, name):
    """The values of a family by its labels."""
    return {labels: float(value) for labels, value in
            re.findall(rf"^{name}{{(.*)}} (\S+)$", text, re.M)}


def groups():
    """Processes are summed by what their command lines say, the rest by comm."""
    nap = subprocess.Popen(["sleep", "271.5"])
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
            json.dump({"groups": [{"name": "nap:{{cmdline.1}}", "comm": "sleep",
                                   "cmdline": r"^sleep (\S+)$"}]}, config)
            config.flush()
            done = subprocess.run(
                [DAEMON, "--once", "--source=procfs", "--cgroups.max=0",
                 "--config.file", config.name],
                capture_output=True, text=True, timeout=LIMIT)
    finally:
        nap.kill()
        nap.wait()
    assert done.returncode == 0, done
    processes = samples_of(done.stdout, "page_fault_group_processes")
    assert processes['group="nap:271.5"'] == 1, processes
    assert len(processes) > 1, processes
    by_group, by_comm = (
        sum(samples_of(done.stdout, f"page_fault_{by}_faults_total").values())
        for by in ("group", "comm"))
    assert by_group == by_comm > 0, (by_group, by_comm)
    without = subprocess.run([DAEMON, "--once", "--source=procfs"],
                             capture_output=True, text=True, timeout=LIMIT)
    assert "page_fault_group_" not in without.stdout
    assert "page_fault_exporter_groups_" not in without.stdout


def units_of_exited_processes():
    """The table's ids tell the unit of a process that nobody could read."""
    with Daemon("--cgroups.max=0", "--group.by=unit", "--birth.hold=0s",
                "--path.procfs=/nonexistent") as daemon:
        shop = os.path.join(daemon.root, "cgroup/system.slice/shop.service")
        os.makedirs(shop)
        cgroup = os.stat(shop).st_ino
        daemon.replace_table(table())
        daemon.wait_metric("page_fault_exporter_processes 0")
        daemon.replace_table(table((7, "exited", 1000, cgroup, "job"),
                                   (8, "exited", 10, 1, "job")))
        for name, faults in (("shop.service", 1000), ("job", 10)):
            daemon.wait_metric(
                f'page_fault_group_faults_total{{group="{name}",severity="minor",'
                f'access="unknown",kind="unknown"}} {faults}')


def faults_of(daemon):
    """The faults of each group that has any."""
    sums = {}
    text = daemon.get("/metrics")[1].decode()
    for labels, value in samples_of(text, "page_fault_group_faults_total").items():
        group = re.match('group="([^"]*)"', labels)[1]
        sums[group] = sums.get(group, 0) + value
    return {group: faults for group, faults in sums.items() if faults}


def changed_rules():
    """After a SIGHUP growth goes to the new groups; the old ones keep theirs."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        def write(settings):
            config.seek(0)
            config.truncate()
            json.dump(settings, config)
            config.flush()

        write({"groups": [{"name": "web", "comm": "nginx"}]})
        with Daemon("--config.file", config.name, "--birth.hold=0s") as daemon:
            def grow(nginx, cron):
                daemon.replace_table(table((1, "live", nginx, 1, "nginx"),
                                           (2, "live", cron, 1, "cron")))

            daemon.replace_table(table())
            daemon.wait_metric("page_fault_exporter_processes 0")
            grow(100, 10)
            daemon.wait(lambda: faults_of(daemon) == {"web": 100, "cron": 10},
                        "the sums of the first rules")
            write({"groups": [{"name": "n:{{comm}}", "comm": "nginx"}]})
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_metric('page_fault_group_processes{group="n:nginx"} 1')
            assert daemon.metric('page_fault_group_processes{group="web"} 0')
            assert faults_of(daemon) == {"web": 100, "cron": 10}
            grow(170, 12)
            daemon.wait(lambda: faults_of(daemon) ==
                        {"web": 100, "cron": 12, "n:nginx": 70},
                        "the sums of the second rules")
            write({})
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait(lambda: b"page_fault_group" not in daemon.get("/metrics")[1],
                        "no groups without rules")


def secrets():
    """Of a command line only what a rule captures leaves the daemon."""
    secret = "hunter2-271828"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config, \
            subprocess.Popen(["sh", "-c", "read line", "sh", "--db=orders",
                              f"--password={secret}"],
                             stdin=subprocess.PIPE) as program:
        json.dump({"groups": [{"name": "db:{{cmdline.1}}",
                               "cmdline": r"--db=(\S+)"}]}, config)
        config.flush()
        try:
            with Daemon("--source=procfs", "--config.file", config.name,
                        "--containers", "--log.level=debug") as daemon:
                daemon.wait_metric('page_fault_group_processes{group="db:orders"} 1')
                answers = [daemon.get(path)[1] for path in (
                    "/", "/metrics", *(f"/api/v1/{name}?limit=1000" for name in
                                       ("processes", "comms", "cgroups", "groups")),
                    "/api/v1/status")]
                answers.append(daemon.get("/metrics", {
                    "Accept": "application/openmetrics-text"})[1])
                assert sum(b"db:orders" in answer for answer in answers) == 3
                with open(daemon.log.name, "rb") as log:
                    answers.append(log.read())
                assert not any(secret.encode() in answer for answer in answers)
        finally:
            program.kill()


if __name__ == "__main__":
    under_test.run_tests(
        [groups, programs_of_others, units_of_exited_processes, changed_rules,
         secrets], *sys.argv[3:])
