# What a person types. `make test` on a fresh checkout needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q

# Of these versions with these hashes and no others; without the lists (LOCK= TEST_LOCK=), what pyproject.toml allows.
LOCK := $(wildcard requirements.lock)
TEST_LOCK := $(wildcard requirements-test.lock)
COMPILE := $(BIN)/uv -q pip compile pyproject.toml --group build --universal --upgrade --generate-hashes --no-annotate \
  --custom-compile-command 'make lock'
EVERYTHING := .[test,postgres]
install = $(if $(1),$(PIP) --require-hashes -r $(1) && $(PIP) --no-deps --no-build-isolation -e .,$(PIP) -e '$(2)')

.DEFAULT_GOAL := help
.PHONY: help setup story demo dev run test check docs pictures bench faults lock audit dist

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.ready-to-run ## Make .venv and install the bot into it

story: $(VENV)/.ready-to-run ## Play one investigation in a local Slack and a local Datadog, and exit
	@$(BIN)/bits-bot story $(ARGS)

demo: $(VENV)/.ready-to-run ## A page with a local Slack, a local Datadog and the bot, to try everything out
	@$(BIN)/bits-bot demo $(ARGS)

dev: $(VENV)/.ready-to-test ## The bot with the settings of .env, started anew whenever its code changes
	@$(BIN)/watchfiles --filter python --sigint-timeout 30 '$(BIN)/bits-bot run $(ARGS)' bot

run: $(VENV)/.ready-to-run ## The bot against the real Slack and the real Datadog
	@$(BIN)/bits-bot run $(ARGS)

# Python is compiled once, not by each worker and each bot that a test starts, whatever the environment says of that.
test faults: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/.ready-to-test ## Every test
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(VENV)/.ready-to-test ## Lint, format, types, dead code, the rooms' import rules, and the documents' links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

docs: $(VENV)/.ready-to-test ## Write the documents' tables and manifest.yml anew from the code
	@$(BIN)/python -m tests.docs

pictures: $(VENV)/.ready-to-test ## Draw every surface into build/pictures, and the documents' pictures anew
	@$(BIN)/python -m tests.pictures $(ARGS)

bench: $(VENV)/.ready-to-test ## Measure
	@test -e tests/benchmarks || { echo "There are no benchmarks in this checkout (tests/benchmarks)."; exit 1; }
	$(BIN)/python -m tests.benchmarks $(ARGS)

faults: $(VENV)/.ready-to-test ## Break things on purpose: killed bots, lost answers
	@test -e tests/faults || { echo "There are no fault tests in this checkout (tests/faults)."; exit 1; }
	$(BIN)/python -m pytest tests/faults -m "faults or not faults" $(ARGS)

lock: $(VENV)/.made ## Write the lists of packages anew, with the newest versions that pyproject.toml allows
	@$(PIP) uv
	$(COMPILE) --extra postgres -o requirements.lock
	$(COMPILE) --extra postgres --extra test -c requirements.lock -o requirements-test.lock

# Stories that lean on every package that is shipped: installs by OAuth, clicks, conclusions, a proxy, settings, files with rules.
SMOKE := tests/e2e/test_install_and_leave.py tests/e2e/test_ways_to_start.py tests/test_network.py tests/test_config.py tests/rules/test_file.py

dist: $(VENV)/.made ## Build wheel and sdist, and try them with the oldest and the newest packages that pyproject.toml allows
	@$(PIP) uv
	rm -rf dist build/dist && mkdir -p build/dist
	$(BIN)/uv -q build
	@for with in lowest-direct highest; do \
	  echo "With the $$with versions ..."; \
	  python=build/dist/$$with && \
	  $(BIN)/uv -q venv --python $(BIN)/python $$python && \
	  $(BIN)/uv -q pip install --python $$python --resolution $$with "$$(ls dist/*.whl)[postgres]" && \
	  (cd build/dist && $$with/bin/bits-bot --version && $$with/bin/bits-bot story >/dev/null) && \
	  $(BIN)/uv -q pip install --python $$python pytest pytest-asyncio pytest-timeout hypothesis && \
	  $$python/bin/python -m pytest $(SMOKE) || exit 1; \
	done

audit: $(VENV)/.made ## Ask the index of advisories about every locked package
	@$(PIP) pip-audit
	@$(BIN)/python -m tests.advisories requirements-test.lock

# Each stamp is younger than pyproject.toml and its lock once its packages are in, so that a second call does nothing.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) was not found. Install Python 3.11 or newer, or name yours: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Bits Bot needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python could not make $(VENV). On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.ready-to-run: pyproject.toml $(LOCK) $(VENV)/.made
	@echo "Installing into $(VENV) ..."
	@$(call install,$(LOCK),.)
	@touch $@

$(VENV)/.ready-to-test: pyproject.toml $(TEST_LOCK) $(VENV)/.made
	@echo "Installing into $(VENV), with what the tests need ..."
	@$(call install,$(TEST_LOCK),$(EVERYTHING))
	@touch $@ $(VENV)/.ready-to-run
