# Two commands for a bare machine: `make demo` and `make test`. See README.md.

PYTHON ?= python3
export PYTHON

RUN = .venv/.set-up-run
TEST = .venv/.set-up-test

.PHONY: help demo test check soak boundaries bench set-up lock schemas clean

ATTEMPTS ?= 1000
ROUNDS ?= 200
.DELETE_ON_ERROR:

help:
	@echo 'make demo    verify the case uvicorn-824 on this machine'
	@echo 'make test    everything that must hold: checks, tests, coverage'
	@echo 'make check   ruff, mypy, import-linter'
	@echo 'make bench   what it costs, as ratios'
	@echo 'make soak    a thousand attempts, hostile and good; hundreds of faults of the service'
	@echo 'make boundaries  bisect and sweep of each case, against each other and what is true'
	@echo 'make set-up  only make .venv, with all that running and testing need'
	@echo 'make lock    renew requirements/ (UPGRADE=1: to the newest versions)'
	@echo 'make schemas renew docs/schemas'
	@echo 'make clean   remove what the others made in this folder'

demo: $(RUN)
	@scripts/demo.sh

test: $(TEST)
	@scripts/system-packages.sh || [ "$$CI" != true ]
	@$(MAKE) --no-print-directory check
	@scripts/tests.sh

check: $(TEST)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

# What a machine has to endure now and then: a thousand attempts that mean harm, or well, and what
# a thousand simulated bisections state wrongly.
soak: $(TEST)
	.venv/bin/python -m tests.soak $(ATTEMPTS) bubblewrap
	.venv/bin/python -m tests.soak $(ATTEMPTS) docker
	.venv/bin/python -m tests.service.soak $(ROUNDS)
	.venv/bin/python -m benchmarks.bisection_odds $(ATTEMPTS)

# What bisect and sweep find of the cases in repros/, held against each other and against what is
# true: some minutes of the package index and of bubblewrap.
boundaries: $(TEST)
	.venv/bin/python -m tests.boundaries $(CASES)

# Figures as ratios of one run; the second and the third need a container engine.
bench: $(TEST)
	.venv/bin/python -m benchmarks.main_job
	.venv/bin/python -m benchmarks.containment
	.venv/bin/python -m benchmarks.sweep
	.venv/bin/python -m benchmarks.nightly
	.venv/bin/python -m benchmarks.service

set-up: $(TEST)

lock: $(TEST)
	scripts/lock.sh

# What is published of the JSON that fixproof prints; tests say when it is out of date.
schemas: $(TEST)
	.venv/bin/python -m tests.schemas

clean:
	rm -rf .venv .tools .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache

# Where it is gone, as after an upgrade of the Python that it points to, set-up is done again.
.venv/bin/python:
	@:

$(RUN): .venv/bin/python pyproject.toml requirements/run.txt requirements/build.txt requirements/uv.txt
	@scripts/set-up.sh run
	@touch $@

$(TEST): $(RUN) requirements/test.txt
	@scripts/set-up.sh test
	@touch $@
