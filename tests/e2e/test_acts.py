"""The slower promises on a live server, engine and sentinel, which `make drill-full` plays too.

It alone plays what takes minutes: hostile errors, freshness, loads, silences, the calendar, and a
storm of 200 pipelines.
"""

import pytest

from sandbox.acts.channels import CHANNELS
from sandbox.acts.incidents import INCIDENTS
from sandbox.acts.playing import play
from sandbox.acts.stage import Performance
from sandbox.acts.timing import FLAPPING
from sandbox.state import SandboxState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.mark.parametrize("performance", [INCIDENTS, CHANNELS, FLAPPING], ids=lambda each: each.name)
def test_every_act_ends_as_it_must(sandbox: SandboxState, performance: Performance) -> None:
    results = play(sandbox, performance)
    assert len(results) == len(performance.acts)
    assert {result.act: result.problem for result in results if result.problem} == {}
