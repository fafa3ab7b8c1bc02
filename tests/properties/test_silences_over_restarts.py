"""What was held back by a silence, over restarts of the sentinel."""

from datetime import datetime, timedelta

import pytest

from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import Event
from tests.shared.fake_workspace import DEPLOYED, FakeServer, end, published
from tests.shared.sentinel_lives import live

pytestmark = pytest.mark.properties

PIPELINES = {
    "orders": {"owner": "shop"},
    "clicks": {"owner": "web", "flow": "load-clicks", "deployment": "prod"},
}


class ForgetfulServer(FakeServer):
    """It acts on an id again that it has seen long ago: Prefect remembers ids for 30 minutes."""

    def emit(self, events: list[Event]) -> None:  # type: ignore[override]
        known = self.emitted.items()
        self.emitted = {
            found: event
            for found, event in known
            if self.now - datetime.fromisoformat(event["occurred"]) < timedelta(minutes=30)
        }
        super().emit(events)


def silenced(starts: float, ends: float) -> Silence:
    return Silence(
        id=f"{starts}",
        starts=DEPLOYED + timedelta(minutes=starts),
        ends=DEPLOYED + timedelta(minutes=ends),
        reason="a move",
        author="ada",
    )


def all_down(server: FakeServer) -> list[str]:
    name = VerdictKind.ALL_DOWN.event
    return [event["occurred"] for event in server.verdicts if event["event"] == name]


def test_p1_that_a_silence_held_back_is_told_once_however_often_the_sentinel_is_started() -> None:
    server = ForgetfulServer(published(pipelines=PIPELINES), silences=[silenced(0, 60)])
    server.to_come = [
        end("orders", 10),
        end("load-clicks", 11, deployment="prod"),
        *(end("stranger", minute, "Completed") for minute in (59, 60, 61)),
    ]
    live(server)
    assert len(all_down(server)) == 1
    for hours in (3, 6, 30):
        server.happen([end("stranger", 60 * hours, "Completed")])
        server.to_come = [end("stranger", 60 * hours + 1, "Completed")]
        live(server)
    assert len(all_down(server)) == 1


def test_p1_is_told_once_where_the_silence_ended_while_the_sentinel_was_away() -> None:
    server = ForgetfulServer(published(pipelines=PIPELINES), silences=[silenced(0, 60)])
    server.to_come = [end("orders", 10), end("load-clicks", 11, deployment="prod")]
    server.to_come.append(end("stranger", 12, "Completed"))
    live(server)
    assert all_down(server) == []
    for hours in (2, 4):
        server.happen([end("stranger", 60 * hours, "Completed")])
        server.to_come = [end("stranger", 60 * hours + 1, "Completed")]
        live(server)
    assert len(all_down(server)) == 1
