"""Waiting for something to happen, with a deadline."""

import asyncio
from collections.abc import Callable

from sandbox.drill.pipelines import wait_for

SECONDS = 60.0


def wait_until_true(holds: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Wait until it holds. Raises SandboxError when it does not in time."""

    async def look() -> bool | None:
        return holds() or None

    asyncio.run(wait_for(look, seconds, what))
