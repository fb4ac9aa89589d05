# Needs make and a Python of at least 3.11 with its venv module, nothing else: `make run`. Everything goes into $(VENV).
# What each target does: `make help`.

VENV := .venv
# The interpreters to try, in this order; `make run PYTHON=/opt/python3.12/bin/python3` names one.
PYTHON := python3.13 python3.12 python3.11 python3
# How many processes share the tests: twice as many as a small machine has cores, since many tests wait for a peer.
JOBS := 4

SHELL := /bin/sh
python := "$(VENV)/bin/python"
pip := $(python) -m pip --quiet --disable-pip-version-check
compile := $(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

# Exit status 0: fit for us; 3: too old; 4: no venv module (Debian and Ubuntu ship it apart). Read by any Python.
fitness := import sys; sys.version_info >= (3, 11) or sys.exit(3); import importlib.util as u; \
	sys.exit(0 if u.find_spec("ensurepip") and u.find_spec("venv") else 4)

# Many tests run real processes against real servers, several at once: on a busy machine one may wait in vain. What failed
# is tried once more, alone, and must pass then; the first failure stays in the output. What was not covered stays so.
once_more = { [ $$? -eq 1 ] || exit 2; echo "once more, alone: what failed beside others"; \
	$(python) -m pytest --last-failed --last-failed-no-failures none --no-cov && \
	{ [ ! -e .coverage ] || $(python) -m coverage report --format=total; }; }

# A venv whose interpreter was upgraded or removed since is made anew.
ifneq ($(wildcard $(VENV)/.made),)
$(shell $(python) -c "" >/dev/null 2>&1 || rm -rf "$(VENV)")
endif

.PHONY: run test lint bench dashboards lock help
.DEFAULT_GOAL := help

run: $(VENV)/.installed ## set everything up, then watch the demo's systems (ARGS="…" for its options)
	@exec $(python) -m monitor demo $(ARGS)

test: $(VENV)/.installed-dev ## run all tests and measure what they cover (ARGS="-k name" for some, JOBS=0: one process)
	@$(python) -m pytest -n $(JOBS) --dist loadgroup --cov --cov-report=term $(ARGS) || $(once_more)

lint: $(VENV)/.installed-dev ## style, types, import layers, locks and the habits of the whole tree
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	$(python) -c "from importlinter.cli import lint_imports_command as c; c()"
	@$(MAKE) --no-print-directory lock-current
	$(python) -m pytest --quiet tests/test_repository.py

bench: $(VENV)/.installed-dev ## CPU per check beside blackbox_exporter (needs nginx and prometheus-blackbox-exporter)
	@exec $(python) -m benchmarks $(ARGS)

dashboards: $(VENV)/.installed-dev ## write Grafana's dashboards anew, after a change in dashboards/
	$(python) -m dashboards

lock: $(VENV)/.installed-dev ## write both lock files anew after a change in pyproject.toml (ARGS=--upgrade for newer releases)
	$(compile) $(ARGS) --group build pyproject.toml -o requirements.lock
	$(compile) $(ARGS) --group dev --constraints requirements.lock pyproject.toml -o requirements-dev.lock

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

# Resolving needs the package index. Where it cannot be reached, tests/test_repository.py still holds pyproject and locks
# together, so this part is left out aloud rather than failing for a reason that is not in the tree.
.PHONY: lock-current
lock-current:
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && cp requirements.lock requirements-dev.lock "$$new" && \
	if $(compile) --group build pyproject.toml -o "$$new/requirements.lock" 2>"$$new/why" && \
	   $(compile) --group dev --constraints "$$new/requirements.lock" pyproject.toml \
	       -o "$$new/requirements-dev.lock" 2>"$$new/why"; then \
	    diff -u requirements.lock "$$new/requirements.lock" && \
	    diff -u requirements-dev.lock "$$new/requirements-dev.lock" && echo "locks: current" || \
	    { echo "locks: out of date; run make lock" >&2; exit 1; }; \
	elif grep -qiE 'failed to fetch|error sending request|failed to lookup|connection|timed out' "$$new/why"; then \
	    echo "locks: not checked, the package index cannot be reached"; \
	else cat "$$new/why" >&2; exit 1; fi

# An interpreter that is found but does not start (a version manager's shim) is passed over like one that is missing.
$(VENV)/.made:
	@if [ -e "$(VENV)" ] && [ ! -e "$(VENV)/pyvenv.cfg" ]; then \
	    echo "$(VENV) is in the way and was not made by us; remove it or choose another: make VENV=.venv2" >&2; exit 1; \
	fi; \
	old=; bare=; for python in $(PYTHON); do \
	    "$$python" -c '$(fitness)' >/dev/null 2>&1; \
	    case $$? in \
	        0) echo "Setting up $(VENV) with $$("$$python" --version 2>&1)"; \
	           rm -rf "$(VENV)" && "$$python" -m venv "$(VENV)" && touch "$@" && exit 0; exit 1 ;; \
	        3) old="$$old $$python" ;; \
	        4) bare=$${bare:-$$python} ;; \
	    esac; \
	done; \
	if [ "$$bare" ]; then \
	    version=$$("$$bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	    echo "Python $$version is here, but its venv module is not. On Debian or Ubuntu:" >&2; \
	    echo "    sudo apt-get install python$$version-venv" >&2; \
	elif [ "$$old" ]; then \
	    echo "Python 3.11 or newer is needed; too old:$$old. Another one: make PYTHON=/path/to/python3.12" >&2; \
	else \
	    echo "Python 3.11 or newer is needed; none of these runs: $(PYTHON)" >&2; \
	    echo "Another one: make PYTHON=/path/to/python3.12" >&2; \
	fi; exit 1

# $(call install,LOCK) puts exactly what the lock names into the venv. What an interrupted attempt left is not trusted.
define install
@if [ -e "$(VENV)/.unfinished" ]; then rm -f "$(VENV)/.made"; $(MAKE) --no-print-directory "$(VENV)/.made"; fi
@touch "$(VENV)/.unfinished"
@echo "Installing what $(1) names"
@$(pip) install --require-hashes --only-binary :all: -r $(1)
@$(pip) install --no-deps --no-build-isolation --no-index -e .
@rm "$(VENV)/.unfinished"
@touch "$@"
endef

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/.made
	$(call install,requirements.lock)

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(VENV)/.made
	$(call install,requirements-dev.lock)
