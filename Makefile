# Everything a newcomer needs: `make demo`, `make test`. `make check` is what CI runs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DATA := ../shared/data/heartbeat
# torch comes first, alone: a later install must find the CPU build and keep it
TORCH := torch==2.13.0

.PHONY: demo test oracle check lint types contracts docs docs-check generate build clean

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "$(TORCH)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train,dev]"
	touch $@

demo: $(VENV)/.ready
	$(BIN)/python tools/demo.py --data $(DATA)

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadfile

# traces the whole grid again; `make oracle ORACLE=--update` writes what it finds
ORACLE := --check
oracle: $(VENV)/.ready
	PYTHONPATH=tests $(BIN)/python -m oracle $(ORACLE)

lint: $(VENV)/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.ready
	$(BIN)/mypy

contracts: $(VENV)/.ready
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.ready
	$(BIN)/python tools/generate_docs.py

docs-check: $(VENV)/.ready
	$(BIN)/python tools/generate_docs.py --check
	$(BIN)/python tools/generate_request_schemas.py --check

check: lint types contracts docs-check test

build: $(VENV)/.ready
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
