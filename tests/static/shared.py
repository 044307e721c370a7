#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the variables of page_faults.ko that a handler of every fault reads or
writes, that are not by CPU, and that something can write after the load. If they
share a cache line with one that is often written, each fault pays for it. For a
kernel without UBSAN, whose reports are in .data and are not read by a fault.
usage: shared.py MODULE.KO
"""

import re
import subprocess
import sys

HANDLER = re.compile(r"<(pf_(?:direct|kretprobe)_(?:enter|leave|entry|return)_\w+)>:$")
RELOCATION = re.compile(r"\bR_X86_64_\w+\s+([^\s+-]+)")
# Sections that are constant after the load, or hold a variable for each CPU.
HARMLESS = re.compile(r"^(\.text.*|\.rodata.*|\.data\.\.ro_after_init|\.data\.\.percpu.*"
                      r"|\.noinstr\.text|\*UND\*)$")


def objdump(option, module):
    return subprocess.run(["objdump", option, module], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()


def sections(module):
    """The section of each symbol; a section's own name is a symbol too."""
    result = {}
    for line in objdump("-t", module):
        fields = line.split()
        # address, flags of seven characters with blanks, section, size, name
        if len(line) > 24 and re.match(r"^[0-9a-f]{16} ", line):
            section = line[25:].split()[0]
            result[fields[-1]] = section
            result[section] = section
    return result


def main():
    module = sys.argv[1]
    section_of = sections(module)
    handlers, shared, handler = set(), set(), None
    for line in objdump("-dr", module):
        if line.endswith(">:"):
            match = HANDLER.search(line)
            handler = match and match.group(1)
            handlers.add(handler)
            continue
        match = handler and RELOCATION.search(line)
        if match and not HARMLESS.match(section_of[match.group(1)]):
            shared.add(match.group(1))
    if len(handlers - {None}) < 12:
        sys.exit(f"found only these handlers: {sorted(handlers - {None})}")
    print("\n".join(sorted(shared)))


if __name__ == "__main__":
    main()
