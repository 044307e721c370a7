# SPDX-License-Identifier: Apache-2.0
# Checks of the source that do not run it.
# shellcheck shell=bash

# Unpacks the kernel's own checkers from Debian's source package.
unpack_checkers() {
  local suite=bookworm version=6.1
  say "fetching Debian's linux-source-$version for checkpatch.pl"
  (cd "$1" && suite_apt "$suite" apt-get download "linux-source-$version") ||
    return 1
  dpkg-deb --fsys-tarfile "$1"/*.deb |
    tar -xO "./usr/src/linux-source-$version.tar.xz" |
    tar -xJ -C "$1" --strip-components=1 \
      "linux-source-$version/scripts/checkpatch.pl" \
      "linux-source-$version/scripts/spdxcheck.py" \
      "linux-source-$version/scripts/spelling.txt" \
      "linux-source-$version/scripts/const_structs.checkpatch" \
      "linux-source-$version/scripts/kernel-doc"
  rm "$1"/*.deb
}

# Left out: rules for code inside the kernel's tree (versions, file changes,
# licences by path); LINE_SPACING, which knows EXPORT_SYMBOL but not
# NOKPROBE_SYMBOL behind a function; CONSTANT_COMPARISON, which takes
# KERNEL_VERSION() for a constant on the left; MACRO_ARG_PRECEDENCE, for a macro
# whose arguments are names of parameters.
checkpatch() {
  "$CHECKERS/scripts/checkpatch.pl" --no-tree --strict --quiet --terse \
    --no-summary --show-types --ignore FILE_PATH_CHANGES,SPDX_LICENSE_TAG,LINUX_VERSION_CODE,LINE_SPACING,CONSTANT_COMPARISON,MACRO_ARG_PRECEDENCE \
    --max-line-length=100 --file "$@" >"$WORK/checkpatch.log" 2>&1 || true
  # The kernel's own headers of trace events are laid out so too (include/trace).
  ! grep -v '/event_trace\.h:.*\(PARENTHESIS_ALIGNMENT\|OPEN_ENDED_LINE\):' \
    "$WORK/checkpatch.log"
}

kernel_doc() {
  "$CHECKERS/scripts/kernel-doc" -none -Werror "$@" \
    >"$WORK/kernel-doc.log" 2>&1 || { cat "$WORK/kernel-doc.log" && return 1; }
  ! grep -i warning "$WORK/kernel-doc.log"
}

# Every function that another file can call has its kernel-doc.
every_function_has_kernel_doc() {
  local name missing=""
  for name in $(grep -hoE '^[a-z].*\bpf_[a-z0-9_]+\(' "$ROOT"/kernel/*.h |
    grep -v '^static\|^#' | grep -oE 'pf_[a-z0-9_]+\(' | tr -d '('); do
    grep -q "^ \* $name() - " "$ROOT"/kernel/*.[ch] || missing="$missing $name"
  done
  [ -z "$missing" ] || { echo "without kernel-doc:$missing" && return 1; }
}

# Sparse on the module; the kernel's own headers are not ours to judge.
sparse_is_silent() {
  "$ROOT/deploy/vm/build-module" 6.1 "$WORK/sparse" C=2 CHECK="sparse" \
    >"$WORK/sparse.log" 2>&1 || true
  [ -e "$WORK/sparse/page_faults.ko" ] || { cat "$WORK/sparse.log" && return 1; }
  ! grep "^$WORK/sparse/" "$WORK/sparse/build.log" |
    grep -v 'note: in included file'
}

# build_without OPTION...: builds the modules as for a kernel without these, into
# $WORK/without-OPTION, named by the first. The output of the build is in
# $WORK/without.log.
build_without() {
  { printf '/* SPDX-License-Identifier: GPL-2.0-only */\n#include <generated/autoconf.h>\n'
    printf '#undef %s\n' "$@"; } >"$WORK/undefine-$1.h"
  "$ROOT/deploy/vm/build-module" 6.1 "$WORK/without-$1" "${@/%/=}" \
    "KCFLAGS=-include $WORK/undefine-$1.h" >"$WORK/without.log" 2>&1
}

# refused_without OPTION...: the build fails with a message that names the first.
refused_without() {
  ! build_without "$@" &&
    grep -q "it needs a kernel with $1=y" "$WORK/without.log"
}

has_no_trampoline_without_direct_calls() {
  build_without CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS || {
    tail -3 "$WORK/without.log"
    return 1
  }
  (cd "$WORK/without-CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS" &&
    [ "$(echo ./*.ko)" = ./page_faults.ko ] &&
    grep -q ' U register_kretprobe' <<<"$(nm page_faults.ko)")
}

# All that a handler reads on every fault, besides what is by CPU, is constant
# after the load, but for pf_carry_pending, which has a cache line of its own, and
# the rules of the event, which root writes. That these are found shows that the
# check sees such variables.
handlers_share_two_variables() {
  local module
  module=$(module_for 6.1) &&
    "$ROOT/tests/static/shared.py" "$module/page_faults.ko" |
    diff <(printf '%s\n' pf_carry_pending pf_event_rules) -
}

# Only compat.h knows versions.
one_file_knows_versions() {
  ! grep -lE 'LINUX_VERSION_CODE|KERNEL_VERSION' "$ROOT"/kernel/*.[ch] |
    grep -v '/compat\.h$'
}

# Names of files without an SPDX line; formats that have no comments are out.
every_file_has_spdx() {
  ! (cd "$ROOT" && git ls-files -z | grep -zvE \
    '\.(json|md|png|snap|tsv|txt)$|^LICENSE$|^tests/fixtures/|^tests/install/files/etc/hostname|debian/(control|changelog|copyright|compat|source/|.*\.(install|docs|links|manpages|dkms|lintian-overrides|NEWS))|\.gitignore$' |
    xargs -0 grep -L 'SPDX-License-Identifier' | grep .)
}

shell_is_clean() {
  # shellcheck disable=SC2046
  (cd "$ROOT" && shellcheck -x -S warning $(git ls-files |
    xargs grep -lE '^#!/bin/(bash|sh)|^# shellcheck shell=bash' |
    grep -v '\.md$'))
}

# The daemon and the tests in C++. checkpatch checks kernel code.
formatted() {
  (cd "$ROOT" && git ls-files '*.cc' '*.h' | grep -v '^kernel/' |
    xargs clang-format --dry-run --Werror)
}

links_resolve() {
  (cd "$ROOT" && git ls-files -z '*.md' | xargs -0 tests/static/links.py)
}

# One link without a file, one without a heading, and one that is good.
broken_links_are_found() {
  local page=$WORK/page.md
  printf '# A page\n[1](#a-page) [2](#b-page) [3](page.md) ![4](gone.png)\n' >"$page"
  ! "$ROOT/tests/static/links.py" "$page" >"$WORK/links.log" &&
    printf '%s\n' "$page: #b-page: no such heading" "$page: gone.png: no such file" |
    diff "$WORK/links.log" -
}

messages_explained() { "$ROOT/tests/install/messages.py" "$@"; }

# Gives messages.py two messages that the page does not have: one of the module
# and one of the daemon. Each consists of several pieces. Then a message that only
# the page has.
a_new_message_is_missed() {
  local root=$WORK/messages
  mkdir -p "$root/kernel" "$root/exporter/src/http" "$root/deploy"
  sed '$a| `the sea is full of …` | | |' "$ROOT/deploy/TROUBLESHOOTING.md" \
    >"$root/deploy/TROUBLESHOOTING.md"
  printf 'pr_err("the %%s is on " PF_PLANET\n  "in flames: %%d\\n", "moon", 1);\n' \
    >"$root/kernel/moon.c"
  printf 'spdlog::warn("the {} \\"sea\\" "\n  "is dry", name);\n' \
    >"$root/exporter/src/http/sea.cc"
  ! messages_explained "$root" >"$WORK/messages.log" &&
    grep -q 'moon.c: in flames$' "$WORK/messages.log" &&
    grep -q 'sea.cc: "sea" is dry$' "$WORK/messages.log" &&
    grep -q "^no source has TROUBLESHOOTING.md's the sea is full of$" \
      "$WORK/messages.log"
}

rooms_kept() { "$ROOT/tests/static/rooms.py" "$@"; }

# One offence against each kind of rule, each of which must be reported.
a_broken_rule_is_caught() {
  local source=$WORK/rooms/exporter/src
  mkdir -p "$source"/{source,follow,http,attic} "$WORK/rooms/kernel/include"
  cp "$ROOT/kernel/include/page_faults.h" "$WORK/rooms/kernel/include"
  cp "$ROOT/exporter/src/http/README.md" "$source/http"
  sed 's/.tick., //' "$ROOT/exporter/src/source/README.md" \
    >"$source/source/README.md"
  sed '/^| .follow/s/base/http/' "$ROOT/exporter/README.md" \
    >"$WORK/rooms/exporter/README.md"
  printf '#include "http/page.h"\n#include <re2/re2.h>\n' >"$source/follow/a.h"
  printf '#include "page_faults.h"\n#include "page.h"\n' >"$source/follow/b.cc"
  printf '# include <unheard/of.h>\n#include <zstd.h>\n' >"$source/http/page.h"
  printf 'json["probe_missed"] = json["overflow_faults"];\n' >"$source/http/d.cc"
  printf '#include "page_faults.h"\n#include <vector>\n"vma_kb"\n' \
    >"$source/source/ok.cc"
  printf '' >"$source/attic/c.cc"
  ! rooms_kept "$WORK/rooms" >"$WORK/rooms.log" &&
    grep -q '^follow/a.h includes http/page.h: follow/ may' "$WORK/rooms.log" &&
    grep -q '^follow/a.h includes re2/re2.h: only' "$WORK/rooms.log" &&
    grep -q '^follow/b.cc includes page_faults.h: only' "$WORK/rooms.log" &&
    grep -q '^follow/b.cc includes page.h: it is in no room' "$WORK/rooms.log" &&
    grep -q '^http/page.h includes unheard/of.h: no rule' "$WORK/rooms.log" &&
    grep -q '^http/page.h includes zstd.h: no rule' "$WORK/rooms.log" &&
    grep -q "^http/d.cc has the contract's name probe_missed" "$WORK/rooms.log" &&
    grep -q "^http/d.cc has the contract's name overflow_f" "$WORK/rooms.log" &&
    grep -q '^source/README.md does not say: ' "$WORK/rooms.log" &&
    grep -q '^README.md does not say of follow/: ' "$WORK/rooms.log" &&
    ! grep -q '^http/README.md' "$WORK/rooms.log" &&
    grep -q '^attic/c.cc: it is in no room' "$WORK/rooms.log" &&
    ! grep -q '^source/ok.cc' "$WORK/rooms.log"
}

# The path that the daemon answers, and YAML.
collectors_ask_for_profiles() {
  local path
  path=$(sed -n 's/.*kPprofPath = "\(.*\)";/\1/p' "$ROOT/exporter/src/http/service.cc")
  [ -n "$path" ] && cd "$ROOT/deploy/profiling" &&
    grep -q "path: $path\$" parca.yaml &&
    grep -q "path *= \"$path\"\$" config.alloy &&
    python3 -c 'import sys, yaml; yaml.safe_load(sys.stdin)' <parca.yaml
}

CHECKERS=$(cached checkers unpack_checkers)
cd "$ROOT/kernel" || exit
check "static checkpatch" checkpatch ./*.[chS] include/*.h
check "static kernel-doc" kernel_doc ./*.[ch] include/*.h
check "static every function has kernel-doc" every_function_has_kernel_doc
check "static sparse and W=1" sparse_is_silent
for option in CONFIG_DEBUG_FS CONFIG_TRACEPOINTS CONFIG_VM_EVENT_COUNTERS; do
  check "static refused without $option" refused_without "$option"
done
check "static refused without return probes and direct calls" refused_without \
  CONFIG_KRETPROBES CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS
check "static without direct calls there is no trampoline" \
  has_no_trampoline_without_direct_calls
check "static the handlers share two variables" handlers_share_two_variables
check "static one file knows versions" one_file_knows_versions
check "static every file has an SPDX line" every_file_has_spdx
check "static shellcheck" shell_is_clean
check "static clang-format" formatted
check "static the rooms of the exporter include whom they may" rooms_kept
check "static an include against the rules is caught" a_broken_rule_is_caught
check "static the module's counting compiles for tests/bench/contention" \
  "$ROOT/tests/bench/contention" --build
check "static RESULTS.md shows the figures measured" \
  "$ROOT/tests/bench/figures" --check
check "static TROUBLESHOOTING.md explains each message" messages_explained
check "static a message that only one of both has is found" a_new_message_is_missed
check "static each link of the pages leads somewhere" links_resolve
check "static a broken link is found" broken_links_are_found
check "static Parca and Alloy ask for profiles" collectors_ask_for_profiles
check "static the README has at most 150 lines" \
  test "$(wc -l <"$ROOT/README.md")" -le 150
