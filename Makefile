# Two commands for newcomers: `make demo` and `make test`. They need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help demo test lint docs bench bench-checker bench-openapi bench-openapi-pairs bench-registry bench-cli bench-real bench-guard bench-guard-kafka bench-faults bench-pages bench-dto bench-drain mutation drain-histories clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Deedbox needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[registry]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[all]' --group test --group lint
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

demo: $(VENV)/.demo ## the whole story on this machine: publish, change, see the break stopped
	@$(BIN)/deedbox demo

test: $(VENV)/.dev ## lint, types, layers, and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev ## the static checks alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev ## make again the pages that are generated from the code
	$(BIN)/python -m tests.documentation

bench: bench-registry bench-cli bench-real bench-guard bench-guard-kafka bench-faults bench-drain bench-pages bench-dto bench-checker bench-openapi bench-openapi-pairs ## every benchmark

bench-registry: $(VENV)/.dev ## publications and reads per second, on SQLite and PostgreSQL
	$(BIN)/python benchmarks/registry_throughput.py

bench-cli: $(VENV)/.dev ## start-up against `python -c pass`
	$(BIN)/python benchmarks/cli_startup.py

bench-real: $(VENV)/.dev ## every pair of the real schemas, published and checked
	$(BIN)/python benchmarks/real_schemas.py

bench-guard: $(VENV)/.dev ## live messages judged beside only parsed; memory over ten million
	$(BIN)/python benchmarks/guard.py

bench-openapi: $(VENV)/.dev ## two large OpenAPI documents compared, beside only loading them
	$(BIN)/python benchmarks/openapi_large.py

bench-openapi-pairs: $(VENV)/.dev ## verdicts on public pairs of OpenAPI documents, beside their labels
	$(BIN)/python benchmarks/openapi_pairs.py

bench-dto: $(VENV)/.dev ## packages of the real schemas, beside the generator's plain best configuration
	$(BIN)/python benchmarks/dto_real_schemas.py

bench-guard-kafka: $(VENV)/.dev ## a real Kafka read by its clients alone, by the guard and by the consumer
	$(BIN)/python -m benchmarks.guard_end_to_end

bench-faults: $(VENV)/.dev ## faults in the way of guards on a real Kafka, and what was counted of every message
	$(BIN)/python -m benchmarks.guard_faults

bench-checker: $(VENV)/.bench ## the checker beside other tools on the public cases
	$(BIN)/python benchmarks/checker_cases.py

bench-drain: $(VENV)/.dev ## a reading of 1,000 partitions and 100 groups; a scan beside plain consumption
	$(BIN)/python -m benchmarks.drain

drain-histories: $(VENV)/.dev ## claims about obsolete fields against the truth, in 10,000 histories and more
	for seed in 1 2 3 4 5 6 7 8 9 10; do DEEDBOX_DRAIN_HISTORIES=1000 \
	  $(BIN)/pytest -q tests/drain/test_drain_histories.py -k TestHistories --hypothesis-seed=$$seed || exit 1; done
	$(BIN)/python -m tests.drain.histories 10000

bench-pages: $(VENV)/.dev ## each page over 100,000 versions: milliseconds, bytes, requests; on SQLite, then on PostgreSQL
	$(BIN)/python -m benchmarks.pages
	$(BIN)/python -m benchmarks.pages --postgresql

mutation: $(VENV)/.bench ## small faults put into the search, which its tests must notice
	$(BIN)/python benchmarks/mutation.py

clean: ## remove what make made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
