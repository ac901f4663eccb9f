#!/usr/bin/env bash
# Installs the clients that the contract tests drive below .deps/, pinned by the lists in tests/contract.
# Only `make test` needs them; nothing is done twice.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .deps
exec 9> .deps/.clients.lock
flock 9

# is_ready FOLDER FILE: FOLDER was made from FILE as it is now.
is_ready() { [ "$(cat "$1/.ready" 2>/dev/null)" = "$(sha256sum < "$2")" ]; }
set_ready() { sha256sum < "$2" > "$1/.ready"; }

python_clients() {
  local venv=$1 list=$2
  is_ready "$venv" "$list" && return
  echo "setup: installing the clients of $list"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --no-deps \
    --only-binary=:all: --requirement "$list"
  set_ready "$venv" "$list"
}

# Node itself is a wheel of the first list, so that no distribution's old one is needed.
node_clients() {
  local folder=.deps/node from=tests/contract/node
  is_ready "$folder" "$from/package-lock.json" && return
  echo "setup: installing the clients of $from"
  rm -rf "$folder"
  mkdir -p "$folder"
  cp "$from"/package*.json "$folder"
  (export PATH="$PWD/.deps/venv/bin:$PATH"; cd "$folder"; npm ci --no-audit --no-fund --loglevel error --ignore-scripts)
  set_ready "$folder" "$from/package-lock.json"
}

python_clients .deps/venv tests/contract/requirements.txt
python_clients .deps/venv-litellm tests/contract/requirements-litellm.txt
node_clients
