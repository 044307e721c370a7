# SPDX-License-Identifier: Apache-2.0
# The unit tests and the end-to-end run with ASan and UBSan, and with TSan.
# shellcheck shell=bash

sanitized() {
  local name=$1 sanitizers=$2 tree=$ROOT/build/$1
  cmake -S "$ROOT" -B "$tree" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DPFE_SANITIZE="$sanitizers" >"$WORK/$name.log" 2>&1 &&
    cmake --build "$tree" --target unit_tests page_fault_exporter \
      >>"$WORK/$name.log" 2>&1 || {
    fail "$name builds: $(tail -3 "$WORK/$name.log" | tr '\n' ' ')" "$WORK/$name.log"
    return 0
  }
  "$tree/tests/unit/unit_tests" --gtest_color=no >"$WORK/$name.log" 2>&1 || true
  gtest_results "$name " "$WORK/$name.log"
  if grep -qE 'ERROR: (Address|Leak)Sanitizer|runtime error:|WARNING: ThreadSanitizer' \
    "$WORK/$name.log"; then
    fail "$name reports nothing: $(grep -E 'ERROR:|runtime error|WARNING: T' \
      "$WORK/$name.log" | head -2)" "$WORK/$name.log"
  else
    ok "$name reports nothing"
  fi
  e2e_run "$name" hard "$tree/exporter/page_fault_exporter" \
    "$ROOT/tests/fixtures/debugfs"
  e2e_run "$name" protocol "$tree/exporter/page_fault_exporter" \
    "$ROOT/tests/fixtures"
}

# shellcheck source=tests/parts/e2e.sh
E2E_FUNCTIONS_ONLY=1 . "$ROOT/tests/parts/e2e.sh"
sanitized asan address,undefined
sanitized tsan thread
