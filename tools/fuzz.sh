#!/usr/bin/env bash
# tools/fuzz.sh TARGET SECONDS: fuzzes one target of tests/fuzz (or `all` in turn) for so many processor seconds,
# adds the few inputs that reach new code to its corpus and a line to tests/fuzz/ledger.tsv.
# An input that fails is left in build-asan/crashes; mend the fault and put the input into the corpus.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:?target or all}
seconds=${2:?processor seconds}
build=build-asan
ledger=tests/fuzz/ledger.tsv
slice_max=300    # Clock seconds between two looks at the processor time.
input_max=8192   # Larger inputs are tried, but not kept: the corpora stay small.
export TMPDIR=${TMPDIR:-/tmp}

cmake --preset fuzz > $build.log || { cat $build.log; exit 1; }
if [ "$target" = all ]; then
  cmake --build --preset fuzz > $build.log || { cat $build.log; exit 1; }
  failed=0
  for folder in tests/fuzz/corpus/*/; do
    "$0" "$(basename "$folder")" "$seconds" || failed=1
  done
  exit $failed
fi
cmake --build $build --target "fuzz_$target" > $build.log || { cat $build.log; exit 1; }
program=$(find $build/tests/fuzz -name "fuzz_$target" -type f)
kept=tests/fuzz/corpus/$target
grown=$build/corpus/$target
crashes=$build/crashes/$target
log=$build/$target.log
mkdir -p "$kept" "$grown" "$crashes"

spent=0
executions=0
result=clean
TIMEFORMAT='%U %S'
while ((spent < seconds)) && [ $result = clean ]; do
  left=$((seconds - spent))
  slice=$((left < 30 ? 30 : left < slice_max ? left : slice_max))
  taken=$({ time "$program" -max_total_time=$slice -timeout=30 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$crashes/" "$grown" "$kept" > "$log" 2>&1 || touch "$crashes/.failed"; } 2>&1)
  spent=$((spent + $(awk '{print int($1 + $2 + 0.5)}' <<< "$taken")))
  executions=$((executions + $(awk '/stat::number_of_executed_units/ {print $2}' "$log" || echo 0)))
  [ ! -e "$crashes/.failed" ] || { result=FAILED; rm "$crashes/.failed"; }
done

# Greedily the fewest inputs that reach every edge; how often an edge is passed is not told apart here. An input
# that fails is passed over, and left beside the others that do.
if [ $result = clean ]; then
  touch "$crashes/.before"
  "$program" -set_cover_merge=1 -use_counters=0 -max_len=$input_max -artifact_prefix="$crashes/" "$kept" "$grown" >> "$log" 2>&1 ||
    result=FAILED
  [ -z "$(find "$crashes" -newer "$crashes/.before" -name '[ctol]*-*')" ] || result=FAILED
fi
count=$(find "$kept" -type f | wc -l)
hash=$(find "$kept" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
commit=$(git rev-parse --short=10 HEAD)
git diff --quiet HEAD -- src tests/fuzz/*.cpp tests/fuzz/*.hpp || commit+=+
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%F)" "$commit" "$target" "$spent" "$executions" "$count" "$hash" "$result" >> $ledger
tail -n 1 $ledger
[ $result = clean ] || { tail -n 60 "$log"; exit 1; }
