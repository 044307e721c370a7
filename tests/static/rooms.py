#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom in exporter/src, by the tables below.

usage: rooms.py [ROOT]
Prints each include that breaks a rule, each file that is in no room, each name of
the contract outside of source/, and each page that says something else than the
tables; exits with 1 if there is one.
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
    "profile": ["base", "source"],
    "tick": ["base", "source", "follow", "group", "render"],
    "web": [],
    "http": ["base", "source", "follow", "render", "profile", "tick", "web"],
    "app": ["base", "source", "follow", "group", "render", "profile", "tick", "http"],
}

# Header of a library or of the contract: the files that may include it.
ONLY_IN = {
    "page_faults.h": ["source/*.cc", "profile/fault_events.cc"],
    "civetweb.h": ["http/civetweb_request.cc", "http/http_server.cc",
                   "http/listen_address.cc"],
    "nlohmann/json.hpp": ["http/api.cc", "http/explain.cc", "http/json_response.cc",
                          "app/config_file.cc"],
    "nlohmann/json_fwd.hpp": ["http/json_response.h"],
    "re2/": ["follow/selection.cc", "group/rules.cc", "http/listing.cc",
             "source/cgroup_path.cc", "render/top_table.cc"],
    "spdlog/fmt/": ["render/top_table.cc"],
    "spdlog/": ["app/*.cc"],
    "prometheus/": ["render/*.cc"],
    "CLI/": ["app/flags.cc", "app/options.cc", "app/config_file.cc"],
    "systemd/": ["app/main.cc"],
    "isa-l.h": ["render/gzip.cc"],
    "zlib.h": ["render/gzip.cc"],
    "asm/perf_regs.h": ["profile/user_registers.h"],
    "cxxabi.h": ["profile/functions.cc"],
    "elf.h": ["profile/elf_image.cc"],
    "elfutils/": ["profile/elf_image.cc", "profile/unwinder.cc"],
    "gelf.h": ["profile/call_frames.h", "profile/elf_image.cc", "profile/symbols.cc"],
    "libelf.h": ["profile/call_frames.h", "profile/elf_image.h", "profile/symbols.h"],
    "linux/openat2.h": ["profile/root_directory.cc"],
    "linux/perf_event.h": ["profile/*.cc", "profile/samplers.h"],
    "protozero/": ["profile/pprof.cc"],
    "sys/mman.h": ["profile/elf_image.cc", "profile/ring.cc"],
    "sys/sysmacros.h": ["profile/*.cc"],
    "sys/syscall.h": ["profile/*.cc"],
}

# The system's headers that every file may include, besides those of the
# language, whose names have no suffix.
SYSTEM = {
    "arpa/inet.h", "dirent.h", "errno.h", "fcntl.h", "malloc.h",
    "netinet/in.h", "pwd.h",
    "signal.h", "string.h", "strings.h", "sys/ioctl.h", "sys/resource.h",
    "sys/socket.h", "sys/stat.h", "sys/types.h", "time.h", "unistd.h",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)

# The names of the contract that are no words of English, and so cannot be meant
# for anything else. Only source/ and the table of the API's own keys have them.
CONTRACT = re.compile(r'^#define PF_(?:COL|KEY)_\w+\s+"(\w*_\w*)"', re.M)
STRING = re.compile(r'"(\w+)"')
API_KEYS = "http/api_keys.h"


def wrong(path, quote, name):
    """Why a file must not include a header, or nothing."""
    for header, files in ONLY_IN.items():
        if name == header or header.endswith("/") and name.startswith(header):
            allowed = any(path.match(pattern) for pattern in files)
            return "" if allowed else "only " + ", ".join(files) + " may"
    if quote == "<":
        known = name.isidentifier() or name in SYSTEM
        return "" if known else "no rule says who may"
    room, own = name.split("/")[0], path.parts[0]
    if room not in ROOMS or "/" not in name:
        return "it is in no room"
    if room != own and room not in ROOMS[own]:
        return f"{own}/ may include " + (", ".join(ROOMS[own]) or "no other room")
    return ""


def quoted(names):
    return [f"`{name}`" for name in names]


def rule(room):
    """What the room's README.md says about the room's includes."""
    includes = ", ".join(quoted(ROOMS[room])) or "no other room"
    *others, last = quoted(r for r in ROOMS if room in ROOMS[r]) or ["no room"]
    others = ", ".join(others) + " and " if others else ""
    return f"Includes {includes}; {others}{last} may include it."


def wrong_pages(source):
    """Each room's README.md, and each row of the table of exporter/README.md,
    that does not say what the rules say."""
    table = source.parent / "README.md"
    rows = dict(re.findall(r"^\| `(\w+)/` \|[^|]*\|([^|]*)\|",
                           table.read_text(), re.M))
    for room, others in ROOMS.items():
        page = source / room / "README.md"
        text = page.read_text() if page.exists() else ""
        if rule(room) not in " ".join(text.split()):
            yield f"{room}/README.md does not say: {rule(room)}"
        cell = ", ".join(f"`{other}/`" for other in others)
        if rows.get(room, "").strip() != cell:
            yield f"README.md does not say of {room}/: {cell}"


def contract_names(path, text, names):
    """The names of the contract that a file outside of source/ spells."""
    if path.parts[0] == "source" or str(path) == API_KEYS:
        return []
    prefixes = tuple(name for name in names if name.endswith("_"))
    return [f"{path} has the contract's name {string}"
            for string in STRING.findall(text)
            if string in names or string.startswith(prefixes)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                        else pathlib.Path(__file__).parents[2])
    source = root / "exporter/src"
    files = sorted([*source.rglob("*.h"), *source.rglob("*.cc")])
    names = set(CONTRACT.findall(
        (root / "kernel/include/page_faults.h").read_text()))
    found = list(wrong_pages(source))
    for file in files:
        path = file.relative_to(source)
        if path.parts[0] not in ROOMS:
            found.append(f"{path}: it is in no room")
            continue
        text = file.read_text()
        found += contract_names(path, text, names)
        for quote, name in INCLUDE.findall(text):
            why = wrong(path, quote, name)
            if why:
                found.append(f"{path} includes {name}: {why}")
    print(*found, sep="\n")
    return 1 if found or not files or not names else 0


if __name__ == "__main__":
    sys.exit(main())
