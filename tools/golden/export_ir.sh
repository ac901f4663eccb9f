#!/bin/sh
# usage: export_ir.sh MODELS OUT TOY ...     needs optimum-cli (optimum-intel); FORMAT=fp32|int8|int4
# Exports toys of make_toys.py to OpenVINO IR for tests/parity/ir_test.cpp: OUT/TOY, or OUT/TOY-FORMAT where
# weights are compressed. The toy's own scheduler config stays: diffusers writes defaults into its copy,
# which other schedulers then inherit.
set -e
models=$1 out=$2 format=${FORMAT:-fp32}
shift 2
for toy in "$@"; do
  target=$out/$toy options=
  [ "$format" = fp32 ] || target=$out/$toy-$format
  # Groups of the toys' whole rows, and every layer: nncf's own choice leaves such small ones alone.
  [ "$format" != int4 ] || options="--group-size -1 --ratio 1.0"
  optimum-cli export openvino --model "$models/$toy" --task text-to-image --weight-format "$format" $options "$target"
  cp "$models/$toy/scheduler/scheduler_config.json" "$target/scheduler/"
  rm -f "$target"/tokenizer*/openvino_*
  find "$target" -name '*.json' -exec sed -i '/_name_or_path/d' {} +
done
