# `make demo` and `make test` do all the set-up on a fresh machine. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help demo test faults soak test-all lint assets docs screenshots bench clean
RUN := bash scripts/setup.sh

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## this machine's vital signs, live (PORT=8000)
	@$(RUN) demo
	@exec .venv/bin/pathway-viz demo

test: ## everything that must hold
	@$(RUN) test
	@exec bash scripts/test.sh

faults: ## break Redis, workers, nodes and links, and compare (QUICK=1: a tenth of the time)
	@$(RUN) test
	@exec .venv/bin/pytest --quiet --timeout 300 tests/faults

soak: ## half an hour of comings and goings; memory and threads stay flat (SOAK_S=1800)
	@$(RUN) test
	@SOAK_S=$${SOAK_S:-1800} .venv/bin/pytest --quiet -s tests/faults/test_soak.py

test-all: ## the tests on the other Pythons there are, with Django 6
	@$(RUN) test
	@exec .venv/bin/nox

lint: ## formats, types, import contracts
	@$(RUN) test
	@exec bash scripts/lint.sh

assets: ## build the browser bundle
	@$(RUN) assets

docs: ## build the documentation into docs/_build
	@$(RUN) test
	@.venv/bin/sphinx-build -q -W docs docs/_build && echo "docs/_build/index.html"

screenshots: ## take the screenshots of the docs
	@$(RUN) test
	@.venv/bin/python docs/screenshots.py

bench: ## measure; writes benchmarks/results.json (WHAT=slopes: draws the plots)
	@$(RUN) test
	@.venv/bin/python benchmarks/run.py $(WHAT)

clean: ## remove what was built and installed
	@rm -rf .venv .nox node_modules pathway_viz/static/pathway_viz/dist docs/_build
