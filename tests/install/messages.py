#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the messages of the module and the daemon that
deploy/TROUBLESHOOTING.md does not have: what they print at level warning or
above, and what they answer to a request. A message is looked for by its longest
constant piece. --list prints all messages that the sources have.
Prints the messages that the page has and the sources have not, too.
usage: messages.py [--list] [ROOT]"""
import pathlib
import re
import sys

# What begins a message. Functions whose name begins with Check or Set return
# what is wrong as a text.
C = re.compile(r"\bpr_(?:err|warn)\w*\(|^#error .*$", re.M)
CC = re.compile(r"""\bspdlog::(?:warn|error|critical|log)\(
  | \bError\{ | \breturn\ \{Cause:: | \b[Mm]alformed\( | \bTruncated\(
  | \berror\(Cause:: | \bHttpResponse(?:\s\w+)?\(\s*[45]\d\d | \bstd::cerr\ <<
  | \b(?:Validation|File|runtime_)[Ee]rror\( | \bRefuse\(""",
                re.X)
CHECK = re.compile(r"^(?:std::string|const char\*) (?:Check|Set)\w*\(.*?^}", re.M | re.S)
RETURN = re.compile(r"\breturn\b")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
HOLE = re.compile(r"%[-0-9.]*[a-z]+|\{\w*\}")


# Parts of messages of libraries and of the kernel that the daemon passes on.
OTHERS = ("not in range", "not in {", "required", "cannot bind to",
          "Malformed message", "Bad request", "Invalid URI", "Permission denied",
          "Too many open files", "Address already in use",
          "Cannot assign requested address")


def without_comments(text):
    return re.sub(r"/\*.*?\*/|^\s*//.*?$", "", text, flags=re.M | re.S)


def statement(text, start):
    """The code from start to its semicolon, or to the brace that closes it."""
    depth, at = 0, start
    while at < len(text):
        string = STRING.match(text, at)
        if string:
            at = string.end()
            continue
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[at], 0)
        if text[at] == ";" or depth < 0:
            break
        at += 1
    return text[start:at]


def strings(code):
    """The string literals in the code; adjacent ones are joined."""
    whole, end = None, 0
    for match in STRING.finditer(code):
        if whole is not None and not code[end:match.start()].strip():
            whole += match[1]
        else:
            if whole is not None:
                yield whole
            whole = match[1]
        end = match.end()
    if whole is not None:
        yield whole


def pieces(code):
    """The constant parts of the string literals in the code."""
    for string in strings(code):
        string = string.replace("\\n", " ").replace('\\"', '"')
        for piece in HOLE.split(string):
            yield " ".join(piece.split()).strip(" :;,")


def messages(path):
    text = without_comments(path.read_text())
    starts = CC if path.suffix == ".cc" else C
    found = [m[0] if m[0][0] == "#" else statement(text, m.start())
             for m in starts.finditer(text)]
    if path.suffix == ".cc":
        for function in CHECK.findall(text):
            found += [statement(function, m.start())
                      for m in RETURN.finditer(function)]
    for code in found:
        longest = max(pieces(code), key=len, default="")
        if len(longest) >= 6:
            yield longest


def explained(page):
    """The messages in the first column of the page, below its section on what is
    printed by other programs: the longest constant part of each."""
    rows = re.findall(r"^\| (.*?) \|", page[page.index("\n## The module"):], re.M)
    for message in re.findall(r"`(.*?)`", " ".join(rows)):
        if " " in message:
            yield max((part.strip(" :;,") for part in message.split("…")), key=len)


def is_in(message, code):
    """Whether a message is in the code, as a whole or for the most part: the rest
    is variables and macros there."""
    parts = [piece for piece in code if len(piece) >= 6 and piece in message]
    return (2 * sum(map(len, parts)) >= len(message) or
            any(message in piece for piece in code))


def main():
    arguments = [a for a in sys.argv[1:] if a != "--list"]
    root = pathlib.Path(arguments[0] if arguments
                        else pathlib.Path(__file__).parents[2])
    sources = sorted([*root.glob("kernel/**/*.[ch]"), *root.glob("exporter/src/**/*.cc")])
    found = {message: source.relative_to(root)
             for source in sources for message in messages(source)}
    if "--list" in sys.argv:
        print(*(f"{source}\t{message}" for message, source in found.items()),
              sep="\n")
        return 0
    page = (root / "deploy/TROUBLESHOOTING.md").read_text()
    text = " ".join(page.replace("`", "").split())
    missing = [f"{source}: {message}" for message, source in found.items()
               if message not in text]
    for message in missing:
        print("TROUBLESHOOTING.md has no", message)
    code = {piece for source in [*sources, *root.glob("deploy/run")]
            for piece in pieces(without_comments(source.read_text()))}
    dead = [message for message in explained(page)
            if not is_in(message, code) and
            not any(other in message for other in OTHERS)]
    for message in dead:
        print("no source has TROUBLESHOOTING.md's", message)
    return 1 if missing or dead or not found else 0


if __name__ == "__main__":
    sys.exit(main())
