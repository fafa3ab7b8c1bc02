#!/bin/sh
# Builds the pinned Pulumi CLI into a cache outside the repository, unless one is on PATH.
set -eu
cd "$(dirname "$0")"

version=3.259.0
folder="${XDG_CACHE_HOME:-$HOME/.cache}/data-alerts/pulumi-$version"

is_new_enough() {
    oldest=$(printf '%s\n%s\n' "$version" "${1#v}" | sort -V | head -n 1)
    [ "$oldest" = "$version" ]
}

if found=$(PULUMI_SKIP_UPDATE_CHECK=true pulumi version 2>/dev/null) && is_new_enough "$found"; then
    exit 0
fi
if [ -x "$folder/bin/pulumi" ]; then
    exit 0
fi
if ! command -v go > /dev/null; then
    echo "setup: neither Pulumi $version or newer nor Go to build it is there: install one" >&2
    exit 1
fi
echo "setup: building the Pulumi CLI $version (about five minutes, once)"
mkdir -p "$folder/bin"
# Built beside and moved: an interrupted build leaves no half a CLI.
GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version" \
    -o "$folder/bin/pulumi.new" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
mv "$folder/bin/pulumi.new" "$folder/bin/pulumi"
