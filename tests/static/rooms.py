#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom in exporter/src, by the tables below.

usage: rooms.py [ROOT]
Prints each include that breaks a rule, each file that is in no room, and each
room without a README.md; exits with 1 if there is one.
"""
import pathlib
import re
import sys

# Room: the other rooms whose headers its files may include.
ROOMS = {
    "base": [],
    "source": ["base"],
    "follow": ["base"],
    "group": ["base", "source", "follow"],
    "render": ["base", "source", "follow"],
    "tick": ["base", "source", "follow", "group", "render"],
    "web": [],
    "http": ["base", "source", "follow", "render", "tick", "web"],
    "app": ["base", "source", "follow", "group", "render", "tick", "http"],
}

# Header of a library or of the contract: the files that may include it.
ONLY_IN = {
    "page_faults.h": ["source/*.cc"],
    "civetweb.h": ["http/civetweb_request.cc", "http/http_server.cc",
                   "http/listen_address.cc"],
    "nlohmann/json.hpp": ["http/api.cc", "app/config_file.cc"],
    "re2/": ["follow/selection.cc", "group/rules.cc", "http/listing.cc",
             "source/cgroup_path.cc", "render/top_table.cc"],
    "spdlog/": ["app/*.cc", "render/top_table.cc"],
    "prometheus/": ["render/*.cc"],
    "CLI/": ["app/flags.cc", "app/options.cc", "app/config_file.cc"],
    "systemd/": ["app/main.cc"],
    "isa-l.h": ["render/gzip.cc"],
    "zlib.h": ["render/gzip.cc"],
}

INCLUDE = re.compile(r'^#include ([<"])([^">]+)[">]', re.M)


def wrong(path, quote, name):
    """Why a file must not include a header, or nothing."""
    for header, files in ONLY_IN.items():
        if name == header or header.endswith("/") and name.startswith(header):
            allowed = any(path.match(pattern) for pattern in files)
            return "" if allowed else "only " + ", ".join(files) + " may"
    if quote == "<":
        # The language's and the system's headers; any other is a library's.
        known = "/" not in name or name.startswith(("sys/", "arpa/"))
        return "" if known else "no rule says who may"
    room, own = name.split("/")[0], path.parts[0]
    if room not in ROOMS or "/" not in name:
        return "it is in no room"
    if room != own and room not in ROOMS[own]:
        return f"{own}/ may include " + (", ".join(ROOMS[own]) or "no other room")
    return ""


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                        else pathlib.Path(__file__).parents[2])
    source = root / "exporter/src"
    files = sorted([*source.rglob("*.h"), *source.rglob("*.cc")])
    found = [f"{room}/ has no README.md" for room in ROOMS
             if not (source / room / "README.md").exists()]
    for file in files:
        path = file.relative_to(source)
        if path.parts[0] not in ROOMS:
            found.append(f"{path}: it is in no room")
            continue
        for quote, name in INCLUDE.findall(file.read_text()):
            why = wrong(path, quote, name)
            if why:
                found.append(f"{path} includes {name}: {why}")
    print(*found, sep="\n")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
