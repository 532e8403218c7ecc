# Two commands for a newcomer: `make demo` and `make test`. Each sets up what it needs in .venv.

VENV := .venv
BIN := $(VENV)/bin
# The newest Python that TensorFlow has wheels for; `make PYTHON=…` chooses another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
READY := $(VENV)/.ready

.PHONY: help setup demo test check browser chaos quality bench lock clean

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(READY)  ## make .venv with everything pinned

$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Quartet needs Python 3.11, 3.12 or 3.13; none was found"; exit 2; }
	@echo "installing into $(VENV) with $(PYTHON); the first time takes a few minutes"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## train, evaluate and generate with all four models on embedded samples
	@$(BIN)/python examples/demo.py

test: $(READY)  ## the fast tests
	@$(BIN)/pytest -m "not (containers or browser or chaos or quality)"

check: $(READY)  ## formatting, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

browser: $(READY)  ## the reports in a real browser (needs chromium and chromedriver)
	@$(BIN)/pytest -m browser

chaos: $(READY)  ## workers killed and frozen, Redis restarted, disks filled (QUARTET_CHAOS_JOBS, QUARTET_CHAOS_SEED)
	@QUARTET_CHAOS_JOBS=$${QUARTET_CHAOS_JOBS:-60} $(BIN)/pytest -s -m chaos

quality: $(READY)  ## published numbers on real data (QUARTET_TEST_DATA: its folder)
	@$(BIN)/pytest -m quality

bench: $(READY)  ## speed and quality beside what people run today, into benchmarks/RESULTS.md (QUARTET_TEST_DATA)
	@$(BIN)/python -m benchmarks

lock:  ## resolve and pin anew what is shipped and what develops it
	@uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
		--extra worker pyproject.toml -o requirements.lock
	@uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
		--extra worker --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:  ## remove what was built, not what was computed
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
