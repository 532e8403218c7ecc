# Two commands for a newcomer: `make demo` and `make test`. Each sets up what it needs in .venv.

VENV := .venv
BIN := $(VENV)/bin
# The newest Python that TensorFlow has wheels for; `make PYTHON=…` chooses another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
READY := $(VENV)/.ready

# A file that could not be written whole would be taken for made.
.DELETE_ON_ERROR:

.PHONY: help setup demo test check browser chaos containers quality bench env images sbom lock clean

help:  ## list these targets
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
	@$(BIN)/pytest -n 2 --dist loadfile -m "not (containers or browser or chaos or quality)"

check: $(READY)  ## formatting, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile.gpu

browser: $(READY)  ## the reports in a real browser (needs chromium and chromedriver)
	@$(BIN)/pytest -n 2 --dist loadfile -m browser tests/report

chaos: $(READY)  ## workers killed and frozen, Redis restarted, disks filled (QUARTET_CHAOS_JOBS, QUARTET_CHAOS_SEED)
	@QUARTET_CHAOS_JOBS=$${QUARTET_CHAOS_JOBS:-60} $(BIN)/pytest -s -m chaos

containers: $(READY)  ## the images and docker compose, for real (needs a Docker engine)
	@$(BIN)/pytest -s -m containers --durations=10 tests/containers

# It promises what a machine achieves within three minutes, so it has the machine for itself.
TIMED := tests/tasks/textgen/test_quality.py
# A long file that began last would leave the other core idle.
LONG := tests/house/ tests/tasks/ tests/sweeps/ tests/notebook/
LONG_FIRST := $(LONG) $(filter-out $(LONG),$(dir $(wildcard tests/*/__init__.py)))

quality: $(READY)  ## published numbers on real data, and what needs the processor for long (QUARTET_TEST_DATA: its folder)
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m quality --durations=10 --deselect $(TIMED) $(LONG_FIRST)
	@$(BIN)/pytest -m quality $(TIMED)

bench: $(READY)  ## speed and quality beside notebooks and PyTorch, into benchmarks/RESULTS.md (QUARTET_TEST_DATA)
	@$(BIN)/python -m benchmarks

LOCK := uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11

# Each password is in a file that everyone may read, in a folder that only its owner may enter: in the container
# a user other than the owner must be able to read it.
env: .env secrets/redis_password secrets/flower_password  ## write .env and random passwords, which docker compose needs

.env:
	@uid=$$(id -u) gid=$$(id -g); \
	if [ "$$uid" = 0 ]; then uid=1000 gid=1000; chown 1000:1000 results; \
		echo "you are root, and workers must not be: they run as user 1000, who now owns ./results"; fi; \
	project=$$(printf 'quartet-%08x' "$$(printf %s "$$(pwd -P)" | cksum | cut -d ' ' -f 1)"); \
	sed -e "s/^WORKER_UID=.*/WORKER_UID=$$uid/" -e "s/^WORKER_GID=.*/WORKER_GID=$$gid/" \
		-e "s/^#COMPOSE_PROJECT_NAME=.*/COMPOSE_PROJECT_NAME=$$project/" .env.example >$@
	@echo "wrote .env, which describes what it may set"

secrets/%_password:
	@umask 077 && mkdir -p secrets && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >$@ && chmod 444 $@
	@echo "wrote a random password to $@"

REVISION = $$(git describe --always --abbrev=40 --exclude='*' --dirty)
BUILD = docker build -f Dockerfile.gpu --build-arg REVISION=$(REVISION)

images:  ## build the container images: with CUDA, for machines without a GPU, and of the dashboards
	$(BUILD) -t quartet-worker:cuda .
	$(BUILD) -t quartet-worker:cpu --build-arg CUDA=no .
	$(BUILD) -t quartet-dashboards --target dashboards .

sbom: dist/requirements-gpu.cdx.json dist/requirements.cdx.json dist/requirements-dashboards.cdx.json  ## list what pip installs into the images, in dist/

dist/%.cdx.json: %.lock pyproject.toml $(READY)
	@mkdir -p dist
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o $@ $<
	@echo "wrote $@"

lock:  ## resolve and pin all dependencies again (needs uv)
	@$(LOCK) pyproject.toml --extra worker --extra store --extra notify -o requirements.lock
	@$(LOCK) pyproject.toml --extra worker --extra store --extra notify --extra gpu -c requirements.lock -o requirements-gpu.lock
	@awk '/^[a-z]/ {kept = /^nvidia-.*-cu[0-9]+==/} kept && !/^ *#/' requirements-gpu.lock >requirements-nvidia.lock
	@$(LOCK) pyproject.toml --extra dashboards --extra store --extra exporter -c requirements.lock -o requirements-dashboards.lock
	@$(LOCK) --group build -c requirements.lock -o requirements-build.lock
	@$(LOCK) pyproject.toml --extra worker --extra store --extra exporter --extra notify --extra dev -c requirements.lock -o requirements-dev.lock

clean:  ## remove .venv and caches, but no results
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
