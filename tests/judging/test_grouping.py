"""Many verdicts at once are told as a few messages, and each verdict in exactly one of them."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from alerting.plan import build_plan
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import ROUTE_LABEL, VerdictKind
from alerting.sentinel.catching_up import Told, missed
from alerting.sentinel.events import announcement, told_ids
from alerting.sentinel.gate import Gate
from alerting.sentinel.grouping import FIRST_LIST, GROUPED, HEARD_WITHIN, MINUTE
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge
from alerting.sentinel.messages import message_of
from alerting.sentinel.verdicts import Verdict
from tests.judging.gated import Live
from tests.shared.example_stack import STACK, published_of, raw_settings, settings_of
from tests.shared.histories import end, minute

pytestmark = pytest.mark.judging

FAILURE, STREAK, RECOVERY = VerdictKind.FAILURE, VerdictKind.STREAK, VerdictKind.RECOVERY
RESOLVED, ALL_DOWN = VerdictKind.RESOLVED, VerdictKind.ALL_DOWN
SETTINGS = published_of()
SECOND = 1 / 60


def fail_within_a_minute(count: int, seconds: float = 60, *, at: float = 0) -> list[Ended]:
    """So many flows that fail one after another."""
    return [
        end("F", at + number * seconds / count * SECOND, f"flow-{number:03}")
        for number in range(count)
    ]


def messages(
    history: list[Ended], settings: PublishedSettings = SETTINGS, *, until: float = 600
) -> list[Verdict]:
    return Live(Judge(settings)).hears(history).waits_until(minute(until)).verdicts


def of_kind(verdicts: list[Verdict], kind: VerdictKind) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.kind is kind]


def told_in(verdicts: list[Verdict]) -> Counter[str]:
    """How often each verdict is told, alone or in a list."""
    return Counter(
        str(each.id)
        for verdict in verdicts
        if verdict.kind in GROUPED
        for each in verdict.members or (verdict,)
    )


def test_the_first_few_are_told_at_once_and_one_by_one() -> None:
    live = Live(Judge(SETTINGS)).hears(fail_within_a_minute(3, 3))
    assert [(now, v.ended.flow, v.members) for now, v in live.told] == [
        (minute(number * SECOND), f"flow-{number:03}", ()) for number in range(3)
    ]


def test_so_many_are_told_one_by_one_as_the_settings_say() -> None:
    settings = published_of(noise={"individually": 1})
    found = of_kind(messages(fail_within_a_minute(3, 3), settings), FAILURE)
    assert [len(v.members) for v in found] == [0, 2]


def test_what_follows_is_told_as_a_list_ten_seconds_after_it_began() -> None:
    live = Live(Judge(SETTINGS)).hears(fail_within_a_minute(12, 6)).waits_until(minute(5))
    lists = [(now, v) for now, v in live.told if v.members]
    [(told_at, found)] = lists
    began = minute(3 * 0.5 * SECOND)
    assert found.at == began + FIRST_LIST
    assert told_at == began + FIRST_LIST + HEARD_WITHIN
    assert [m.ended.flow for m in found.members] == [f"flow-{n:03}" for n in range(3, 12)]


def test_one_alone_that_follows_is_told_as_itself() -> None:
    found = messages(fail_within_a_minute(4, 4))
    assert [(v.ended.flow, v.members) for v in found] == [
        (f"flow-{n:03}", ()) for n in (0, 1, 2, 3)
    ]


def test_200_in_a_minute_are_five_messages_of_a_kind_and_all_are_in_them() -> None:
    for seconds in (0.001, 5, 59):
        history = fail_within_a_minute(200, seconds)
        found = messages(history)
        assert len(found) <= 5
        assert told_in(found) == Counter({str(v.id): 1 for v in judged(history)})
        flows = {m.ended.flow for v in found for m in v.members or (v,)}
        assert len(flows) == 200


def judged(history: list[Ended]) -> list[Verdict]:
    judge = Judge(SETTINGS, reordered=timedelta.max)
    ordered = sorted(history, key=lambda each: each.order)
    found = [verdict for ended in ordered for verdict in judge.observe(ended)]
    return [v for v in found if v.kind in GROUPED]


def test_after_a_quiet_minute_they_are_told_one_by_one_again() -> None:
    storm = fail_within_a_minute(10, 5)
    later = [end("F", at, "later") for at in (3, 3.1, 3.2)]
    found = messages([*storm, *later])
    assert [v.ended.flow for v in found[-3:]] == ["later"] * 3
    assert not any(v.members for v in found[-3:])


def test_a_storm_that_lasts_is_told_once_a_minute() -> None:
    history = fail_within_a_minute(600, 300)
    live = Live(Judge(SETTINGS)).hears(history).waits_until(minute(20))
    times = [v.at for _, v in live.told if v.members]
    assert times[1:] == [times[0] + (n + 1) * MINUTE for n in range(len(times) - 1)]
    assert len(times) == 6


def test_kinds_are_told_apart() -> None:
    down = fail_within_a_minute(10, 5)
    up = [end("S", 1 + n * SECOND, f"flow-{n:03}") for n in range(10)]
    found = messages([*down, *up])
    for kind in (FAILURE, RECOVERY):
        assert [len(v.members) for v in of_kind(found, kind)] == [0, 0, 0, 7]
    assert all(member.kind is verdict.kind for verdict in found for member in verdict.members)


def test_a_list_says_which_pipelines_and_how_often() -> None:
    history = [
        *fail_within_a_minute(5, 1),
        *[end("F", (2 + n) * SECOND, "again", message="disk full") for n in range(3)],
    ]
    [found] = [v for v in messages(history) if v.members]
    message = message_of(found, SETTINGS)
    assert message.subject == "3 pipelines failed"
    fields = dict(message.fields)
    assert fields["Pipelines"] == "again x 3, flow-003, flow-004"
    assert fields["Most frequent error, 3 of 5"] == "disk full"


def test_a_list_about_one_pipeline_names_it() -> None:
    history = [end("F", n * SECOND, "clicks") for n in range(8)]
    [found] = [v for v in of_kind(messages(history), FAILURE) if v.members]
    assert message_of(found, SETTINGS).subject == "clicks failed"


def owners(count: int, **own: str) -> dict[str, Any]:
    raw = raw_settings()
    channels = {
        **raw["channels"],
        **{f"bell-{n}": {"kind": "pagerduty", "block": f"bell-{n}"} for n in range(count)},
        **{
            f"slack-{n}": {"kind": "slack", "block": f"slack-{n}", "secret": f"url-{n}"}
            for n in range(count)
        },
    }
    urls = {f"url-{n}": {"name": f"prefect/url-{n}", "from": "env"} for n in range(count)}
    names = {f"team-{n}": {k: f"{v}-{n}" for k, v in own.items()} for n in range(count)}
    pipelines = {f"flow-{n:03}": {"owner": f"team-{n % count}"} for n in range(200)}
    return {
        "channels": channels,
        "secrets": {**raw["secrets"], **urls},
        "owners": names,
        "pipelines": pipelines,
        "escalation": [],
    }


def per_channel(history: list[Ended], changes: dict[str, Any]) -> Counter[str]:
    """How many messages of failures each channel is told of, by its automations."""
    plan = build_plan(settings_of(**changes), STACK)
    told: Counter[str] = Counter()
    for verdict in of_kind(messages(history, plan.published), FAILURE):
        event = announcement(verdict, plan.published, verdict.at)
        for rule in plan.automations:
            if rule.key.startswith("warning") and not rule.standby:
                match = getattr(rule.trigger, "match", {})
                routes = match.get(ROUTE_LABEL, [])
                if event["resource"][ROUTE_LABEL] in (
                    [routes] if isinstance(routes, str) else routes
                ):
                    told.update(n.channel for n in rule.notifications)
    return told


def test_owners_with_a_slack_of_their_own_have_their_lists_there() -> None:
    told = per_channel(fail_within_a_minute(200, 30), owners(4, slack="slack"))
    assert set(told) == {f"slack-{n}" for n in range(4)}
    assert all(3 < count <= 5 for count in told.values())


def test_owners_who_share_a_channel_share_its_lists() -> None:
    told = per_channel(fail_within_a_minute(200, 30), owners(10, pagerduty="bell"))
    assert set(told) == {"alerts"}
    assert told["alerts"] <= 5


RUNS = st.lists(
    st.tuples(
        st.sampled_from(["F", "F", "F", "S"]),
        st.integers(0, 1800),  # tenths of a second
        st.integers(0, 11),
    ),
    max_size=60,
    unique=True,
)
INDIVIDUALLY = st.integers(1, 4)


def made(runs: list[tuple[str, int, int]]) -> list[Ended]:
    return [end(outcome, at / 600, f"flow-{flow}") for outcome, at, flow in runs]


@given(runs=RUNS, individually=INDIVIDUALLY, later=st.integers(0, 1900))
@examples(derandomize=True, deadline=None, database=None, max_examples=150)
def test_every_verdict_is_in_exactly_one_message(
    runs: list[tuple[str, int, int]], individually: int, later: int
) -> None:
    settings = published_of(noise={"individually": individually})
    live = Live(Judge(settings))
    live.hears(made(runs), later=timedelta(milliseconds=later)).waits_until(minute(30))
    assert told_in(live.verdicts) == Counter(
        {str(v.id): 1 for v in live.found if v.kind in GROUPED}
    )


@given(runs=RUNS, individually=INDIVIDUALLY, killed=st.integers(0, 2400))
@examples(derandomize=True, deadline=None, database=None, max_examples=150)
def test_nothing_is_lost_or_doubled_when_the_sentinel_is_killed(
    runs: list[tuple[str, int, int]], individually: int, killed: int
) -> None:
    settings = published_of(noise={"individually": individually})
    history, gone = made(runs), minute(killed / 600)
    before = Live(Judge(settings))
    before.hears([e for e in history if e.at <= gone]).waits_until(gone)
    events = [announcement(v, settings, now) for now, v in before.told]
    told = frozenset(found for event in events for found in told_ids(event))
    # It comes back a minute later, with what Prefect knows.
    back = gone + MINUTE
    judge = Judge(settings)
    ended = sorted((e for e in history if e.at <= back), key=lambda each: each.order)
    found = [v for each in ended for v in judge.observe(each)] + judge.tick(back)
    gate = Gate(judge)
    let_through = [*gate.admit(found, told), *gate.tick(back, told)]
    caught_up = missed(let_through, found, minute(-60), Told(told), settings)
    after = Live(judge, gate, since=back)
    after.hears([e for e in history if e.at > back]).waits_until(minute(60))
    all_told = [*before.verdicts, *caught_up, *acted_on(after.verdicts, told)]
    expected = {str(v.id) for v in (*before.found, *found, *after.found) if v.kind in GROUPED}
    assert told_in(all_told) == Counter(dict.fromkeys(expected, 1))


def acted_on(verdicts: list[Verdict], told: frozenset[UUID]) -> list[Verdict]:
    """As Prefect leaves out an event whose id it has seen."""
    return [verdict for verdict in verdicts if verdict.id not in told]
