# SPDX-License-Identifier: Apache-2.0
# How a test reports its result. Sourced by tests/run and its parts, which
# inherit:
#   ROOT, CACHE  and the functions of deploy/vm/lib.sh
#   BUILD        the built tree
#   WORK         a directory of this part under build/tests/logs; it is deleted
#                when the part passes, otherwise kept without its large files
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

# check NAME COMMAND...: runs a command as a test. If it fails, the reason is
# the end of its output, and the whole output is kept. If the guest is lost, the
# part ends.
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

# gtest_results PREFIX LOG [CAUSE]: turns the output of a GoogleTest program
# into results. A program that did not reach its end is a failure, with CAUSE as
# the reason if it is given. A program that ran no test is a failure too.
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
