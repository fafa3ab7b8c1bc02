#!/bin/sh
# Makes sure that a Chromium is there for the page tests, and a font for the emoji it shows.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" > /dev/null; then
        exit 0
    fi
done
if ! command -v apt-get > /dev/null; then
    echo "setup: the page tests need Chromium: install it and try again" >&2
    exit 1
fi
echo "setup: installing Chromium for the page tests"
privileged=$([ "$(id -u)" = 0 ] || echo sudo)
$privileged apt-get update -qq
DEBIAN_FRONTEND=noninteractive $privileged apt-get install -y -qq \
    chromium fonts-noto-color-emoji > /dev/null
