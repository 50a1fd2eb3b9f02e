# Thin: each line works by hand too. Another Python than python3: make PYTHON=python3.12 demo
PYTHON ?= python3
PIP := -m pip install --disable-pip-version-check -q -c constraints.txt
MELTANO := .venv/bin/meltano
LOADERS := $(basename $(notdir $(wildcard tests/loaders/*.txt)))
DEMO := $(MELTANO) --log-level=warning --environment=demo

.PHONY: install demo test check stop clean
.DELETE_ON_ERROR:

install: .meltano/installed ## Meltano, the tap, the loader, the sandbox and PostgreSQL

demo: .meltano/installed ## Two budgets of invented data in PostgreSQL, and what a delta brings
	@echo "First sync: everything, the first time. (Meltano's own lines are in logs/demo.log.)"
	@mkdir -p logs && $(DEMO) --log-level=info run sync >logs/demo.log 2>&1 || { tail -n 20 logs/demo.log; exit 1; }
	@echo; echo "A day goes by in the sandbox:"
	@$(DEMO) invoke tap-ynab:sandbox live
	@echo; echo "Second sync: only what changed."
	@$(DEMO) --log-level=info run sync >>logs/demo.log 2>&1 || { tail -n 20 logs/demo.log; exit 1; }
	@$(DEMO) invoke target-postgres:psql -f demo/delta.sql
	@$(DEMO) invoke target-postgres:psql -v state="$$($(DEMO) state get demo:tap-ynab-to-target-postgres)" -f demo/summary.sql
	@echo "Open the database:  $(MELTANO) --environment=demo invoke target-postgres:psql"
	@echo "Its URL:            $(MELTANO) --environment=demo invoke target-postgres:database url"
	@echo "Stop everything:    make stop"

test: .venv-test/installed .venv-loaders/installed .meltano/installed ## The whole suite, with a real PostgreSQL and no network
	.venv-test/bin/pytest -n 4 # they wait a lot

check: .venv-test/installed ## Linters and types
	.venv-test/bin/ruff check
	.venv-test/bin/ruff format --check
	.venv-test/bin/mypy

stop: ## Stop sandbox and databases; their data stays
	@for environment in demo local; do \
	  $(MELTANO) --log-level=warning --environment=$$environment invoke target-postgres:database stop; done
	@$(DEMO) invoke tap-ynab:sandbox stop

clean: ## Remove what runs left behind, data included
	test ! -d .meltano || $(MAKE) stop
	rm -rf .data .meltano .venv .venv-loaders .venv-test benchmarks/.venvs logs

.venv/installed: constraints.txt
	@echo "Installing Meltano ..."
	@$(PYTHON) -m venv .venv && .venv/bin/python $(PIP) meltano
	@touch $@

.meltano/installed: .venv/installed meltano.yml constraints.txt $(wildcard */pyproject.toml plugins/*/pyproject.toml)
	@echo "Installing the tap, the loader, the sandbox and PostgreSQL ..."
	@$(MELTANO) --log-level=warning install
	@touch $@

.venv-test/installed: pyproject.toml constraints.txt $(wildcard */pyproject.toml plugins/*/pyproject.toml)
	@echo "Installing what the tests need ..."
	@$(PYTHON) -m venv .venv-test && .venv-test/bin/python $(PIP) "pip>=25.1"
	@.venv-test/bin/python $(PIP) --group dev -e tap-ynab -e plugins/ynab-sandbox -e plugins/project-postgres -e plugins/ynab-pipeline
	@touch $@

.venv-loaders/installed: $(wildcard tests/loaders/*.txt)
	@echo "Installing the other loaders that the tests run ..."
	@set -e; for loader in $(LOADERS); do \
	  $(PYTHON) -m venv .venv-loaders/$$loader; \
	  .venv-loaders/$$loader/bin/python -m pip install --disable-pip-version-check -q --no-deps -r tests/loaders/$$loader.txt; done
	@touch $@
