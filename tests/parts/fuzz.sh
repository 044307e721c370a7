# SPDX-License-Identifier: Apache-2.0
# Runs libFuzzer on each parser of foreign input, for FUZZ_SECONDS (default 60)
# a target, with ASan and UBSan. The fixtures are the first inputs.
# shellcheck shell=bash

install_packages clang libclang-rt-14-dev || install_packages clang

fuzz_build() {
  cmake -S "$ROOT" -B "$ROOT/build/fuzz" -G Ninja \
    -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DPFE_FUZZ=ON -DPFE_SANITIZE=address,undefined >"$WORK/fuzz.log" 2>&1 &&
    cmake --build "$ROOT/build/fuzz" --target fuzz_table_parser fuzz_escaping \
      fuzz_query fuzz_groups fuzz_symbols fuzz_call_frames >>"$WORK/fuzz.log" 2>&1 ||
    { tail -5 "$WORK/fuzz.log" && return 1; }
}

# Prints how many inputs it ran. libFuzzer's message names the file of an input
# that fails.
fuzz() {
  mkdir -p "$WORK/corpus-$1" "$WORK/seeds"
  head -c 3000 "$ROOT/tests/fixtures/debugfs/page_faults/processes" \
    >"$WORK/seeds/processes"
  cp "$ROOT"/tests/fixtures/debugfs/page_faults/{stats,latency} "$WORK/seeds"
  printf 'sort=rss&limit=10&filter=%%5Ea' >"$WORK/seeds/query"
  sed -n '3{s/\t.*//; s/^/0::/p}' "$ROOT/tests/fixtures/cgroup-paths.tsv" \
    >"$WORK/seeds/cgroup"
  (cd "$ROOT/tests/fixtures/log/containers" && printf %s ./*) |
    sed 's,^\./,,' >"$WORK/seeds/log"
  printf 'java:{{cmdline.1}}\n-jar (\\S+)\njava -jar a.jar' >"$WORK/seeds/rule"
  for name in first second; do
    printf '%s(int){return 0;}' "int $name" | clang++ -xc++ -shared -nostdlib \
      -Wl,--build-id,-z,noseparate-code,-z,max-page-size=64,-z,norelro \
      -o "$WORK/seeds/$name" -
  done
  strip "$WORK/seeds/second"
  "$ROOT/build/fuzz/tests/fuzz/fuzz_$1" -max_total_time="${FUZZ_SECONDS:-60}" \
    -max_len=8192 -print_final_stats=1 \
    -artifact_prefix="$ROOT/build/fuzz/$1-" "$WORK/corpus-$1" "$WORK/seeds" \
    >"$WORK/fuzz-$1.log" 2>&1 || { tail -30 "$WORK/fuzz-$1.log" && return 1; }
  grep number_of_executed_units "$WORK/fuzz-$1.log"
}

check "fuzz builds" fuzz_build
for target in table_parser escaping query groups symbols call_frames; do
  check "fuzz $target" fuzz "$target"
done
