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

# Two files of a wheel of 100 MB, and a small library whole. Neither is part of this project: they are only run.
open_webui() {
  local folder=.deps/open-webui list=tests/contract/requirements-open-webui.txt
  is_ready "$folder" "$list" && return
  echo "setup: taking Open WebUI's picture code out of its wheel"
  rm -rf "$folder"
  mkdir -p "$folder/wheels"
  .deps/venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --require-hashes --dest "$folder/wheels" --requirement "$list"
  .deps/venv/bin/python - "$folder" <<'PYTHON'
import pathlib, sys, zipfile

folder = pathlib.Path(sys.argv[1])
for wheel in (folder / "wheels").glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        wanted = None if wheel.name.startswith("validators") else [
            "open_webui/routers/images.py", "open_webui/retrieval/web/utils.py"]
        archive.extractall(folder, wanted)
PYTHON
  rm -r "$folder/wheels"
  set_ready "$folder" "$list"
}

python_clients .deps/venv tests/contract/requirements.txt
python_clients .deps/venv-litellm tests/contract/requirements-litellm.txt
node_clients
open_webui
