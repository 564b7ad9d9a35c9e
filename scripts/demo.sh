#!/bin/sh
# Verifies the case uvicorn-824 on this machine alone: bubblewrap and SQLite, no Docker, no Redis.
# Where bubblewrap cannot be had, it says why and runs without isolation. Exits as verify does.
set -u
cd "$(dirname "$0")/.." || exit
unset FIXPROOF_DATABASE_URL FIXPROOF_BROKER_URL FIXPROOF_SANDBOX

can_isolate() {
    .venv/bin/python - <<'PYTHON'
import sys
from runner.adapters.local_sandbox import BubblewrapSandbox
from runner.errors import SandboxUnavailable
try:
    BubblewrapSandbox().check()
except SandboxUnavailable as error:
    sys.exit(f"demo: {error}")
PYTHON
}

not_isolated() {
    echo "demo: NOT ISOLATED: attempts run as plain processes that may do what you may" >&2
}

sandbox=bubblewrap
scripts/system-packages.sh demo && can_isolate || sandbox=process
[ "$sandbox" = bubblewrap ] || not_isolated

set -- .venv/bin/fixproof verify uvicorn-824 --fresh --sandbox "$sandbox"
echo "demo: $*"
echo "demo: does uvicorn 0.12.3 fix the bug that 0.12.2 shows? Less than a minute."
echo
"$@"
code=$?
echo
[ "$sandbox" = bubblewrap ] || not_isolated
cat <<END
demo: fixproof verify ended with exit code $code (0 all claims hold, 1 one is contradicted,
      3 inconclusive, else trouble). Next:
  .venv/bin/fixproof runs                     what is stored
  .venv/bin/fixproof plan uvicorn-824         the cells of that case, without running any
  .venv/bin/fixproof run uvicorn-824 0.12.2   see the bug itself, live
  repros/uvicorn-824.py                       the case; README.md says how to write your own
END
exit "$code"
