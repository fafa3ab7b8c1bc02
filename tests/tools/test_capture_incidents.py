from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sandbox.capture.board import board
from sandbox.capture.incidents import Incident, IncidentStatus, incidents
from sandbox.capture.messages import CapturedMessage, Service

pytestmark = pytest.mark.tools

START = datetime(2026, 1, 1, tzinfo=UTC)


class Events:
    """PagerDuty's events, a minute apart."""

    def __init__(self) -> None:
        self.messages: list[CapturedMessage] = []
        self._minutes = count()

    def add(
        self,
        action: str,
        summary: str = "",
        *,
        severity: str | None = None,
        key: str = "orders",
        channel: str = "pager",
        status_code: int = 202,
    ) -> "Events":
        self.messages.append(
            CapturedMessage(
                received_at=START + timedelta(minutes=next(self._minutes)),
                service=Service.PAGERDUTY,
                host="events.pagerduty.com",
                channel=channel,
                status_code=status_code,
                answer="Event processed",
                title=summary,
                text="",
                payload={},
                severity=severity,
                event_action=action,
                dedup_key=key,
            )
        )
        return self

    @property
    def incidents(self) -> list[Incident]:
        return incidents(self.messages)


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.fixture
def events() -> Events:
    return Events()


def test_an_incident_is_opened_updated_and_resolved(events: Events) -> None:
    events.add("trigger", "3 failures", severity="critical")
    events.add("trigger", "6 failures", severity="error")
    events.add("resolve")
    [incident] = events.incidents
    assert (incident.channel, incident.dedup_key) == ("pager", "orders")
    assert incident.status is IncidentStatus.RESOLVED
    assert (incident.opened_at, incident.resolved_at) == (after(0), after(2))
    assert (incident.count, incident.summary) == (2, "3 failures")
    assert incident.summaries == ("3 failures", "6 failures")
    assert (incident.severities, incident.severity) == (("critical", "error"), "error")
    assert [update.message_id for update in incident.updates] == [m.id for m in events.messages]


def test_an_open_incident_has_no_end(events: Events) -> None:
    [incident] = events.add("trigger", "x").incidents
    assert (incident.status, incident.resolved_at) == (IncidentStatus.TRIGGERED, None)


def test_a_trigger_does_not_take_an_acknowledgement_back(events: Events) -> None:
    [incident] = events.add("trigger", "x").add("acknowledge").add("trigger", "y").incidents
    assert (incident.status, incident.count) == (IncidentStatus.ACKNOWLEDGED, 2)


def test_a_trigger_after_the_resolve_opens_a_new_incident(events: Events) -> None:
    events.add("trigger", "x").add("resolve").add("trigger", "y")
    first, second = events.incidents
    assert (first.resolved_at, second.opened_at) == (after(1), after(2))
    assert (second.summary, second.status) == ("y", IncidentStatus.TRIGGERED)


def test_each_channel_and_key_has_incidents_of_its_own(events: Events) -> None:
    events.add("trigger", "a").add("trigger", "b", key="stock")
    events.add("trigger", "c", channel="lead").add("resolve", key="stock")
    assert [(i.channel, i.dedup_key, i.status) for i in events.incidents] == [
        ("pager", "orders", "triggered"),
        ("pager", "stock", "resolved"),
        ("lead", "orders", "triggered"),
    ]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_without_an_open_incident_an_update_does_nothing(events: Events, action: str) -> None:
    assert events.add(action).incidents == []
    [incident] = events.add("trigger", "x").add("resolve").add(action).incidents
    assert [update.action for update in incident.updates] == ["trigger", "resolve"]


def test_what_pagerduty_refused_and_others_messages_open_nothing(events: Events) -> None:
    [refused] = events.add("trigger", "x", status_code=400).messages
    slack = refused.model_copy(update={"service": Service.SLACK, "status_code": 200})
    assert incidents([refused, slack]) == []


def test_every_message_is_on_one_card_and_what_changed_last_comes_first(events: Events) -> None:
    events.add("resolve", key="nothing").add("trigger", "a", key="a").add("trigger", "b", key="b")
    events.add("trigger", "refused", key="c", status_code=400).add("resolve", key="a")
    [channel] = board(events.messages)
    assert [(card.template, len(card.messages)) for card in channel.cards] == [
        ("incident.html", 2),
        ("refused.html", 1),
        ("incident.html", 1),
        ("pagerduty.html", 1),
    ]
    assert (channel.total, channel.unshown) == (5, 0)


def test_an_incidents_card_shows_its_last_trigger(events: Events) -> None:
    events.add("trigger", "a").add("trigger", "b").add("resolve", "c")
    [channel] = board(events.messages)
    assert channel.cards[0].message.title == "b"
