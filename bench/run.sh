#!/bin/sh
# What `make bench` runs: everything that needs no further model, Python beyond its standard library or network.
# The larger comparisons are named in bench/README.md.
set -e
cd "$(dirname "$0")/.."
cmake --preset release -DLIMNER_BENCHES=ON > build/bench.log 2>&1 || { cat build/bench.log; exit 1; }
cmake --build build --parallel "$(nproc)" --target limner bench_codec bench_painting
echo "== $(date +%F), $(nproc) cores, load average $(cut -d' ' -f1-3 /proc/loadavg)"
echo "== picture files"
build/bench/micro/bench_codec
echo "== the embedded model"
python3 bench/default_model.py
echo "== what previews cost"
python3 bench/preview_cost.py
echo "== health while painting"
python3 bench/health_under_load.py
