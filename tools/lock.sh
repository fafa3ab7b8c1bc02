#!/bin/sh
# Locks what the project installs, hashes included: `make lock`.
#
# pip refuses a hashed file that names a folder, and PyPI's pulumi-prefect is somebody else's
# package. So the generated SDK is locked as a wheel built from sdks/prefect, under its hash.
set -eu
cd "$(dirname "$0")/.."

python=.venv/bin/python
wheels=sdks/wheels
wheel=pulumi_prefect-3.4.1-py3-none-any.whl

build_wheel() {
    source=$(mktemp -d)
    cp -r sdks/prefect "$source/prefect"
    rm -rf "$wheels"
    # A fixed time makes the wheel, and so its hash, the same each time it is built.
    SOURCE_DATE_EPOCH=1767225600 "$python" -m pip wheel --quiet --no-deps --no-build-isolation \
        --wheel-dir "$wheels" "$source/prefect"
    rm -rf "$source"
}

compile() { # input, output
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
        --python-version 3.11 "$1" --output-file "$2"
    # Paths in a requirements file are relative to where pip runs.
    printf './%s/%s \\\n    --hash=sha256:%s\n' "$wheels" "$wheel" "$hash" >> "$2"
}

without_wheel() { # uv takes the pins that a file has, and would stumble over the wheel
    if [ -f "$1" ]; then
        sed -i "/$wheel/,\$d" "$1"
    fi
}

build_wheel
hash=$(sha256sum "$wheels/$wheel" | cut -d' ' -f1)
without_wheel requirements.txt
without_wheel requirements-dev.txt
compile requirements/deploy.in requirements.txt
compile requirements/dev.in requirements-dev.txt
# `pulumi install` runs pip beside the program, and rewrites the file in the root.
sed "s|^\./$wheels/|../$wheels/|" requirements.txt > infra/requirements.txt
