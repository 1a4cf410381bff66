# Every target makes its own virtual environment first; only Python, git and make are needed.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
TOOLS = .venv-deploy

# The tests start hundreds of processes; without Python's cache each of them would compile every module.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo run test faults asmx pictures lint bench replicas soak fuzz lock clean package audit tools from-zero

demo: $(READY)
	$(BIN)/toefl-shim demo

run: $(READY)
	$(BIN)/toefl-shim serve

# All tests, or those in TESTS. They wait more than they compute: four processes keep two cores busy. The files run in the
# order of their names; in the order of their numbers of tests, long files with few tests would run last and alone.
TESTS ?= tests
test: $(READY)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS) $(TESTS)

# Plays every fault and fails if the outcomes differ from the table in docs/FAULTS.md; UPDATE=1 rewrites that table.
faults: $(READY)
	$(BIN)/python -m pytest tests/faults -p tests.faults.table $(if $(UPDATE),--update,--check)=docs/FAULTS.md $(PYTEST_FLAGS)

# Sends every case to a real ASMX service and to the gateway, and fails if what they answered differs from docs/ASMX.md;
# UPDATE=1 rewrites that table. Needs mono-fastcgi-server4, nginx-light and mono-devel.
asmx: $(READY)
	$(BIN)/python -m pytest tests/asmx -p tests.asmx.table $(if $(UPDATE),--update,--check)=docs/ASMX.md $(PYTEST_FLAGS)

# What the status page shows at each step of a retirement, for MIGRATION.md.
pictures: $(READY)
	mkdir -p docs && rm -f docs/*.png
	PICTURES=$(CURDIR)/docs $(BIN)/python -m pytest tests/operating/test_story.py

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_function_size.py

# The gateway beside other ways to do its job; needs nginx and wrk. Writes bench/RESULTS.md, or with QUICK=1 build/bench.
bench: $(VENV)/.bench
	$(BIN)/python -m bench $(if $(QUICK),--quick) $(BENCH_FLAGS)

# What one, two and four gateways carry behind one nginx, with one ledger. Writes bench/REPLICAS.md.
replicas: $(VENV)/.bench
	$(BIN)/python -m bench.replicas

# Good and bad calls for a long time; fails when anything that the gateway holds grows. Writes build/SOAK.md, .csv and .svg.
SOAK_SECONDS ?= 3600
soak: $(VENV)/.bench
	$(BIN)/python -m bench.soak --seconds $(SOAK_SECONDS) $(SOAK_FLAGS)

# Fuzzes what reads hostile input: each harness so many seconds, from the inputs in tests/fuzz/corpus.
FUZZ_SECONDS ?= 20
fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_FLAGS)

# The wheel and the sdist, in dist/.
package: $(READY)
	rm -rf dist
	$(BIN)/python -m hatchling build

# What the gateway is made of, as a CycloneDX SBOM, and whether any of it has a known hole.
audit: $(TOOLS)/.ready
	mkdir -p build
	$(TOOLS)/bin/cyclonedx-py requirements requirements/postgresql.txt --pyproject pyproject.toml --of JSON -o build/sbom.json
	$(TOOLS)/bin/python deploy/audit.py requirements/postgresql.txt

# What checks the files in deploy/.
tools: $(TOOLS)/.ready

# A fresh Debian with systemd, from nothing to the first C# call; needs root and debootstrap.
from-zero: package
	-deploy/from-zero.sh build/from-zero  # a machine that is switched off has no status to give
	cat build/from-zero/guide.txt
	@test "$$(cat build/from-zero/guide.status)" = 0

# Resolves the requirements anew; needs uv.
lock:
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/run.txt
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra postgresql -o requirements/postgresql.txt
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra otel --extra postgresql --group dev -o requirements/dev.txt
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra otel --extra postgresql --group dev --group bench -o requirements/bench.txt
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra otel --extra postgresql --group dev --group fuzz -o requirements/fuzz.txt
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group deploy -o requirements/deploy.txt

clean:
	rm -rf .venv* build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "This Python cannot make a virtual environment: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.bench: $(READY) requirements/bench.txt bench/peers/package-lock.json
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/bench.txt
	@if command -v npm >/dev/null; then npm ci --prefix bench/peers --no-audit --no-fund --loglevel=error; else echo "node-soap is left out: npm is not installed"; fi
	@touch $@

$(VENV)/.fuzz: $(READY) requirements/fuzz.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/fuzz.txt
	@touch $@

$(TOOLS)/.ready: requirements/deploy.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/deploy.txt
	@touch $@
