# SPDX-License-Identifier: Apache-2.0
# The live page in Debian's Chromium, driven by playwright-core, against the
# daemon on a made-up table. Screenshots go to $SCREENSHOTS if it is set.
# shellcheck shell=bash

browser_fetch() {
  cp "$ROOT/tests/browser/package.json" "$1"
  (cd "$1" && npm install --ignore-scripts --no-audit --no-fund >&2)
}

# A Node.js that is not Debian's has its own npm.
command -v npm >/dev/null || install_packages nodejs npm
install_packages chromium fonts-dejavu-core
key=$(sha256sum "$ROOT/tests/browser/package.json" | cut -c1-16)
modules=$(cached "browser-$key" browser_fetch)
# Node.js looks for modules beside the sources.
mkdir -p "$WORK/browser" "${SCREENSHOTS:=$WORK/screenshots}"
cp "$ROOT"/tests/browser/*.mjs "$ROOT/tests/browser/package.json" "$WORK/browser"
ln -sfn "$modules/node_modules" "$WORK/browser/node_modules"
timeout 900 node "$WORK/browser/check.mjs" "$BUILD/exporter/page_fault_exporter" \
  "$ROOT/tests/fixtures/debugfs" "$WORK" "$SCREENSHOTS" >"$WORK/browser.log" 2>&1 &&
  browser_status=0 || browser_status=$?
sed -n 's/^\(ok\|FAIL\) /\1 browser: /p' "$WORK/browser.log" | tee -a "$RESULTS"
[ "$browser_status" = 0 ] ||
  fail "browser: ended with status $browser_status: $(tail -5 "$WORK/browser.log" | tr '\n' ' ')"
