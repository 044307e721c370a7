# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the C++ files: all of them, or with `tidy:recent` those that the
# last 20 commits changed. A file takes 4 to 40 s of one CPU.
# shellcheck shell=bash

tidy_files() {
  local since=""
  [ "${1:-}" != recent ] || since=$(git rev-list --max-count=21 HEAD | tail -1)
  if [ -n "$since" ]; then
    # A file that was only moved is not changed.
    git diff --name-only --diff-filter=AMR --find-renames "$since" -- '*.cc'
  else
    git ls-files '*.cc'
  fi
}

# Clang's own targets (tests/fuzz) and the image's health check are not in the
# tests' build, which has the flags of all others.
tidy() {
  if grep -qF "$ROOT/$1\"" "$BUILD/compile_commands.json"; then
    clang-tidy --quiet -p "$BUILD" "$1"
  else
    clang-tidy --quiet "$1" -- -std=c++20 -Iexporter/src -Ikernel/include
  fi
}

cd "$ROOT" || exit
mapfile -t files < <(tidy_files "${1:-}")
for file in "${files[@]}"; do
  check "tidy $file" tidy "$file"
done
[ ${#files[@]} -gt 0 ] || ok "tidy: no file was changed"
