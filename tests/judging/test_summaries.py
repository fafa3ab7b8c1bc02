"""What happened in a silence, and in a day, told once it is over."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.gate import Gate
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge
from alerting.sentinel.messages import message_of
from alerting.sentinel.summaries import Day, day_over, silence_over
from alerting.sentinel.verdicts import Verdict
from tests.judging.gated import judge_with, silence
from tests.shared.example_stack import published_of
from tests.shared.histories import START, end, minute, runs

pytestmark = pytest.mark.judging

SETTINGS = published_of()


def verdict_at(kind: VerdictKind, at: float, flow: str) -> Verdict:
    """A verdict that is not about a run's end."""
    about = end("S", at, flow, "prod" if flow == "load-clicks" else None)
    return Verdict(kind, UUID(int=1), minute(at), about)


def summed_up(
    history: list[Ended],
    over: Silence,
    settings: PublishedSettings = SETTINGS,
    unsound: Iterable[Verdict] = (),
) -> dict[str, str]:
    """What a silence's summary says, by label."""
    found = silence_over(over, history, settings, unsound)
    return dict(message_of(found, settings).fields) if found else {}


class TestSilences:
    """A silence of minutes 10 to 20."""

    def test_it_says_who_failed_how_often_and_who_is_still_failing(self) -> None:
        history = [
            *runs("F F S", at=11, every=1),
            *runs("F F", "views", at=12, every=1),
            end("F", 13, "other"),
        ]
        said = summed_up(history, silence(10, 20))
        assert said["Failed"] == "orders 2 times, other, views 2 times"
        assert said["Still failing"] == "other, views"

    def test_it_says_whose_silence_it_was_when_and_why(self) -> None:
        said = summed_up([end("F", 11)], silence(10, 20, "orders"))
        assert said["Silence"] == "orders, a move"
        assert said["From"] == "2026-03-01 06:10:00 UTC"
        assert said["Until"] == "2026-03-01 06:20:00 UTC"
        assert said["By"] == "ada"
        assert summed_up([end("F", 11)], silence(10, 20))["Silence"] == "all pipelines, a move"

    @pytest.mark.parametrize(("at", "counts"), [(9.9, 0), (10, 1), (19.9, 1), (20, 0)])
    def test_what_happened_before_and_after_it_is_not_its_business(
        self, at: float, counts: int
    ) -> None:
        assert len(summed_up([end("F", at)], silence(10, 20))) == (counts and 7)

    def test_others_are_not_in_the_summary_of_one_pipeline(self) -> None:
        history = [end("F", 11), end("F", 12, "views")]
        assert summed_up(history, silence(10, 20, "orders"))["Failed"] == "orders"

    def test_a_pipeline_goes_by_its_name_in_the_settings(self) -> None:
        history = [end("F", 11, "load-clicks", "prod")]
        assert summed_up(history, silence(10, 20, "clicks"))["Failed"] == "clicks"

    def test_where_nothing_failed_nothing_is_told(self) -> None:
        assert silence_over(silence(10, 20), runs("S S", at=11, every=1), SETTINGS) is None
        assert silence_over(silence(10, 20), [], SETTINGS) is None

    def test_it_says_whose_data_was_unsound_and_which_runs_did_not_start_or_end(self) -> None:
        unsound = [
            verdict_at(VerdictKind.STALE, 12, "orders"),
            verdict_at(VerdictKind.ANOMALY, 13, "views"),
            verdict_at(VerdictKind.ANOMALY, 14, "views"),
            verdict_at(VerdictKind.LATE, 15, "orders"),
            verdict_at(VerdictKind.STUCK, 16, "load-clicks"),
            verdict_at(VerdictKind.FRESH, 17, "orders"),
        ]
        said = summed_up([], silence(10, 20), unsound=unsound)
        assert "Failed" not in said
        assert said["Stale"] == "orders"
        assert said["Too few rows"] == "views"
        assert said["Late or stuck"] == "clicks, orders"

    def test_what_was_unsound_before_it_or_elsewhere_is_not_its_business(self) -> None:
        unsound = [verdict_at(VerdictKind.STALE, at, "orders") for at in (9, 20)]
        unsound.append(verdict_at(VerdictKind.STALE, 15, "views"))
        assert summed_up([], silence(10, 20, "orders"), unsound=unsound) == {}

    def test_the_order_in_which_it_is_heard_of_makes_no_difference(self) -> None:
        history = [end("F", 11), end("S", 12)]
        assert summed_up(history[::-1], silence(10, 20)) == summed_up(history, silence(10, 20))

    def test_it_is_the_same_verdict_whoever_sums_it_up_and_another_for_another_silence(
        self,
    ) -> None:
        history = [end("F", 11)]
        found = [silence_over(silence(10, 20), history, SETTINGS) for _ in range(2)]
        other = silence_over(silence(10, 20, "orders"), history, SETTINGS)
        assert found[0]
        assert found[0] == found[1]
        assert found[0].at == minute(20)
        assert other
        assert other.id != found[0].id

    def test_many_pipelines_are_named_up_to_forty_and_then_counted(self) -> None:
        history = [end("F", 11, f"flow-{number:02}") for number in range(45)]
        said = summed_up(history, silence(10, 20))["Failed"]
        assert said.endswith("flow-39 and 5 more")

    def test_it_is_told_although_another_silence_goes_on(self) -> None:
        found = silence_over(silence(10, 20), [end("F", 11)], SETTINGS)
        assert found
        gate = Gate(judge_with(SETTINGS, silence(0, 100)))
        assert gate.admit([found]) == [found]


class TestDays:
    """The daily summary."""

    def day(self, **changes: object) -> dict[str, str]:
        day = {
            "since": START,
            "until": START + timedelta(days=1),
            "completed": 97,
            "failed": 3,
            "failing": ["orders"],
            **changes,
        }
        return dict(message_of(day_over(Day(**day), SETTINGS), SETTINGS).fields)  # type: ignore[arg-type]

    def test_it_says_how_many_runs_there_were_and_how_many_completed(self) -> None:
        said = self.day()
        assert (said["Runs"], said["Failed"], said["Completed"]) == ("100", "3", "97.0%")
        assert said["Failing now"] == "orders"
        assert said["From"] == "2026-03-01 06:00:00 UTC"
        assert said["Until"] == "2026-03-02 06:00:00 UTC"

    def test_a_day_without_runs_says_so(self) -> None:
        said = self.day(completed=0, failed=0, failing=[])
        assert (said["Runs"], said["Failing now"]) == ("0", "none")
        assert "Completed" not in said

    def test_it_says_what_is_silenced_where_something_is(self) -> None:
        assert "Silenced" not in self.day()
        assert self.day(silenced=["orders until noon"])["Silenced"] == "orders until noon"

    def test_each_day_has_its_own_and_it_is_the_same_for_whoever_sums_it_up(self) -> None:
        days = [Day(START, START + timedelta(days=each), 1, 0, []) for each in (1, 1, 2)]
        ids = [day_over(day, SETTINGS).id for day in days]
        assert ids[0] == ids[1] != ids[2]

    def test_it_is_told_also_while_all_are_silenced(self) -> None:
        found = day_over(Day(START, minute(50), 1, 0, []), SETTINGS)
        assert Gate(judge_with(SETTINGS, silence(0, 100))).admit([found]) == [found]
        assert Gate(Judge(SETTINGS)).admit([found]) == [found]
