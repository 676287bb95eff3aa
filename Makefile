# Every target works in .venv/ of this checkout and makes it the first time, with plain pip from the lock.
# Another Python: make PYTHON=python3.12 demo

PYTHON ?= python3
WORKERS ?= 2
KILLS ?= 200
export PYTHON

.NOTPARALLEL:
.PHONY: help demo serve test check chaos conformance evals evals-fast clean

help:
	@echo "make demo    a full review on sample data, in about a minute, without any key"
	@echo "make serve   the MCP tool servers over HTTP on this machine"
	@echo "make test    the tests, without the thorough suites (whole reviews by the dozen, killed processes)"
	@echo "make check   format, lint, types, policies, sizes and all tests: what a change has to pass"
	@echo "make chaos   workers killed at random moments, 200 times and more with one and with two; 100 reviews at once"
	@echo "make conformance   the official MCP suite against the SDK alone and ours, side by side; needs npm once"
	@echo "make evals   every suite with every case, held against the gates; under half an hour on two cores"
	@echo "make evals-fast   the same with some cases of each suite, in a few minutes"
	@echo "make clean   remove the environment and the caches"

demo:
	@scripts/venv runtime
	@.venv/bin/casewright demo

serve:
	@scripts/venv runtime
	@.venv/bin/casewright serve

test:
	@scripts/venv dev
	@PATH="$(CURDIR)/.tools:$$PATH" .venv/bin/python -m pytest -n $(WORKERS) -m "not thorough"

check:
	@scripts/venv dev
	@scripts/check

chaos:
	@scripts/venv dev
	@CASEWRIGHT_CHAOS_KILLS=$(KILLS) CASEWRIGHT_CHAOS_RUNS=100 .venv/bin/python -m pytest -s tests/chaos

conformance:
	@scripts/venv dev
	@scripts/get-node
	@.venv/bin/python -m tests.conformance.suite

# Where the shared corpora are not beside the checkout, the suites that need them are left out, which the report says.
EVALS = .venv/bin/casewright --home "$(CURDIR)/build/evals" eval run --gate --isolated \
  $(if $(or $(CASEWRIGHT_SHARED),$(wildcard ../shared)),,--allow-missing)

evals:
	@scripts/venv dev
	@scripts/get-evals || echo "no other benchmarks here: what needs them is left out"
	@$(EVALS) --full

evals-fast:
	@scripts/venv runtime
	@$(EVALS)

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist
