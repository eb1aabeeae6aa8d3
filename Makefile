# Each verb sets up what it needs: `make demo` and `make test` work in a fresh clone with Python 3.11 to 3.13 and a C++ compiler.

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do $$name -c '' 2>/dev/null && echo $$name && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt

# Annoy comes as source. Its own default is -march=native, which makes an environment that breaks on another machine.
export ANNOY_COMPILER_ARGS := -O3,-ffast-math,-fno-associative-math,-DANNOYLIB_MULTITHREADED_BUILD,-std=c++14
ANNOY := --no-binary annoy --no-cache-dir annoy

.PHONY: help setup demo test test-slow lint type format bench nightly pages docs eval wheel lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.stamp-dev ## Make the environment for development in .venv

demo: $(VENV)/.stamp-base ## Index a dozen recordings and let the simulated phone recognize them
	$(BIN)/nowplaying demo

# A file's tests stay in one process, for they share what is slow to make.
test: $(VENV)/.stamp-dev ## Run the tests; TESTS=tests/detector runs some
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(TESTS)

test-slow: $(VENV)/.stamp-dev ## Run the notebooks, the smallest benchmarks and the emulated firmware
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

lint: $(VENV)/.stamp-dev ## Check style (ruff) and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(VENV)/.stamp-dev ## Check types (mypy --strict)
	$(BIN)/mypy

format: $(VENV)/.stamp-dev ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.stamp-dev ## Measure speed, size and memory
	for script in benchmarks/bench_*.py; do $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

# The tests have a short form of this; a night is enough for it.
nightly: $(VENV)/.stamp-dev ## Kill 2,000 writers and damage 10,000 databases; fails if anything is lost or accepted
	$(BIN)/python -m evaluation.endurance.endure --kills 2000 --cases 10000

pages: $(VENV)/.stamp-dev ## Write the generated figures of README, docs and model cards anew
	$(BIN)/python -m evaluation.pages --write
	$(BIN)/python -m nowplaying.api.reference --write

# Needs mkdocs-material, which is installed first.
docs: $(VENV)/.stamp-dev ## Build the pages as a site in site/
	$(PIP) -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# docs/data.md says what a corpus is and where to find one.
eval: $(VENV)/.stamp-dev ## Evaluate retrieval: EVAL_ARGS="--corpus C --cache-dir D"
	$(BIN)/nowplaying evaluate retrieval $(EVAL_ARGS)

wheel: $(VENV)/.stamp-base ## Build the wheel into dist/
	$(PIP) build
	rm -rf build dist
	$(BIN)/python -m build --wheel --config-setting=--global-option=--quiet --outdir dist

# Versions that are there already are kept where they still fit; delete the file first for the newest of everything.
lock: $(VENV)/.stamp-dev ## Write constraints.txt, the versions that CI installs, from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --quiet $(addprefix --extra ,train micro report serve cluster docs dev) --universal \
	  --python-version 3.11 --no-annotate --custom-compile-command "make lock" --output-file constraints.txt

clean: ## Remove what builds and tools left
	rm -rf build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage *.egg-info

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 to 3.13 on the path; install one or set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is too old; install Python 3.11 or set PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "make: on Debian and Ubuntu, install the package python3.11-venv, or that of your Python" >&2; exit 1; }

$(VENV)/.stamp-base: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) $(ANNOY)
	$(PIP) -e .
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-base
	$(PIP) -e '.[train,micro,report,cluster,dev]'
	@touch $@
