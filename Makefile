.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo

.PHONY: help demo chromium test check fix bench clean

help: ## Show what there is to make
	@grep -E '^[a-z.]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.venv: pyproject.toml constraints.txt ## Make the virtual environment with everything for development
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch torchvision
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,serve,dev]'
	@touch .venv

demo: .venv ## Make 600 faces, ingest, index, stitch and query them; pictures and a report in ./demo
	$(BIN)/python examples/demo.py $(DEMO)

chromium: ## Install Chromium for the tests of the page, where apt and root are there
	@sh .ci/chromium

# A third of their time tests wait, for servers and clocks: three processes keep two cores busy.
# schemathesis is called as a program; as a plugin each process would load it for nothing.
test: .venv ## Run the tests, three files at a time
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -q -p no:schemathesis \
		-n 3 --dist loadfile --no-loadscope-reorder

check: .venv ## Lint, types, layers, file sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv ## Format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv ## Run the benchmarks that need no accelerator; results in benchmarks/results
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.search_overhead

clean: ## Remove the demo and caches; the virtual environment stays
	rm -rf $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build
