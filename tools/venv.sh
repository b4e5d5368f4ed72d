#!/usr/bin/env bash
# Makes .venv with the pinned Python packages that tests and the demo use: the stock dora CLI, Pillow, pictures.
# The product itself needs no Python.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/requirements.txt
wanted=$(cat tools/requirements.txt demo/requirements.txt python/seggpt-contract/pyproject.toml)
[ "$wanted" = "$(cat "$stamp" 2>/dev/null)" ] && exit 0

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo "installing python3-venv"
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    $as_root apt-get update -qq && $as_root apt-get install -y -qq python3-venv
fi
rm -rf .venv
python3 -m venv .venv
pip() { .venv/bin/pip install --quiet --disable-pip-version-check "$@"; }
pip --requirement tools/requirements.txt
pip --no-deps --editable python/seggpt-contract
pip --no-deps --requirement demo/requirements.txt # only the pictures in scikit-image's wheel are wanted
echo "$wanted" > "$stamp"
