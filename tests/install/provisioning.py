#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what is wrong in provisioning files. Grafana ignores keys that it does
not know, such as misspelt ones, and does not report them.
usage: provisioning.py DIRECTORY     (with dashboards/ and datasources/)"""
import pathlib
import sys

import yaml

# Key: its type, and whether it is mandatory, as in the code of Grafana 12.
PROVIDER = {"name": (str, True), "type": (str, False), "options": (dict, True),
            "orgId": (int, False), "folder": (str, False),
            "folderUid": (str, False), "disableDeletion": (bool, False),
            "allowUiUpdates": (bool, False), "updateIntervalSeconds": (int, False)}
SOURCE = {"name": (str, True), "type": (str, True), "access": (str, True),
          "url": (str, True), "uid": (str, False), "orgId": (int, False),
          "isDefault": (bool, False), "editable": (bool, False),
          "version": (int, False), "user": (str, False),
          "database": (str, False), "basicAuth": (bool, False),
          "basicAuthUser": (str, False), "withCredentials": (bool, False),
          "jsonData": (dict, False), "secureJsonData": (dict, False)}
KINDS = {"dashboards": ("providers", PROVIDER),
         "datasources": ("datasources", SOURCE)}


def wrong_in(entry, schema):
    for key, value in entry.items():
        if key not in schema:
            yield f"no key {key}"
        elif type(value) is not schema[key][0]:
            yield f"{key} is {value!r}, not of type {schema[key][0].__name__}"
    for key, (_, needed) in schema.items():
        if needed and key not in entry:
            yield f"{key} is missing"


def main():
    wrong, entries = [], 0
    for kind, (key, schema) in KINDS.items():
        for path in pathlib.Path(sys.argv[1], kind).glob("*.yaml"):
            content = yaml.safe_load(path.read_text())
            if set(content) != {"apiVersion", key} or content["apiVersion"] != 1:
                wrong.append(f"{path}: not apiVersion: 1 and {key}")
                continue
            for entry in content[key]:
                entries += 1
                wrong += [f"{path}: {what}" for what in wrong_in(entry, schema)]
    for what in wrong:
        print(what)
    return 1 if wrong or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
