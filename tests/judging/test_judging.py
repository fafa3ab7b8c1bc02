"""The judging by example: who is told of what, when. Minutes count from the history's beginning."""

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge, judge
from tests.shared.example_stack import published_of, raw_settings
from tests.shared.histories import end, minute, runs, told

pytestmark = pytest.mark.judging

Told = list[tuple[str, float, str]]

FAILURE, STREAK, RECOVERY = VerdictKind.FAILURE, VerdictKind.STREAK, VerdictKind.RECOVERY
ESCALATION = VerdictKind.ESCALATION
ALL_DOWN, NOT_ALL_DOWN = VerdictKind.ALL_DOWN, VerdictKind.NOT_ALL_DOWN
SETTINGS = published_of()  # orders, which escalates, and load-clicks/prod, which does not
LATER = minute(10_000)


def judged(
    history: list[Ended], *kinds: VerdictKind, settings: PublishedSettings = SETTINGS
) -> Told:
    return told(judge(history, settings, LATER), *kinds)


def streaks(outcomes: str, **changes: object) -> list[float]:
    """The minutes in which a pipeline that has these runs, ten minutes apart, pages."""
    settings = published_of(**changes)
    return [at for _, at, _ in judged(runs(outcomes), STREAK, settings=settings)]


def critical(**settings: object) -> dict[str, object]:
    return {**raw_settings()["tiers"], "critical": {"notify": ["critical"], **settings}}


@pytest.mark.parametrize(
    ("outcomes", "pages"),
    [
        ("F F S F", []),
        ("F F S F F S F F", []),
        ("F F F", [20]),
        ("F F F F F", [20]),
        ("F F F F F F", [20, 50]),
        ("F F F S F F F", [20, 60]),
        ("S F F S F F F F", [60]),
        ("F C F", [20]),
    ],
)
def test_a_streak_is_of_consecutive_failures_and_pages_at_every_multiple(
    outcomes: str, pages: list[float]
) -> None:
    assert streaks(outcomes) == pages


def test_a_streak_is_as_long_as_the_settings_say() -> None:
    assert streaks("F F F F", tiers=critical(consecutiveFailures=2)) == [10, 30]
    assert streaks("F F F F", tiers={"warning": {"notify": ["alerts"]}}) == []


def test_each_failure_is_told_and_the_first_success_after_it() -> None:
    assert judged(runs("S F F S S"), FAILURE, RECOVERY) == [
        ("failure", 10, "orders"),
        ("failure", 20, "orders"),
        ("recovery", 30, "orders"),
    ]


def test_a_run_that_is_retried_counts_once_it_has_ended() -> None:
    # A retry is no end, so a run that failed twice and then succeeded is one success.
    assert judged([end("S", 30)]) == []
    assert judged([end("F", 30)], FAILURE) == [("failure", 30, "orders")]


def test_a_cancelled_run_neither_ends_a_streak_nor_counts() -> None:
    # It is no end that counts, so all there is of it is time.
    assert streaks("F F") == []
    history = [end("F", 0), end("F", 10), end("F", 30)]
    assert judged(history, STREAK) == [("streak", 30, "orders")]


def test_each_flow_has_its_own_streak() -> None:
    history = [
        *runs("F F F", at=0),
        *runs("F F S F F", "other", at=1),
        *runs("F F F", "third", at=2),
    ]
    assert judged(history, STREAK) == [("streak", 20, "orders"), ("streak", 22, "third")]


def test_runs_that_overlap_count_by_when_they_end() -> None:
    # The run that began first succeeds last, after two others failed.
    history = [end("F", 5), end("F", 6), end("S", 7), end("F", 8)]
    assert judged(history, STREAK, RECOVERY) == [("recovery", 7, "orders")]


def test_runs_that_end_at_the_same_moment_all_count() -> None:
    together = [end("F", 0), end("C", 0), end("F", 1)]
    assert judged(together, STREAK) == [("streak", 1, "orders")]


class TestWithin:
    """A streak that must fit in a window."""

    @pytest.mark.parametrize(
        ("within", "outcomes", "pages"),
        [
            ("21m", "F F F", [20]),
            ("20m", "F F F", []),  # a window ends before the moment that is as long after
            ("20m", "F F F F F F F", []),
            ("21m", "F F F F F F", [20, 50]),
            ("21m", "F F S F F F", [50]),
        ],
    )
    def test_the_failures_since_the_last_page_must_lie_within(
        self, within: str, outcomes: str, pages: list[float]
    ) -> None:
        pipelines = {"orders": {"owner": "shop"}}
        tiers = critical(within=within)
        changes = {"tiers": tiers, "pipelines": pipelines, "escalation": []}
        assert streaks(outcomes, **changes) == pages

    def test_failures_that_are_too_old_are_dropped_and_later_ones_still_count(self) -> None:
        settings = published_of(tiers=critical(within="30m"), pipelines={}, escalation=[])
        history = [end("F", 0), end("F", 100), end("F", 110), end("F", 120)]
        assert judged(history, STREAK, settings=settings) == [("streak", 120, "orders")]


class TestEscalation:
    """Steps after 15 minutes and an hour."""

    def test_a_step_is_due_so_long_after_the_first_failure_whatever_fails_meanwhile(self) -> None:
        assert judged(runs("F F F F F F F", every=5), ESCALATION) == [
            ("escalation 15m", 15, "orders"),
            ("escalation 1h", 60, "orders"),
        ]

    @pytest.mark.parametrize(
        ("mended", "steps"),
        [(14, []), (15, []), (16, ["escalation 15m"]), (60, ["escalation 15m"])],
    )
    def test_a_success_in_time_keeps_a_step_from_being_due(
        self, mended: float, steps: list[str]
    ) -> None:
        found = judged([end("F", 0), end("S", mended)], ESCALATION)
        assert [step for step, _, _ in found] == steps

    def test_each_outage_has_its_own_steps(self) -> None:
        history = [end("F", 0), end("S", 20), end("F", 30), end("F", 40)]
        assert judged(history, ESCALATION) == [
            ("escalation 15m", 15, "orders"),
            ("escalation 15m", 45, "orders"),
            ("escalation 1h", 90, "orders"),
        ]

    def test_pipelines_that_do_not_escalate_and_unlisted_flows_wake_nobody(self) -> None:
        history = [end("F", 0, "load-clicks", "prod"), end("F", 0, "not listed")]
        assert judged(history, ESCALATION) == []

    def test_a_step_is_given_once_it_is_due_and_not_again_at_the_recovery(self) -> None:
        judging = Judge(SETTINGS)
        judging.observe(end("F", 0))
        assert told(judging.tick(minute(14.9))) == []
        assert told(judging.tick(minute(15))) == [("escalation 15m", 15, "orders")]
        assert told(judging.tick(minute(40))) == []
        assert told(judging.observe(end("S", 59))) == [
            ("recovery", 59, "orders"),
            ("resolved", 59, "orders"),
        ]

    def test_it_is_known_when_the_next_step_will_be_due(self) -> None:
        judging = Judge(SETTINGS)
        assert judging.next_due(minute(0)) is None
        judging.observe(end("F", 0))
        assert judging.next_due(minute(0)) == minute(15)
        assert judging.next_due(minute(15)) == minute(60)
        assert judging.next_due(minute(60)) is None

    def test_a_step_that_was_due_before_a_success_is_given_with_it(self) -> None:
        judging = Judge(SETTINGS)
        judging.observe(end("F", 0))
        assert told(judging.observe(end("S", 20))) == [
            ("escalation 15m", 15, "orders"),
            ("recovery", 20, "orders"),
            ("resolved", 20, "orders"),
        ]


class TestAllDown:
    """The last run of every listed pipeline failed: orders, and load-clicks/prod."""

    @staticmethod
    def clicks(outcome: str, at: float) -> Ended:
        return end(outcome, at, "load-clicks", "prod")

    def test_it_is_told_once_and_again_only_after_it_was_not_so(self) -> None:
        history = [
            end("F", 0),
            self.clicks("F", 1),  # down
            end("F", 2),
            self.clicks("F", 3),
            end("S", 4),  # not all down
            end("S", 5),
            end("F", 6),  # down again
            self.clicks("S", 7),  # not all down
        ]
        assert judged(history, ALL_DOWN, NOT_ALL_DOWN) == [
            ("all-down", 1, "load-clicks"),
            ("not-all-down", 4, "orders"),
            ("all-down", 6, "orders"),
            ("not-all-down", 7, "load-clicks"),
        ]

    def test_a_success_in_between_counts(self) -> None:
        # Native triggers page here: each failed within the window.
        assert judged([end("F", 0), end("S", 1), self.clicks("F", 2)], ALL_DOWN) == []

    def test_it_takes_two_that_have_run(self) -> None:
        assert judged([end("F", 0)], ALL_DOWN) == []

    def test_pipelines_that_never_ran_are_left_out(self) -> None:
        names = ("a", "b", "never")
        settings = published_of(pipelines={name: {"owner": "x"} for name in names}, escalation=[])
        history = [end("F", 0, "a"), end("F", 1, "b")]
        assert judged(history, ALL_DOWN, settings=settings) == [("all-down", 1, "b")]
        history.append(end("S", 2, "never"))
        assert judged(history, NOT_ALL_DOWN, settings=settings) == [("not-all-down", 2, "never")]

    def test_flows_that_are_not_listed_make_no_difference(self) -> None:
        others = [end("S", 2, "not listed"), end("S", 3, "load-clicks", "test")]
        history = [end("F", 0), self.clicks("F", 1), *others]
        assert judged(history, ALL_DOWN, NOT_ALL_DOWN) == [("all-down", 1, "load-clicks")]


class TestPipelines:
    """What runs belong together."""

    def test_a_pipeline_with_a_deployment_has_a_streak_of_its_own(self) -> None:
        history = [
            *runs("F F F", "load-clicks", "prod", at=0),
            *runs("S S S", "load-clicks", "test", at=1),
        ]
        assert judged(history, STREAK) == [("streak", 20, "load-clicks")]

    def test_the_other_deployments_of_its_flow_count_together(self) -> None:
        history = [
            end("F", 0, "load-clicks", "test"),
            end("F", 1, "load-clicks"),
            end("S", 2, "load-clicks", "prod"),
            end("F", 3, "load-clicks", "other"),
        ]
        assert judged(history, STREAK) == [("streak", 3, "load-clicks")]

    def test_a_flow_without_a_deployment_counts_all_of_them(self) -> None:
        history = [end("F", 0), end("F", 1, "orders", "a"), end("F", 2, "orders", "b")]
        assert judged(history, STREAK) == [("streak", 2, "orders")]


def test_where_triggers_judge_there_is_nothing_to_judge_by() -> None:
    with pytest.raises(ValueError, match="set data-alerts:evaluation: sentinel"):
        Judge(published_of(evaluation="triggers"))


def test_two_stacks_give_the_same_finding_ids_of_their_own() -> None:
    history = runs("F F F")
    one, other = (judge(history, published_of(namePrefix=name), LATER) for name in ("a", "b"))
    assert told(one) == told(other)
    assert not {verdict.id for verdict in one} & {verdict.id for verdict in other}


def test_what_is_yet_to_come_is_not_judged() -> None:
    assert told(judge(runs("F F F"), SETTINGS, minute(19.9)), FAILURE, STREAK) == [
        ("failure", 0, "orders"),
        ("failure", 10, "orders"),
    ]
