"""Finds the Pulumi CLI: the one on PATH when it is new enough, else the one built by set-up."""

import os
import shutil
import subprocess
from pathlib import Path

from semver import VersionInfo

from alerting.cache_folder import cache_folder

VERSION = VersionInfo.parse("3.259.0")


class NoPulumiCliError(Exception):
    """There is no Pulumi CLI; the text says how to get one."""


def build_folder() -> Path:
    """Where `make setup` puts the CLI that it builds, outside the repository."""
    return cache_folder() / f"pulumi-{VERSION}"


def find_cli() -> Path:
    """The command to run. Raises NoPulumiCliError when there is none."""
    on_path = shutil.which("pulumi")
    if on_path and _version(on_path) >= VERSION:
        return Path(on_path)
    built = build_folder() / "bin" / "pulumi"
    if not built.exists():
        raise NoPulumiCliError(f"there is no Pulumi CLI {VERSION} or newer: run `make setup`")
    return built


def _version(command: str) -> VersionInfo:
    answer = subprocess.run(  # noqa: S603 - the CLI that PATH names
        [command, "version"],
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    text = answer.stdout.strip().removeprefix("v")
    return VersionInfo.parse(text) if VersionInfo.is_valid(text) else VersionInfo(0)
