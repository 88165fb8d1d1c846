# Each target does its own set-up: Python 3.11 to 3.13, pip and make are all they assume.
PYTHON ?= python3
VENV := .venv

SMALL := table1 table4 figure1a figure1b_1c

.PHONY: demo paper-small test lint clean

demo: $(VENV)/.installed
	$(VENV)/bin/python bin/demo --workdir=runs/demo

# Small versions of the paper's tables and figures on CIFAR-10, and the page that shows them.
paper-small: $(VENV)/.installed
	for name in $(SMALL); do \
	  $(VENV)/bin/python bin/sweep --gin_file=gin/sweeps/small/$$name.gin --workdir=runs/small/$$name || exit; \
	done
	$(VENV)/bin/python bin/report --workdir=runs/small --output=runs/small_report

test: $(VENV)/.installed-dev
	$(VENV)/bin/python -m pytest -n 2 --dist=loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt requirements-ray.txt requirements-wandb.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
