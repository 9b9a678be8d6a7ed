# Every target installs what it needs; a second call takes seconds.
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools
LOCKS := requirements/bootstrap.lock requirements/dev.lock
SCENARIO ?=
# Most tests wait for real servers, so more of them than cores run side by side.
JOBS ?= 4
SHELL := /bin/bash

MONITORING := prometheus=prometheus prometheus-alertmanager=prometheus-alertmanager git=git
BENCHED_WITH := prometheus=prometheus mtail=mtail prometheus-blackbox-exporter=prometheus-blackbox-exporter
TESTED_WITH := $(MONITORING) initdb=postgresql mariadbd=mariadb-server chromium=chromium strace=strace faketime=faketime shellcheck=shellcheck kubectl=kubernetes-client systemctl=systemd duk=duktape libatomic.so.1=libatomic1

.PHONY: help demo up down drills test check bench soak storm mutation fuzz screenshots release lock clean
help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

demo: $(VENV)/.installed need-monitoring ## ship a bad release of the sample deployment and watch it being rolled back
	@$(BIN)/python -m demo run $(SCENARIO)

up: $(VENV)/.installed need-monitoring ## start the sample deployment and everything that watches it, and leave it running
	@$(BIN)/python -m demo up

down: ## stop what `make up` started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m demo down; fi

drills: $(VENV)/.installed need-monitoring ## break the sample deployment in seven ways by `rollback-agent drill` (SCENARIO="slow": some)
	@$(BIN)/python -m demo drill $(SCENARIO)

test: $(VENV)/.installed $(TOOLS)/release/.installed need-tested-with need-versions ## run everything that proves it works
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

check: $(VENV)/.installed need-monitoring ## lint, types, rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@cd demo/sample && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p qrl
	@promtool check rules alert-rules/*.rules.yml
	@promtool check config --syntax-only alert-rules/prometheus.yml
	@amtool check-config alert-rules/alertmanager.yml
	@scripts/lint $(TOOLS)

bench: $(VENV)/.installed need-benched-with ## measure what docs/performance.md tells (ARGS=access_log: one bench)
	@$(BIN)/python -m bench $(ARGS)

storm: $(VENV)/.installed need-tested-with ## send 10,000 alerts in a minute, and 10,000 duplicates (ARGS="--alerts 1000 --seconds 6")
	@$(BIN)/python -m tests.faults.storm $(ARGS)

soak: $(VENV)/.installed need-tested-with ## kill the agent 500 times on each database (ARGS="--kills 100 --seed 7 --database sqlite")
	@$(BIN)/python -m tests.faults.soak $(ARGS)

# Begun anew each time: what was found before says nothing of tests that were changed since.
mutation: $(VENV)/.mutation need-tested-with ## break what decides in every small way and see a test fail (ARGS=receiver/decision.py: one file)
	@rm -rf mutants
	@nice $(BIN)/mutmut run --max-children 2 $(foreach file,$(ARGS),'$(subst /,.,$(file:.py=)).*')
	@$(BIN)/python -m tests.mutation $(ARGS)

fuzz: $(VENV)/.fuzz ## read a million drawn inputs of each kind (ARGS='trail --runs 5000 --seed 7': some of one)
	@nice $(BIN)/python -m tests.fuzz.run $(ARGS)

screenshots: $(VENV)/.installed need-tested-with ## take the pictures of the web page and of the dashboards anew
	@$(BIN)/python -m tests.acceptance.screenshots docs/images
	@$(BIN)/python -m tests.grafana.pictures docs/images

release: $(VENV)/.installed $(TOOLS)/release/.installed ## write wheel, sdist, locked requirements, bill of materials and their sums into dist/
	@scripts/release dist $(VENV) $(TOOLS)/release

lock: $(VENV)/.installed ## resolve requirements/*.lock anew from pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade requirements/bootstrap.in -o requirements/bootstrap.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade --extra postgresql pyproject.toml -o requirements/runtime.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade requirements/build.in -o requirements/build.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade --extra postgresql --group dev -c requirements/runtime.lock pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade --group mutation -c requirements/dev.lock -o requirements/mutation.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade --group fuzz -o requirements/fuzz.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --upgrade --group release -o requirements/release.lock

clean: ## remove what the targets made in this directory
	rm -rf $(VENV) $(TOOLS) .demo .fuzz mutants .pytest_cache .mypy_cache .ruff_cache *.egg-info build dist

.PHONY: need-monitoring need-tested-with need-benched-with need-versions
need-monitoring:
	@scripts/need $(MONITORING)
need-tested-with:
	@scripts/need $(TESTED_WITH)
need-benched-with:
	@scripts/need $(BENCHED_WITH)
# What cannot be had is skipped, and the tests say so.
need-versions:
	@scripts/prometheus-versions $(TOOLS)
	@scripts/helm $(TOOLS)

$(VENV)/.installed: $(LOCKS) pyproject.toml
	@scripts/need python3=python3 ensurepip=python3-venv
	@echo "Installing Python packages into $(VENV) ..."
	@test -x $(BIN)/pip || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync -q --require-hashes requirements/bootstrap.lock requirements/dev.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps --no-build-isolation --offline -e .
	@touch $@

$(VENV)/.mutation: $(VENV)/.installed requirements/mutation.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements/mutation.lock
	@touch $@

$(VENV)/.fuzz: $(VENV)/.installed requirements/fuzz.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements/fuzz.lock
	@touch $@

# Apart from the developers' environment, since what the tool needs would be in it for this alone.
$(TOOLS)/release/.installed: $(VENV)/.installed requirements/release.lock
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(TOOLS)/release
	@VIRTUAL_ENV=$(TOOLS)/release $(BIN)/uv pip sync -q --require-hashes requirements/release.lock
	@touch $@
