# `make` explains itself.
.DEFAULT_GOAL := help
.PHONY: help install demo up down pictures bench detect test lint types check generate docs lock clean
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# Where the system keeps its certificates (a bank's own among them), uv is to trust them rather than its own.
UV := .venv/bin/uv $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),--system-certs)
# Accessibility tests run where npm can fetch this, and skip where it can't. Another file than the known one is thrown away.
AXE := axe-core@4.14.1
AXE_SUM := tests/reports/axe.sha256
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

help: ## Show what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install everything, at the locked versions, into .venv

# uv is itself taken from the hashed lock, then installs the rest of it.
$(INSTALLED): requirements.lock pyproject.toml $(AXE_SUM)
	@echo "installing into .venv (a minute or two, the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@awk '/^uv==/ {on=1} on {print} on && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock
	@$(UV) pip sync --quiet --compile-bytecode --python .venv --require-hashes requirements.lock
	@$(UV) pip install --quiet --python .venv --no-deps --editable .
	@rm -rf .venv/axe && mkdir .venv/axe
	@cd .venv/axe && npm install --prefix . --no-save --no-package-lock --silent --fetch-retries 0 --fetch-timeout 20000 \
		$(AXE) >/dev/null 2>&1 && sha256sum --check --status ../../$(AXE_SUM) || rm -rf ../axe
	@touch $@

demo: $(INSTALLED) ## Build a miniature bank, watch it with a real Airflow, show messages, incidents and report
	@$(BIN)/python -m demo run

up: $(INSTALLED) ## Keep the demonstration's Airflow and report running for browsing
	@$(BIN)/python -m demo up

down: $(INSTALLED) ## Stop what `make up` started, and only that
	@$(BIN)/python -m demo down

pictures: $(INSTALLED) ## Take the README's pictures anew from the demonstration (needs Chromium)
	@$(BIN)/python -m demo.picture

bench: $(INSTALLED) ## Measure the cost beside a bare scan and peers, into docs/performance.md (ARGS="--size small")
	@$(BIN)/python -m benchmarks $(ARGS)

detect: $(INSTALLED) ## Put faults into quiet data: who notices, when, and what else they say (ARGS="--seeds report")
	@$(BIN)/python -m benchmarks.incidents $(ARGS)

test: check ## Install, then lint, check types and layers, and run every test
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: $(INSTALLED) lint types ## Lint, check types and the import contract

lint: $(INSTALLED) ## Lint and check the formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED) ## Check types and which room may import which
	@$(BIN)/mypy
	@$(BIN)/lint-imports

generate: $(INSTALLED) ## Remake generated files (a test checks them against their source)
	@$(BIN)/python -m models.load
	@$(BIN)/python -m checks.expectation_types
	@$(BIN)/python -m watchkeeper.reference
	@$(BIN)/python -m service.reference

docs: $(INSTALLED) ## Build the documentation into .docs-site, and check its links
	@$(BIN)/mkdocs build --strict --quiet
	@echo ".docs-site/index.html"

lock: $(INSTALLED) ## Resolve pyproject.toml anew into requirements.lock
	@$(UV) pip compile pyproject.toml --extra all --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade -o requirements.lock

clean: ## Remove the demonstration and every cache, but not .venv
	@rm -rf .demo .bench .docs-site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
