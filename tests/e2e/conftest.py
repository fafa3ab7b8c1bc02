"""One sandbox for all end-to-end tests: each test begins with nothing deployed."""

from collections.abc import Iterator

import pytest

from sandbox.lifecycle import bring_up, take_down
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxState]:
    """A whole sandbox, without a stack."""
    folder = tmp_path_factory.mktemp("sandbox")
    try:
        yield bring_up(folder)
    finally:
        take_down(folder)


@pytest.fixture
def stack(sandbox: SandboxState) -> Iterator[SandboxStack]:
    """The stack, not deployed yet, and removed after the test."""
    stack = SandboxStack(sandbox)
    try:
        yield stack
    finally:
        stack.destroy()
