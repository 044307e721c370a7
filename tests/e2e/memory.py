#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon on a table that does not fit into its memory.

usage: memory.py DAEMON DEBUGFS
"""
import os
import sys

import daemon as under_test

DAEMON, FIXTURES = sys.argv[1:3]
LIMIT_KB = 1500000
ROWS = 4000000


def too_large_a_table_is_a_read_error():
    """Four million rows under `ulimit -v 1500000` are a read error with its own
    cause; with the small table again, the daemon serves it again."""
    with under_test.Daemon(
            DAEMON, FIXTURES,
            command=("/bin/sh", "-c", f'ulimit -v {LIMIT_KB}; exec "$@"', "sh")
    ) as daemon:
        with open(daemon.table(), "rb") as f:
            small = f.read()
        lines = small.splitlines(True)
        tail = lines[2].split(b"\t", 1)[1]
        with open(daemon.table() + ".new", "wb") as f:
            f.writelines(lines[:2])
            f.writelines(b"%d\t%s" % (pid, tail) for pid in range(1, ROWS + 1))
            f.write(b"# end rows=%d\n" % ROWS)
        os.rename(daemon.table() + ".new", daemon.table())
        daemon.wait_metric(
            'page_fault_exporter_read_error{cause="out_of_memory"} 1')
        assert b"page_faults_total{" not in daemon.get("/metrics")[1]
        daemon.replace_table(small)
        daemon.wait_metric("page_fault_exporter_last_read_success 1")
        assert b'page_faults_total{pid="1",comm="init"}' in daemon.get(
            "/metrics")[1]

        def said():
            with open(daemon.log.name) as log:
                text = log.read()
            return "not enough memory" in text and "can be read again" in text

        daemon.wait(said, "both changes in the log")


if __name__ == "__main__":
    under_test.run_tests([too_large_a_table_is_a_read_error])
