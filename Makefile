# Every target sets up what it needs: a virtual environment in .venv, GradSim itself, missing system libraries.
#
#   make run     open the window (without a display: the welcome experiment in the terminal)
#   make test    lint, all tests, the engine once more without compilation for its coverage
#   make lint    style, types, architecture, docstrings
#   make bench   speed as ratios to NumPy and PyTorch (PyTorch only if installed: make install EXTRAS=test,oracle)
#   make pictures the pictures of the README
#   make clean   remove everything these targets made

PYTHON ?= python3
EXTRAS ?= test
WORKERS ?= 2
BIN := .venv/bin
STAMP := .venv/.installed
TEST_STAMP := .venv/.installed-with-$(EXTRAS)
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

.PHONY: run test tests jitless lint format bench pictures install system system-window clean
.DELETE_ON_ERROR:

run: system-window $(STAMP)
	$(BIN)/gradsim

test: lint tests jitless

# The engine is compiled for both precisions, on all cores, before the workers would each do it.
tests: $(TEST_STAMP)
	@$(BIN)/python -c "from gradsim.engine import prepare; prepare('float32'); prepare('float64')"
	$(PYTEST) -n $(WORKERS) --benchmark-disable

# Compiled functions are invisible to coverage; the small engine tests also run as plain Python.
jitless: $(TEST_STAMP)
	NUMBA_DISABLE_JIT=1 $(PYTEST) tests/engine -q -m jitless \
		--cov=gradsim.engine --cov-report=term:skip-covered

lint: $(TEST_STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	find gradsim -name '*.py' | sort | xargs $(BIN)/python -m numpydoc lint
	@find gradsim -name '*.py' | xargs wc -l | awk '$$2 != "total" && $$1 > 300 \
		{ print "To be read again, over 300 lines: " $$2 " (" $$1 ")" }'

format: $(TEST_STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TEST_STAMP)
	$(PYTEST) tests/benchmarks --benchmark-only -p no:xdist -q --timeout=0

# The pictures of the README, made by the program itself.
pictures: $(STAMP)
	mkdir -p resources/pictures
	$(BIN)/gradsim render welcome --view window --iterations 300 --theme light --scale 1 \
		-o resources/pictures/window_light.png
	$(BIN)/gradsim render hundred_layers --view window --iterations 100 --theme dark --scale 1 \
		-o resources/pictures/window_dark.png

install: $(TEST_STAMP)

# The system is looked at every time (a few milliseconds), the packages only when pyproject.toml has changed.
system:
	@PYTHON=$(PYTHON) .ci/system-packages

system-window:
	@PYTHON=$(PYTHON) .ci/system-packages $(if $(DISPLAY)$(WAYLAND_DISPLAY),window)

$(STAMP): pyproject.toml | system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		f"GradSim needs Python 3.11 or newer, this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")'
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e .
	@touch $@

$(TEST_STAMP): $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[$(EXTRAS)]'
	@touch $@

clean:
	rm -rf .venv .benchmarks .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf build dist gradsim-output test-artefacts
	find gradsim tests -name __pycache__ -type d -prune -exec rm -rf {} +
