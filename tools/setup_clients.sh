#!/usr/bin/env bash
# Installs the clients that the contract tests drive, pinned by tests/contract/requirements.txt, into
# .deps/venv. Only `make test` needs them; nothing is done twice.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .deps
exec 9> .deps/.clients.lock
flock 9

list=tests/contract/requirements.txt
venv=.deps/venv
wanted=$(sha256sum < "$list")
if [ "$(cat "$venv/.ready" 2>/dev/null)" != "$wanted" ]; then
  echo "setup: installing the clients of the contract tests"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --requirement "$list"
  echo "$wanted" > "$venv/.ready"
fi
