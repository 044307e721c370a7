# SPDX-License-Identifier: Apache-2.0
# GoogleTest's unit tests of the daemon.
# shellcheck shell=bash
"$BUILD/tests/unit/unit_tests" --gtest_color=no >"$WORK/unit.log" 2>&1 || true
gtest_results "unit " "$WORK/unit.log"
