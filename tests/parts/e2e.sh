# SPDX-License-Identifier: Apache-2.0
# The daemon from outside, on captured tables: bad networks, bad tables, signals;
# and a real Prometheus that scrapes both formats.
# shellcheck shell=bash

install_packages python3 prometheus

# What the script said before it failed is the reason.
check "e2e hard" /usr/bin/python3 -B "$ROOT/tests/e2e/hard.py" \
  "$BUILD/exporter/page_fault_exporter" "$ROOT/tests/fixtures/debugfs"
check "e2e modes" /usr/bin/python3 -B "$ROOT/tests/e2e/modes.py" \
  "$BUILD/exporter/page_fault_exporter" "$ROOT/tests/fixtures/debugfs"
check "e2e prometheus scrapes both formats" /usr/bin/python3 -B \
  "$ROOT/tests/e2e/prometheus.py" "$BUILD/exporter/page_fault_exporter"
check "e2e a table larger than the memory" /usr/bin/python3 -B \
  "$ROOT/tests/e2e/memory.py" "$BUILD/exporter/page_fault_exporter" \
  "$ROOT/tests/fixtures/debugfs"
