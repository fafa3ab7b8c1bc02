"""What is silenced when."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from alerting.plan.silences import Silence, Silences, Window, silences_changed
from alerting.settings.maintenance import MaintenanceWindow

pytestmark = pytest.mark.judging

START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def silence(name: str, starts: float, ends: float, *pipelines: str) -> Silence:
    return Silence(
        id=name,
        pipelines=pipelines,
        starts=at(starts),
        ends=at(ends),
        reason="the source is moved",
        author="ada",
    )


def window(**changes: Any) -> Window:  # noqa: ANN401 - any of its keys
    raw = {
        "cron": "0 2 * * 0",
        "timeZone": "Europe/London",
        "duration": "2h",
        "reason": "the warehouse is patched",
    }
    return Window.of(MaintenanceWindow.model_validate({**raw, **changes}))


def names(silences: list[Silence]) -> list[str]:
    return [each.id for each in silences]


def name(found: Silence | None) -> str | None:
    return found.id if found else None


def test_a_silence_covers_its_start_and_not_its_end() -> None:
    silences = Silences([silence("a", 0, 2, "orders")])
    moment = timedelta(microseconds=1)
    assert silences.covering("orders", at(0) - moment) is None
    assert name(silences.covering("orders", at(0))) == "a"
    assert name(silences.covering("orders", at(2) - moment)) == "a"
    assert silences.covering("orders", at(2)) is None
    assert silence("a", 0, 2, "orders").covers("orders", at(0))
    assert not silence("a", 0, 2, "orders").covers("orders", at(2))


def test_a_silence_of_one_pipeline_lets_the_others_through_and_one_of_all_none() -> None:
    silences = Silences([silence("one", 0, 2, "orders", "clicks")])
    assert name(silences.covering("clicks", at(1))) == "one"
    assert silences.covering("products", at(1)) is None
    everything = Silences([silence("all", 0, 2)])
    assert name(everything.covering("products", at(1))) == "all"
    assert not silence("one", 0, 2, "orders").covers("clicks", at(1))


def test_of_several_silences_the_one_that_ends_last_counts() -> None:
    silences = Silences(
        [
            silence("long", 0, 9, "orders"),
            silence("short", 1, 2, "orders"),
            silence("all", 8, 12),
            silence("later", 11, 12, "orders"),
        ]
    )
    found = [name(silences.covering("orders", at(hour))) for hour in (0, 1.5, 3, 8.5, 11.5, 12)]
    assert found == ["long", "long", "long", "all", "later", None]


def test_silences_that_are_over_are_found_by_their_ends() -> None:
    silences = Silences(
        [silence("b", 0, 2, "orders"), silence("a", 1, 2), silence("c", 0, 3), silence("d", 5, 6)]
    )
    assert names(silences.over_between(at(1.9), at(3))) == ["a", "b", "c"]
    assert names(silences.over_between(at(2), at(3))) == ["c"], "its end is told once"
    assert silences.over_between(at(3), at(5)) == []


def test_silences_that_come_and_that_are_on_are_found_by_their_starts() -> None:
    silences = Silences([silence("b", 4, 9), silence("a", 2, 5), silence("over", 0, 1)])
    assert names(silences.coming(at(2), at(4))) == ["b"]
    assert names(silences.coming(at(1), at(4))) == ["a", "b"]
    assert names(silences.running(at(4.5))) == ["a", "b"]
    assert names(silences.running(at(5))) == ["b"]


def test_a_silence_that_was_ended_before_it_began_never_was() -> None:
    silences = Silences([silence("never", 1, 1, "orders")])
    assert silences.over_between(at(0), at(2)) == []
    assert silences.last_end_before("orders", at(0), at(2)) is None


def test_the_latest_end_of_a_pipelines_silences_is_known() -> None:
    silences = Silences(
        [silence("a", 0, 2, "orders"), silence("b", 1, 4), silence("c", 3, 7, "clicks")],
        [window(pipelines=["orders"])],  # from 2 to 4 in the night
    )
    assert silences.last_end_before("orders", at(-1), at(3)) == at(2)
    assert silences.last_end_before("orders", at(-1), at(4)) == at(4)
    assert silences.last_end_before("orders", at(4), at(9)) is None, "`since` is not part of it"
    assert silences.last_end_before("orders", at(-2.5), at(-1)) == at(-2)
    assert silences.last_end_before("orders", at(-2), at(-1)) is None
    assert silences.last_end_before("clicks", at(-9), at(9)) == at(7)
    long_ago = datetime(2026, 2, 1, tzinfo=UTC)
    assert silences.last_end_before("orders", long_ago, at(-3)) == at(-170)


def test_a_window_comes_again_with_an_id_that_tells_which_time_it_is() -> None:
    silences = Silences(windows=[window()])
    [first, second] = silences.coming(at(-6), at(7 * 24))
    assert first.starts == datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert second.starts == datetime(2026, 3, 8, 2, tzinfo=UTC)
    assert first.ends - first.starts == timedelta(hours=2)
    assert first.window
    assert first.reason == "the warehouse is patched"
    assert first.id == f"window-{window().key}-20260301T020000Z"
    assert names(Silences(windows=[window()]).running(at(-3))) == [first.id]
    assert names(silences.over_between(at(-2.1), at(-2))) == [first.id]
    assert silences.over_between(at(-2), at(0)) == []


def test_a_window_keeps_its_id_when_only_its_reason_is_reworded() -> None:
    assert window(reason="patches").key == window().key
    others = [
        window(duration="3h"),
        window(cron="0 3 * * 0"),
        window(timeZone="UTC"),
        window(pipelines=["orders"]),
    ]
    assert len({each.key for each in (window(), *others)}) == 5


def test_a_window_given_twice_is_one() -> None:
    silences = Silences(windows=[window(), window(reason="patches")])
    assert len(silences.running(at(-3))) == 1


def test_a_window_lasts_as_long_on_days_on_which_clocks_change() -> None:
    # Clocks go from 01:00 to 02:00 on 2026-03-29, and back from 02:00 to 01:00 on 2026-10-25.
    nightly = Silences(windows=[window(cron="30 1 * * *", duration="1h")])
    for day, starts in (("2026-03-29", "01:00"), ("2026-10-25", "00:30")):
        begin = datetime.fromisoformat(f"{day}T{starts}:00Z")
        minute = timedelta(minutes=1)
        assert nightly.covering("orders", begin - minute) is None
        covering = nightly.covering("orders", begin)
        assert covering is not None
        assert covering.starts == begin
        assert nightly.covering("orders", begin + 59 * minute) == covering
        assert nightly.covering("orders", begin + 60 * minute) is None


def test_a_window_on_a_leap_day_is_found_years_later() -> None:
    leap = Silences(windows=[window(cron="0 6 29 2 *", timeZone="UTC")])
    end = datetime(2024, 2, 29, 8, tzinfo=UTC)
    since = datetime(2020, 3, 1, tzinfo=UTC)
    assert leap.last_end_before("orders", since, at(0)) == end
    assert leap.covering("orders", end - timedelta(hours=1)) is not None


def test_a_silence_must_not_end_before_it_starts_and_needs_a_time_zone() -> None:
    with pytest.raises(ValidationError, match="ends before it starts"):
        silence("a", 2, 1)
    with pytest.raises(ValidationError, match="timezone"):
        Silence(
            id="a",
            starts=at(0).replace(tzinfo=None),
            ends=at(1),
            reason="moved",
            author="ada",
        )


def test_silences_survive_json() -> None:
    one = silence("a", 0, 2, "orders")
    assert Silence.model_validate(one.model_dump(mode="json")) == one
    assert Window.model_validate(window().model_dump(mode="json")) == window()


def test_the_event_of_a_change_names_the_stack_and_counts_as_no_run() -> None:
    event = silences_changed(UUID(int=1), "team.prod", START)
    assert event["event"] == "data-alerts.silences-changed"
    assert event["resource"] == {
        "prefect.resource.id": "data-alerts.silences.team.prod",
        "prefect.resource.name": "silences of team.prod",
        "data-alerts.scope": "team.prod",
        "prefect.state-type": "DRILL",
    }


@pytest.mark.parametrize("busy", [False, True])
def test_thirteen_thousand_events_are_looked_up_in_well_under_a_second(busy: bool) -> None:
    added = [silence(str(n), n, n + 1, f"flow-{n}") for n in range(200 if busy else 0)]
    windows = [window(), window(cron="*/30 * * * *", duration="5m")] if busy else []
    silences = Silences(added, windows)
    began = time.process_time()
    for number in range(13_000):
        silences.covering(f"flow-{number % 300}", at(number / 3_600))
        silences.last_end_before(f"flow-{number % 300}", at(-24), at(number / 3_600))
    assert time.process_time() - began < 1.0
