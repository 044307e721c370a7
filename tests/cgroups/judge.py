#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Judges what a daemon says of control groups.
usage: judge.py labels METRICS EXPECTED
         each line of EXPECTED (path, unit, namespace, pod, pod_uid, container,
         container_id, and perhaps the environment's name, with tabs between) is a
         series of page_fault_cgroup_info with these labels, of which empty ones are
         absent. Prints a row of a table for each line that has a name
       judge.py conserved METRICS
         the faults of all control groups, with what is held back, are those of all
         comms
       judge.py pages METRICS EXPECTED
         the group of line N of EXPECTED had a fault for each of N pages, and at most
         500 besides: those of the start of its program
       judge.py faults METRICS PATH
         prints the faults of a control group, and the major ones among them
METRICS is a file in the text format."""
import re
import sys

from prometheus_client.parser import text_string_to_metric_families

LABELS = ("cgroup", "unit", "namespace", "pod", "pod_uid", "container",
          "container_id")
# Of an id of 32 digits and more a table shows the last ones.
ID = re.compile(r"(pod)?[0-9a-f]{26,}([0-9a-f]{6})")
CUT = r"\1…\2"


def samples(path):
    with open(path, encoding="utf-8") as file:
        return [sample for family in text_string_to_metric_families(file.read())
                for sample in family.samples]


def total(all_samples, name):
    return sum(sample.value for sample in all_samples if sample.name == name)


def text_of(found):
    """Labels in a cell of a table. Long ids are cut."""
    if found is None:
        return "no series"
    return ", ".join(f'{name}="{ID.sub(CUT, value)}"' for name, value in
                     sorted(found.items(), key=lambda item: LABELS.index(item[0])))


def labels(metrics, expected):
    seen = {sample.labels["cgroup"]: sample.labels for sample in samples(metrics)
            if sample.name == "page_fault_cgroup_info"}
    with open(expected, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    wrong = 0
    for values in lines:
        wanted = {name: value for name, value in zip(LABELS, values) if value}
        found = seen.get(wanted["cgroup"])
        if found != wanted:
            wrong += 1
            print(f"expected {wanted}\n    seen {found}")
        for name in values[len(LABELS):]:
            print(f"| {name} | {text_of(wanted)} | "
                  f"{'the same' if found == wanted else text_of(found)} |")
    print(f"{len(lines) - wrong} of {len(lines)} control groups have the labels expected")
    return bool(lines) and not wrong


def conserved(metrics):
    found = samples(metrics)
    by_cgroup = total(found, "page_fault_cgroup_faults_total") + \
        total(found, "page_fault_exporter_cgroups_held_faults")
    by_comm = total(found, "page_fault_comm_faults_total") + \
        total(found, "page_fault_exporter_held_faults")
    print(f"{by_cgroup:.0f} by control group, {by_comm:.0f} by comm")
    return by_cgroup == by_comm > 0


def faults_of(metrics, severities=("minor", "major")):
    sums = {}
    for sample in samples(metrics):
        if sample.name == "page_fault_cgroup_faults_total" and \
                sample.labels["severity"] in severities:
            path = sample.labels["cgroup"]
            sums[path] = sums.get(path, 0) + int(sample.value)
    return sums


def pages(metrics, expected):
    sums = faults_of(metrics)
    with open(expected, encoding="utf-8") as file:
        paths = [line.split("\t")[0] for line in file]
    wrong = [f"{path}: {sums.get(path)} faults, for {number} pages"
             for number, path in enumerate(paths, 1)
             if not number <= sums.get(path, 0) <= number + 500]
    print("\n".join(wrong))
    return bool(paths) and not wrong


def faults(metrics, path):
    print(faults_of(metrics)[path], faults_of(metrics, ("major",)).get(path, 0))
    return True


sys.exit(not {"labels": labels, "conserved": conserved, "pages": pages,
              "faults": faults}[sys.argv[1]](*sys.argv[2:]))
