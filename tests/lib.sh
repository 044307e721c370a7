# SPDX-License-Identifier: Apache-2.0
# How a test says its result. Sourced by tests/run and its parts, which inherit:
#   ROOT, CACHE  and the functions of deploy/vm/lib.sh
#   BUILD        the built tree
#   WORK         a directory of this part under build/tests/logs; it is deleted
#                when the part passes, and kept, less what is large, otherwise
#   RESULTS      a file of `ok` and `FAIL` lines
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=guest.sh
. "$ROOT/tests/guest.sh"

ok() { printf 'ok %s\n' "$1" | tee -a "$RESULTS"; }

# fail WHAT [FILE]: a failed test, its reason, and the file that shows more.
fail() {
  local file=${2:-$WORK}
  printf 'FAIL %s (see %s)\n' "$1" "${file#"$ROOT"/}" | tee -a "$RESULTS"
}

# check NAME COMMAND...: a test that is a command. Why it failed is the end of
# its output; all of it is kept. A lost guest ends the part.
check() {
  local name=$1 log status=0
  shift
  log=$WORK/${name//[^A-Za-z0-9._-]/_}.log
  ("$@") >"$log" 2>&1 || status=$?
  if [ "$status" = 0 ]; then
    ok "$name"
    rm "$log"
    return
  fi
  vm_go_on "$name"
  fail "$name: $(tail -5 "$log" | tr '\n' ' ')" "$log"
}

# gtest_results PREFIX LOG [CAUSE]: a GoogleTest program's output as results. A
# program that did not come to its end is a failure, for CAUSE if that is known,
# and so is one without a test.
gtest_results() {
  local prefix=$1 log=$2
  awk -v prefix="$prefix" -v file="${log#"$ROOT"/}" -v cause="${3:-}" '
    function fail(name, reason) {
      print "FAIL " prefix name ": " reason " (see " file ")"
    }
    { sub(/\r$/, "") }
    /^\[ RUN      \]/ { why = ""; running = $4; next }
    /^\[       OK \]/ { print "ok " prefix $4; n++; next }
    /^\[  SKIPPED \] .*\(/ { n++; next }
    /^\[  FAILED  \] .*\([0-9]+ ms\)$/ { sub(/,$/, "", $4)
      fail($4, why); n++; next }
    /^\[==========\] .* ran\./ { ended = 1 }
    length(why) < 600 { why = why " " $0 }
    END {
      if (!ended) fail(running ? running : "(start)",
        cause ? cause : "the program ended in it:" why)
      else if (!n) fail("(all)", "no test ran")
    }' "$log" | tee -a "$RESULTS"
}

# build_without OPTION: builds the module as a kernel without it would, into
# $WORK/without-OPTION; what the build says is in $WORK/without.log.
build_without() {
  printf '/* SPDX-License-Identifier: GPL-2.0-only */\n#include <generated/autoconf.h>\n#undef %s\n' \
    "$1" >"$WORK/undefine-$1.h"
  "$ROOT/deploy/vm/build-module" 6.1 "$WORK/without-$1" "$1=" \
    "KCFLAGS=-include $WORK/undefine-$1.h" >"$WORK/without.log" 2>&1
}
