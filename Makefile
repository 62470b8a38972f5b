# Two commands set everything up on a machine with Python 3.11 or later, make and git:
#   make book    build the book
#   make test    install the rest and run every check
# `make help` lists the others; CONTRIBUTING.md says when to use them.

PYTHON ?= python3
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.txt
NOTEBOOKS := $(wildcard chapters/*.ipynb solutions/*.ipynb)
export SOURCE_DATE_EPOCH ?= 1767225600

.PHONY: help book test lab execute exercises pdf cards offline serve bench format requirements release clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1|\2/p' Makefile | while IFS='|' read -r name does; do \
		printf '%-18s %s\n' "$$name" "$$does"; done

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "attnbook needs Python 3.11 or later, this is %s; set PYTHON=" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/book: .venv/made pyproject.toml requirements.txt
	@$(PY) tools/extras.py book > .venv/book.txt
	$(PIP) --no-compile --requirement .venv/book.txt
	@touch $@

.venv/all: .venv/book
	$(PIP) --editable '.[all]'
	@touch $@

book: .venv/book ## build the book and print the path of its first page; needs no torch; REF=v0.2.0 for a tag's
	@$(PY) book/build.py $(if $(REF),--ref $(REF))

test: .venv/all ## install the rest and run every check; CHAPTER=07 for one chapter's
	@$(PY) tools/test.py $(if $(CHAPTER),--chapter $(CHAPTER))

lab: .venv/all ## open JupyterLab on the chapters
	$(BIN)/jupyter lab chapters

execute: .venv/all ## run all notebooks afresh and store their outputs
	$(PY) tools/notebooks.py sync $(NOTEBOOKS)
	$(PY) tools/notebooks.py execute $(NOTEBOOKS)

exercises: .venv/all ## generate the exercise notebooks from their masters in solutions/
	$(PY) tools/make_exercises.py

pdf: book .venv/all ## print the whole book as one PDF; needs Chromium
	$(PY) tools/print_book.py

.venv/cards: .venv/book
	$(PIP) playwright
	@touch $@

cards: book .venv/cards ## draw the pictures that stand beside links to the pages; needs Chromium
	$(PY) tools/social_cards.py

offline: book ## pack pages, notebooks and the package into one zip for reading without a network
	$(PY) tools/offline.py

serve: book ## serve the built book at http://127.0.0.1:8000
	$(PY) -m http.server --directory book/_build/html --bind 127.0.0.1 8000

bench: .venv/all ## measure what the book promises: page sizes, times and the rest
	@$(PY) benchmarks/all.py

format: .venv/all ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

requirements: .venv/made ## pin what pyproject.toml newly needs; UPGRADE=1 for the newest of everything
	$(PY) tools/requirements.py $(if $(UPGRADE),--upgrade)

release: .venv/all ## check that all is ready, and tag the version
	@$(PY) tools/release.py

clean: ## delete what was built and every cache, but not .venv
	rm -rf book/_build book/_static/generated dist build .pytest_cache .hypothesis .ruff_cache .cache
	find . -name .venv -prune -o -name node_modules -prune -o \
		\( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -exec rm -rf {} +
