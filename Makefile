# Everything a person runs. Each target sets the project up first, which costs nothing the second time.
PYTHON ?= python3
ENV ?= prod
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# The CDK asks for no telemetry, notices or newer versions: the package registries are the only network we use.
export CDK_DISABLE_CLI_TELEMETRY := true
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := true

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint synth bench lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install the pinned tools into this folder (the other targets do it by themselves)
	@$(PYTHON) scripts/bootstrap.py

demo: setup ## Back a real PostgreSQL up through the synthesized system, and see failures caught
	@$(BIN)/python -m devtools.demo

test: lint ## Lint, then every test
	@$(BIN)/python -m pytest -n 3 --dist loadgroup

lint: setup ## ruff, mypy, the direction of imports, shell scripts, the Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/shellcheck --external-sources --source-path=SCRIPTDIR scripts/*.sh .ci/run
	@$(BIN)/hadolint lambda_src/Dockerfile

synth: setup ## Write CloudFormation to cdk.out (ENV=prod|staging|dev)
	@rm -rf cdk.out
	@node_modules/.bin/cdk synth --quiet --context env=$(ENV)
	@$(BIN)/python scripts/show_synth.py

bench: setup ## Compare backup and restore with the plain tools
	@$(BIN)/python -m benchmarks.backup
	@$(BIN)/python -m benchmarks.restore

lock: setup ## Compile the pinned requirements anew (maintainers)
	@scripts/lock.sh

clean: ## Remove what the other targets wrote
	rm -rf .venv node_modules cdk.out build .pytest_cache .mypy_cache .ruff_cache .hypothesis
