# Thin: each line works by hand too. Another Python than python3: make PYTHON=python3.12 demo
PYTHON ?= python3
# A program that builds and runs images: docker, podman.
CONTAINER ?= docker
PIP := -m pip install -qq -c constraints.txt
MELTANO := .venv/bin/meltano
LOADERS := $(basename $(notdir $(wildcard tests/loaders/*.txt)))
DEMO := $(MELTANO) --log-level=warning --environment=demo
DEMO_SYNC = $(MELTANO) --environment=demo run sync >>logs/demo.log 2>&1 || \
  { tail -n 20 logs/demo.log; exit 1; }; sed -n 's/.*\(Synced .* s\).*/\1/p' logs/demo.log | tail -n 1
NEEDS_INSTALL = test -e .meltano/installed || { echo "Nothing is installed yet: run make install"; exit 1; }
# Of `make test-dates`: New Year's Eve, and in UTC the year after. With TESTS=, all tests.
DAY ?= 2029-12-31 20:00:00
ZONE ?= America/Los_Angeles
# Of Dagster's page.
PORT ?= 3000
TESTS ?= not integration

# The same versions also for builds and for what Meltano installs.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

wrong = $(shell ($(PYTHON) -c 'import sys; (3, 10) <= sys.version_info < (3, 14) or \
  sys.exit("Python %d.%d" % sys.version_info[:2])' || false) 2>&1)
needs_python = $(if $(wrong),$(error $(PYTHON) will not do ($(wrong)): Python 3.10 to 3.13 is needed, as in: \
  make PYTHON=python3.13 $(MAKECMDGOALS)))

.PHONY: install demo psql status report schedule unschedule dagster image test test-image test-fast test-dates check stop clean
.DELETE_ON_ERROR:

install: .meltano/installed ## Meltano, the tap, the loader, the sandbox, PostgreSQL and the report

demo: .meltano/installed ## Two budgets of invented data in PostgreSQL, what a delta brings, and the report
	@echo "A sync of two invented budgets into PostgreSQL. (Its log is in logs/demo.log.)"
	@mkdir -p logs && rm -f logs/demo.log && $(DEMO_SYNC)
	@$(DEMO) invoke target-postgres:psql -f demo/loaded.sql
	@echo "A day goes by in the sandbox:"
	@$(DEMO) invoke tap-ynab:sandbox live
	@echo; echo "The next sync."
	@$(DEMO_SYNC)
	@$(DEMO) invoke target-postgres:psql -f demo/delta.sql -f demo/summary.sql
	@.venv/bin/ynab-pipeline --environment=demo status
	@echo
	@echo "Open the database, get a URL of it for other programs, stop everything:"
	@echo "  .venv/bin/ynab-pipeline --environment=demo psql"
	@echo "  $(MELTANO) --environment=demo invoke target-postgres:database reader"
	@echo "  make stop"
	@echo
	@$(MELTANO) --environment=demo invoke report:build

psql: ## The database of the environment that .env chooses, else of the demo
	@$(NEEDS_INSTALL)
	@.venv/bin/ynab-pipeline psql

status: ## When each budget was last synced, what failed, and when the next run is due
	@$(NEEDS_INSTALL)
	@.venv/bin/ynab-pipeline status

report: ## The report of the environment that .env chooses, in output/
	@$(NEEDS_INSTALL)
	@$(MELTANO) invoke report:build

schedule: .meltano/installed ## Run both schedules of meltano.yml on this machine; asks first
	@.venv/bin/ynab-pipeline timers install

unschedule: ## No longer run them; asks first
	@$(NEEDS_INSTALL)
	@.venv/bin/ynab-pipeline timers remove

image: ## A container image; docs/deploy.md says how to run it
	$(CONTAINER) build -f deploy/Containerfile -t tap-ynab .

dagster: .venv-dagster/installed .meltano/installed .meltano/dbt-installed ## Dagster, in the foreground: accounts, syncs, history and logs on a page
	@umask 077 && mkdir -p .data/dagster && cp orchestrate/instance.yaml .data/dagster/dagster.yaml
	@echo "Dagster is at http://127.0.0.1:$(PORT); Ctrl-C ends it"
	@cd orchestrate && umask 077 && DAGSTER_HOME="$(CURDIR)/.data/dagster" \
	  PYTHONWARNINGS=ignore:Function exec ../.venv-dagster/bin/dagster dev --host=127.0.0.1 --port=$(PORT) --log-level=warning

test: .venv-test/installed .venv-loaders/installed .venv-dagster/installed .meltano/installed .meltano/dbt-installed ## The whole suite, with a real PostgreSQL and no network
	.venv-test/bin/pytest -n 4 --dist worksteal # they wait a lot

test-fast: .venv-test/installed ## Tests that need nothing else, PostgreSQL neither
	ANY_SEQUENCE_STEPS=40 .venv-test/bin/pytest -n 3 --dist worksteal -m "not integration and not slow"

test-image: .venv-test/installed ## Builds the image, runs it, and looks at all files in deploy/ with their schemas
	@.venv-test/bin/python $(PIP) --group deploy
	CONTAINER="$(CONTAINER)" .venv-test/bin/pytest tests/deploy

# With Python 3.10, for libfaketime 0.9.10 does not know how later ones sleep. The clock is moved by
# a number of seconds: with a date, it would begin there in each process.
test-dates: export TZ := $(ZONE)
test-dates: .venv-test/installed ## The same on another day, with faketime
	FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f $$(printf %+d $$(($$(date -d "$(DAY)" +%s) - $$(date +%s)))) \
	  .venv-test/bin/pytest -n 4 -m "$(TESTS)"

check: .venv-test/installed ## Linters and types
	.venv-test/bin/ruff check
	.venv-test/bin/ruff format --check
	.venv-test/bin/mypy

stop: ## Stop sandbox and databases; their data stays
	@test ! -e .meltano/installed || for environment in demo local; do \
	  $(MELTANO) --log-level=warning --environment=$$environment invoke target-postgres:database stop; done
	@test ! -e .meltano/installed || $(DEMO) invoke tap-ynab:sandbox stop

clean: ## Remove what runs left behind, data included
	@$(MAKE) --no-print-directory stop
	rm -rf .data .meltano .venv .venv-dagster .venv-loaders .venv-test benchmarks/.venvs logs output transform/logs transform/target

.venv/installed: constraints.txt meltano.pth plugins/ynab-pipeline/pyproject.toml
	@echo "Installing Meltano ..."
	@$(needs_python)$(PYTHON) -m venv --clear .venv
	@.venv/bin/python $(PIP) --upgrade pip
	@.venv/bin/python $(PIP) meltano -e plugins/ynab-pipeline[scheduling]
	@.venv/bin/python -c 'import shutil, sysconfig; shutil.copy("meltano.pth", sysconfig.get_path("purelib"))'
	@touch $@

.meltano/installed: .venv/installed meltano.yml constraints.txt $(wildcard */pyproject.toml plugins/*/pyproject.toml)
	@echo "Installing the tap, the loader, the sandbox, PostgreSQL and the report ..."
	@mkdir -p .meltano && chmod 700 .meltano # a run writes the token there
	@$(MELTANO) --log-level=warning install tap-ynab tap-ynab-reconcile target-postgres report
	@rm -f .meltano/run/*/tap.properties.* .meltano/tenants/*/run/*/tap.properties.* # a catalog of before, without new streams
	@touch $@

# Apart, because neither a sync nor the demo needs it. Meltano also installs it when it is first run.
.meltano/dbt-installed: .meltano/installed meltano.yml transform/requirements.txt
	@echo "Installing dbt ..."
	@PIP_CONSTRAINT= $(MELTANO) --log-level=warning install dbt # it has versions of its own
	@touch $@

.venv-test/installed: pyproject.toml constraints.txt $(wildcard */pyproject.toml plugins/*/pyproject.toml)
	@echo "Installing what the tests need ..."
	@$(needs_python)$(PYTHON) -m venv --clear .venv-test
	@.venv-test/bin/python $(PIP) --upgrade pip
	@.venv-test/bin/python $(PIP) --group dev -e tap-ynab -e plugins/ynab-sandbox -e plugins/project-postgres -e plugins/ynab-pipeline[scheduling] \
	  -e plugins/ynab-report
	@touch $@

.venv-loaders/installed: constraints.txt $(wildcard tests/loaders/*.txt)
	@echo "Installing the other programs that the tests run ..."
	@$(needs_python)set -e; for loader in $(LOADERS); do \
	  $(PYTHON) -m venv --clear .venv-loaders/$$loader; \
	  .venv-loaders/$$loader/bin/python $(PIP) --upgrade pip; \
	  PIP_CONSTRAINT= .venv-loaders/$$loader/bin/python -m pip install -qq --no-deps -r tests/loaders/$$loader.txt; done
	@touch $@

.venv-dagster/installed: orchestrate/requirements.txt plugins/ynab-pipeline/pyproject.toml
	@echo "Installing Dagster ..."
	@$(needs_python)$(PYTHON) -m venv --clear .venv-dagster
	@.venv-dagster/bin/python $(PIP) --upgrade pip
	@PIP_CONSTRAINT= .venv-dagster/bin/python -m pip install -qq -r orchestrate/requirements.txt -e plugins/ynab-pipeline
	@touch $@
