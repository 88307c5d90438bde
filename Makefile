# Needs Python 3.11, pip, make and git; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHARED_DATA := $(abspath ../shared/data)
ifneq ($(wildcard $(SHARED_DATA)),)
export AGENTHPO_DATA ?= $(SHARED_DATA)
endif

PAPER_MODEL ?= local:qwen2.5-coder-1.5b
PAPER_TASKS ?= tabular-classification,tabular-regression,graph-node-classification,language-topic
PAPER_ARMS ?= random,tpe,paper,paper-without-background,paper-without-analysis,paper-without-history

.PHONY: bench-smoke clean demo dist docs inspect lint paper picture recording screenshots test transcript

demo: $(VENV)/.ready  ## set up, pull the default model, tune examples/digits with the live view
	$(BIN)/agenthpo models pull local:qwen2.5-coder-1.5b
	rm -rf examples/digits/.agenthpo/demo
	$(BIN)/agenthpo run examples/digits --study demo --model local:qwen2.5-coder-1.5b

picture:  ## draw the README's picture from the demo's study
	cd examples/digits && ../../$(BIN)/python ../../docs/picture.py .agenthpo/demo ../../docs/study.svg

test: $(VENV)/.ready lint  ## set up, pull the small model, lint and run every test
	$(BIN)/agenthpo models pull local:smollm2
	# three workers and their trainings share the processors: threads of each would wait for others
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist worksteal

bench-smoke: $(VENV)/.ready  ## two quick tasks, three trials by each proposer: a minute or two
	$(BIN)/agenthpo models pull local:smollm2
	$(BIN)/agenthpo bench run --smoke --results .agenthpo/bench/smoke

paper: $(VENV)/.ready  ## the paper's proposer and its ablations, then every figure and table
	$(BIN)/agenthpo models pull $(PAPER_MODEL)
	$(BIN)/agenthpo bench run --tasks $(PAPER_TASKS) --proposers $(PAPER_ARMS) --model $(PAPER_MODEL)
	$(BIN)/agenthpo bench figures

screenshots: $(VENV)/.ready  ## the page of the demo's study as a browser shows it (needs Chromium)
	$(BIN)/python docs/screenshots.py examples/digits/.agenthpo/demo docs/report

recording:  ## record init, check and run on a script of scikit-learn's
	$(BIN)/python docs/recording.py docs/first-minute.svg

inspect: $(VENV)/.ready  ## have the MCP Inspector and its conformance suite (npm) look at the server
	$(BIN)/python docs/inspect_mcp.py

transcript: $(VENV)/.ready  ## record a scripted agent that tunes examples/digits over MCP
	$(BIN)/python docs/transcript.py docs/agent-transcript.md

docs: $(VENV)/.ready  ## build the documentation site into site/; a warning is an error
	$(BIN)/python docs/build.py .site
	$(BIN)/zensical build --clean --strict

dist: $(VENV)/.ready  ## build the package, check it, and run the README's example from the wheel
	$(BIN)/python docs/release_check.py

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/.ready: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .site dist site
