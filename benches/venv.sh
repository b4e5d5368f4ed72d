#!/usr/bin/env bash
# Makes benches/.venv with the pinned peers that `make bench` times against. Gigabytes: torch's wheel for Linux brings
# CUDA along. Apart from the tests' .venv, which needs none of it.
set -euo pipefail
cd "$(dirname "$0")"

stamp=.venv/requirements.txt
cmp -s requirements.txt "$stamp" && exit 0
rm -rf .venv
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
cp requirements.txt "$stamp"
