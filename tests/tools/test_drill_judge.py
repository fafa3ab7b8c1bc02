"""What a drill makes of what arrived."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.plan import Tier
from sandbox.capture.messages import CapturedMessage, Service
from sandbox.drill.judge import Played, judge, missing
from sandbox.drill.report import as_json
from sandbox.drill.scenarios import Expected, Run, Scenario, Target
from sandbox.flows import Outcome

pytestmark = pytest.mark.tools

END = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = Run(Target("load"), Outcome.FAIL)
WARNED = Expected(Tier.WARNING, "data-alerts", "Pipeline failed: load", run=0)
PAGED = Expected(Tier.ESCALATION, "on-call", "ESCALATION", run=0, due=timedelta(seconds=12))


def _played(*expected: Expected) -> Played:
    return Played(Scenario("one failure", ((RUN,),), expected), (END,))


def _message(expected: Expected, seconds: float, status_code: int = 200) -> CapturedMessage:
    return CapturedMessage(
        received_at=END + timedelta(seconds=seconds),
        service=Service.SLACK,
        host="hooks.slack.com",
        channel=expected.channel,
        status_code=status_code,
        answer="ok",
        title=expected.subject,
        text="",
        payload={},
    )


def test_what_arrived_as_expected_passes_with_its_seconds() -> None:
    verdict = judge([_played(WARNED)], [_message(WARNED, 0.5)])
    assert verdict.passed
    assert verdict.median_seconds == pytest.approx(0.5)


def test_what_stays_away_fails() -> None:
    verdict = judge([_played(WARNED)], [])
    assert not verdict.passed
    assert verdict.judgements[0].seconds is None


def test_what_nobody_expected_fails() -> None:
    verdict = judge([_played()], [_message(WARNED, 0.5)])
    assert not verdict.passed
    assert [message.title for message in verdict.unexpected] == [WARNED.subject]


def test_the_same_message_twice_is_one_too_many() -> None:
    verdict = judge([_played(WARNED)], [_message(WARNED, 0.5), _message(WARNED, 0.6)])
    assert not verdict.passed


def test_one_message_does_not_meet_two_expectations() -> None:
    assert missing([WARNED, WARNED], [_message(WARNED, 0.5)]) == [WARNED]


def test_a_message_that_the_service_refused_did_not_arrive() -> None:
    verdict = judge([_played(WARNED)], [_message(WARNED, 0.5, status_code=404)])
    assert not verdict.passed
    assert len(verdict.unexpected) == 1


def test_an_escalation_is_measured_from_when_it_was_due_and_left_out_of_the_median() -> None:
    verdict = judge([_played(WARNED, PAGED)], [_message(WARNED, 0.5), _message(PAGED, 15)])
    assert [j.seconds for j in verdict.judgements] == [pytest.approx(0.5), pytest.approx(3)]
    assert verdict.median_seconds == pytest.approx(0.5)


def test_the_report_for_programs_names_what_is_missing() -> None:
    report = as_json(judge([_played(WARNED)], []))
    assert report["passed"] is False
    assert report["expected"][0]["arrived"] is None
