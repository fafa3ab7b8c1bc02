"""Incidents and notifications, read from Prefect's events, and what a team learns from them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from alerting.observing.announcements import (
    Announcement,
    all_are_down,
    announcements_of,
    open_incidents,
)
from alerting.observing.notifications import Notification, causes_of, notification_of
from alerting.observing.review import review
from alerting.plan import Tier
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import announcement
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from tests.shared.example_stack import published_of
from tests.shared.fake_workspace import DEPLOYED, end, event_of

pytestmark = pytest.mark.tools

SETTINGS = published_of()
SECRET = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefake"


def announced(history: Sequence[Ended], now: datetime) -> list[Announcement]:
    """What the sentinel announces in the end of a history, read back."""
    verdicts = judge(history, SETTINGS, now)
    events = [announcement(verdict, SETTINGS, verdict.at) for verdict in verdicts]
    return [each for event in events for each in announcements_of(event)]


def minutes(count: float) -> datetime:
    return DEPLOYED + timedelta(minutes=count)


def test_an_announcement_is_read_as_it_was_made() -> None:
    failed = end("orders", 0)
    first, step = announced([failed], minutes(20))
    assert (first.kind, first.pipeline, first.key) == (VerdictKind.FAILURE, "orders", "orders")
    assert first.run_id == failed.run_id
    assert first.ended == first.true_since == failed.at
    assert (step.kind, step.step) == (VerdictKind.ESCALATION, "15m")
    # People could not have been told of it before it was due.
    assert step.true_since == minutes(15)


@pytest.mark.parametrize("broken", [{}, {"at": "never"}, {"run_id": 7}])
def test_an_announcement_of_another_version_is_left_out(broken: dict[str, Any]) -> None:
    verdict = judge([end("orders", 0)], SETTINGS, minutes(1))[0]
    made = announcement(verdict, SETTINGS, minutes(1))
    payload = {**made["payload"], **broken} if broken else {}
    assert announcements_of({**made, "payload": payload}) == []
    assert announcements_of(event_of(end("orders", 0))) == []


def test_an_incident_is_open_from_the_first_failure_until_the_recovery() -> None:
    history = [end("orders", 0), end("orders", 5), end("orders", 10)]
    history.append(end("load-clicks", 3, deployment="prod"))
    history.append(end("load-clicks", 4, "Completed", deployment="prod"))
    incidents = open_incidents(announced(history, minutes(12)))
    assert list(incidents) == ["orders"]
    found = incidents["orders"]
    assert (found.since, found.failures, found.gravest) == (minutes(0), 3, VerdictKind.STREAK)
    escalated = open_incidents(announced(history, minutes(70)))["orders"]
    assert (escalated.gravest, escalated.step) == (VerdictKind.ESCALATION, "1h")
    history.append(end("orders", 80, "Completed"))
    assert open_incidents(announced(history, minutes(90))) == {}


def test_all_are_down_until_one_is_up() -> None:
    history = [end("orders", 0), end("load-clicks", 1, deployment="prod")]
    assert all_are_down(announced(history[:1], minutes(2))) is None
    assert all_are_down(announced(history, minutes(2))) == minutes(1)
    history.append(end("orders", 3, "Completed"))
    assert all_are_down(announced(history, minutes(4))) is None


def acted(
    rule: str,
    cause: str | None,
    at: datetime,
    index: int = 0,
    block: str | None = "slack-webhook/alerts",
    firing: str | None = None,
    **payload: object,
) -> dict[str, Any]:
    """The server's event of an action."""
    related = []
    if block:
        kind, _, name = block.partition("/")
        related += [
            {
                "prefect.resource.id": "prefect.block-document.x",
                "prefect.resource.role": "block",
                "prefect.resource.name": name,
            },
            {
                "prefect.resource.id": f"prefect.block-type.{kind}",
                "prefect.resource.role": "block-type",
            },
        ]
    for role, found in (("automation-triggered-event", firing), ("triggering-event", cause)):
        if found:
            related.append(
                {
                    "prefect.resource.id": f"prefect.event.{found}",
                    "prefect.resource.role": role,
                }
            )
    return {
        "id": str(uuid4()),
        "event": f"prefect.automation.action.{'failed' if payload else 'executed'}",
        "occurred": at.isoformat(),
        "resource": {"prefect.resource.name": rule},
        "related": related,
        "payload": {"action_index": index, "action_type": "send-notification", **payload},
    }


def notified(event: dict[str, Any], *told: Announcement, firings: Any = ()) -> Notification | None:  # noqa: ANN401 - JSON
    return notification_of(event, SETTINGS, causes_of(told, firings, SETTINGS))


def test_a_notification_says_to_whom_of_what_and_how_soon_after_the_failure() -> None:
    [failure] = announced([end("orders", 0)], minutes(1))
    at = failure.ended + timedelta(seconds=2.5)
    found = notified(acted("DLT Pipeline Failure Alert", failure.id, at), failure)
    assert found is not None
    assert (found.tier, found.channel, found.pipeline) == (Tier.WARNING, "alerts", "orders")
    assert found.delivered
    assert found.seconds == 2.5
    assert found.run_id == failure.run_id
    assert not found.pages


def test_a_notification_that_failed_says_why_without_its_secret() -> None:
    [failure] = announced([end("orders", 0)], minutes(1))
    event = acted(
        "DLT Pipeline Failure Alert",
        failure.id,
        minutes(1),
        block=None,
        reason="Notification failed",
        notification_log=f"could not reach {SECRET}\nat all",
    )
    found = notified(event, failure)
    assert found is not None
    assert not found.delivered
    assert found.problem is not None
    assert "Notification failed" in found.problem
    assert "\n" not in found.problem
    assert "fakefake" not in found.problem
    # A block that could not be loaded is known by the action's place.
    assert found.channel == "alerts"


def test_a_late_run_is_known_by_the_firing_of_its_automation() -> None:
    late = event_of(end("orders", 0))
    firing = {
        "id": str(uuid4()),
        "event": "prefect.automation.triggered",
        "payload": {"triggering_event": {**late, "event": "prefect.flow-run.Late"}},
    }
    for known_by in ({"cause": late["id"]}, {"cause": None, "firing": firing["id"]}):
        event = acted("DLT Pipeline Late Start (standby)", at=minutes(1), **known_by)
        found = notified(event, firings=[firing])
        assert found is not None
        assert (found.tier, found.pipeline, found.seconds) == (Tier.LATE, "orders", 60)


def test_what_has_no_cause_is_told_all_the_same() -> None:
    found = notified(
        acted("DLT Sentinel Silent", None, minutes(1), block="pager-duty-webhook/on-call")
    )
    assert found is not None
    assert (found.tier, found.channel, found.pipeline) == (Tier.ALERTING, "on-call", None)
    assert found.seconds is None


def test_an_automation_that_had_another_name_is_known_by_what_it_acted_on() -> None:
    _, step = announced([end("orders", 0)], minutes(20))
    event = acted(
        "DLT Pipeline Escalation (12m)", step.id, minutes(16), block="pager-duty-webhook/on-call"
    )
    found = notified(event, step)
    assert found is not None
    assert (found.tier, found.channel) == (Tier.ESCALATION, "on-call")
    assert found.seconds == 60


def test_messages_of_others_and_other_actions_are_left_out() -> None:
    [failure] = announced([end("orders", 0)], minutes(1))
    assert notified(acted("Somebody's", str(uuid4()), minutes(1)), failure) is None
    switched = acted("DLT Sentinel Silent", None, minutes(1))
    switched["payload"]["action_type"] = "resume-automation"
    assert notified(switched) is None


def notification(pipeline: str, tier: Tier, minute: float, **changes: object) -> Notification:
    given = {
        "id": str(uuid4()),
        "at": minutes(minute),
        "tier": tier,
        "channel": "alerts",
        "automation": "x",
        "pipeline": pipeline,
        "seconds": 1.0,
        **changes,
    }
    return Notification(**given)  # type: ignore[arg-type]


def test_a_review_counts_what_asked_for_attention() -> None:
    sent = [
        notification("orders", Tier.WARNING, 0, seconds=1.0),
        notification("orders", Tier.CRITICAL, 1, seconds=4.0, channel="on-call"),
        notification("clicks", Tier.WARNING, 24 * 60, seconds=3.0),
        notification("clicks", Tier.WARNING, 24 * 60, problem="no route", seconds=60.0),
        notification("orders", Tier.RECOVERY, 5),
        notification("orders", Tier.DRILL, 6),
    ]
    found = review(sent, [])
    assert (found.alerts, found.undelivered) == (4, 1)
    assert found.by_day == ((date(2026, 3, 1), 2), (date(2026, 3, 2), 2))
    assert found.by_pipeline == (("clicks", 2), ("orders", 2))
    assert found.by_channel == (("alerts", 3), ("on-call", 1))
    assert found.seconds == (1.0, 3.0, 4.0)
    assert found.median_seconds == 3.0
    assert found.share_alone is None


def test_an_outage_that_ended_before_a_streak_or_an_escalation_recovered_by_itself() -> None:
    blip = [end("orders", 0), end("orders", 1, "Completed")]
    streak = [end("orders", n) for n in (10, 11, 12)] + [end("orders", 13, "Completed")]
    escalated = [end("orders", 20), end("orders", 40, "Completed")]
    lasting = [end("orders", 50)]
    found = review([], announced([*blip, *streak, *escalated, *lasting], minutes(51)))
    assert (found.outages, found.recovered, found.recovered_alone) == (4, 3, 1)
    assert found.share_alone == pytest.approx(1 / 3)
    assert found.offenders == (("orders", 4),)


def test_without_native_rules_there_is_nothing_to_be_known_by() -> None:
    bare = PublishedSettings.model_validate(SETTINGS.model_dump() | {"rules": ()})
    [failure] = announced([end("orders", 0)], minutes(1))
    event = acted("DLT Sentinel Silent", None, minutes(1))
    assert notification_of(event, bare, causes_of([failure], [], bare)) is None
