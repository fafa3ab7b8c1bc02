# `make demo` and `make test` do everything on a fresh machine.

SANDBOX ?= .sandbox
PYTHON_BIN := .venv/bin
PYTEST := $(PYTHON_BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup sandbox sandbox-down demo bench test unit contract e2e page browser check format docs lock

help: ## List what can be made
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## Install what the project needs; quick when nothing changed
	@tools/setup.sh

demo: setup ## Bring the stack up on this machine, make pipelines fail, show who was told, take it down
	@$(PYTHON_BIN)/python -m sandbox demo --folder $(SANDBOX)-demo

sandbox: setup ## Bring the stack up on this machine and leave it up; SANDBOX=folder for a second one
	@$(PYTHON_BIN)/python -m sandbox up --folder $(SANDBOX)

sandbox-down: setup ## Remove a sandbox and all its processes, also after a crash
	@$(PYTHON_BIN)/python -m sandbox down --folder $(SANDBOX)

bench: setup ## Measure scenarios, judging, truth, deployments; one alone: make bench ONLY=truth
	@$(PYTHON_BIN)/python -m sandbox bench --folder .sandbox-bench $(if $(ONLY),--only $(ONLY))

test: check browser ## All checks and all tests
	@$(PYTEST)

page: browser
browser: setup
	@tools/browser.sh

unit contract e2e page: setup ## One kind of test: mocks only, against recordings and servers, the whole, pages
	@$(PYTEST) tests/$@

check: setup ## Formatting, lint, types, the direction of imports, stack files, workflows
	@$(PYTHON_BIN)/ruff format --check --quiet
	@$(PYTHON_BIN)/ruff check --quiet
	@$(PYTHON_BIN)/mypy
	@$(PYTHON_BIN)/lint-imports --no-logo
	@$(PYTHON_BIN)/alertctl check
	@$(PYTHON_BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(PYTHON_BIN)/zizmor --offline --quiet .github/workflows

format: setup ## Format the code
	@$(PYTHON_BIN)/ruff format --quiet
	@$(PYTHON_BIN)/ruff check --quiet --fix

docs: setup ## Write docs/settings.md from the models
	@$(PYTHON_BIN)/python -m alerting.settings.reference > docs/settings.md

lock: setup ## Lock the requirements anew after a change in requirements/
	@tools/lock.sh
