#!/usr/bin/env bash
# Installs what a build needs and nothing twice: Debian packages (when run as root or with sudo) and the
# OpenVINO SDK, which is the pinned wheel unpacked below .deps/ after its hash was checked.
# --checks: also the compiler, formatter and linter of `make check`; their version is part of the name, because
# another would format otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  g++ cmake ninja-build make pkg-config ccache mold ca-certificates curl unzip python3 python3-pip python3-venv
  libboost1.81-dev libboost-json1.81-dev libcurl4-openssl-dev libpng-dev libjpeg62-turbo-dev libwebp-dev
  libspdlog-dev libfmt-dev libcli11-dev libyaml-cpp-dev prometheus-cpp-dev libsqlite3-dev libssl-dev libutf8proc-dev
  libgtest-dev libgmock-dev
)
if [ "${1:-}" = --checks ]; then
  packages+=(clang-19 libclang-rt-19-dev llvm-19 clang-format-19 clang-tidy-19)
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "setup: installing ${missing[*]}"
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: needs root or sudo to install: ${missing[*]}" >&2; exit 1; }
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

version=2026.4.1
sdk=.deps/openvino
if [ "$(cat "$sdk/.version" 2>/dev/null)" != "$version" ]; then
  echo "setup: fetching the OpenVINO $version SDK"
  rm -rf .deps/wheel "$sdk.new"
  python3 -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
    --dest .deps/wheel --requirement tools/openvino.txt
  mkdir -p "$sdk.new"
  unzip -q .deps/wheel/openvino-*.whl -d "$sdk.new"
  echo "$version" > "$sdk.new/.version"
  rm -rf "$sdk" .deps/wheel
  mv "$sdk.new" "$sdk"
fi
