"""What a drill waits for before it begins."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.drill import settling
from sandbox.state import SandboxError
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.tools


class Silent:
    """A server that has heard of no sentinel, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def request(self, *_: object, **__: object) -> Any:  # noqa: ANN401 - as a client's
        self.asked += 1
        return SimpleNamespace(json=lambda: {"events": []})


def wait(server: Silent, **changes: object) -> None:
    settings = published_of(**changes)
    asyncio.run(settling.wait_for_sentinel(server, settings))  # type: ignore[arg-type]


def test_a_sentinel_that_is_not_heard_of_is_named_with_its_log_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "SENTINEL_SECONDS", 0.0)
    with pytest.raises(SandboxError, match=r"sentinel.*logs/sentinel.log.*make sandbox"):
        wait(Silent())


def test_where_triggers_judge_no_sentinel_is_waited_for() -> None:
    server = Silent()
    wait(server, evaluation="triggers")
    assert server.asked == 0
