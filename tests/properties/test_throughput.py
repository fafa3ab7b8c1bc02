"""The load by which the sentinel's judging is measured."""

import json

import pytest

from alerting.sentinel.events import ended_run
from sandbox import throughput
from sandbox.fleet import TAG
from sandbox.throughput import Throughput, _Load

pytestmark = pytest.mark.properties


def test_a_minute_has_as_many_events_as_the_load_is_called_by() -> None:
    load = _Load()
    assert sum(len(load.second(second)) for second in range(60)) == throughput.EVENTS_A_MINUTE


def test_each_event_is_the_end_of_another_run_that_the_sentinel_counts() -> None:
    ends = [ended_run(json.loads(text), TAG) for text in _Load().second(7)]
    counted = [end for end in ends if end]
    assert len(counted) == len(ends)
    assert len({end.run_id for end in counted}) == len({end.state_id for end in counted})
    assert len({end.run_id for end in counted}) == len(ends)
    assert {end.failed for end in counted} == {True, False}
    assert [end.at for end in counted] == sorted(end.at for end in counted)


def test_figures_are_by_real_time_and_by_the_first_look_at_memory() -> None:
    measured = Throughput(
        events=3_000_000, verdicts=1, seconds=360.0, megabytes=[100.0, 120.0, 110.0]
    )
    assert measured.times_real_time == pytest.approx(10)
    assert measured.growth == pytest.approx(1.1)
