# The door to everything: `make help`. Every target works alone on a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/pytest
CLUSTER_TOOL := $(BIN)/python -m tests.cluster_tool
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-annotate \
	--universal --python-version 3.11
ACTORS := manifests/samples/actors
PARALLEL := -n 2
CASES ?= 2000
PLANS ?= 1500
SEED ?= 1
EXAMPLES ?= 10000
CHANGES ?= 2000
MINUTES ?= 60
# They wait more than they compute.
PATIENT := -n 4
# Each worker has a cluster of its own, and whole files of tests that share what they set up in it.
CLUSTER_EACH := -n 3 --dist loadfile --no-loadscope-reorder

# Keeps the output of what runs side by side apart; older makes cannot.
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

# Where Python may keep no bytecode, each of the hundreds of programs that tests start compiles anew
# what it imports: seconds instead of half a one.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-down up down test lint format unit integration model mutation fuzz api-fuzz crashes chart cluster node faults campaign spec-changes soak crds \
	golden bench bench-api requirements sbom changelog clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Start a real cluster, install the operator with Helm, run sample actors to their end.
	$(BIN)/python -m tests.demo

demo-down: $(READY) ## Remove everything that `make demo` started.
	$(CLUSTER_TOOL) down

up: $(READY) ## Start the local cluster without anything on it.
	$(CLUSTER_TOOL) up

down: demo-down ## Stop the local cluster and remove every trace of it.

# What only computes runs side by side: the type checker uses one core.
test: $(READY) ## Run everything that CI runs.
	$(MAKE) --jobs=2 $(TOGETHER) lint unit chart
	$(MAKE) integration
	$(MAKE) cluster
	$(MAKE) node

lint: $(READY) ## Check style, types, layers, and that nothing generated is stale.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/actorctl crds check
	$(BIN)/python -m tests.chart.generate --check
	$(BIN)/python -m tests.api_page --check

format: $(READY) ## Format the code and mend what can be mended by itself.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

unit: $(READY) ## Run the tests that need nothing.
	$(PYTEST) tests/unit $(PARALLEL)

integration: $(READY) ## Run the tests against an API server in the same process.
	$(PYTEST) tests/integration tests/contract -m "not cluster" $(PATIENT)

model: $(READY) ## Let everything happen to the pure core, in any order: EXAMPLES=10000 random stories.
	$(BIN)/python -m tests.model --examples $(EXAMPLES)

mutation: $(READY) ## Put small defects into the life cycle, one by one; its unit tests must notice (an hour).
	$(BIN)/python -m tests.mutation

fuzz: $(READY) ## Give every parser whatever there is: CASES=2000 for each.
	CASES=$(CASES) $(PYTEST) tests/unit/test_fuzz.py $(PARALLEL) --timeout=3600

api-fuzz: $(READY) ## Send requests made of the OpenAPI document to the API server: CASES=2000 for each chapter.
	CASES=$(CASES) $(PYTEST) tests/integration/api/test_openapi.py $(PARALLEL)

crashes: $(READY) ## Kill the API server's storages at every write, where `make integration` takes every fifth.
	CRASH_EVERY=1 $(PYTEST) tests/integration/api/test_crashes.py $(PARALLEL)

chart: $(READY) ## Render the Helm chart and check what comes out (fetches helm).
	$(PYTEST) tests/chart $(PARALLEL)

cluster: $(READY) ## Run the tests against a real control plane with simulated nodes (first: ten minutes).
	$(PYTEST) tests/cluster tests/contract -m "cluster and not long" $(CLUSTER_EACH)

node: $(READY) ## Run the tests with real containers on a real node (root, or CLUSTER=existing).
	$(PYTEST) tests/node -m "not long" $(CLUSTER_EACH)

faults: $(READY) ## Put the table of faults to the test, docs/fault-table.md: all of it, or ROWS="B4 B7".
	$(BIN)/python -m tests.fault_table $(ROWS)

campaign: $(READY) ## Let things go wrong between the operator and a real API server: PLANS=1500 SEED=1.
	$(BIN)/python -m tests.faults campaign --plans $(PLANS) --seed $(SEED)

spec-changes: $(READY) ## Change every field of every kind to anything, beside a running operator: CHANGES=2000.
	$(BIN)/python -m tests.spec_changes --changes $(CHANGES)

soak: $(READY) ## Let users work while the leading operator is killed twice a minute: MINUTES=60.
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

crds: $(READY) ## Generate the CRDs, the chart's copies, the reference pages, the API's tables and the install manifest.
	$(BIN)/actorctl crds write
	$(BIN)/python -m tests.chart.generate
	$(BIN)/python -m tests.api_page

golden: $(READY) ## Rewrite the golden files; read the difference before you commit it.
	$(PYTEST) tests/unit --update-golden

bench: $(READY) ## Measure the operator beside the built-in Job controller, against targets (half an hour).
	$(BIN)/python -m tests.bench

bench-api: $(READY) ## Measure the API server beside a bare baseline.
	$(BIN)/python -m tests.bench.api

requirements: $(READY) ## Pin the newest versions of all dependencies, with their hashes.
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) requirements/checks.in -o requirements/checks.txt
	$(COMPILE) requirements/sbom.in -o requirements/sbom.txt
	$(COMPILE) --no-deps requirements/cluster.in -o requirements/cluster.txt
	$(COMPILE) --no-deps requirements/cluster-go.in -o requirements/cluster-go.txt
	$(COMPILE) --no-deps requirements/cluster-node.in -o requirements/cluster-node.txt
	$(COMPILE) --no-deps requirements/cluster-s3.in -o requirements/cluster-s3.txt
	for actor in web-server sdk-python sdk-python-crawler; do \
	  $(COMPILE) $(ACTORS)/$$actor/requirements.in -o $(ACTORS)/$$actor/requirements.txt || exit 1; \
	done

sbom: $(READY) ## Write what the image is made of, as CycloneDX: dist/sbom.cdx.json.
	$(BIN)/python -m tests.sbom dist/sbom.cdx.json

changelog: $(READY) ## Show what the next release's changelog says.
	$(BIN)/towncrier build --draft --version next

clean: $(READY) ## Remove the environment and everything that was built and cached.
	$(CLUSTER_TOOL) down
	$(CLUSTER_TOOL) clean-cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

# The environment: exactly what the requirement files say, and this project as it stands.
$(READY): requirements/dev.txt requirements/uv.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt requirements/uv.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
