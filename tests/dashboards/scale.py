#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Copies rule files with every duration divided by a factor, so that hours pass
in minutes. Limits stay as they are.
usage: tests/dashboards/scale.py FACTOR FROM-DIRECTORY TO-DIRECTORY"""
import pathlib
import re
import sys

UNITS = {"s": 1000, "m": 60000, "h": 3600000, "d": 86400000}
# A range, an offset, and the rules' own fields; not the 5m in a series' name.
DURATION = re.compile(
    r"(\[|\boffset |\b(?:for|keep_firing_for|interval): )(\d+)([smhd])\b")

factor, source, target = int(sys.argv[1]), *map(pathlib.Path, sys.argv[2:])
target.mkdir(parents=True)
for path in source.glob("*.yml"):
    text, number = DURATION.subn(
        lambda m: f"{m[1]}{int(m[2]) * UNITS[m[3]] // factor}ms", path.read_text())
    if not number:
        sys.exit(f"{path}: no durations")
    (target / path.name).write_text(text)
