#!/bin/sh
# Runs all tests, to the end whatever fails: those that take the machine for themselves one after
# the other, with coverage; the commands that a user types, each in a home of its own, two at a
# time; and of these the ones that share an engine, again one by one.
set -u
cd "$(dirname "$0")/.."
failed=0
.venv/bin/coverage run -m pytest --ignore tests/e2e || failed=1
.venv/bin/coverage report || failed=1
.venv/bin/pytest tests/e2e -m "not docker" -n 2 --dist worksteal || failed=1
.venv/bin/pytest tests/e2e -m docker || failed=1
exit "$failed"
