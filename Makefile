# The two commands a newcomer needs are `make run` and `make test`; the rest is for people who change the code.
.DEFAULT_GOAL := help
BIN := .venv/bin
CONFIG ?= config.toml
# -n: one test process more than there are cores; each test takes its own ports and files. Whole modules are handed out,
# in the order of tests/conftest.py: the slow ones first.
PYTEST ?= $(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder
# Our own code is compiled once and not by each of the many processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: audit help run demo practice setup setup-test test check bench side-by-side browser-leaks fuzz faults soak format lock dashboards wheel clean

help:                 ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: setup            ## the practice portal, its mail server and the monitor, on 127.0.0.1; Ctrl-C ends them
	@exec $(BIN)/python -m monitor run --practice --config $(CONFIG)

demo: setup           ## a month of the practice portal in simulated time, and its SLA report, into var/demo
	@$(BIN)/python -m monitor demo

practice: setup       ## only the practice portal
	@exec $(BIN)/python -m monitor practice --config $(CONFIG)

setup: .venv/ready    ## create .venv with the locked dependencies; as root also the Debian libraries that PDF needs
setup-test: .venv/ready-test

.venv/ready: requirements.lock .ci/setup
	@.ci/setup run
.venv/ready-test: requirements-dev.lock .ci/setup
	@.ci/setup test

test: setup-test      ## every test; says what was skipped and why
	@$(PYTEST)

check: setup-test     ## format, lint, types, import rules, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m dashboards.build --check

bench: setup-test     ## how fast, beside others, in some minutes; figures into benchmarks/latest.json
	@.ci/setup bench
	@timeout 1200 $(BIN)/python -m benchmarks

side-by-side: setup-test ## twenty-two targets as blackbox_exporter and as Loketwacht see them
	@.ci/setup bench
	@timeout 180 $(BIN)/python -m benchmarks.side_by_side

browser-leaks: setup-test ## 200 failing browser runs, and what they leave behind
	@timeout 1800 $(BIN)/python -m benchmarks.browser_leaks

fuzz: setup-test      ## five thousand hostile answers that no test has sent before, to both engines; counts of what came of them
	@timeout 1800 $(BIN)/pytest tests/integration/probes/test_hostile_bytes.py -p no:randomly --hypothesis-profile fuzz --hypothesis-show-statistics

faults: setup-test    ## break the running monitor in every way we know, and count what is lost; some minutes
	@.ci/setup faults
	@timeout 900 $(BIN)/python -m tests.faults

soak: setup-test      ## the same with new seeds for MINUTES (120)
	@.ci/setup faults
	@$(BIN)/python -m tests.faults --minutes $(or $(MINUTES),120)

audit: setup-test     ## known holes in what the lock file names (pip-audit, asks pypi.org), and ruff's security rules over our own code
	$(BIN)/ruff check --select S --ignore S101 monitor probes sla dashboards
	@.ci/audit

format: setup-test    ## format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dashboards: setup-test ## write the Grafana dashboards anew
	$(BIN)/python -m dashboards.build

wheel: setup-test     ## build the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

# The lock files carry hashes and name no index.
LOCK = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml
lock:                 ## renew both lock files from pyproject.toml; needs uv
	$(LOCK) --group build -o requirements.lock
	$(LOCK) --group build --group dev -o requirements-dev.lock

clean:                ## remove what was made here, the data in var/ excepted
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
