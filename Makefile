# The few commands of the project. Each prepares what it needs on a bare checkout.
PYTHON ?= python3
BIN := .venv/bin
UV := 0.13.9

.PHONY: demo test soak bench lint schema-check screenshots messages clean

.venv: requirements.lock scripts/make_venv.sh
	PYTHON="$(PYTHON)" UV="$(UV)" sh scripts/make_venv.sh
	@touch .venv

demo: .venv
	$(BIN)/python -m smartapp.cli sandbox

test: .venv
	$(BIN)/python -m pytest

soak: .venv
	$(BIN)/python -m pytest -m soak --timeout 3600

bench: .venv
	$(BIN)/python -m bench

lint: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

lock: .venv
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
		--output-file requirements.lock requirements.in requirements-dev.in

messages: .venv
	sh scripts/messages.sh

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache
