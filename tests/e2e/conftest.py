"""One sandbox for all end-to-end tests: each test begins with nothing deployed."""

from collections.abc import Iterator

import pytest

from sandbox.lifecycle import passing_sandbox
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxState]:
    """A whole sandbox, without a stack."""
    with passing_sandbox(tmp_path_factory.mktemp("sandbox")) as state:
        yield state


@pytest.fixture
def stack(sandbox: SandboxState) -> Iterator[SandboxStack]:
    """The stack, not deployed yet, and removed after the test."""
    stack = SandboxStack(sandbox)
    try:
        yield stack
    finally:
        stack.destroy()
