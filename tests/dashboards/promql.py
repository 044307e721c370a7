# SPDX-License-Identifier: Apache-2.0
"""The selectors of a PromQL expression, and the metrics there are. promtool says
whether an expression is valid; this finds what a valid one asks for."""
import pathlib
import re
from typing import NamedTuple

TOKEN = re.compile(
    r'\s+|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_:][\w:]*|[\d.]+\w*|'
    r"=~|!~|!=|>=|<=|==|.", re.S)
LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
CATALOGUE = pathlib.Path(__file__).parents[2] / "exporter/src/render/catalogue.cc"
METRIC = re.compile(r'"([a-z_]+)",\s*k(Counter|Gauge|Histogram|Info)\b')
# Prometheus's own, of every target.
OF_TARGETS = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}
LABELS = re.compile(METRIC.pattern + r',\s*(kPidComm|"[^"]*")')
AGGREGATIONS = {"sum", "min", "max", "avg", "count", "group"}
KEYWORDS = LABEL_LISTS | {"and", "or", "unless", "offset", "bool", "inf", "nan"}


class Selector(NamedTuple):
    name: str
    matchers: list  # (label, operator, value)
    range: str      # what stands in [], "" for an instant selector
    function: str   # whose argument it is, "" outside of a call


def catalogue():
    """The names of all series that the exporter has, and Prometheus's own."""
    names = set(OF_TARGETS)
    for name, kind in METRIC.findall(CATALOGUE.read_text()):
        parts = ("_bucket", "_sum", "_count") if kind == "Histogram" else ("",)
        names |= {name + part for part in parts}
    return names


def until(tokens, i, end):
    """The tokens after i up to the closing token, and the place after that."""
    start = i + 1
    while i < len(tokens) and tokens[i] != end:
        i += 1
    return tokens[start:i], i + 1


def matchers_of(tokens):
    return [(tokens[i - 1], op, tokens[i + 1][1:-1])
            for i, op in enumerate(tokens) if op in ("=", "!=", "=~", "!~")]


def selectors(expr):
    tokens = [t for t in TOKEN.findall(expr) if not t.isspace()]
    found, calls, i = [], [], 0
    while i < len(tokens):
        token = tokens[i]
        after = tokens[i + 1] if i + 1 < len(tokens) else ""
        if token in LABEL_LISTS and after == "(":
            i = until(tokens, i + 1, ")")[1]
        elif token == "(":
            before = tokens[i - 1] if i else ""
            calls.append(before if re.match(r"[a-z]", before) and
                         before not in KEYWORDS else "")
            i += 1
        elif token == ")":
            calls = calls[:-1]
            i += 1
        elif token == "[":  # of a subquery: a selector takes its own
            i = until(tokens, i, "]")[1]
        elif token == "{" or re.match(r"[A-Za-z_:]", token) and \
                token.lower() not in KEYWORDS and after not in ("(", "by", "without"):
            names, matchers, span = [token], [], ""
            i += token != "{"
            if "{" in (token, after):
                inside, i = until(tokens, i, "}")
                matchers = matchers_of(inside)
            if token == "{":  # of several metrics: {__name__=~"a|b"}
                names = [name for label, _, value in matchers if label == "__name__"
                         for name in value.split("|")]
            if i < len(tokens) and tokens[i] == "[":
                inside, i = until(tokens, i, "]")
                span = "".join(inside)
            function = next((c for c in reversed(calls) if c), "")
            found += [Selector(name, matchers, span, function) for name in names]
        else:
            i += 1
    return found


def labels_of(expr, target):
    """The labels that tell the series of a result apart: those that its first
    aggregation keeps, or without one those of its first metric, which also has
    those of its target."""
    tokens = [t for t in TOKEN.findall(expr) if not t.isspace()]
    own = {name: set(re.findall(r"\w+", labels.replace("kPidComm", "pid, comm")))
           for name, _, labels in LABELS.findall(CATALOGUE.read_text())}
    named = {selector.name for selector in selectors(expr)}
    for i, token in enumerate(tokens):
        if token in AGGREGATIONS:
            if tokens[i + 1] != "by":
                return set()
            return set(until(tokens, i + 2, ")")[0]) - {",", "le"}
        if token in named:
            level = set(token.split(":")[0].split("_")) if ":" in token else set()
            return own.get(token, level) - {"job"} | target
    return set()
