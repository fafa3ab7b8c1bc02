# `make demo` and `make test` do everything on a fresh machine.

SANDBOX ?= .sandbox
PYTHON_BIN := .venv/bin
PYTEST := $(PYTHON_BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup sandbox sandbox-down demo drill-full bench soak test unit judging tools commands properties contract scenarios e2e page browser ci-local check format docs lock

help: ## List what can be made
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## Install what the project needs; quick when nothing changed
	@tools/setup.sh

demo: setup ## Bring the stack up on this machine, make pipelines fail, show who was told, take it down
	@$(PYTHON_BIN)/python -m sandbox demo --folder $(SANDBOX)-demo

drill-full: setup ## Play what takes minutes in a sandbox of its own: incidents, storms, silences; one alone: ONLY=storm
	@$(PYTHON_BIN)/python -m sandbox drill-full --folder $(SANDBOX)-full $(if $(ONLY),--only "$(ONLY)")

sandbox: setup ## Bring the stack up on this machine and leave it up; SANDBOX=folder for a second one
	@$(PYTHON_BIN)/python -m sandbox up --folder $(SANDBOX)

sandbox-down: setup ## Remove a sandbox and all its processes, also after a crash
	@$(PYTHON_BIN)/python -m sandbox down --folder $(SANDBOX)

bench: setup ## Measure scenarios, judging, live load, truth, what is seen, deployments; one alone: make bench ONLY=truth
	@$(PYTHON_BIN)/python -m sandbox bench --folder .sandbox-bench $(if $(ONLY),--only $(ONLY))

soak: setup ## Kill the sentinel 200 times and deployments 100 times; fail 100 more deployments
	@$(PYTHON_BIN)/python -m sandbox soak-sentinel --folder .sandbox-soak
	@$(PYTHON_BIN)/python -m sandbox soak-deployments --folder .sandbox-soak

test: check browser ## All checks and all tests, in two processes with a sandbox each
	@$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder

page: browser
browser: setup
	@tools/browser.sh

unit: setup ## The quick tests: settings, plan, program under mocks
	@$(PYTEST) tests/unit -n auto -p no:hypothesispytest

judging tools commands properties contract scenarios e2e page: setup ## One kind of test: verdicts and messages; tools; alertctl; histories at random; recordings and servers; rules; the whole; pages
	@$(PYTEST) tests/$@ $(wildcard $@)

ci-local: setup ## Play the workflows on this machine: preview, deploy, drill, drift; see docs/ci.md
	@$(PYTEST) tests/e2e/test_ci_workflows.py -v -s

check: setup ## Formatting, lint, types, the direction of imports, stack files, workflows
	@$(PYTHON_BIN)/ruff format --check --quiet
	@$(PYTHON_BIN)/ruff check --quiet
	@$(PYTHON_BIN)/mypy
	@$(PYTHON_BIN)/lint-imports --no-logo
	@$(PYTHON_BIN)/alertctl check
	@"$$(tools/actionlint/build.sh)" -shellcheck= -pyflakes= .github/workflows/*.yml
	@$(PYTHON_BIN)/zizmor --offline --quiet --no-progress .github

format: setup ## Format the code
	@$(PYTHON_BIN)/ruff format --quiet
	@$(PYTHON_BIN)/ruff check --quiet --fix

docs: setup ## Write docs/settings.md from the models
	@$(PYTHON_BIN)/python -m alerting.settings.reference > docs/settings.md

lock: setup ## Lock the requirements anew after a change in requirements/
	@tools/lock.sh
