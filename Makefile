# The front door. Everything installs what it needs; one cargo profile serves all but what is handed out.
SHELL := /bin/bash
BIN := target/debug
PYTHON := .venv/bin/python
PHOTOGRAPHS := out/photographs
# Where the system has OpenSSL to build with, it is not compiled once more, which takes minutes. (Who calls cargo directly as
# well sets the same, or cargo builds what stands on it twice.)
OPENSSL_NO_VENDOR ?= $(shell pkg-config --exists 'openssl >= 1.1' 2> /dev/null && echo 1)
ifeq ($(OPENSSL_NO_VENDOR),1)
export OPENSSL_NO_VENDOR
endif

.PHONY: demo test soak check build dist docs bench cuda

## demo: masks of drawn pictures and real photographs, through one dataflow; ends by naming the page to open
demo: build
	@tools/venv.sh && $(PYTHON) demo/prepare.py --out $(PHOTOGRAPHS) || true
	@$(BIN)/seggpt demo $$([ -f $(PHOTOGRAPHS)/prompts/prompts.yml ] && echo --with $(PHOTOGRAPHS))

## test: every test, whole flows through the real engine included; ends with how many were ignored
test: build
	@tools/venv.sh
	$(PYTHON) -m unittest discover -q -s python/seggpt-contract/tests
	@set -o pipefail; cargo test --workspace 2>&1 | awk '{ print; fflush() } /^test result:/ { ignored += $$8 } \
		END { if (ignored) print ignored " tests were ignored: they need data that is not part of the repository" }'

## soak: what takes too long for a test: nodes killed at every moment, a thousand starts on a busy machine, 100,000 pictures in
## one run; hours. `make soak ARGS="starts 100"` for a part of it (docs/reliability.md)
soak:
	cargo build --workspace --bins
	$(BIN)/soak $(ARGS)

## check: formatting, lints, docs, licences and duplicate dependencies
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --features program -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	python3 tools/dependencies.py

## build: target/debug/seggpt, with links named as the nodes are for the stock dora
build:
	cargo build --workspace --bin seggpt
	@$(BIN)/seggpt link $(BIN)

## dist: an archive and a Debian package of the program, into dist/
dist:
	tools/dist.sh

## cuda: seggpt and what checks a GPU, for CUDA, into target/cuda/bin; needs neither a GPU nor a toolkit (docs/cuda.md)
cuda:
	tools/cuda.sh tools/cuda-build.sh

## docs: writes manifests, node READMEs and the reference from the code
docs:
	UPDATE=1 cargo test --workspace --test manuals

## bench: times the network against other people's code and writes docs/benchmarks.md; takes gigabytes and half an hour
bench:
	benches/run.sh $(ARGS)
