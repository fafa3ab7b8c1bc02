#!/bin/sh
# Installs what the project needs; quick when nothing changed: `make setup`.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

install_python_packages() {
    "${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed: name one with PYTHON=/path/to/python3"
    wanted=$(cat requirements-dev.txt pyproject.toml | sha256sum)
    if [ "$(cat .venv/installed 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    say "installing Python packages into .venv"
    "${PYTHON:-python3}" -m venv .venv
    # uv, by the pin and hashes that it has in the lock, installs the rest in seconds; pip takes
    # minutes.
    sed -n '/^uv==/,/[^\\]$/p' requirements-dev.txt > .venv/uv.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r .venv/uv.txt
    # It does not read pip's settings: whoever has an index of their own has told pip.
    index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
    export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-${index:-https://pypi.org/simple}}"
    .venv/bin/uv pip install --quiet --python .venv/bin/python --compile-bytecode \
        --require-hashes -r requirements-dev.txt
    .venv/bin/uv pip install --quiet --python .venv/bin/python \
        --no-deps --no-build-isolation --editable .
    # The empty database of a server takes 20 s to make, here beside the build of the CLI.
    .venv/bin/python -c 'from sandbox.prefect_database import empty_database; empty_database()'
    # Last, so that an interrupted installation begins again.
    printf '%s\n' "$wanted" > .venv/installed
}

# Side by side. Each in a process of its own: behind `||` or `if`, `set -e` would be off, and an
# installation that failed would be recorded as done.
tools/pulumi/build.sh &
build=$!
install_python_packages &
packages=$!
failed=0
wait "$packages" || failed=1
wait "$build" || failed=1
[ "$failed" = 0 ] || fail "something could not be installed; mend it and run make setup again"
say "done"
