# The one task runner of this repository. `make` alone lists what it can do.
#
# Every target that needs the environment depends on $(READY), a stamp: it costs nothing when the
# locks and pyproject.toml are unchanged. Arguments: `make test tests/domain`, `make where invoices`.

.DEFAULT_GOAL := list
.SUFFIXES:
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
# Elsewhere somebody may wish for no bytecode; here every run would read and rewrite each test again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready

# The words after `test`, `where` or `bench` are its arguments, not targets of their own.
TAKES_WORDS := test where bench
ifneq ($(filter $(firstword $(MAKECMDGOALS)),$(TAKES_WORDS)),)
WORDS := $(wordlist 2,99,$(MAKECMDGOALS))
ifneq ($(WORDS),)
.PHONY: $(WORDS)
$(WORDS):
	@:
endif
endif

T ?= $(filter-out where bench,$(if $(filter test,$(firstword $(MAKECMDGOALS))),$(WORDS)))
NOUN ?= $(if $(filter where,$(firstword $(MAKECMDGOALS))),$(firstword $(WORDS)))
NAME ?= $(if $(filter bench,$(firstword $(MAKECMDGOALS))),$(firstword $(WORDS)))
ARGS ?=
# The rooms with long files first, so that nobody is left with one at the end.
LONG := tests/e2e tests/runtime tests/store tests/stories tests/flows tests/api
ROOMS := $(LONG) $(filter-out $(LONG) tests/__pycache__,$(patsubst %/,%,$(sort $(wildcard tests/*/))))
# Three workers for the whole suite, for what waits leaves a core to others; one process for a path,
# where starting a second costs more.
SPREAD := $(if $(strip $(T)),,-n 3 --dist loadfile --no-loadscope-reorder)

PYTEST := $(BIN)/python -m pytest
QUICK := -m "not system and not proof and not deep and not fuzz"
# Which files hold tests of a mark: nobody need import nine thousand others to find a few.
marked = $(sort $(patsubst %/conftest.py,%,$(shell grep -rlE 'mark\.$(1)\b' tests --include='test_*.py' --include=conftest.py)))
# What judges a time, or works on both cores by itself, has the machine to itself.
STILL := tests/e2e/test_disaster.py tests/e2e/test_raw_sockets.py \
	tests/operations/test_sign_in_races.py tests/flows/test_crash_points.py
# What kills processes waits for them to come back. Beside them, at a low priority, the other proofs
# have what these leave of the machine.
WAITING := tests/e2e/test_slow_clients.py
FIRST := $(filter-out $(STILL) $(WAITING),$(wildcard tests/e2e/test_*.py))
# Journeys come first, each of two workers through an installation and a browser of its own; beside
# what only waits there is always a journey that works. Last, an installed PostgreSQL and Redis are
# asked what the quick tests asked ours.
CONSOLE := tests/system/console
INSTALLED := tests/system/test_installed_postgres.py tests/store tests/runtime
SQL = $(shell find src -name '*.sql')

.PHONY: list
list:
	@echo "usage: make TARGET [ARGS=...]"
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)$$/  \1|\2/p' $(MAKEFILE_LIST) \
		| while IFS='|' read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

# --- environment --------------------------------------------------------------------------------

.PHONY: setup
setup: $(READY)  ## build .venv from the hashed locks (free when nothing changed)

# pip runs at -qq: what it has to say below an error is about the machine's mirrors, not about us.
$(LOCKED): requirements/dev.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Bursar needs Python 3.11 or newer; name one with: make setup PYTHON=/path/to/python" >&2; exit 1; }
	@echo "building $(VENV) from requirements/dev.txt (about a minute)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
		-r requirements/dev.txt
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@git config --get core.hooksPath >/dev/null 2>&1 \
		|| git config core.hooksPath .githooks 2>/dev/null || true
	@touch $@

UV_COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url $(ARGS)

.PHONY: lock
lock: $(READY)  ## write requirements/*.txt from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(UV_COMPILE) pyproject.toml --extra embedded -o requirements/run.txt
	@$(UV_COMPILE) pyproject.toml --all-extras --group dev -c requirements/run.txt -o requirements/dev.txt
	@$(UV_COMPILE) requirements/localstripe.in -o requirements/localstripe.txt
	@$(UV_COMPILE) requirements/kubernetes.in -o requirements/kubernetes.txt

.PHONY: clean
clean:  ## remove the environment and caches; never the data directory
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# --- running ------------------------------------------------------------------------------------

.PHONY: run
run: $(READY)  ## serve API, worker and sandbox processor on PORT (3000), data in DATA_DIR (.bursar)
	@exec $(BIN)/bursar run $(ARGS)

.PHONY: dev
dev: $(READY)  ## the same, started again whenever its source changes
	@exec $(BIN)/bursar run --watch $(ARGS)

.PHONY: demo
demo: $(READY)  ## tell the whole story over real HTTP, a line a step
	@exec $(BIN)/bursar demo $(ARGS)

.PHONY: bench
bench: $(READY)  ## measure hot paths beside their limits: make bench [NAME=create_invoice]
	@exec $(BIN)/python -m bench $(NAME) $(ARGS)

.PHONY: load
load:  ## load a running installation: make load NAME=mixed [ARGS="--profile smoke"], at BASE_URL
	@exec $(PYTHON) load/run.py $(NAME) $(ARGS)

# --- testing ------------------------------------------------------------------------------------

.PHONY: test
test: $(READY)  ## run the tests that need Python alone: make test [tests/domain]
	@$(PYTEST) $(QUICK) $(SPREAD) $(or $(T),$(ROOMS)) $(ARGS)

.PHONY: watch
watch: $(READY)  ## run tests again whenever something is saved: make watch T=tests/domain
	@exec $(BIN)/python -m tests.support.rerun $(QUICK) $(SPREAD) $(T) $(ARGS)

.PHONY: coverage
coverage: $(READY)  ## say which lines and branches of the rules and verbs the quick tests never run
	@$(PYTEST) $(QUICK) $(SPREAD) --cov=bursar.domain --cov=bursar.operations --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=90 $(or $(T),$(ROOMS)) $(ARGS)

.PHONY: test-system
test-system: $(READY)  ## run the tests that need the Debian packages of .ci/packages
	@$(PYTEST) -m "system and not by_keyboard" -n 2 --dist loadfile --no-loadscope-reorder \
		$(CONSOLE) $(filter-out $(CONSOLE)/% $(INSTALLED) $(INSTALLED:%=%/%),$(call marked,system)) \
		$(INSTALLED) $(ARGS)

.PHONY: journeys
journeys: $(READY)  ## make every journey of the console by keyboard alone, in a real browser
	@$(PYTEST) -m by_keyboard $(CONSOLE) $(ARGS)

.PHONY: proof
proof: $(READY)  ## run the bounded reliability harnesses: crash points, wire cutter, process killer
	@mkdir -p build; \
	nice -n 10 $(PYTEST) -m proof -n 2 --dist worksteal -rP --durations=12 \
		$(filter-out $(STILL) $(FIRST),$(call marked,proof)) $(ARGS) > build/proof.txt 2>&1 & \
	beside=$$!; trap 'kill $$beside 2>/dev/null; exit 130' INT TERM; first=0; second=0; \
	$(PYTEST) -m proof -s --durations=12 $(FIRST) $(ARGS) || first=$$?; \
	wait $$beside || second=$$?; cat build/proof.txt; \
	[ $$first -eq 0 ] && [ $$second -eq 0 ]
	@$(PYTEST) -m proof -s --durations=12 $(STILL) $(ARGS)

.PHONY: deep
deep: $(READY)  ## run the full counts of what proof tries a part of: taxes, credit notes, wallets, requests
	@$(PYTEST) -m deep -n 2 --dist worksteal -rP --durations=12 tests $(ARGS)

.PHONY: crash
crash: $(READY)  ## kill the payment journey at every named point
	@$(PYTEST) -m proof -s tests/flows -k crash $(ARGS)

.PHONY: fuzz
fuzz: $(READY)  ## ask the API 20,000 generated things, as an owner and as a viewer (half an hour)
	@$(PYTEST) -m fuzz -s tests/fuzz $(ARGS)

.PHONY: crash-all
crash-all: $(READY)  ## the same at every single fault of every setting (half an hour)
	@exec $(BIN)/python -m tests.flows.crash_proof $(ARGS)

.PHONY: storm
storm: $(READY)  ## kill -9 real processes while money moves
	@$(PYTEST) -m proof -s tests/e2e -k storm $(ARGS)

.PHONY: storm-transfers
storm-transfers: $(READY)  ## 10,000 transfers among 50 wallets while everything is killed with -9
	@exec $(BIN)/python -m tests.e2e.transfer_storm $(ARGS)

.PHONY: storm-billing
storm-billing: $(READY)  ## 64 tasks and three workers bill one due set while everything is killed with -9
	@exec $(BIN)/python -m tests.e2e.billing_storm $(ARGS)

.PHONY: year
year: $(READY)  ## one year of 1,000 subscriptions under a test clock, the books at each month's end
	@exec $(BIN)/python -m tests.stories.year $(ARGS)

.PHONY: storm-payments
storm-payments: $(READY)  ## 2,000 payments and refunds over a line that loses one message in five, amid kill -9
	@exec $(BIN)/python -m tests.e2e.payment_storm $(ARGS)

.PHONY: disaster
disaster: $(READY)  ## delete the database's folder under load, five times, and bring it back from a backup
	@exec $(BIN)/bursar simulate disaster --rounds 5 $(ARGS)

.PHONY: disk-full
disk-full: $(READY)  ## leave the database no room for data, then none for its log (needs root, for a tmpfs)
	@exec $(BIN)/python -m tests.e2e.disk_full $(ARGS)

LOCALSTRIPE := build/localstripe

$(LOCALSTRIPE)/.locked: requirements/localstripe.txt
	@"$(PYTHON)" -m venv $(LOCALSTRIPE)
	@$(LOCALSTRIPE)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
		-r requirements/localstripe.txt
	@touch $@

.PHONY: localstripe
localstripe: $(READY) $(LOCALSTRIPE)/.locked  ## ask the payment adapter's verbs of an independent fake of Stripe
	@exec $(BIN)/python -m tests.providers.localstripe $(LOCALSTRIPE)/bin/python $(ARGS)

KUBERNETES := build/kubernetes
KUBERNETES_VERSIONS := 1.29 1.34 1.37

$(KUBERNETES)/.locked: requirements/kubernetes.txt
	@"$(PYTHON)" -m venv $(KUBERNETES)
	@$(KUBERNETES)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
		-r requirements/kubernetes.txt
	@touch $@

.PHONY: manifests
manifests: $(KUBERNETES)/.locked  ## hold the manifests of deploy/kubernetes against Kubernetes' own schemas
	@for version in $(KUBERNETES_VERSIONS); do \
		$(KUBERNETES)/bin/kubernetes-validate --quiet --strict -k $$version deploy/kubernetes/*.yaml || exit 1; \
	done

.PHONY: race-payments
race-payments: $(READY)  ## a checkout page and an automatic charge race for 500 invoices: one charge each
	@exec $(BIN)/python -m tests.flows.test_rival_ways_to_pay $(ARGS)

.PHONY: storm-numbers
storm-numbers: $(READY)  ## 2,000 invoices by 32 clients while everything is killed with -9
	@exec $(BIN)/python -m tests.e2e.number_storm $(ARGS)

# --- checking, fastest first --------------------------------------------------------------------

.PHONY: check
check: format lint contracts types sql architecture domain rest  ## everything a change must pass, fastest first

.PHONY: format
format: $(READY)  ## check formatting
	@$(BIN)/ruff format --check -q .

.PHONY: lint
lint: $(READY)  ## check style and likely mistakes
	@$(BIN)/ruff check -q .

.PHONY: contracts
contracts: $(READY)  ## check that imports only go down the floors
	@$(BIN)/lint-imports --no-cache

.PHONY: types
types: $(READY)  ## check types strictly
	@$(BIN)/mypy

.PHONY: sql
sql: $(READY)  ## check the named queries
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 -n $(SQL)

.PHONY: architecture
architecture: $(READY)  ## check the house rules of AGENTS.md
	@$(PYTEST) tests/architecture

.PHONY: domain
domain: $(READY)  ## test the pure law
	@$(PYTEST) tests/domain

.PHONY: rest
rest: $(READY)
	@$(PYTEST) $(QUICK) $(SPREAD) $(filter-out tests/architecture tests/domain,$(ROOMS))

.PHONY: fix
fix: $(READY)  ## format and mend what can be mended (STAGED=1: only what is staged)
	@files=.; \
	if [ -n "$(STAGED)" ]; then files=$$(git diff --cached --name-only --diff-filter=ACMR -- '*.py'); fi; \
	[ -z "$$files" ] || { $(BIN)/ruff check -q --fix $$files; $(BIN)/ruff format -q $$files; }

.PHONY: docs
docs: $(READY)  ## write docs/reference from the code
	@$(BIN)/python -m tests.support.reference

.PHONY: client
client: $(READY)  ## write the generated half of clients/python from the API's own document
	@$(BIN)/python -m tests.support.client_writer

# --- looking ------------------------------------------------------------------------------------

.PHONY: where
where:  ## list a noun's files on every floor: make where invoices
	@[ -n "$(NOUN)" ] || { echo "usage: make where invoices" >&2; exit 2; }
	@find src tests docs bench -type f -not -name '*.pyc' \( \
		-name '$(NOUN).*' -o -path '*/$(NOUN)/*' -o -name 'test_$(NOUN).py' -o -name 'test_$(NOUN)_*.py' \
		-o -name '*_$(NOUN:s=).py' -o -name '$(NOUN:s=)_*.py' \) | LC_ALL=C sort
