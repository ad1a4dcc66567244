# The few commands of the project. Each prepares what it needs on a bare checkout.
PYTHON ?= python3
BIN := .venv/bin
UV := 0.13.9

.PHONY: demo test soak bench lint lock coverage screenshots messages ohif clients clean

.venv: requirements.lock scripts/make_venv.sh
	PYTHON="$(PYTHON)" UV="$(UV)" sh scripts/make_venv.sh
	@touch .venv

demo: .venv
	$(BIN)/python -m smartapp.cli sandbox

# Half as many processes again as there are processors: tests with a browser, a database or a hospital wait a lot.
WORKERS := $(shell expr $$(nproc) \* 3 / 2)

test: .venv
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

soak: .venv .venv-schemathesis
	$(BIN)/python -m pytest -m soak --timeout 3600 --hypothesis-profile explore
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --hypothesis-profile explore --ignore tests/journey --ignore tests/sandbox

# Tests with coverage, and what of the lines changed since BASE is covered.
BASE ?= HEAD~1
coverage: .venv
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage xml --quiet
	$(BIN)/diff-cover coverage.xml --compare-branch $(BASE)

screenshots: .venv
	SMARTAPP_PICTURES=docs/pictures $(BIN)/python -m pytest tests/journey -k pictures_for_the_readme

bench: .venv .venv-toolkit
	$(BIN)/python -m bench

lint: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

# A FHIR server that others wrote, in a virtual environment of its own: the journey's tests put it behind the sandbox.
.venv-sekmet: tests/sandbox/ehr/sekmet.lock .venv
	$(PYTHON) -m venv .venv-sekmet
	$(BIN)/uv pip sync --quiet --python .venv-sekmet/bin/python --require-hashes tests/sandbox/ehr/sekmet.lock
	@touch .venv-sekmet

# What asks for everything that /openapi.json says, by itself: as a pytest plugin it would slow every run down.
.venv-schemathesis: tests/soak/schemathesis.lock .venv
	$(PYTHON) -m venv .venv-schemathesis
	$(BIN)/uv pip sync --quiet --python .venv-schemathesis/bin/python --require-hashes tests/soak/schemathesis.lock
	@touch .venv-schemathesis

# An authorization server of somebody else's, which `make bench` measures ours against.
.venv-toolkit: bench/toolkit/requirements.lock .venv
	$(PYTHON) -m venv .venv-toolkit
	$(BIN)/uv pip sync --quiet --python .venv-toolkit/bin/python --require-hashes bench/toolkit/requirements.lock
	@touch .venv-toolkit

# The viewer that measures, in var/ohif: the sandbox serves it where it is there.
ohif:
	sh scripts/ohif.sh

# Clients that others wrote, for tests/clients.
clients: .venv
	PYTHON="$(PYTHON)" sh scripts/clients.sh

lock: .venv
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
		--output-file requirements.lock requirements.in requirements-dev.in

messages: .venv
	sh scripts/messages.sh

clean:
	rm -rf .venv .venv-sekmet .venv-clients .venv-schemathesis .venv-toolkit var .mypy_cache .ruff_cache .pytest_cache
