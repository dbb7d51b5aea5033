#!/bin/sh
# Pin every dependency by name, version and hash; no registry address is written down. Needs `uv` on the PATH.
set -eu
cd "$(dirname "$0")"
for set in run build dev; do
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
    --no-header "$set.in" -o "$set.txt"
done
