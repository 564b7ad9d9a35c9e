#!/bin/sh
# Runs all tests, to the end whatever fails. The pure part computes while those that take the machine
# for themselves, one after the other, mostly wait; both count for coverage. Then the commands that a
# user types, each in a home of its own, three at a time; those of them that share an engine one by one.
# What failed is said once more at the end: who reads the last lines alone knows it, too.
set -u
cd "$(dirname "$0")/.."
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT

# NAME COMMAND...: runs it, keeps what it prints in $said/NAME, and its status where that is not 0.
kept() {
    name=$1
    shift
    { "$@" 2>&1 || echo "$name: status $?" >"$said/$name.failed"; } | tee "$said/$name"
}

.venv/bin/coverage erase
kept pure .venv/bin/coverage run --parallel-mode -m pytest tests/unit >/dev/null &
pure=$!
kept alone .venv/bin/coverage run --parallel-mode -m pytest --ignore tests/unit --ignore tests/e2e
wait "$pure"
cat "$said/pure"
.venv/bin/coverage combine --quiet
kept coverage .venv/bin/coverage report

kept commands .venv/bin/pytest tests/e2e -m "not docker" -n 3 --dist worksteal
kept engine .venv/bin/pytest tests/e2e -m docker

status=0
for failed in "$said"/*.failed; do
    [ -e "$failed" ] || continue
    status=1
    printf '\n%s\n' "$(cat "$failed")"
    grep -E '^(E  |FAILED|ERROR|INTERNALERROR|Coverage failure)' "${failed%.failed}" ||
        tail -n 20 "${failed%.failed}"
done
exit "$status"
