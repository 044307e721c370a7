#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Says which messages of the module and the daemon the README's section on
troubleshooting does not have: what they print at warning or above, and what
they answer with. --list prints all that there are. Of a message the longest
piece between what is put into it counts.
usage: messages.py [--list] [ROOT]"""
import pathlib
import re
import sys

# What begins a message; what is said to be wrong is returned by functions
# whose name begins with Check or Set.
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


def without_comments(text):
    return re.sub(r"/\*.*?\*/|^\s*//.*?$", "", text, flags=re.M | re.S)


def statement(text, start):
    """To the semicolon that ends it, or the brace of a table's element."""
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
    """The strings in it; those with nothing but blanks between are one."""
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
    """The constant parts of the strings in it."""
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


def main():
    arguments = [a for a in sys.argv[1:] if a != "--list"]
    root = pathlib.Path(arguments[0] if arguments
                        else pathlib.Path(__file__).parents[2])
    sources = sorted([*root.glob("kernel/*.[ch]"), *root.glob("exporter/src/**/*.cc")])
    found = {message: source.relative_to(root)
             for source in sources for message in messages(source)}
    if "--list" in sys.argv:
        print(*(f"{source}\t{message}" for message, source in found.items()),
              sep="\n")
        return 0
    readme = (root / "README.md").read_text()
    section = readme.split("\n## Troubleshooting\n")[1].split("\n## ")[0]
    section = " ".join(section.replace("`", "").split())
    missing = [f"{source}: {message}" for message, source in found.items()
               if message not in section]
    for message in missing:
        print("README has no", message)
    return 1 if missing or not found else 0


if __name__ == "__main__":
    sys.exit(main())
