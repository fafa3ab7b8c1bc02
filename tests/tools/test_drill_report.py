"""What becomes of a production drill, judged by Prefect's events."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerting.drills.drill import Drill, DrillError
from alerting.drills.judging import report_of
from alerting.drills.report import DrillReport
from alerting.plan.drill_events import DrillPhase
from sandbox.capture.messages import CapturedMessage, Service
from sandbox.drill.arrivals import NOT_CAPTURED, captured
from tests.shared.drills import BEGAN, DRILL_ID, ENDED, acted, at, drill_of, requested
from tests.shared.example_stack import published_of, raw_settings

pytestmark = pytest.mark.tools

WITHIN = timedelta(seconds=30)
WEBHOOK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/s3cr3t0fake"


def judged(drill: Drill, *actions: dict[str, Any], over: bool = True) -> DrillReport:
    requests = {BEGAN: requested(drill, BEGAN, 0)}
    if over:
        requests[ENDED] = requested(drill, ENDED, 40)
    return report_of(drill, requests, actions)


def all_acted(drill: Drill, phase: DrillPhase | None, seconds: float) -> list[dict[str, Any]]:
    return [acted(drill, phase, index, seconds) for index in range(2)]


def problems(report: DrillReport) -> list[tuple[str, DrillPhase, str | None]]:
    return [(each.channel, each.phase, each.problem) for each in report.deliveries]


def test_a_drill_passes_when_its_beginning_and_its_end_reached_every_channel() -> None:
    drill = drill_of()
    report = judged(drill, *all_acted(drill, BEGAN, 1.5), *all_acted(drill, ENDED, 41))
    assert report.passed
    assert [(each.channel, each.phase, each.seconds) for each in report.deliveries] == [
        ("alerts", BEGAN, 1.5),
        ("critical", BEGAN, 1.5),
        ("alerts", ENDED, 1.0),
        ("critical", ENDED, 1.0),
    ]


def test_it_has_not_passed_before_its_end_arrived() -> None:
    drill = drill_of()
    began = all_acted(drill, BEGAN, 1)
    assert not judged(drill, *began, over=False).passed
    assert not judged(drill, *began).passed
    assert judged(drill, *began, over=False).knows(BEGAN)
    assert not judged(drill, *began, over=False).knows(ENDED)
    assert not judged(drill, *began).knows(ENDED)


def test_what_is_later_than_asked_for_is_a_failure() -> None:
    drill = drill_of()
    late = [acted(drill, BEGAN, 0, 30), acted(drill, BEGAN, 1, 30.1)]
    report = judged(drill, *late, *all_acted(drill, ENDED, 41))
    assert not report.passed
    assert problems(report)[:2] == [
        ("alerts", BEGAN, None),
        ("critical", BEGAN, "later than 30s"),
    ]


def test_a_failed_action_is_told_with_its_reason_and_without_secrets() -> None:
    drill = drill_of()
    failed = acted(
        drill, BEGAN, 1, 1, reason="Notification failed", notification_log=f"no\n answer {WEBHOOK}"
    )
    report = judged(drill, acted(drill, BEGAN, 0, 1), failed, acted(drill, ENDED, 0, 41))
    assert not report.passed
    assert problems(report) == [
        ("alerts", BEGAN, None),
        ("critical", BEGAN, "Notification failed no answer https://hooks.slack.com/[redacted]"),
        # Who did not hear of the beginning is not waited for at the end.
        ("alerts", ENDED, None),
    ]


def test_actions_of_another_drill_count_for_nothing() -> None:
    drill = drill_of()
    other = drill.model_copy(update={"drill": drill.request_id(BEGAN)})
    assert not judged(drill, *all_acted(other, BEGAN, 1)).knows(BEGAN)


def test_where_the_server_does_not_name_the_cause_the_time_tells_it() -> None:
    drill = drill_of()
    report = judged(drill, *all_acted(drill, None, 1), *all_acted(drill, None, 41))
    assert report.passed
    before = judged(drill, *all_acted(drill, None, -1), over=False)
    assert not before.knows(BEGAN)


@pytest.mark.parametrize("incidents", ["deduplicated", "plain"])
def test_a_page_is_expected_at_the_beginning_and_where_incidents_are_closed_at_the_end(
    incidents: str,
) -> None:
    channels = raw_settings()["channels"]
    channels["on-call"]["incidents"] = incidents
    drill = drill_of(page=True, channels=channels)
    page = acted(drill, BEGAN, 0, 1, "DLT Drill Page")
    over = acted(drill, ENDED, 0, 41, "DLT Drill Page Over")
    slack = (*all_acted(drill, BEGAN, 1), *all_acted(drill, ENDED, 41))
    is_closed = incidents == "deduplicated"
    report = judged(drill, *slack, page, *([over] if is_closed else []))
    assert report.passed
    assert [(e.channel, e.phase) for e in report.deliveries if e.channel == "on-call"] == [
        ("on-call", BEGAN),
        *([("on-call", ENDED)] if is_closed else []),
    ]
    assert judged(drill, *slack, page).passed is not is_closed


def test_what_is_missing_gets_its_reason_and_nothing_else_does() -> None:
    drill = drill_of()
    report = judged(drill, acted(drill, BEGAN, 0, 1), acted(drill, ENDED, 0, 41))
    explained = report.explained(lambda each: f"no {each.channel}")
    assert problems(explained) == [
        ("alerts", BEGAN, None),
        ("critical", BEGAN, "no critical"),
        ("alerts", ENDED, None),
    ]
    assert explained.knows(ENDED)
    assert not explained.passed


def test_a_drill_is_read_back_from_its_request_whatever_the_stack_has_become() -> None:
    for evaluation in ("sentinel", "triggers"):
        drill = drill_of(page=True, evaluation=evaluation)
        assert Drill.of_request(requested(drill, BEGAN, 0)) == drill


@pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
def test_automations_act_on_the_sentinels_answer_or_else_on_the_request(evaluation: str) -> None:
    drill = drill_of(evaluation=evaluation)
    acted_on_request = drill.cause_id(BEGAN) == drill.request_id(BEGAN)
    assert acted_on_request == (evaluation == "triggers")
    assert len({drill.cause_id(phase) for phase in DrillPhase}) == 2


def test_a_drill_that_nobody_would_hear_of_is_refused() -> None:
    channels = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    with pytest.raises(DrillError, match="no PagerDuty channel of the stack is set up"):
        drill_of(page=True, channels=channels)
    earlier = published_of().model_copy(update={"drills": None})
    with pytest.raises(DrillError, match="deploy it with this one"):
        Drill.of(earlier, DRILL_ID, page=False, within=WITHIN)
    only = {
        "on-call": {"kind": "pagerduty", "block": "on-call", "secret": "pagerduty-key"},
    }
    tiers = {"warning": {"notify": ["on-call"]}}
    with pytest.raises(DrillError, match="the stack has no Slack channel"):
        drill_of(channels=only, tiers=tiers, escalation=[], pipelines={})
    assert drill_of(page=True, channels=only, tiers=tiers, escalation=[], pipelines={}).page


def message(
    channel: str, title: str, text: str = str(DRILL_ID), code: int = 200
) -> CapturedMessage:
    return CapturedMessage(
        service=Service.SLACK,
        host="hooks.slack.com",
        channel=channel,
        status_code=code,
        answer="ok",
        title=title,
        text=text,
        payload={},
    )


def test_where_there_is_a_capture_it_must_have_what_prefect_says_was_delivered() -> None:
    drill = drill_of()
    report = judged(drill, *all_acted(drill, BEGAN, 1), *all_acted(drill, ENDED, 41))
    arrived = [
        message(channel, title)
        for channel in ("alerts", "critical")
        for title in ("DRILL: trying", "DRILL ended: tried")
    ]
    assert captured(report, arrived) == report
    for index, wrong in enumerate(
        [
            message("alerts", "Pipeline failed: orders"),
            message("alerts", "DRILL ended: tried", "another drill"),
            message("critical", "DRILL: trying", code=404),
            message("alerts", "DRILL ended: tried"),
        ]
    ):
        others = [each for place, each in enumerate(arrived) if place != index]
        found = captured(report, [*others, wrong])
        assert [each.problem for each in found.deliveries].count(NOT_CAPTURED) == 1
        assert not found.passed


def test_a_capture_explains_nothing_that_prefect_does_not_know_either() -> None:
    drill = drill_of()
    report = judged(drill).explained(lambda _: "why")
    assert captured(report, []) == report


def test_programs_read_times_and_reasons() -> None:
    drill = drill_of()
    report = judged(drill, acted(drill, BEGAN, 0, 1), acted(drill, ENDED, 0, 41))
    document = report.explained(lambda _: "why").document()
    assert document["passed"] is False
    assert document["stack"] == "example"
    deliveries = document["deliveries"]
    assert isinstance(deliveries, list)
    assert deliveries[0] == {
        "channel": "alerts",
        "phase": "began",
        "asked": at(0).isoformat(),
        "delivered": at(1).isoformat(),
        "seconds": 1.0,
        "problem": None,
    }
    assert deliveries[1]["problem"] == "why"
    assert replace(report, deliveries=()).passed
