"""What stands between a verdict and a message: silences, P1 over critical, incidents of storms."""

from typing import Any

import pytest

from alerting.plan.occasions import occasions
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.gate import Gate
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge, silences_of
from alerting.sentinel.messages import message_of
from alerting.sentinel.verdicts import Verdict
from tests.judging.gated import Live, judge_with, silence
from tests.shared.example_stack import published_of, raw_settings, settings_of
from tests.shared.histories import end, minute, runs, told

pytestmark = pytest.mark.judging

FAILURE, STREAK, RECOVERY = VerdictKind.FAILURE, VerdictKind.STREAK, VerdictKind.RECOVERY
ESCALATION, RESOLVED = VerdictKind.ESCALATION, VerdictKind.RESOLVED
ALL_DOWN, NOT_ALL_DOWN = VerdictKind.ALL_DOWN, VerdictKind.NOT_ALL_DOWN
Told = list[tuple[str, float, str]]
SECOND = 1 / 60


def stack(*names: str, **changes: object) -> PublishedSettings:
    """A stack of these pipelines, of which nobody is escalated."""
    pipelines = {name: {"owner": "web"} for name in names}
    return published_of(pipelines=pipelines, **{"escalation": [], **changes})


def heard(
    history: list[Ended], settings: PublishedSettings, *silences: Silence, until: float = 2_000
) -> list[Verdict]:
    live = Live(judge_with(settings, *silences))
    return live.hears(history).waits_until(minute(until)).verdicts


def keys(verdicts: list[Verdict], settings: PublishedSettings, *kinds: VerdictKind) -> list[str]:
    """The keys of the incidents that these verdicts are about, without the stack's part."""
    found = [v for v in verdicts if v.kind in kinds]
    return [message_of(v, settings).incident.key.split("/", 2)[2] for v in found]


AB = stack("a", "b", "c")


class TestSilences:
    """What happens in one is told to nobody."""

    def test_a_silence_of_one_pipeline_lets_the_others_through(self) -> None:
        history = [*runs("F F F", "a"), *runs("F F F", "b", at=1)]
        found = heard(history, AB, silence(-1, 100, "a"))
        assert {flow for _, _, flow in told(found)} == {"b"}
        assert len(told(found, FAILURE)) == 3
        assert len(told(found, STREAK)) == 1

    def test_one_of_all_lets_nothing_through(self) -> None:
        history = [*runs("F F F", "a"), *runs("F F F S", "not listed", at=1)]
        assert heard(history, AB, silence(-1, 100)) == []

    @pytest.mark.parametrize(("at", "is_told"), [(9.99, 1), (10, 0), (19.99, 0), (20, 1)])
    def test_it_covers_its_first_moment_and_not_its_last(self, at: float, is_told: int) -> None:
        found = heard([end("F", at, "a")], AB, silence(10, 20, "a"))
        assert len(told(found, FAILURE)) == is_told

    def test_failures_in_it_count_towards_no_streak(self) -> None:
        found = heard(runs("F F F F F", "a"), AB, silence(-1, 15, "a"))
        assert told(found, STREAK) == [("streak", 40, "a")]

    def test_a_pipeline_is_named_as_in_the_settings_where_its_flow_is_called_otherwise(
        self,
    ) -> None:
        history = [end("F", 0, "load-clicks", "prod"), end("F", 1, "load-clicks", "trial")]
        found = heard(history, published_of(), silence(-1, 10, "clicks"))
        assert [v.ended.deployment for v in found] == ["trial"]
        # What is not listed goes by its flow.
        found = heard(history, published_of(), silence(-1, 10, "load-clicks"))
        assert [v.ended.deployment for v in found] == ["prod"]

    def test_whoever_heard_of_a_failure_before_it_hears_of_its_end_within_it(self) -> None:
        history = [end("F", 0, "a"), end("S", 20, "a")]
        assert told(heard(history, AB, silence(10, 30, "a")), RECOVERY) == [("recovery", 20, "a")]

    def test_whoever_heard_of_no_failure_hears_of_no_end_within_it(self) -> None:
        history = [end("F", 11, "a"), end("S", 20, "a")]
        assert heard(history, AB, silence(10, 30, "a")) == []

    def test_the_same_holds_where_two_silences_follow_on_each_other(self) -> None:
        history = [end("F", 11, "a"), end("S", 35, "a")]
        assert heard(history, AB, silence(10, 30, "a"), silence(20, 50, "a")) == []

    def test_a_page_from_before_it_is_resolved_within_it(self) -> None:
        history = [*runs("F F F", "a", every=1), end("S", 20, "a")]
        found = heard(history, AB, silence(10, 30, "a"))
        assert told(found, RESOLVED) == [("resolved", 20, "a")]

    def test_what_is_found_late_is_told_by_when_it_happened(self) -> None:
        judge = judge_with(AB, silence(10, 20, "a"))
        gate = Gate(judge)
        gate.admit([*judge.observe(end("S", 0, "c")), *judge.observe(end("F", 25, "b"))])
        assert gate.admit(judge.observe(end("F", 15, "a"))) == []
        assert told(gate.admit(judge.observe(end("F", 5, "a"))))[0] == ("failure", 5, "a")

    def test_a_recurring_window_is_one(self) -> None:
        window = {"cron": "10 6 * * *", "timeZone": "UTC", "duration": "10m", "reason": "patching"}
        settings = stack("a", "b", maintenance=[{**window, "pipelines": ["a"]}])
        history = [end("F", at, flow) for flow in ("a", "b") for at in (5, 15, 25)]
        found = heard(history, settings)
        assert [(flow, at) for _, at, flow in told(found, FAILURE) if flow == "a"] == [
            ("a", 5),
            ("a", 25),
        ]
        assert len([each for each in told(found, FAILURE) if each[2] == "b"]) == 3

    def test_one_that_is_added_counts_at_once_and_one_that_is_ended_no_more(self) -> None:
        live = Live(Judge(AB))
        live.hears([end("F", 0, "a")])
        live.judge.silences = silences_of(AB, [silence(1, 60, "a")])
        live.hears([end("F", 2, "a")])
        live.judge.silences = silences_of(AB, [silence(1, 3, "a")])
        live.hears([end("F", 4, "a")])
        assert [at for _, at, _ in told(live.verdicts, FAILURE)] == [0, 4]


# P1 in minute 12.
DOWN = [end("S", -9, "c"), *runs("F F", "a"), *runs("F F", "b", at=1), end("F", 12, "c")]


class TestAllDown:
    """P1 open holds back the pages that it explains."""

    def test_a_streak_while_all_are_down_pages_nobody(self) -> None:
        found = heard([*DOWN, end("F", 20, "a")], AB, until=30)
        assert told(found, ALL_DOWN, STREAK) == [("all-down", 12, "c")]

    def test_a_streak_before_all_are_down_has_paged(self) -> None:
        found = heard([*runs("F F F", "a", every=1), end("F", 5, "b")], stack("a", "b"), until=30)
        assert told(found, ALL_DOWN, STREAK) == [("streak", 2, "a"), ("all-down", 5, "b")]

    def test_each_failure_is_told_on_slack_all_the_same(self) -> None:
        found = heard([*DOWN, end("F", 20, "a")], AB, until=30)
        assert ("failure", 20, "a") in told(found, FAILURE)

    def test_when_it_is_over_those_that_are_still_down_are_paged_for(self) -> None:
        history = [*DOWN, end("F", 20, "a"), end("F", 21, "b"), end("S", 30, "c")]
        assert told(heard(history, AB, until=60), ALL_DOWN, NOT_ALL_DOWN, STREAK) == [
            ("all-down", 12, "c"),
            ("not-all-down", 30, "c"),
            ("streak", 30, "a"),
            ("streak", 30, "b"),
        ]

    def test_one_that_recovers_is_not_paged_for(self) -> None:
        history = [*DOWN, end("F", 20, "a"), end("S", 30, "a")]
        assert told(heard(history, AB, until=60), STREAK) == []

    def test_one_that_recovers_is_not_paged_for_although_its_recovery_must_still_last(self) -> None:
        settings = stack("a", "b", "c", noise={"flapFor": "30m"})
        history = [*DOWN, end("F", 20, "a"), end("S", 30, "a")]
        assert told(heard(history, settings, until=200), STREAK) == []

    def test_one_that_fails_again_amid_flapping_is_paged_for_when_p1_is_over(self) -> None:
        settings = stack("a", "b", "c", noise={"flapFor": "30m"})
        history = [
            *DOWN,
            *runs("F S F F F", "a", at=20, every=1),  # P1 again from minute 22 on
            end("S", 40, "c"),
        ]
        assert told(heard(history, settings, until=200), STREAK) == [("streak", 40, "a")]

    def test_a_flow_that_is_not_listed_is_paged_for_while_all_are_down(self) -> None:
        history = [*DOWN, *runs("F F F", "stranger", at=20, every=1)]
        assert told(heard(history, AB, until=30), STREAK) == [("streak", 22, "stranger")]

    def test_where_nobody_hears_of_p1_it_explains_nothing(self) -> None:
        tiers = {key: value for key, value in raw_settings()["tiers"].items() if key != "p1"}
        found = heard([*DOWN, end("F", 20, "a")], stack("a", "b", "c", tiers=tiers), until=30)
        assert told(found, STREAK) == [("streak", 20, "a")]

    def test_it_is_told_again_after_it_was_over(self) -> None:
        history = [*DOWN, end("S", 30, "c"), end("F", 40, "c")]
        found = heard(history, AB, until=60)
        assert [at for _, at, _ in told(found, ALL_DOWN)] == [12, 40]

    def test_its_incident_is_one_of_the_stack_and_is_closed(self) -> None:
        found = heard([*DOWN, end("S", 30, "c")], AB, until=60)
        assert keys(found, AB, ALL_DOWN, NOT_ALL_DOWN) == ["all-down", "all-down"]
        assert [message_of(v, AB).incident.over for v in found if v.kind is NOT_ALL_DOWN] == [True]


class TestAllDownInSilences:
    """All that are down must be so for two that nobody silenced."""

    def test_pipelines_that_are_silenced_do_not_make_it(self) -> None:
        found = heard([end("F", 0, "a"), end("F", 1, "b")], stack("a", "b"), silence(-1, 9, "a"))
        assert told(found, ALL_DOWN) == [("all-down", 9, "b")]

    def test_two_that_are_not_silenced_make_it_at_once(self) -> None:
        found = heard(DOWN, AB, silence(-1, 600, "a"))
        assert told(found, ALL_DOWN) == [("all-down", 12, "c")]

    def test_it_is_told_when_enough_silences_are_over(self) -> None:
        silences = [silence(-1, 20, "a"), silence(-1, 40, "b"), silence(-1, 60, "c")]
        live = Live(judge_with(AB, *silences)).hears(DOWN).waits_until(minute(100))
        assert [now for now, v in live.told if v.kind is ALL_DOWN] == [minute(40)]

    def test_it_is_not_told_where_one_recovered_meanwhile(self) -> None:
        history = [*DOWN, end("S", 20, "c"), end("F", 90, "c")]
        found = heard(history, AB, silence(-1, 60))
        assert told(found, ALL_DOWN, NOT_ALL_DOWN) == [("all-down", 90, "c")]

    def test_while_it_is_held_back_streaks_of_pipelines_that_are_not_silenced_page(self) -> None:
        history = [end("F", 0, "a"), *runs("F F F", "b", at=1, every=1)]
        found = heard(history, stack("a", "b"), silence(-1, 60, "a"), until=50)
        assert told(found, ALL_DOWN, STREAK) == [("streak", 3, "b")]

    def test_it_may_be_told_through_silences(self) -> None:
        tiers = raw_settings()["tiers"]
        tiers["p1"]["throughSilences"] = True
        found = heard(DOWN, stack("a", "b", "c", tiers=tiers), silence(-1, 600))
        assert told(found) == [("all-down", 12, "c")]


def fails(*names: str, at: float = 0, times: int = 3) -> list[Ended]:
    """Each of these flows fails so often, all within some seconds."""
    return [
        end("F", at + number * 0.1 + place * SECOND / 10, name)
        for number in range(times)
        for place, name in enumerate(names)
    ]


MANY = [f"flow-{number}" for number in range(6)]


class TestIncidents:
    """Each incident that is opened is closed, and no other."""

    def test_a_pipelines_own_is_closed_by_its_recovery(self) -> None:
        found = heard([*runs("F F F", "a"), end("S", 40, "a")], AB)
        assert keys(found, AB, STREAK, RESOLVED) == ["pipeline/a", "pipeline/a"]
        assert [message_of(v, AB).incident.over for v in found if v.kind is RESOLVED] == [True]

    def test_where_nobody_was_paged_there_is_none_to_close(self) -> None:
        assert told(heard([*runs("F F S", "a")], AB), RESOLVED) == []

    def test_a_storms_is_closed_when_all_in_it_have_recovered_and_not_before(self) -> None:
        up = [end("S", 10 + number, name) for number, name in enumerate(MANY)]
        found = heard([*fails(*MANY), *up], AB)
        assert keys(found, AB, STREAK) == [
            *(f"pipeline/flow-{number}" for number in range(3)),
            "storm",
        ]
        resolved = [v for v in found if v.kind is RESOLVED]
        assert keys(found, AB, RESOLVED) == [
            *(f"pipeline/flow-{number}" for number in range(3)),
            "storm",
        ]
        assert resolved[-1].ended.flow == "flow-5"

    def test_one_that_was_paged_for_alone_and_in_a_storm_closes_its_own(self) -> None:
        history = [
            *fails("flow-5"),
            *fails(*MANY, at=5),
            *[end("S", 20, name) for name in MANY],
        ]
        found = heard(history, AB)
        assert sorted(keys(found, AB, RESOLVED)) == sorted(
            {*keys(found, AB, STREAK)} | {"pipeline/flow-5"}
        )

    def test_a_storms_is_closed_by_the_last_also_in_a_silence(self) -> None:
        up = [end("S", 10, name) for name in MANY]
        found = heard([*fails(*MANY), *up], AB, silence(5, 60))
        assert "storm" in keys(found, AB, RESOLVED)

    def test_a_second_storm_is_closed_as_well(self) -> None:
        first = [*fails(*MANY), *[end("S", 10, name) for name in MANY]]
        second = [*fails(*MANY, at=100), *[end("S", 110, name) for name in MANY]]
        found = heard([*first, *second], AB)
        assert keys(found, AB, RESOLVED).count("storm") == 2
        assert len({v.id for v in found}) == len(found)

    def test_one_that_was_started_amid_a_storm_closes_it_when_nothing_is_down_any_more(
        self,
    ) -> None:
        live = Live(judge := Judge(AB), Gate(judge, knows_storms=False))
        live.hears([*fails("a", "b"), end("S", 10, "a"), end("S", 11, "b")])
        closed = keys(live.verdicts, AB, RESOLVED)
        assert sorted(closed) == ["pipeline/a", "pipeline/b", "storm"]
        assert [v.at for v in live.verdicts if v.kind is RESOLVED and v.members] == [minute(11)]

    def test_and_also_where_the_last_to_recover_was_never_paged_for(self) -> None:
        live = Live(judge := Judge(AB), Gate(judge, knows_storms=False))
        live.hears([*fails("a"), end("F", 5, "b"), end("S", 10, "a"), end("S", 11, "b")])
        assert keys(live.verdicts, AB, RESOLVED) == ["pipeline/a", "storm"]

    def test_a_page_that_p1_held_back_has_nothing_left_open(self) -> None:
        history = [*DOWN, end("F", 20, "a"), end("S", 30, "a"), end("S", 31, "b")]
        found = heard(history, AB, until=60)
        opened = set(keys(found, AB, ALL_DOWN, STREAK, ESCALATION))
        assert opened == {"all-down"}
        assert opened <= set(keys(found, AB, RESOLVED, NOT_ALL_DOWN))


def test_a_recovery_that_is_told_to_pagerduty_closes_each_incident_and_no_storm_too_early() -> None:
    # Of ten that fail together five recover: the storm goes on, and their own are closed.
    tiers = raw_settings()["tiers"]
    tiers["recovery"] = {"notify": ["alerts", "on-call"]}
    changes: dict[str, Any] = {"tiers": tiers}
    names = [f"flow-{number}" for number in range(10)]
    history = [*fails(*names), *[end("S", 10, name) for name in names[:5]]]
    settings = published_of(**changes)
    paged = {
        kind
        for occasion in occasions(settings_of(**changes))
        if "on-call" in occasion.notify
        for kind in occasion.kinds
    }
    told_on_call = [v for v in heard(history, settings) if v.kind in paged]
    closed = [
        message.incident.key.split("/", 2)[2]
        for message in (message_of(v, settings) for v in told_on_call)
        if message.incident.over
    ]
    assert sorted(closed) == ["pipeline/flow-0", "pipeline/flow-1", "pipeline/flow-2"]
