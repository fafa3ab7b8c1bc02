"""Runs that do not start in time, and runs that do not end: each is told of once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.gate import Gate
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge
from alerting.sentinel.messages import message_of
from alerting.sentinel.overdue import Overdue
from tests.judging.gated import judge_with, silence
from tests.shared.example_stack import published_of, raw_settings
from tests.shared.histories import end, minute, told

pytestmark = pytest.mark.judging

PIPELINES = {
    "orders": {"owner": "shop", "maxDuration": "2h"},
    "clicks": {"owner": "web", "flow": "load-clicks", "deployment": "prod", "maxDuration": "30m"},
    "views": {"owner": "web"},
}
SETTINGS = published_of(pipelines=PIPELINES, escalation=[])
PAGING = published_of(
    pipelines=PIPELINES,
    escalation=[],
    tiers={**raw_settings()["tiers"], "late": {"notify": ["on-call"]}},
)


def run(flow: str, at: float, state: str = "Running", deployment: str | None = None) -> Ended:
    """A run that is in a state since minute `at`."""
    name = f"{flow}/{deployment}/{at}"
    ids = (uuid5(UUID(int=1), f"{state} {name}"), uuid5(UUID(int=2), name))
    return Ended(minute(at), *ids, "brave-otter", flow, failed=False, deployment=deployment)


class TestStuck:
    """Runs that take longer than maxDuration."""

    def test_it_is_told_from_the_moment_on_at_which_it_should_have_ended(self) -> None:
        overdue, runs = Overdue(SETTINGS), [run("orders", 0)]
        assert overdue.look([], runs, minute(120) - timedelta(microseconds=1)) == []
        assert told(overdue.look([], runs, minute(120))) == [("stuck", 120, "orders")]

    def test_it_is_told_once_however_often_somebody_looks(self) -> None:
        overdue, runs = Overdue(SETTINGS), [run("orders", 0)]
        found = [v for at in range(100, 2_000, 7) for v in overdue.look([], runs, minute(at))]
        assert told(found) == [("stuck", 120, "orders")]

    def test_an_answer_that_leaves_it_out_for_a_while_does_not_have_it_told_again(self) -> None:
        overdue, runs = Overdue(SETTINGS), [run("orders", 0)]
        assert len(overdue.look([], runs, minute(120))) == 1
        assert overdue.look([], [], minute(150)) == []
        assert overdue.look([], runs, minute(170)) == []

    def test_each_run_of_a_pipeline_is_told_of(self) -> None:
        runs = [run("orders", 0), run("orders", 5)]
        found = Overdue(SETTINGS).look([], runs, minute(130))
        assert told(found) == [("stuck", 120, "orders"), ("stuck", 125, "orders")]
        assert len({v.id for v in found}) == 2

    def test_each_pipeline_has_its_own_limit_and_some_have_none(self) -> None:
        runs = [
            run("load-clicks", 0, deployment="prod"),
            run("load-clicks", 0, deployment="trial"),
            run("orders", 0),
            run("views", 0),
            run("not listed", 0),
        ]
        found = Overdue(SETTINGS).look([], runs, minute(1_000))
        assert told(found) == [("stuck", 30, "load-clicks"), ("stuck", 120, "orders")]

    def test_one_that_is_started_anew_gives_the_same_verdict(self) -> None:
        runs = [run("orders", 0)]
        [first] = Overdue(SETTINGS).look([], runs, minute(121))
        [again] = Overdue(SETTINGS).look([], runs, minute(300))
        assert (first.id, first.at) == (again.id, again.at)

    def test_it_says_since_when_and_how_long_it_may(self) -> None:
        [found] = Overdue(SETTINGS).look([], [run("orders", 0)], minute(121))
        message = message_of(found, SETTINGS)
        assert message.subject == "Stuck: orders has been running for 2h"
        assert "running since 2026-03-01 06:00:00 UTC" in message.sentence


class TestLate:
    """Runs that should have started."""

    def test_it_is_told_when_prefect_says_that_it_is_late(self) -> None:
        found = Overdue(SETTINGS).look([(run("views", 0), minute(1))], [], minute(2))
        assert told(found) == [("late", 1, "views")]
        message = message_of(found[0], SETTINGS)
        assert message.subject == "Late to start: views"
        assert "should have started at 2026-03-01 06:00:00 UTC" in message.sentence

    def test_it_is_told_once_also_when_its_state_is_written_again(self) -> None:
        overdue = Overdue(SETTINGS)
        late = [(run("views", 0), minute(1)), (run("views", 0), minute(3))]
        found = [v for each in late for v in overdue.look([each], [], minute(4))]
        assert told(found) == [("late", 1, "views")]

    def test_a_run_that_was_late_may_be_stuck_as_well(self) -> None:
        overdue = Overdue(SETTINGS)
        found = overdue.look([(run("orders", 0), minute(1))], [], minute(2))
        found += overdue.look([], [run("orders", 0)], minute(200))
        assert [v.kind for v in found] == [VerdictKind.LATE, VerdictKind.STUCK]

    def test_several_are_told_in_the_order_in_which_they_were_late(self) -> None:
        late = [(run("views", 5), minute(6)), (run("orders", 1), minute(2))]
        assert [v.ended.flow for v in Overdue(SETTINGS).look(late, [], minute(9))] == [
            "orders",
            "views",
        ]


class TestWhatEndsIt:
    """A page for such a run is closed by the pipeline's next success."""

    def test_the_next_success_closes_it_once(self) -> None:
        judging = told_at(minute(10), "orders", after=[end("S", 0)])
        assert told(judging.observe(end("S", 20))) == [("resolved", 20, "orders")]
        assert judging.observe(end("S", 30)) == []

    def test_it_is_closed_also_where_the_pipeline_never_ran_before(self) -> None:
        judging = told_at(minute(10), "orders")
        assert told(judging.observe(end("S", 20))) == [("resolved", 20, "orders")]

    def test_a_success_from_before_that_is_heard_of_late_closes_nothing(self) -> None:
        judging = told_at(minute(10), "orders", after=[end("S", 0)])
        assert judging.observe(end("S", 9)) == []
        assert told(judging.observe(end("S", 20))) == [("resolved", 20, "orders")]

    def test_an_earlier_success_that_is_heard_of_late_takes_its_place(self) -> None:
        judging = told_at(minute(12), "orders", after=[end("S", 0)])
        assert told(judging.observe(end("S", 20))) == [("resolved", 20, "orders")]
        assert told(judging.observe(end("S", 15))) == [("resolved", 15, "orders")]

    def test_where_failures_came_between_the_recovery_closes_it(self) -> None:
        judging = told_at(minute(10), "orders", after=[end("S", 0)])
        assert told(judging.observe(end("F", 20))) == [("failure", 20, "orders")]
        found = judging.observe(end("S", 30))
        assert told(found) == [("recovery", 30, "orders"), ("resolved", 30, "orders")]

    def test_another_pipelines_success_closes_nothing(self) -> None:
        assert told_at(minute(10), "views").observe(end("S", 20)) == []

    def test_what_is_told_again_and_again_is_one_page(self) -> None:
        judging = told_at(minute(10), "orders", after=[end("S", 0)])
        for at in range(11, 19):
            judging.note_overdue([run("orders", 5)], minute(at))
        assert told(judging.observe(end("S", 20))) == [("resolved", 20, "orders")]
        assert judging.observe(end("S", 21)) == []

    def test_it_is_closed_however_long_it_was_open(self) -> None:
        judging = told_at(minute(10), "orders", after=[end("S", 0)])
        judging.tick(minute(10_000))
        assert told(judging.observe(end("S", 10_001))) == [("resolved", 10_001, "orders")]
        judging.tick(minute(20_000))
        assert judging.observe(end("S", 20_001)) == []

    @pytest.mark.parametrize(("settings", "closed"), [(PAGING, 1), (SETTINGS, 0)])
    def test_it_is_closed_where_somebody_was_paged_for_it(
        self, settings: PublishedSettings, closed: int
    ) -> None:
        judging = Judge(settings)
        late = Overdue(settings).look([(run("orders", 5), minute(6))], [], minute(7))
        assert len(Gate(judging).admit(late)) == 1
        assert len(judging.observe(end("S", 20))) == closed

    def test_nobody_is_told_of_the_end_of_what_was_silenced(self) -> None:
        judging = judge_with(PAGING, silence(0, 10))
        late = Overdue(PAGING).look([(run("orders", 5), minute(6))], [], minute(7))
        assert Gate(judging).admit(late) == []
        assert judging.observe(end("S", 20)) == []

    def test_it_is_closed_also_where_a_success_was_heard_of_before_it_was_told(self) -> None:
        judging = told_at(minute(10), "orders", after=[end("S", 11)])
        assert told(judging.observe(end("S", 20))) == [("resolved", 20, "orders")]


def told_at(
    at: datetime,
    flow: str,
    *,
    after: Iterable[Ended] = (),
) -> Judge:
    """A judge that knows that somebody was paged then for a run of a flow that is late."""
    judging = Judge(PAGING)
    for ended in after:
        judging.observe(ended)
    judging.note_overdue([run(flow, 5)], at)
    return judging
