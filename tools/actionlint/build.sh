#!/bin/sh
# Builds the pinned linter of workflows into a cache outside the repository, and prints its path.
set -eu
cd "$(dirname "$0")"

version=$(sed -n 's|.*github.com/rhysd/actionlint v\([0-9.]*\).*|\1|p' go.mod)
program="${XDG_CACHE_HOME:-$HOME/.cache}/data-alerts/actionlint-$version/actionlint"

if [ ! -x "$program" ]; then
    if ! command -v go > /dev/null; then
        echo "check: Go is needed to build actionlint $version: install it" >&2
        exit 1
    fi
    echo "check: building actionlint $version (half a minute, once)" >&2
    mkdir -p "$(dirname "$program")"
    # Built beside and moved: an interrupted build leaves no half a linter.
    GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false \
        -o "$program.new" github.com/rhysd/actionlint/cmd/actionlint
    mv "$program.new" "$program"
fi
echo "$program"
