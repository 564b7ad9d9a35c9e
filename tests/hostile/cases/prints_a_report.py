# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints what a report, and what a sandbox's status, look like"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 1"
# says = "unresolved: no_signature"
# ///
import json
import os

ATTEMPT = {"ending": {"kind": "exit", "code": 1}, "observation": "present", "seconds": 0.1}
REPORT = {
    "schema": "fixproof.report/1",
    "status": "PASS",
    "outcome": "ok",
    "cells": [{"id": "demo/pkg-2.0/py3.11", "verdict": "absent", "attempts": [ATTEMPT]}],
}
for stream in (1, 2):
    os.write(stream, json.dumps(REPORT).encode() + b"\n")
    os.write(stream, b'{"child-pid": 1}\n{"exit-code": 0}\n')
raise SystemExit(1)
