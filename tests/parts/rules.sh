# SPDX-License-Identifier: Apache-2.0
# Prometheus's rules: promtool's lint and tests, and what it does not look at.
# shellcheck shell=bash

RULES=$ROOT/dashboards/rules

check "rules lint" promtool check rules --lint=all --lint-fatal "$RULES"/*.yml
for file in "$RULES"/tests/*_test.yml; do
  check "rules $(basename "$file" .yml)" promtool test rules "$file"
done
check "rules are complete" /usr/bin/python3 -B "$ROOT/tests/dashboards/rules.py" \
  "$ROOT/dashboards"
