#!/bin/sh
# Makes .venv and puts fixproof and what it needs into it; run again, it brings .venv up to date.
#
#   scripts/set-up.sh run|test
#
# Needs one Python (3.11 or later) with pip, and nothing else: no venv module, no compiler. uv, by
# pip beside the system's packages into .tools, does the rest. Hashes are checked throughout.
set -eu
cd "$(dirname "$0")/.."
requirements=requirements/$1.txt

say() { echo "set-up: $*"; }
stop() {
    say "$*" >&2
    exit 1
}

PYTHON=${PYTHON:-python3}
# The interpreter itself, where that is but a shim.
python=$("$PYTHON" -c 'import sys; print(sys.executable)') ||
    stop "there is no $PYTHON; Debian and Ubuntu have it in the package python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$("$python" --version) is too old, 3.11 or later is needed;" \
        "where there is one of another name: make PYTHON=python3.12 ..."

if ! cmp -s requirements/uv.txt .tools/installed.txt; then
    "$python" -m pip --version >/dev/null 2>&1 ||
        stop "$python has no pip; Debian and Ubuntu have it in the package python3-pip"
    say "getting uv"
    rm -rf .tools
    PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore \
        "$python" -m pip install --quiet --disable-pip-version-check --target .tools \
        --only-binary :all: --require-hashes --requirement requirements/uv.txt
    cp requirements/uv.txt .tools/installed.txt
fi

uv() { .tools/bin/uv --quiet "$@"; }

if ! .venv/bin/python -c '' 2>/dev/null; then
    say "making .venv with $("$python" --version)"
    uv venv --clear --no-project --python "$python" --no-python-downloads .venv
fi
say "installing $requirements and fixproof"
uv pip install --python .venv/bin/python --no-build --require-hashes --requirement "$requirements"
# Editable: the tree is the program. Its build back end is pinned, and stays out of .venv.
uv pip install --python .venv/bin/python --no-deps --build-constraints requirements/build.txt \
    --editable .
