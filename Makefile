# `make demo` and `make test` need Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BACKEND ?= cpu
SERVE ?= 1
PORT ?=
CORES ?= all
CONFIG ?= notebooks/demo.yaml
CPUS := $(shell $(PYTHON) -c 'import os; print(os.cpu_count())')
BIN := $(VENV)/bin
# Names and versions that were tested together; empty it to let pip choose newer ones.
LOCK ?= requirements.lock
PIP_LOCK := $(if $(LOCK),--constraint $(LOCK))
SNAKEMAKE := $(BIN)/snakemake --snakefile notebooks/Snakefile --cores $(CORES) --resources notebooks=$(CPUS) \
	--quiet rules --rerun-incomplete

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint notebooks dashboards lock clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(BIN)/.demo: pyproject.toml $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(PIP_LOCK) --editable '.[$(BACKEND)]'
	@touch $@

$(BIN)/.dev: $(BIN)/.demo
	$(BIN)/python -m pip install --quiet $(PIP_LOCK) --editable '.[$(BACKEND),dev]'
	@touch $@

demo: $(BIN)/.demo  ## train four methods on the phantom, evaluate, compare, open the dashboard (SERVE=0: all but that)
	$(SNAKEMAKE) --configfile notebooks/demo.yaml
	@if [ "$(SERVE)" != 0 ]; then $(BIN)/ganlib dashboard results/demo/runs --study results/demo/study/study.db \
		$(if $(PORT),--port $(PORT)); fi

notebooks: $(BIN)/.demo  ## the notebooks of a study (CONFIG=my.yaml; by default the demo's)
	$(SNAKEMAKE) --configfile $(CONFIG)

dashboards: $(BIN)/.demo  ## serve the dashboard on the demo's runs (RUNS=folder for others)
	$(BIN)/ganlib dashboard $(or $(RUNS),results/demo/runs) $(if $(PORT),--port $(PORT))

test: test-fast  ## every test
	$(BIN)/python -m pytest --numprocesses=auto --dist loadfile -m slow

test-fast: $(BIN)/.dev  ## the tests that train nothing and open no browser
	$(BIN)/python -m pytest --numprocesses=auto -m 'not slow'

lint: $(BIN)/.dev  ## ruff, import contracts, stripped notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify notebooks/*.ipynb dashboards/*.ipynb

lock: $(BIN)/.dev  ## write down the versions that are installed now
	$(BIN)/python -m pip freeze --exclude-editable --exclude ganlib | sed 's/ @ .*//' | LC_ALL=C sort --ignore-case > requirements.lock

clean:  ## remove results and caches, keep the environment
	rm -rf results .pytest_cache .ruff_cache .import_linter_cache .snakemake build *.egg-info
