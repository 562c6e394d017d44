# One verb per concern; `make help` lists them. Needs Python 3.11+ and nothing else: Node comes as a wheel.
PYTHON ?= python3
STAGE ?= dev
PORT ?= 5055
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unrecorded)
BIN := .venv/bin
RUN := $(BIN)/python

# Not to be led to other packages than those that set-up installs, nor to an encoding without all letters.
unexport PYTHONPATH PYTHONHOME
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo up pipeline release rollback down test lint types format synth deploy bench docs lock clean

help: ## list the verbs
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

setup: .venv/.ready ## build the environments (Python, CDK CLI, runtime image) and fetch the data set

.venv/.ready: requirements.lock package-lock.json images/runtime/requirements.txt scripts/setup.py
	$(PYTHON) scripts/setup.py

demo: setup ## the whole loop, offline: deploy, train, release, canary under load, rollback of a bad model
	$(RUN) -m demo --stage $(STAGE)

up: setup ## like demo up to a model that waits for approval; the local cloud stays up (PORT=5055)
	$(RUN) -m demo --keep-running --until approval --port $(PORT) --stage $(STAGE)

pipeline: setup ## the inner loop: redeploy what changed, run the pipeline, show it (needs `make up`)
	$(RUN) -m demo.inner_loop --stage $(STAGE)

down: ## stop the local cloud
	@test ! -x $(RUN) || $(RUN) -m local_cloud down

release: setup ## approve and release one version: make release VERSION=3
	$(RUN) -m releases --stage $(STAGE) start --version $(VERSION) --approve --watch

rollback: setup ## release the version that was live before
	$(RUN) -m releases --stage $(STAGE) rollback --watch

test: setup ## all tests
	$(RUN) -m pytest

lint: setup ## ruff, the import contracts, and generated documentation that is current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(RUN) -m local_cloud coverage --check docs/local-cloud.md

types: setup ## mypy --strict
	$(BIN)/mypy

format: setup ## let ruff format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

synth: setup ## templates into cdk.out; no account needed
	$(RUN) scripts/cdk.py synth --quiet -c stage=$(STAGE) -c commit=$(COMMIT)

deploy: setup ## deploy to whatever AWS the environment points at (a real account, or the local cloud)
	$(RUN) scripts/cdk.py deploy --all -c stage=$(STAGE) -c commit=$(COMMIT)

bench: setup ## the measurements of docs/benchmarks.md
	$(RUN) -m benchmarks

docs: setup ## regenerate the generated documentation
	$(RUN) -m local_cloud coverage --write docs/local-cloud.md

lock: ## resolve the lock files anew from requirements-dev.txt and images/runtime/requirements.in
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements-dev.txt -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header images/runtime/requirements.in -o images/runtime/requirements.txt

clean: ## remove everything that the verbs above made
	@for folder in .local-cloud*/; do test ! -d "$$folder" || $(RUN) -m local_cloud down --state-dir "$$folder"; done
	rm -rf .venv .runtime .cache .data .local-cloud* cdk.out node_modules
