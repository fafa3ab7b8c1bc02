"""Settings that newly expect what has not been so for days, and what is told of it once."""

import itertools
from datetime import timedelta

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from tests.shared.fake_workspace import DEPLOYED, end, published
from tests.shared.sentinel_lives import ForgetfulServer, live, live_at

pytestmark = pytest.mark.properties

HOUR, DAY = 60, 24 * 60
STALE_NEW, STALE_ORDERS = ("stale", "new"), ("stale", "orders")
KINDS = ("stale", "stuck", "fresh")


def settings(**pipelines: dict[str, str]) -> PublishedSettings:
    listed = {"clicks": {}, "orders": {}, **pipelines}
    return published(pipelines={name: {"owner": "web", **each} for name, each in listed.items()})


BEFORE = settings()
NEW_IS_LISTED = settings(new={"freshWithin": "26h"})


def a_stack(days: float, *, succeeded: float = 1) -> ForgetfulServer:
    """It was deployed so many days ago; orders succeeded so many hours after that."""
    server = ForgetfulServer(BEFORE)
    server.ended = [end("orders", succeeded * HOUR, "Completed")]
    live_at(server, days * DAY - 10, days * DAY - 5)
    assert server.told == []
    return server


def restarts(server: ForgetfulServer, *days: float) -> None:
    for day in days:
        live_at(server, day * DAY, day * DAY + 5, day * DAY + 15)


@pytest.mark.parametrize("days", [3, 6, 30])
def test_a_pipeline_that_is_listed_in_an_old_stack_and_never_runs_is_told_of_once(
    days: int,
) -> None:
    server = a_stack(days)
    server.settings = NEW_IS_LISTED
    restarts(server, *(days + later for later in (0, 0.1, 0.2, 1, 3, 6.9, 7.5, 9, 15, 20)))
    assert server.told_of(*KINDS) == [STALE_NEW]
    server.to_come = [end("new", (days + 21) * DAY, "Completed")]
    server.to_come.append(end("stranger", (days + 21) * DAY + 1, "Completed"))
    live(server)
    assert server.told_of(*KINDS) == [STALE_NEW, ("fresh", "new")]


@pytest.mark.parametrize("days", [3, 30])
def test_a_pipeline_that_was_made_when_it_was_listed_has_its_time_to_succeed(days: int) -> None:
    server = a_stack(days)
    server.settings = NEW_IS_LISTED
    server.known = {"new": DEPLOYED + timedelta(days=days)}
    restarts(server, *(days + later for later in (0, 0.1, 1, 1.05)))
    assert server.told_of(*KINDS) == []
    restarts(server, *(days + later for later in (1.1, 1.2, 3, 9)))
    assert server.told_of(*KINDS) == [STALE_NEW]


def test_further_settings_do_not_have_it_told_again_within_the_time_that_events_are_kept() -> None:
    server = a_stack(6)
    server.settings = NEW_IS_LISTED
    restarts(server, 6)
    server.settings = settings(new={"freshWithin": "26h"}, more={})
    restarts(server, 7, 12)
    assert server.told_of(*KINDS) == [STALE_NEW]


@pytest.mark.parametrize("within", ["26h", "3d"])
def test_a_time_that_is_set_or_shortened_for_a_pipeline_that_is_stale_by_it_is_told_once(
    within: str,
) -> None:
    server = a_stack(5)
    server.settings = settings(orders={"freshWithin": within})
    restarts(server, 5, 5.5, 8, 13, 20)
    assert server.told_of(*KINDS) == [STALE_ORDERS]


def test_a_deadline_that_is_set_and_was_missed_is_told_at_once_and_each_day() -> None:
    server = a_stack(5)
    server.settings = settings(orders={"deadline": "05:00 UTC"})
    # The stack was deployed at six.
    restarts(server, 5, 5.2, 5.9)
    assert server.told_of(*KINDS) == [STALE_ORDERS]
    restarts(server, 5.99, 6.1)
    assert server.told_of(*KINDS) == [STALE_ORDERS] * 2


def test_of_what_is_stale_for_longer_than_events_are_kept_nothing_is_told_anew() -> None:
    server = a_stack(20)
    server.settings = settings(orders={"freshWithin": "26h"})
    restarts(server, 20, 21)
    assert server.told_of(*KINDS) == []


def test_a_run_that_is_longer_than_it_may_newly_be_is_told_once_and_unless_it_is_ancient() -> None:
    server = a_stack(12)
    server.running = [end("orders", 9 * DAY, "Running"), end("orders", 2 * DAY, "Running")]
    server.settings = settings(orders={"maxDuration": "2h"})
    restarts(server, 12, 12.1, 15, 25)
    assert server.told_of(*KINDS) == [("stuck", "orders")]


def test_what_grew_stale_while_the_sentinel_was_away_for_days_is_told_once() -> None:
    server = ForgetfulServer(settings(orders={"freshWithin": "26h"}))
    server.ended = [end("orders", HOUR, "Completed")]
    restarts(server, 0.5, 4, 4.5, 8)
    assert server.told_of(*KINDS) == [STALE_ORDERS]


def silence(begins: float, ends: float) -> Silence:
    """A silence of all, from one day to another."""
    starts, ends_at = (DEPLOYED + timedelta(days=day) for day in (begins, ends))
    return Silence(id="1", starts=starts, ends=ends_at, reason="a move", author="ada")


def test_what_grew_stale_in_a_silence_is_not_told_after_it_but_in_its_summary() -> None:
    server = ForgetfulServer(settings(orders={"freshWithin": "26h"}))
    server.ended = [end("orders", HOUR, "Completed")]
    server.silences = [silence(1, 2)]
    restarts(server, 0.9, 1.5, 2.1, 2.5, 4)
    assert server.told_of(*KINDS, "silence-over") == [("silence-over", "")]


def test_a_silence_in_which_it_would_have_grown_stale_before_it_was_listed_does_not_matter() -> (
    None
):
    server = a_stack(6)
    server.silences = [silence(1, 2)]
    server.settings = NEW_IS_LISTED
    restarts(server, 6, 6.5, 7)
    assert server.told_of(*KINDS) == [STALE_NEW]


def test_nothing_is_told_in_a_silence_that_is_on_and_its_summary_names_it() -> None:
    server = a_stack(6)
    server.settings = NEW_IS_LISTED
    server.silences = [silence(5.9, 6.1)]
    # Time goes on with each look at the clock.
    live_at(server, *(6 * DAY + minute for minute in range(15)), 6.11 * DAY, 6.12 * DAY)
    assert server.told_of(*KINDS) == []
    assert server.told_of("silence-over")
    [over] = (event for event in server.told if event["event"] == "data-alerts.silence-over")
    assert "new" in str(over["payload"]["messages"])
    restarts(server, 6.5, 7, 12)
    assert server.told_of(*KINDS) == []


def test_other_settings_do_not_have_it_told_what_a_silence_summed_up() -> None:
    server = ForgetfulServer(settings(orders={"freshWithin": "26h"}))
    server.ended = [end("orders", HOUR, "Completed")]
    server.silences = [silence(1, 2)]
    restarts(server, 0.9, 1.5, 2.1)
    server.settings = settings(orders={"freshWithin": "26h"}, more={})
    restarts(server, 3, 4)
    assert server.told_of(*KINDS, "silence-over") == [("silence-over", "")]


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_step_it_tells_of_each_once(*, after: bool) -> None:
    for dies_at in itertools.count(1):
        server = a_stack(30, succeeded=26 * 24)
        server.settings = settings(
            new={"freshWithin": "26h"}, orders={"freshWithin": "26h", "maxDuration": "2h"}
        )
        server.running = [end("orders", 29 * DAY, "Running")]
        server.now = DEPLOYED + timedelta(days=30)
        server.to_come = [end("stranger", 30 * DAY + later, "Completed") for later in (1, 2)]
        was_killed = live(server, dies_at, after=after).calls == dies_at
        restarts(server, 30.01, 30.1, 31)
        expected = [STALE_NEW, STALE_ORDERS, ("stuck", "orders")]
        assert sorted(server.told_of(*KINDS)) == expected, dies_at
        if not was_killed:
            break
