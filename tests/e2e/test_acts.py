"""The slower promises on a live server, engine and sentinel: what `make drill-full` plays."""

import pytest

from sandbox.acts.playing import PERFORMANCES, play
from sandbox.acts.stage import Performance
from sandbox.state import SandboxState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.mark.parametrize("performance", PERFORMANCES, ids=lambda each: each.name)
def test_every_act_ends_as_it_must(sandbox: SandboxState, performance: Performance) -> None:
    results = play(sandbox, performance)
    assert len(results) == len(performance.acts)
    assert {result.act: result.problem for result in results if result.problem} == {}
