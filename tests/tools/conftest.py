"""Fixtures of the tests of tools."""

import os
from pathlib import Path

import pytest

from tests.shared.stack_credentials import credentials

__all__ = ["credentials", "folder"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, without a runner around it."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GITHUB_")]:
        monkeypatch.delenv(name)
    return tmp_path
