#!/bin/sh
# Runs all tests, to the end whatever fails. The pure part computes while those that take the machine
# for themselves, one after the other, mostly wait; both count for coverage. Then the commands that a
# user types, each in a home of its own, two at a time; those of them that share an engine one by one.
set -u
cd "$(dirname "$0")/.."
failed=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT

.venv/bin/coverage erase
.venv/bin/coverage run --parallel-mode -m pytest tests/unit >"$said" 2>&1 &
pure=$!
.venv/bin/coverage run --parallel-mode -m pytest --ignore tests/unit --ignore tests/e2e || failed=1
wait "$pure" || failed=1
cat "$said"
.venv/bin/coverage combine --quiet && .venv/bin/coverage report || failed=1

.venv/bin/pytest tests/e2e -m "not docker" -n 2 --dist worksteal || failed=1
.venv/bin/pytest tests/e2e -m docker || failed=1
exit "$failed"
