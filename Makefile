# Two commands do everything: `make demo` and `make test`. The rest is for those who work on Cadenza.
BUILD := build/release
CCACHE := $(shell command -v ccache 2>/dev/null)
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
DATA ?= all
export CCACHE_DIR ?= $(CURDIR)/.ccache
export CCACHE_SLOPPINESS := pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_MAXSIZE ?= 5G

.PHONY: help setup build test demo check install bench format clean
help:
	@echo 'make demo      real products learned one after another, their defects found (DATA=textures: small download)'
	@echo 'make test      set-up, build and every test that takes seconds'
	@echo 'make slow      the tests that take minutes'
	@echo 'make check     sanitizers, fuzz corpora, layers, format'
	@echo 'make install PREFIX=DIR'

setup:
	@tools/setup.sh

$(BUILD)/build.ninja: | setup
	@cmake --preset release --log-level=WARNING

build: setup $(BUILD)/build.ninja
	@cmake --build $(BUILD) -j $(JOBS)
	@$(BUILD)/bin/cadenza weights import -q

test: build
	@ctest --test-dir $(BUILD) -LE slow -j $(JOBS) --output-on-failure

slow: build
	@ctest --test-dir $(BUILD) -L slow --output-on-failure

# The program alone: the demo needs no test.
demo: setup $(BUILD)/build.ninja
	@tools/demo_data.sh $(DATA)
	@cmake --build $(BUILD) -j $(JOBS) --target cadenza_program
	@$(BUILD)/bin/cadenza weights import -q
	@$(BUILD)/bin/cadenza demo --data $(DATA) --photographs $(or $(CADENZA_DEPS),.deps)/demo

check:
	@tools/setup.sh check
	@tools/check.sh

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

format:
	@tools/setup.sh check
	@tools/format.sh --write

clean:
	rm -rf build
