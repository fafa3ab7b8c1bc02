"""What was held back by a silence, over restarts of the sentinel."""

from datetime import timedelta

import pytest

from alerting.plan.silences import Silence
from tests.shared.fake_workspace import DEPLOYED, end, published
from tests.shared.sentinel_lives import ForgetfulServer, live, live_at

pytestmark = pytest.mark.properties

PIPELINES = {
    "orders": {"owner": "shop"},
    "clicks": {"owner": "web", "flow": "load-clicks", "deployment": "prod"},
}


def silenced(starts: float, ends: float) -> Silence:
    return Silence(
        id=f"{starts}",
        starts=DEPLOYED + timedelta(minutes=starts),
        ends=DEPLOYED + timedelta(minutes=ends),
        reason="a move",
        author="ada",
    )


ALL_DOWN = [("all-down", "clicks")]


def test_p1_that_a_silence_held_back_is_told_once_however_often_the_sentinel_is_started() -> None:
    server = ForgetfulServer(published(pipelines=PIPELINES), silences=[silenced(0, 60)])
    server.to_come = [
        end("orders", 10),
        end("load-clicks", 11, deployment="prod"),
        *(end("stranger", minute, "Completed") for minute in (59, 60, 61)),
    ]
    live(server)
    assert server.told_of("all-down") == ALL_DOWN
    for hours in (3, 6, 30):
        live_at(server, 60 * hours, 60 * hours + 1)
    assert server.told_of("all-down") == ALL_DOWN


def test_p1_is_told_once_where_the_silence_ended_while_the_sentinel_was_away() -> None:
    server = ForgetfulServer(published(pipelines=PIPELINES), silences=[silenced(0, 60)])
    server.to_come = [end("orders", 10), end("load-clicks", 11, deployment="prod")]
    server.to_come.append(end("stranger", 12, "Completed"))
    live(server)
    assert server.told_of("all-down") == []
    for hours in (2, 4):
        live_at(server, 60 * hours, 60 * hours + 1)
    assert server.told_of("all-down") == ALL_DOWN
