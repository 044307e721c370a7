#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The series of one host by option, with 0.1.0 and now.

usage: series.py DAEMON FIXTURES [-u]
The host is the captured one. What 0.1.0 served of it, with --containers, is kept in
FIXTURES/fleet. The table is in exporter/METRICS.md. With -u it is written anew.
"""
import os
import re

import daemon as under_test
import golden

PAGE = os.path.join(golden.FIXTURES, "..", "..", "exporter", "METRICS.md")
OLD = os.path.join(golden.FIXTURES, "fleet", "exporter-0.1.0.metrics")
MARKED = re.compile(r"(<!-- series: .* -->\n\n).*?(\n<!-- end of series -->)", re.S)

# What 0.1.0 left out with these options. It did not know the others.
LEFT_OUT_BY_OLD = {
    "": r"page_fault_process_info\{",
    "--containers": r"(?!)",
    "--no-pid": r"\w+\{pid=",
    "--basic-families-only": r"page_fault_(process|comm)_"}
OPTIONS = ["", "--cgroups.max=0", "--cgroups.breakdown", "--containers",
           "--group.by=comm", "--cgroups.breakdown --containers --group.by=comm",
           "--basic-families-only", "--no-pid"]


def series_in(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def row(options, old):
    now = series_in(golden.scrape(options.split())["metrics.txt"])
    before = ""
    if options in LEFT_OUT_BY_OLD:
        left_out = re.compile(LEFT_OUT_BY_OLD[options])
        before = sum(not left_out.match(line) for line in old)
    without_pid = sum('{pid="' not in line for line in now)
    name = " ".join(f"`{option}`" for option in options.split()) or "none"
    return f"| {name} | {before} | {len(now)} | {without_pid} |\n"


def series_are_those_of_the_page():
    """The table in METRICS.md has the series of a host with each option."""
    with open(OLD) as f:
        old = series_in(f.read())
    table = ("| options | 0.1.0 | now | now, without the label `pid` |\n"
             "|---|---|---|---|\n")
    table += "".join(row(options, old) for options in OPTIONS)
    print(table)
    with open(PAGE) as f:
        page = f.read()
    renewed = MARKED.sub(lambda m: m[1] + table + m[2], page)
    if golden.UPDATE:
        with open(PAGE, "w") as f:
            f.write(renewed)
    assert MARKED.search(page) and (renewed == page or golden.UPDATE), \
        "the table in exporter/METRICS.md differs: -u renews it"


if __name__ == "__main__":
    under_test.run_tests([series_are_those_of_the_page])
