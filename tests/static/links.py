#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints each link of a Markdown page that leads nowhere: a relative path
without a file, or an anchor without a heading. Links to other hosts are not
followed.
usage: links.py PAGE.md..."""
import pathlib
import re
import sys
import urllib.parse

FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
CODE = re.compile(r"(`+).+?\1", re.S)
LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)  # [text](target)
  | ^\[[^\]]+\]:\s+(\S+)                                          # [name]: target
  | \b(?:href|src)="([^"]+)" """, re.M | re.X)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.M)


def text_of(page):
    """Without indented and fenced code, where nothing is a link or a heading."""
    text = FENCE.sub("", page.read_text())
    return re.sub(r"^ {4}.*$", "", text, flags=re.M)


def anchors(page):
    """The anchors of the headings, as GitHub makes them."""
    found = set()
    for heading in HEADING.findall(text_of(page)):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number, name = 0, slug
        while name in found:
            number += 1
            name = f"{slug}-{number}"
        found.add(name)
    return found


def targets(page):
    for match in LINK.finditer(CODE.sub("", text_of(page))):
        yield next(group for group in match.groups() if group)


def broken(page, target):
    """What is wrong with the link, or nothing."""
    parts = urllib.parse.urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    path = urllib.parse.unquote(parts.path)
    other = page.parent / path if path else page
    if not other.exists():
        return "no such file"
    if parts.fragment and other.suffix == ".md" and \
            parts.fragment not in anchors(other):
        return "no such heading"
    return None


def main():
    pages = [pathlib.Path(name) for name in sys.argv[1:]]
    links = [(page, target) for page in pages for target in targets(page)]
    wrong = [f"{page}: {target}: {why}" for page, target in links
             if (why := broken(page, target))]
    for line in wrong or ([] if links else ["no links were found"]):
        print(line)
    return 1 if wrong or not links else 0


if __name__ == "__main__":
    sys.exit(main())
