"""The slower promises on a live server, engine and sentinel, which `make drill-full` plays too.

Freshness, loads, silences and a storm of 200 pipelines are played by `make drill-full` alone: what
takes minutes.
"""

import pytest

from sandbox.acts.incidents import INCIDENTS
from sandbox.acts.playing import play
from sandbox.acts.stage import Performance
from sandbox.acts.timing import FLAPPING
from sandbox.state import SandboxState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.mark.parametrize("performance", [INCIDENTS, FLAPPING], ids=lambda each: each.name)
def test_every_act_ends_as_it_must(sandbox: SandboxState, performance: Performance) -> None:
    results = play(sandbox, performance)
    assert len(results) == len(performance.acts)
    assert {result.act: result.problem for result in results if result.problem} == {}
