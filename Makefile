# The only door: CI calls these targets and nothing else. Bare `make` prints the list.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
ARGS ?=

.PHONY: help setup run test check fix bench certify pictures clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Run the demo: gateway, SMSC, callback receiver; prints a curl to paste
	@$(BIN)/loa demo $(ARGS)

setup: $(VENV)/.installed ## Make .venv with .venv/bin/loa

test: $(VENV)/.ready .tools ## Run every test (ARGS=… goes to pytest)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: $(VENV)/.ready ## Everything that runs no program: format, lint, types, layers, house rules
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@$(BIN)/mypy && $(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q tests/house

fix: $(VENV)/.ready ## Format and mend what can be mended by machine
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(VENV)/.ready ## Measure Loa on both ledgers, beside Kannel where it is installed (ARGS="e2e-1 --runs 5")
	@$(BIN)/python bench/run.py $(ARGS)

certify: $(VENV)/.installed ## Prove that nothing accepted is lost: 200 kills and more (ARGS="--engine postgres")
	@$(BIN)/loa certify --rounds 200 $(ARGS)

pictures: $(VENV)/.ready ## Take the pictures of the README anew
	@$(BIN)/python packaging/pictures.py

clean: ## Remove what was made here, but not the data in .loa
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/bin bench/out

$(VENV)/bin/python:
	@sh packaging/make-venv.sh $(PYTHON) $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements/build.txt requirements/run.txt pyproject.toml
	@echo "Setting up $(VENV) …" >&2
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable . && touch $@

$(VENV)/.ready: $(VENV)/.installed requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt && touch $@

.PHONY: .tools
.tools:
	@sh packaging/test-tools.sh
