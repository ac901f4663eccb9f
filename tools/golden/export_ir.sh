#!/bin/sh
# usage: export_ir.sh MODELS OUT TOY ...     needs optimum-cli (optimum-intel)
# Exports toys of make_toys.py to OpenVINO IR in float32, for tests/parity/ir_test.cpp. The toy's own
# scheduler config stays: diffusers writes defaults into its copy, which other schedulers then inherit.
set -e
models=$1 out=$2
shift 2
for toy in "$@"; do
  optimum-cli export openvino --model "$models/$toy" --task text-to-image --weight-format fp32 "$out/$toy"
  cp "$models/$toy/scheduler/scheduler_config.json" "$out/$toy/scheduler/"
  rm -f "$out/$toy"/tokenizer*/openvino_*
  find "$out/$toy" -name '*.json' -exec sed -i '/_name_or_path/d' {} +
done
