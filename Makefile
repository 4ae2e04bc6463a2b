# `make` alone lists the targets. Every target works from a fresh clone: the first one that
# needs the environment makes it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
VENV := .venv
PY := $(VENV)/bin/python
# pytest rewrites the assertions of some 400 files: once for all processes and the runs to come, not in each.
unexport PYTHONDONTWRITEBYTECODE
export PORT ?= 8000
export CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
# What a clinic's own settings would be, for the checks that look at them. The key is nobody's.
LIKE_A_CLINIC := env SECRET_KEY=only-for-checks-4Yb7qTzW0m2Kc9Xr5Hn8Vd3Lp6Js1Fg-aEuQoRiT ALLOWED_HOSTS=alliance.clinic.example \
  DATABASE_URL=sqlite:///var/check.sqlite3 TRUSTED_PROXIES=1 DEMO=off DEBUG=off HTTPS=on SECOND_FACTOR=on
WORKERS ?= auto
# Half as many again as processors: a browser's tests wait for much of their time.
BROWSERS ?= $(shell echo $$(( ($$(nproc 2>/dev/null || echo 2) * 3 + 1) / 2 )))
# Tested once, on SQLite's turn: what asks no database (the mark `database` is on all that may), and every page for
# everybody; the rows behind it are asked for on both (tests/sessions_app/courses/test_visible_to.py).
ONCE := tests/measurement tests/test_repository.py tests/test_import_order.py tests/test_messages.py tests/test_vendor.py \
  tests/alliance/test_environment.py tests/alliance/test_access_matrix.py tests/alliance/test_pages_of_changing_people.py \
  tests/alliance/operations/test_backup_file.py
# Prints what a command says only where it fails.
QUIET = said=$$($(1) 2>&1) || { echo "$$said" >&2; exit 1; }
LEFT_OUT = { echo "Left out: $(1)" >&2; test "$${CI:-}" != true; }

.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-fast coverage test-browser pictures test-postgresql check fix bench torture chaos reference scan release static messages lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

setup: $(VENV)/.ready ## make the environment .venv with all that the tests need, and nothing else

# Hash-pinned: a package whose content changed since it was pinned is refused.
INSTALL = if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing $(VENV); \
	  uv pip install --quiet --compile-bytecode --python $(PY) --require-hashes -r $(1); \
	else \
	  python3 -m venv $(VENV); \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); \
	fi

# What the site runs with, and no more: about a quarter of the weight of the other.
$(VENV)/.runs: requirements.txt
	@$(call INSTALL,$<)
	@touch $@

$(VENV)/.ready: requirements-dev.txt
	@$(call INSTALL,$<)
	@touch $@ $(VENV)/.runs

$(VENV)/.scans: requirements-scan.txt
	@$(call INSTALL,$<)
	@touch $@

demo: $(VENV)/.runs ## try it with invented people, on http://127.0.0.1:8000/ (PORT=8100: another port; FRESH=1: new data)
	@DEMO=on exec $(PY) manage.py demo $(if $(FRESH),--fresh)

run: $(VENV)/.runs ## the same with the development server, which shows errors and reloads changed code
	@DEMO=on DEBUG=on $(PY) manage.py demo --only-prepare
	@DEMO=on DEBUG=on exec $(PY) manage.py runserver 127.0.0.1:$(PORT)

# One after the other: beside anything else on two processors the browser's tests fail for want of time.
test: setup ## all tests: on SQLite, on PostgreSQL without the browser, and in the browser
	@$(MAKE) --no-print-directory test-fast
	@$(MAKE) --no-print-directory test-postgresql
	@$(MAKE) --no-print-directory test-browser

test-fast: setup ## the tests on SQLite, without the browser
	@$(PY) -m pytest --quiet -n $(WORKERS) -m "not browser and not postgresql"

# A target of its own: it takes 1.4 times the processor time of test-fast.
coverage: setup ## test-fast, and fail where fewer branches are taken than so far
	@$(PY) -m pytest --quiet -n $(WORKERS) -m "not browser and not postgresql" --cov

test-browser: setup ## the tests that drive a real Chromium
	@if [ -n "$(CHROMIUM)" ]; then \
	  $(PY) -m pytest --quiet -n $(BROWSERS) -m browser tests/browser; \
	else \
	  $(call LEFT_OUT,the browser tests; no Chromium is installed.); \
	fi

pictures: setup ## make the pictures of README and handbook anew, with the browser tests
	@PICTURES=docs/pictures $(PY) -m pytest --quiet tests/browser -m pictures

test-postgresql: setup ## the tests on a PostgreSQL that is thrown away, without the browser
	@if scripts/with_postgresql.sh true; then \
	  scripts/with_postgresql.sh $(PY) -m pytest --quiet -n $(WORKERS) --dist loadgroup -m "database and not browser" $(ONCE:%=--ignore=%); \
	else \
	  $(call LEFT_OUT,the tests on PostgreSQL.); \
	fi

check: setup ## style, types, order of imports, JavaScript, templates, migrations, translations and the settings of a clinic
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy --no-error-summary .
	@$(call QUIET,$(VENV)/bin/lint-imports --no-logo --no-cache)
	@$(PY) -m djlint templates --lint --quiet
	@if command -v npm >/dev/null 2>&1; then \
	  scripts/check_javascript.sh; \
	else \
	  $(call LEFT_OUT,the checks of the JavaScript; neither node nor npm is installed.); \
	fi
	@$(LIKE_A_CLINIC) $(PY) manage.py makemigrations --check --dry-run --verbosity 0
	@$(call QUIET,$(LIKE_A_CLINIC) $(PY) scripts/lint_migrations.py)
	@$(LIKE_A_CLINIC) $(PY) -W error manage.py check --deploy --fail-level WARNING
	@$(PY) scripts/vendor.py --check
	@$(PY) scripts/messages.py --check

fix: setup ## put right what can be put right by itself: style and layout of the code
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format --quiet .

bench: setup ## cost of every page beside its target, at 10,000 and 1,000,000 ratings (SIZE=small: 10,000; COMPARE=<rev>)
	@POSTGRESQL_OPTIONS="-c jit=on -c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track_planning=on" \
	  scripts/with_postgresql.sh $(PY) -m tests.bench $(if $(SIZE),--size $(SIZE)) $(if $(COMPARE),--compare $(COMPARE)) \
	  $(if $(RATINGS),--ratings $(RATINGS)) $(BENCH)

torture: setup ## every fault at every moment, any order of steps, hostile bodies: nothing lost, doubled or altered
	@CHROMIUM=$$(command -v chromium-headless-shell || echo $(CHROMIUM)) $(PY) -m tests.torture --jobs 3
	@SEQUENCES=10000 BODIES=10000 $(PY) -m pytest --quiet -n $(WORKERS) -o faulthandler_timeout=7200 --show-capture=no tests/sessions_app/intake/test_grant_states.py tests/sessions_app/intake/test_hostile_input.py

chaos: setup ## every fault of servers and database while ratings arrive: nothing lost, doubled, half-written (CHAOS="disk full": one)
	@$(PY) -m tests.chaos --fault "$(CHAOS)"

reference: setup ## the rules against second, slow implementations, on 100,000 random courses each
	@COURSES=100000 $(PY) -m pytest --quiet -o faulthandler_timeout=0 tests/measurement/test_against_reference.py
	@HISTORIES=100000 $(PY) -m pytest --quiet -o faulthandler_timeout=0 -n $(WORKERS) tests/sessions_app/flags/test_standing_reference.py

# Not part of check: what it finds changes from day to day without a change here, and it needs the network.
scan: ## ask whether what is pinned has a known weakness; fails where it has one, says so where nobody can be asked
	@$(MAKE) --no-print-directory VENV=var/scan var/scan/.scans
	@python3 scripts/scan_dependencies.py var/scan/bin/pip-audit

release: setup ## keep a dump of this version's database, from which later ones are tested to upgrade (tests/upgrades)
	@scripts/with_postgresql.sh $(PY) scripts/keep_release.py

static: $(VENV)/.runs ## collect, hash and compress the static files
	@$(LIKE_A_CLINIC) $(PY) manage.py collectstatic --no-input --verbosity 1

messages: setup ## take new sentences of the client's form into locale/, drop old ones, compile
	@$(PY) scripts/messages.py

lock: ## pin every package again after a change in pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --group pyproject.toml:scan -o requirements-scan.txt

clean: ## delete the environment and everything under var/, the demo's database included
	rm -rf $(VENV) var .mypy_cache .pytest_cache .ruff_cache
