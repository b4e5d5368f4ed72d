# The front door. Everything installs what it needs; one cargo profile serves all.
SHELL := /bin/bash
BIN := target/debug
PYTHON := .venv/bin/python

.PHONY: demo test check build docs bench cuda

## demo: masks of drawn pictures and real photographs, through one dataflow; ends by naming the page to open
demo: build
	@tools/venv.sh || true
	@$$([ -x $(PYTHON) ] && echo $(PYTHON) || echo python3) demo/prepare.py --out out/demo
	@$(BIN)/seggpt run dataflows/demo.yml

## test: every test, whole flows through the real engine included
test: build
	@tools/venv.sh
	$(PYTHON) -m unittest discover -q -s python/seggpt-contract/tests
	cargo test --workspace

## check: formatting, lints, docs, licences and duplicate dependencies
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	python3 tools/dependencies.py

build:
	cargo build --workspace --bins

## cuda: seggpt-infer, seggpt-train and what checks a GPU, for CUDA, into target/cuda/bin; needs neither a GPU nor a toolkit (docs/cuda.md)
cuda:
	tools/cuda.sh tools/cuda-build.sh

## docs: writes manifests, node READMEs and the reference from the code
docs:
	UPDATE=1 cargo test --workspace --test manuals

## bench: times the network against other people's code and writes docs/benchmarks.md; takes gigabytes and half an hour
bench:
	benches/run.sh $(ARGS)
