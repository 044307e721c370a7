# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the C++ files: all of them, or with `tidy:recent` those that the
# last 20 commits changed. A file takes 4 to 40 s of one CPU.
# shellcheck shell=bash

# tidy_files [recent]: those that the build compiles.
tidy_files() {
  local since=""
  [ "${1:-}" != recent ] || since=$(git rev-list --max-count=21 HEAD | tail -1)
  if [ -n "$since" ]; then
    # A file that was only moved is not changed.
    git diff --name-only --diff-filter=AMR --find-renames "$since"
  else
    git ls-files
  fi | grep -E '^(exporter|tests)/.*\.cc$' |
    while read -r file; do
      grep -qF "$ROOT/$file\"" "$BUILD/compile_commands.json" && echo "$file"
    done
}

cd "$ROOT" || exit
mapfile -t files < <(tidy_files "${1:-}")
for file in "${files[@]}"; do
  check "tidy $file" clang-tidy --quiet -p "$BUILD" "$file"
done
[ ${#files[@]} -gt 0 ] || ok "tidy: no file was changed"
