"""Data that grows stale: no success for so long, or none by a time of day."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import NOTHING, Ended
from alerting.sentinel.judging import Judge, judge
from alerting.sentinel.messages import message_of
from alerting.sentinel.verdicts import Verdict
from tests.judging.gated import followed
from tests.shared.example_stack import published_of, raw_settings
from tests.shared.histories import START, end, minute, runs, told

pytestmark = pytest.mark.judging

STALE, FRESH, RESOLVED = VerdictKind.STALE, VerdictKind.FRESH, VerdictKind.RESOLVED
RECOVERY = VerdictKind.RECOVERY
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


def expecting(*, pages: bool = False, **changes: object) -> PublishedSettings:
    """A stack in which orders is to succeed in time; with `pages` PagerDuty hears of it."""
    pipelines: dict[str, Any] = {"orders": {"owner": "shop", **changes}}
    tiers = raw_settings()["tiers"]
    if pages:
        tiers["freshness"] = {"notify": ["on-call"]}
    return published_of(pipelines=pipelines, escalation=[], tiers=tiers)


WITHIN = expecting(freshWithin="26h")


def ended(at: datetime, *, failed: bool = False) -> Ended:
    return Ended(at, uuid4(), uuid4(), "brave-otter", "orders", failed=failed)


def hour(number: float) -> float:
    """A minute of the history."""
    return number * 60


def stale_at(verdicts: Sequence[Verdict]) -> list[datetime]:
    return [verdict.at for verdict in verdicts if verdict.kind is STALE]


class TestFreshWithin:
    """A success every 26 hours at least."""

    def test_it_is_stale_so_long_after_the_last_success_to_the_moment_and_is_told_once(
        self,
    ) -> None:
        judging = Judge(WITHIN)
        judging.observe(end("S", 0))
        assert judging.next_due(START) == START + 26 * HOUR
        assert judging.tick(START + 26 * HOUR - MOMENT) == []
        assert told(judging.tick(START + 26 * HOUR)) == [("stale", hour(26), "orders")]
        assert judging.tick(START + 27 * HOUR) == []
        assert judging.tick(START + 80 * HOUR) == []
        assert judging.next_due(START + 26 * HOUR) is None

    @pytest.mark.parametrize("again", [1, 20, 25.99, 26])
    def test_a_success_in_time_keeps_it_fresh(self, again: float) -> None:
        history = [end("S", 0), end("S", hour(again))]
        assert told(judge(history, WITHIN, minute(hour(again + 25))), STALE, FRESH) == []

    def test_the_next_success_makes_it_fresh_again_and_only_the_next(self) -> None:
        history = [end("S", 0), end("S", hour(30)), end("S", hour(31))]
        assert told(judge(history, WITHIN, minute(hour(40)))) == [
            ("stale", hour(26), "orders"),
            ("fresh", hour(30), "orders"),
        ]

    def test_it_is_found_with_the_success_where_nobody_looked_in_between(self) -> None:
        judging = Judge(WITHIN)
        judging.observe(end("S", 0))
        found = judging.observe(end("S", hour(30)))
        assert told(found) == [("stale", hour(26), "orders"), ("fresh", hour(30), "orders")]

    def test_failures_do_not_keep_it_fresh_and_the_end_of_the_outage_is_its_recovery(self) -> None:
        history = [end("S", 0), *runs("F F F", at=hour(24), every=60), end("S", hour(28))]
        found = judge(history, WITHIN, minute(hour(40)))
        assert told(found, STALE, FRESH, RECOVERY) == [
            ("stale", hour(26), "orders"),
            ("recovery", hour(28), "orders"),
        ]

    def test_each_time_that_it_is_stale_is_told(self) -> None:
        history = [end("S", 0), end("S", hour(30))]
        assert told(judge(history, WITHIN, minute(hour(100))), STALE) == [
            ("stale", hour(26), "orders"),
            ("stale", hour(56), "orders"),
        ]

    def test_a_page_for_it_is_resolved_by_the_success(self) -> None:
        history = [end("S", 0), end("S", hour(30)), end("S", hour(31))]
        pages = expecting(pages=True, freshWithin="26h")
        assert told(judge(history, pages, minute(hour(40))), RESOLVED) == [
            ("resolved", hour(30), "orders")
        ]
        assert told(judge(history, WITHIN, minute(hour(40))), RESOLVED) == []

    def test_a_page_for_it_amid_an_outage_is_resolved_once_and_with_the_outage(self) -> None:
        history = [end("S", 0), end("F", hour(25)), end("F", hour(27)), end("S", hour(30))]
        pages = expecting(pages=True, freshWithin="26h")
        assert told(judge(history, pages, minute(hour(40))), RESOLVED) == [
            ("resolved", hour(30), "orders")
        ]

    def test_a_pipeline_that_never_succeeded_is_expected_to_from_the_deployment_on(self) -> None:
        judging = Judge(WITHIN, deployed=START)
        assert judging.next_due(START) == START + 26 * HOUR
        [found] = judging.tick(START + 26 * HOUR)
        assert (found.kind, found.at) == (STALE, START + 26 * HOUR)
        assert not found.ended.is_run
        assert (
            "has not succeeded since it was first expected, at 2026-"
            in message_of(found, WITHIN).sentence
        )
        assert judging.tick(START + 50 * HOUR) == []
        fresh = judging.observe(end("S", hour(51)))
        assert told(fresh) == [("fresh", hour(51), "orders")]

    def test_the_last_success_says_nothing_when_it_is_asked_for_again(self) -> None:
        pages = expecting(pages=True, freshWithin="26h", announceSuccess=True)
        judging, success = Judge(pages), end("S", 0)
        judging.observe(success)
        assert told(judging.tick(START + 27 * HOUR)) == [("stale", hour(26), "orders")]
        failure = end("F", hour(27.5))
        assert judging.needs_past(failure)
        found = [*judging.observe(success), *judging.observe(failure)]
        assert told(found) == [("failure", hour(27.5), "orders")]
        assert told(judging.observe(end("S", hour(28))), RESOLVED) == [
            ("resolved", hour(28), "orders")
        ]

    def test_failures_alone_do_not_count_as_a_success(self) -> None:
        judging = Judge(WITHIN, deployed=START)
        judging.observe(end("F", 10))
        assert stale_at(judging.tick(START + 26 * HOUR)) == [START + 26 * HOUR]

    def test_where_nobody_knows_since_when_it_is_there_nothing_is_expected(self) -> None:
        assert Judge(WITHIN).tick(START + 100 * DAY) == []
        assert Judge(WITHIN).next_due(START) is None

    def test_pipelines_of_which_nothing_is_expected_are_never_stale(self) -> None:
        judging = Judge(expecting(), deployed=START)
        judging.observe(end("S", 0))
        assert judging.tick(START + 100 * DAY) == []

    def test_a_pipeline_of_one_deployment_is_not_kept_fresh_by_another(self) -> None:
        settings = expecting(freshWithin="26h", deployment="prod")
        history = [end("S", 0, "orders", "prod"), end("S", hour(20), "orders", "trial")]
        found = judge(history, settings, minute(hour(30)))
        assert told(found, STALE) == [("stale", hour(26), "orders")]

    @pytest.mark.parametrize("started", [10, 26, 27, 200])
    def test_one_that_is_started_anew_gives_the_same_verdict(self, started: float) -> None:
        [expected] = judge([end("S", 0)], WITHIN, minute(hour(26)))
        later = Judge(WITHIN, deployed=START - DAY)
        later.observe(end("S", 0))
        found = later.tick(minute(hour(max(started, 26))))
        assert [(v.id, v.at) for v in found] == [(expected.id, expected.at)]


# When a pipeline last succeeded and when it is to have succeeded again.
MISSED = [
    pytest.param(
        "06:00 Europe/London", "2026-03-28T05:30", "2026-03-29T05:00", id="clocks go forward"
    ),
    pytest.param(
        "06:00 Europe/London", "2026-03-29T04:59", "2026-03-30T05:00", id="the day after that"
    ),
    pytest.param(
        "06:00 Europe/London", "2026-10-24T04:30", "2026-10-25T06:00", id="clocks go back"
    ),
    pytest.param(
        "06:00 Europe/London", "2026-10-25T05:59", "2026-10-26T06:00", id="the day after this"
    ),
    pytest.param("01:30 Europe/London", "2026-03-28T01:00", "2026-03-29T01:00", id="skipped"),
    pytest.param("01:30 Europe/London", "2026-10-24T00:10", "2026-10-25T00:30", id="shown twice"),
    pytest.param(
        "02:30 America/New_York", "2026-03-07T07:00", "2026-03-08T07:00", id="skipped there"
    ),
    pytest.param(
        "01:30 America/New_York", "2026-10-31T05:00", "2026-11-01T05:30", id="shown twice there"
    ),
    pytest.param("06:00 UTC", "2028-02-28T05:00", "2028-02-29T06:00", id="a leap day"),
    pytest.param("06:00 UTC", "2028-02-29T05:00", "2028-03-01T06:00", id="after a leap day"),
    pytest.param("06:00 UTC", "2026-02-28T05:00", "2026-03-01T06:00", id="no leap day"),
    pytest.param("23:59 Asia/Kolkata", "2026-03-01T18:00", "2026-03-02T18:29", id="half an hour"),
    pytest.param(
        "06:00 Europe/London Mon-Fri", "2026-03-27T05:00", "2026-03-30T05:00", id="over a weekend"
    ),
    pytest.param(
        "06:00 Europe/London Mon,Thu", "2026-10-22T04:00", "2026-10-26T06:00", id="two days"
    ),
]
EVERY_MISSED = pytest.mark.parametrize(("deadline", "succeeded", "missed"), MISSED)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestDeadline:
    """A success since the last deadline, by the next."""

    @EVERY_MISSED
    def test_it_is_told_on_time_and_once(self, deadline: str, succeeded: str, missed: str) -> None:
        settings = expecting(deadline=deadline)
        judging = Judge(settings)
        found = list(followed(judging, [ended(at(succeeded))], at(missed) + 12 * HOUR))
        assert [(v.kind, v.at) for v in found] == [(STALE, at(missed))]

    @EVERY_MISSED
    def test_it_is_known_ahead_to_the_moment(
        self, deadline: str, succeeded: str, missed: str
    ) -> None:
        judging = Judge(expecting(deadline=deadline))
        judging.observe(ended(at(succeeded)))
        now, looks = at(succeeded), 0
        while now < at(missed) and (due := judging.next_due(now)):
            assert judging.tick(due - MOMENT) == []
            now, looks = due, looks + 1
        assert now == at(missed)
        assert looks <= 2
        assert stale_at(judging.tick(now)) == [at(missed)]

    @EVERY_MISSED
    @pytest.mark.parametrize("away", [-HOUR, -MOMENT, timedelta(0), HOUR, 11 * HOUR])
    def test_a_restart_of_5_minutes_neither_loses_nor_doubles_it(
        self, deadline: str, succeeded: str, missed: str, away: timedelta
    ) -> None:
        settings, success = expecting(deadline=deadline), ended(at(succeeded))
        gone, back = at(missed) + away, at(missed) + away + timedelta(minutes=5)
        before = list(followed(Judge(settings), [success], gone))
        later = Judge(settings, deployed=at(succeeded) - 9 * DAY)
        later.observe(success)  # what was before it is older than what may have been missed
        after = later.tick(back)
        while (due := later.next_due(back)) and due < at(missed) + 12 * HOUR:
            after += later.tick(due)
            back = due
        assert len({v.id for v in before} | {v.id for v in after}) == 1
        assert stale_at(after) == [at(missed)]

    @EVERY_MISSED
    def test_a_success_by_then_keeps_it_fresh(
        self, deadline: str, succeeded: str, missed: str
    ) -> None:
        settings = expecting(deadline=deadline)
        for again in (at(missed), at(missed) - MOMENT, at(missed) - HOUR):
            history = [ended(at(succeeded)), ended(again)]
            assert judge(history, settings, at(missed) + 12 * HOUR) == []

    @EVERY_MISSED
    def test_a_success_after_it_makes_it_fresh_again(
        self, deadline: str, succeeded: str, missed: str
    ) -> None:
        settings = expecting(deadline=deadline)
        history = [ended(at(succeeded)), ended(at(missed) + MOMENT)]
        found = judge(history, settings, at(missed) + 12 * HOUR)
        assert [(v.kind, v.at) for v in found] == [
            (STALE, at(missed)),
            (FRESH, at(missed) + MOMENT),
        ]

    @pytest.mark.parametrize("pages", [True, False])
    def test_a_success_in_time_that_is_heard_of_too_late_takes_it_back(
        self, *, pages: bool
    ) -> None:
        settings = expecting(deadline="06:00 UTC", pages=pages)
        judging = Judge(settings)
        judging.observe(ended(at("2026-03-01T05:00")))
        assert stale_at(judging.tick(at("2026-03-02T06:00"))) == [at("2026-03-02T06:00")]
        found = judging.observe(ended(at("2026-03-02T05:59")))
        assert [v.kind for v in found] == ([FRESH, RESOLVED] if pages else [FRESH])
        assert judging.observe(ended(at("2026-03-02T06:10"))) == []

    def test_each_further_deadline_that_it_misses_is_told(self) -> None:
        settings = expecting(deadline="06:00 Europe/London")
        found = list(followed(Judge(settings), [ended(at("2026-03-27T05:00"))], at("2026-03-31")))
        assert [v.at for v in found] == [
            at("2026-03-28T06:00"),
            at("2026-03-29T05:00"),
            at("2026-03-30T05:00"),
        ]
        assert len({v.id for v in found}) == 3

    def test_a_weekend_is_silent_where_weekdays_are_named(self) -> None:
        settings = expecting(deadline="06:00 Europe/London Mon-Fri")
        friday = ended(at("2026-03-27T05:30"))
        assert list(followed(Judge(settings), [friday], at("2026-03-30T04:59"))) == []

    def test_a_success_right_at_a_deadline_counts_for_that_one_and_not_for_the_next(self) -> None:
        settings = expecting(deadline="06:00 UTC")
        found = judge([ended(at("2026-03-01T06:00"))], settings, at("2026-03-02T07:00"))
        assert stale_at(found) == [at("2026-03-02T06:00")]

    def test_the_first_deadline_after_a_deployment_is_only_missed_if_a_whole_day_was_there(
        self,
    ) -> None:
        settings = expecting(deadline="06:00 UTC")
        fresh = Judge(settings, deployed=at("2026-03-01T06:30"))
        assert list(followed(fresh, [], at("2026-03-02T07:00"))) == []
        assert fresh.tick(at("2026-03-02T06:00")) == []
        assert stale_at(fresh.tick(at("2026-03-03T06:00"))) == [at("2026-03-03T06:00")]

    def test_what_is_said_names_the_deadline_and_the_last_success(self) -> None:
        settings = expecting(deadline="06:00 Europe/London Mon-Fri")
        [found] = judge([ended(at("2026-03-26T05:00"))], settings, at("2026-03-27T06:00"))
        message = message_of(found, settings)
        assert message.subject == "Stale: orders, no success by 06:00 Europe/London Mon-Fri"
        assert "It last succeeded at 2026-03-26 05:00:00 UTC." in message.sentence

    def test_what_never_succeeded_names_no_run(self) -> None:
        judging = Judge(expecting(deadline="06:00 UTC"), deployed=at("2026-03-01"))
        [found] = judging.tick(at("2026-03-02T06:00"))
        assert found.ended.run_id == NOTHING
        assert dict(message_of(found, judging.settings).fields)["Look"].endswith("/runs")


def test_both_may_be_expected_and_each_is_told() -> None:
    settings = expecting(freshWithin="26h", deadline="06:00 UTC")
    found = list(followed(Judge(settings), [ended(at("2026-03-01T05:00"))], at("2026-03-02T08:00")))
    assert stale_at(found) == [at("2026-03-02T06:00"), at("2026-03-02T07:00")]
    assert len({v.id for v in found}) == 2


@pytest.mark.parametrize(("settings", "times"), [(WITHIN, 1), (expecting(deadline="06:00 UTC"), 2)])
def test_memory_of_what_was_told_outlasts_any_tidying(
    settings: PublishedSettings, times: int
) -> None:
    judging = Judge(settings, deployed=at("2026-03-01"))
    moments = [at("2026-03-01") + number * timedelta(minutes=7) for number in range(600)]
    found = [v for moment in moments for v in judging.tick(moment)]
    assert len({v.id for v in found}) == len(found)
    assert len(found) == times
