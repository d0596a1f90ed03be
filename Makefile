# Huanxin 号码焕新. `make` alone explains the targets.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Python may keep what it compiled: each of the many processes of a run would compile it all again.
export PYTHONDONTWRITEBYTECODE :=

# Test processes at a time. Many tests wait for servers, so twice as many as two processors could run.
TESTERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help setup run test soak fuzz mutants bench lint format clean

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: .venv/.ready  ## make .venv with everything that is needed, pinned by hash

.venv/.ready: requirements.txt pyproject.toml packaging/huanxin-partner/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Huanxin needs Python 3.11 or newer; say which with make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing what is needed into .venv (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@for one in . packaging/huanxin-partner; do \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e $$one || exit; done
	@touch $@

.venv/.ready-dev: .venv/.ready .venv-synapse/.ready requirements-dev.txt tests/setup_browser.sh tests/setup_node.sh \
		tests/peers/jose/package-lock.json tests/peers/oidc/package-lock.json
	@echo "Installing what the tests need into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@BIN=$(BIN) bash tests/setup_browser.sh
	@bash tests/setup_node.sh
	@touch $@

# In an environment of its own, since what it needs would clash with what we need. It is large: 30 seconds, once.
.venv-synapse/.ready: tests/peers/synapse/requirements.txt
	@echo "Installing Matrix Synapse, which its adapter is tested against, into .venv-synapse ..."
	@$(PYTHON) -m venv --clear .venv-synapse
	@.venv-synapse/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: --require-hashes -r $< \
		|| { [ -z "$$CI" ] && rm -rf .venv-synapse/* && echo "Synapse can't be installed here: its tests are skipped" >&2; }
	@touch $@

run: setup  ## make a world of carriers and partners, run the main job on it, serve the pages on http://127.0.0.1:8600
	$(BIN)/huanxin demo --reports examples/reports --out var/demo

test: .venv/.ready-dev  ## pass all tests
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

soak: export HISTORIES ?= 10000
soak: export FAULTS ?= 1000
soak: export SEED ?= $(shell date +%s)
soak: export SHARES ?= $(shell getconf _NPROCESSORS_ONLN)
soak: .venv/.ready-dev  ## compare the rules with the oracle of tests/oracle on many histories, then let everything die while a platform works (HISTORIES=10000 FAULTS=1000 SEED=1 SHARES=2)
	@echo "SEED=$$SEED, in $$SHARES processes"; \
	seq 0 $$((SHARES - 1)) | xargs -P $$SHARES -I{} env SHARE={} $(BIN)/python -m pytest tests/oracle -s && \
	$(BIN)/python -m pytest tests/storms -s

fuzz: export FUZZ_SECONDS = $(or $(SECONDS),600)
fuzz: export SEED ?= $(shell date +%s)
fuzz: .venv/.ready-dev  ## let whatever reads what others wrote read odd things, for so long in all (SECONDS=600 SEED=1)
	@echo "SEED=$(SEED)"
	$(BIN)/python -m pytest tests/fuzz -s

mutants: .venv/.ready-dev  ## change the rules' code one place at a time and see whether a test notices (WHAT=domain, platform or own)
	$(BIN)/python tests/mutants/run.py $(WHAT)

bench: .venv/.ready-dev  ## time the main job at size beside two obvious builds, owners' orders, pages, a day after many, then partners' stores (TIES="--numbers 100000")
	$(BIN)/huanxin bench
	$(BIN)/huanxin bench orders
	$(BIN)/huanxin bench pages
	$(BIN)/huanxin bench days
	$(BIN)/python examples/partners/bench_ties.py $(TIES)

lint: .venv/.ready-dev  ## style, types, one-way imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.ready-dev  ## put the code in its form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean:  ## remove what was installed and what the demo made; .huanxin and releases are yours and stay
	rm -rf .venv .venv-synapse var
