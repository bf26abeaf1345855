# Four commands: `make run`, `make test`, `make lint`, `make bench`. Each sets up what it needs.

PYTHON ?= python3
PORT   ?= 8307
RULES  ?=
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test lint bench clean

run: $(VENV)/run
	@PORT=$(PORT) RULES=$(RULES) $(BIN)/python examples/start/run.py

test: $(VENV)/test
	@$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/test
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: $(VENV)/test
	@$(BIN)/python -m bench.serve $(BENCH)

$(VENV)/run: requirements/run.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Detour needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/build.txt -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/test: $(VENV)/run requirements/test.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/test.txt
	@touch $@

clean:
	rm -rf $(VENV)
