"""The judging against its definitions, written plainly, over histories of all sorts."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import REORDERED, TIDY_EVERY, Judge, judge, rules_of
from alerting.sentinel.verdicts import Verdict
from tests.properties.judging_definitions import Definitions, Pipeline
from tests.shared.example_stack import published_of
from tests.shared.histories import minute

pytestmark = pytest.mark.properties

PIPELINES: dict[str, object] = {
    "orders": {"owner": "shop", "escalate": True},
    "clicks": {"owner": "web", "flow": "load", "deployment": "prod", "escalate": True},
    "quiet": {"owner": "web"},
}
RUNS = (
    ("orders", None),
    ("orders", "nightly"),
    ("load", "prod"),
    ("load", "test"),
    ("quiet", None),
    ("not listed", None),
)
PUBLISHED = published_of(pipelines=PIPELINES)
PAGES = (
    (),
    (VerdictKind.STREAK,),
    (VerdictKind.ESCALATION,),
    (VerdictKind.ESCALATION, VerdictKind.STREAK),
    (VerdictKind.FAILURE,),
)
LAST_MINUTE = 60
MOST_RUNS = 25
STATE_IDS = [uuid5(UUID(int=0), str(number)) for number in range(MOST_RUNS)]


@st.composite
def rules(draw: st.DrawFn) -> PublishedSettings:
    """Settings that differ in what the judging depends on."""
    sentinel = rules_of(PUBLISHED)
    after = {"5m": timedelta(minutes=5), "15m": timedelta(minutes=15), "1h": timedelta(hours=1)}
    template = sentinel.steps[0]
    labels = draw(st.sampled_from([(), ("5m",), ("5m", "15m"), ("5m", "15m", "1h")]))
    changes = {
        "consecutive_failures": draw(st.sampled_from([2, 3, None])),
        "within": draw(st.sampled_from([None, timedelta(minutes=4), timedelta(minutes=20)])),
        "pages": draw(st.sampled_from(PAGES)),
        "steps": tuple(
            template.model_copy(update={"label": label, "after": after[label]}) for label in labels
        ),
    }
    return PUBLISHED.model_copy(update={"sentinel": sentinel.model_copy(update=changes)})


@st.composite
def histories(draw: st.DrawFn) -> list[Ended]:
    """Ends of runs in any order, some of them at the very same time."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, LAST_MINUTE),
                st.sampled_from(RUNS),
                # Mostly failures: without streaks and outages there is little to judge.
                st.sampled_from([True, True, False]),
            ),
            max_size=MOST_RUNS,
        )
    )
    return [
        Ended(minute(at), state_id, state_id, "run", flow, failed, deployment)
        for (at, (flow, deployment), failed), state_id in zip(drawn, STATE_IDS, strict=False)
    ]


def in_order(history: Sequence[Ended]) -> list[Ended]:
    return sorted(history, key=lambda ended: ended.order)


def ids(verdicts: Sequence[Verdict]) -> list[UUID]:
    return [verdict.id for verdict in verdicts]


def followed(
    judging: Judge, ends: Sequence[Ended], ticks: Sequence[float], until: datetime
) -> list[Verdict]:
    """All that is given when ends are heard as they happen, and the clock is looked at between."""
    given_so_far: list[Verdict] = []
    remaining = sorted(minute(tick) for tick in ticks)
    for ended in ends:
        while remaining and remaining[0] < ended.at:
            given_so_far += judging.tick(remaining.pop(0))
        given_so_far += judging.observe(ended)
        given_so_far += judging.observe(ended)  # the stream and the API may both tell of it
    return given_so_far + judging.tick(until)


TICKS = st.lists(st.integers(0, 2 * LAST_MINUTE).map(lambda half: half / 2), max_size=10)
NOW = st.integers(0, 2 * LAST_MINUTE).map(minute)
LATE = minute(3 * LAST_MINUTE)


@given(rules(), histories(), NOW)
def test_what_is_judged_is_what_the_definitions_say(
    published: PublishedSettings, history: list[Ended], now: datetime
) -> None:
    definitions = Definitions(published, history)
    judged = [definitions.of(verdict) for verdict in judge(history, published, now)]
    assert len(judged) == len(set(judged))
    assert set(judged) == set(definitions.verdicts(now))


@given(rules(), histories())
def test_different_verdicts_have_different_ids_and_come_by_time(
    published: PublishedSettings, history: list[Ended]
) -> None:
    verdicts = judge(history, published, LATE)
    assert len(set(ids(verdicts))) == len(verdicts)
    assert all(one.at <= other.at for one, other in pairwise(verdicts))


@given(rules(), histories(), TICKS)
def test_runs_that_are_heard_of_in_order_are_judged_exactly(
    published: PublishedSettings, history: list[Ended], ticks: list[float]
) -> None:
    definitions = Definitions(published, history)
    found = followed(Judge(published), in_order(history), ticks, LATE)
    assert sorted(ids(found)) == sorted(ids(judge(history, published, LATE)))
    assert {definitions.of(verdict) for verdict in found} == set(definitions.verdicts(LATE))


@given(rules(), histories(), st.data())
def test_runs_that_are_heard_of_late_miss_no_verdict_and_tell_none_twice(
    published: PublishedSettings, history: list[Ended], data: st.DataObject
) -> None:
    longest = int(REORDERED / timedelta(minutes=1))
    delays = data.draw(
        st.lists(st.integers(0, longest), min_size=len(history), max_size=len(history))
    )
    heard = sorted(
        zip(delays, history, strict=True),
        key=lambda each: each[1].at + timedelta(minutes=each[0]),
    )
    judging = Judge(published)
    found: list[Verdict] = []
    for delay, ended in heard:
        found += judging.tick(ended.at + timedelta(minutes=delay))
        found += judging.observe(ended)
        found += judging.observe(ended)  # the stream and the API may both tell of it
    found += judging.tick(LATE)
    assert len(set(ids(found))) == len(found)
    assert set(ids(found)) >= set(ids(judge(history, published, LATE)))


@given(rules(), histories(), NOW, TICKS)
def test_a_restart_gives_the_same_verdicts_the_same_ids(
    published: PublishedSettings, history: list[Ended], killed: datetime, ticks: list[float]
) -> None:
    ordered = in_order(history)
    before = [ended for ended in ordered if ended.at <= killed]
    so_far = [tick for tick in ticks if minute(tick) <= killed]
    first = followed(Judge(published), before, so_far, killed)
    second = followed(Judge(published), ordered, ticks, LATE)
    assert set(ids(first)) <= set(ids(second)) == set(ids(judge(history, published, LATE)))


@given(rules(), histories(), NOW)
def test_what_came_before_each_pipelines_last_success_makes_no_difference(
    published: PublishedSettings, history: list[Ended], since: datetime
) -> None:
    # So the sentinel reads no further back than that when it is started.
    definitions = Definitions(published, history)
    last_success: dict[Pipeline, Ended] = {}
    for ended in in_order(history):
        if ended.at < since and not ended.failed:
            last_success[definitions.pipeline(ended)] = ended
    kept = [
        ended
        for ended in history
        if (success := last_success.get(definitions.pipeline(ended))) is None
        or ended.order >= success.order
    ]
    of_little, of_all = judge(kept, published, LATE), judge(history, published, LATE)
    assert {v.id: v for v in of_little if v.at >= since} == {
        v.id: v for v in of_all if v.at >= since
    }


def test_memory_stays_bounded_over_a_hundred_thousand_runs() -> None:
    judging = Judge(PUBLISHED)
    chance = random.Random(7)  # the same each time
    a_minute = 30
    most: Counter[str] = Counter()
    for number in range(100_000):
        flow, deployment = RUNS[number % len(RUNS)]
        late = chance.uniform(0, 3) if number % 50 == 0 else 0
        failed = chance.random() < (0.9 if number % 10_000 < 1_000 else 0.01)
        state_id = UUID(int=number)
        at = minute(number / a_minute - late)
        judging.observe(Ended(at, state_id, state_id, "run", flow, failed, deployment))
        if number % 500 == 0:
            judging.tick(at)
            most |= sizes(judging)
    minutes = (REORDERED + TIDY_EVERY) / timedelta(minutes=1) + 3
    recent = a_minute * minutes
    assert 0.5 * recent < most["ends"] <= most["known ends"] <= recent
    assert most["known changes"] == most["changes"] <= recent
    assert most["given"] <= 2 * recent
    assert most["counted"] <= 3 * len(RUNS)


def sizes(judging: Judge) -> Counter[str]:
    """What a judge keeps, by what it is."""
    histories = judging._histories.values()
    outages = [history.condition.outage for history in histories]
    return Counter(
        {
            "ends": sum(len(history._entries) for history in histories),
            "known ends": sum(len(history._known) for history in histories),
            "changes": len(judging._outlook._log),
            "known changes": sum(map(len, judging._outlook._known.values())),
            "given": len(judging._given),
            "counted": sum(len(outage.counted) for outage in outages if outage),
        }
    )
