"""The random histories of the truth bench."""

from collections import Counter
from itertools import pairwise

import pytest

from sandbox.truth.random_history import Extent, random_history

pytestmark = pytest.mark.properties

EXTENT = Extent(flows=5, days=7)


def test_the_same_seed_gives_the_same_history_and_another_one_another() -> None:
    assert random_history(1, EXTENT) == random_history(1, EXTENT)
    assert random_history(1, EXTENT) != random_history(2, EXTENT)


def test_every_run_ends_once() -> None:
    history = random_history(1, EXTENT)
    ended = Counter(event.run for event in history if event.state != "AwaitingRetry")
    assert len(ended) == EXTENT.runs == 5 * 7 * 24
    assert set(ended.values()) == {1}


def test_histories_have_every_way_to_end() -> None:
    states = {event.state for event in random_history(1, EXTENT)}
    assert states == {
        "AwaitingRetry",
        "BadData",
        "Cancelled",
        "Completed",
        "Crashed",
        "Failed",
        "TimedOut",
    }


def test_events_come_by_time_and_no_two_at_once() -> None:
    history = random_history(1, EXTENT)
    assert all(earlier.at < later.at for earlier, later in pairwise(history))


def test_some_runs_end_after_runs_that_began_later() -> None:
    ended = [event for event in random_history(1, EXTENT) if event.state != "AwaitingRetry"]
    for flow in {event.flow for event in ended}:
        hours = [int(event.run.rpartition("-")[2]) for event in ended if event.flow == flow]
        assert hours != sorted(hours)


def test_at_times_all_flows_fail_together() -> None:
    history = random_history(1, Extent(flows=5, days=14))
    failed = {event.run for event in history if event.type in ("FAILED", "CRASHED")}
    hours = Counter(run.rpartition("-")[2] for run in failed)
    assert max(hours.values()) == 5
