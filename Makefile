# Two commands set everything up on a machine with Python 3.11 or later, make and git:
#   make book    build the book, print the path of its first page
#   make test    install the rest and run every check
# See CONTRIBUTING.md for the others.

PYTHON ?= python3
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.txt
NOTEBOOKS := $(wildcard chapters/*.ipynb solutions/*.ipynb)
export SOURCE_DATE_EPOCH ?= 1767225600

.PHONY: book test lab execute exercises serve bench format release clean help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -4

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "attnbook needs Python 3.11 or later, this is %s; set PYTHON=" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/book: .venv/made pyproject.toml requirements.txt
	@$(PY) tools/extras.py book > .venv/book.txt
	$(PIP) --no-compile --requirement .venv/book.txt
	@touch $@

.venv/all: .venv/book
	$(PIP) --editable '.[book,notebooks,test,dev]'
	@touch $@

book: .venv/book
	@$(PY) book/build.py

test: .venv/all
	@$(PY) tools/test.py

lab: .venv/all
	$(BIN)/jupyter lab chapters

execute: .venv/all
	$(PY) tools/notebooks.py sync $(NOTEBOOKS)
	$(PY) tools/notebooks.py execute $(NOTEBOOKS)

exercises: .venv/all
	$(PY) tools/make_exercises.py

serve: book
	$(PY) -m http.server --directory book/_build/html --bind 127.0.0.1 8000

bench: .venv/all
	@$(PY) benchmarks/all.py

format: .venv/all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

release: .venv/all
	@$(PY) tools/release.py

clean:
	rm -rf book/_build dist build
