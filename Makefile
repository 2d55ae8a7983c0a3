# Two commands, from a fresh clone, with nothing but Python 3.11 or later and a package registry:
#   make run                                             a synthetic patient, end to end (bundle "phantom")
#   make run INPUT=ct.nrrd [OUT=dir] [MODEL=hn-oar-ct] [OVERWRITE=1]
#   make web [INPUT=ct.nrrd] [PORT=8080]                 the same work in a web browser, on this computer alone
#   make test [FAST=1]                                   lint, types, tests; FAST=1 leaves the slow tests out
# Both keep their environment in .venv and reuse it until pyproject.toml or requirements.lock change.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
MODEL ?= hn-oar-ct
PORT ?= 8080
PIP := $(BIN)/python -m pip install --quiet --constraint requirements.lock
SYSTEM_PACKAGES := libgl1 libegl1 libgl1-mesa-dri libegl-mesa0 libxkbcommon0 libfontconfig1 libdbus-1-3 fonts-dejavu-core

.PHONY: help run web test system-packages clean

help:
	@sed -n '1,7s/^# \{0,1\}//p' Makefile

ifdef INPUT
run: $(VENV)/run.stamp
	@mkdir -p "$(OUT)"
	@$(call segment,$(INPUT),$(OUT),$(MODEL),$(if $(OVERWRITE),--overwrite))
else
run: $(VENV)/run.stamp
	@mkdir -p "$(OUT)"
	@$(BIN)/twostageseg sample "$(OUT)/sample" --overwrite
	@$(call segment,$(OUT)/sample/sample_ct.nrrd,$(OUT)/sample,phantom,--overwrite)
endif

# $(1) image, $(2) folder, $(3) model, $(4) options. Code 4 (an organ was not located) still has results to show.
define segment
code=0; \
$(BIN)/twostageseg segment "$(1)" --model "$(3)" $(4) \
    -o "$(2)/segmentation.seg.nrrd" --json "$(2)/figures.json" --report "$(2)/report.html" || code=$$?; \
if [ $$code -eq 0 ] || [ $$code -eq 4 ]; then \
    echo; \
    [ ! -e "$(2)/segmentation.seg.nrrd" ] || \
    echo "Segmentation  $(2)/segmentation.seg.nrrd   (opens in 3D Slicer)"; \
    echo "Report        $(2)/report.html             (opens in a browser)"; \
    echo "Figures       $(2)/figures.json"; \
fi; \
exit $$code
endef

# Without a file the page begins empty: "Load sample" there makes a synthetic patient.
web: $(VENV)/web.stamp
	@$(BIN)/twostageseg web $(if $(INPUT),"$(INPUT)") --port "$(PORT)" $(if $(NO_BROWSER),--no-browser)

test: $(VENV)/test.stamp system-packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not slow"
ifndef FAST
	$(BIN)/python -m pytest -m slow
endif

# What drawing without a screen needs, and a browser. Where they cannot be installed, the tests that need them are skipped.
system-packages:
	@command -v apt-get dpkg >/dev/null || exit 0; \
	[ "$$(id -u)" = 0 ] || exit 0; \
	get() { (apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$$@") \
	    >/dev/null || echo "Could not be installed: $$*; the tests that need it are skipped."; }; \
	dpkg -s $(SYSTEM_PACKAGES) >/dev/null 2>&1 || get $(SYSTEM_PACKAGES); \
	command -v chromium chromium-browser google-chrome >/dev/null || get chromium

$(VENV)/run.stamp: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Setting up $(VENV) (once; torch is large) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/web.stamp: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Setting up $(VENV) with the browser page (once; torch and Slicer are large) ..."
	@$(PIP) --editable ".[web,dicom]"
	@touch $@ $(VENV)/run.stamp

$(VENV)/test.stamp: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Setting up $(VENV) for tests (once; torch, Slicer and MONAI are large) ..."
	@$(PIP) --editable ".[scene,dicom,training,test]"
	@touch $@ $(VENV)/run.stamp $(VENV)/web.stamp

# The first interpreter that works, is new enough and can make environments (a pyenv shim may be only a name).
$(BIN)/python:
	@for python in "$${PYTHON:-python3.11}" python3.11 python3.12 python3.13 python3; do \
	    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        exec "$$python" -m venv $(VENV); \
	    fi; \
	done; \
	echo "Python 3.11 or later with venv is needed (on Debian and Ubuntu: apt-get install python3 python3-venv)."; exit 1

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
