# SPDX-License-Identifier: Apache-2.0
# Prometheus's rules: promtool's lint and tests, and checks that promtool does
# not have.
# shellcheck shell=bash

RULES=$ROOT/dashboards/rules

check "rules lint" promtool check rules --lint=all --lint-fatal "$RULES"/*.yml
for file in "$RULES"/tests/*_test.yml; do
  check "rules $(basename "$file" .yml)" promtool test rules "$file"
done
check "rules are complete" /usr/bin/python3 -B "$ROOT/tests/dashboards/rules.py" \
  "$ROOT/dashboards"
