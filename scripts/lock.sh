#!/bin/sh
# Renews requirements/*.txt from pyproject.toml: versions and hashes, but no address of an index.
# `make lock` keeps what is locked where it still fits; `make lock UPGRADE=1` takes the newest.
set -eu
cd "$(dirname "$0")/.."

lock() {
    name=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url ${UPGRADE:+--upgrade} \
        --output-file "requirements/$name.txt" "$@"
}

lock run pyproject.toml
lock test --constraints requirements/run.txt --group test pyproject.toml
printf 'hatchling\neditables\n' | lock build --constraints requirements/test.txt -
echo uv | lock uv --constraints requirements/run.txt -
