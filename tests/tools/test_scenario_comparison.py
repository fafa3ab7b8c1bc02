"""What was expected against what was sent."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerting.plan import Tier
from alerting.scenarios.comparison import Outcome, compare
from alerting.scenarios.told import Message, Told
from tests.shared.scenario_files import scenario

pytestmark = pytest.mark.tools


def told(
    seconds: int,
    *channels: str,
    tier: Tier = Tier.WARNING,
    body: str = "it failed",
    leeway: int = 0,
) -> Told:
    messages = tuple(Message(channel, f"to {channel}", body) for channel in channels)
    return Told(timedelta(seconds=seconds), tier, tier.value, messages, timedelta(seconds=leeway))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def outcome(folder: Path, expect: str, *sent: Told) -> Outcome:
    return compare(scenario(folder, "{at: 0m, until: true}", f"[{expect}]"), sent)


def test_what_was_expected_and_sent_passes(folder: Path) -> None:
    expect = "{at: 10s, tier: warning, to: [a, b], contains: [failed, to b]}"
    found = outcome(folder, expect, told(10, "b", "a"))
    assert found.passed
    assert list(found.diff()) == [
        "    10s       warning    a, b                           to b",
    ]


@pytest.mark.parametrize(
    "sent",
    [
        told(11, "a"),
        told(9, "a"),
        told(10, "b"),
        told(10, "a", "b"),
        told(10, "a", tier=Tier.CRITICAL),
        told(10, "a", body="something else"),
        told(9, "a", leeway=5),
        told(16, "a", leeway=5),
    ],
)
def test_anything_else_is_missing_and_unexpected(folder: Path, sent: Told) -> None:
    found = outcome(folder, "{at: 10s, tier: warning, to: [a], contains: [it failed]}", sent)
    assert not found.passed
    assert (len(found.missing), found.unexpected) == (1, (sent,))


@pytest.mark.parametrize("seconds", [10, 15])
def test_what_a_server_notices_a_little_later_passes(folder: Path, seconds: int) -> None:
    expect = "{at: 10s, tier: warning, to: [a]}"
    assert outcome(folder, expect, told(seconds, "a", leeway=5)).passed


def test_each_message_stands_for_one_expectation(folder: Path) -> None:
    twice = "{at: 0m, tier: warning, to: [a]}, {at: 0m, tier: warning, to: [a]}"
    assert not outcome(folder, twice, told(0, "a")).passed
    assert outcome(folder, twice, told(0, "a"), told(0, "a")).passed
    assert not outcome(folder, "", told(0, "a")).passed


def test_an_expectation_that_several_meet_gives_way_to_one_that_only_one_meets(
    folder: Path,
) -> None:
    expect = (
        "{at: 0m, tier: warning, to: [a]}, "
        "{at: 0m, tier: warning, to: [a], contains: [one]}, "
        "{at: 0m, tier: warning, to: [a], contains: [two]}"
    )
    sent = [told(0, "a", body=body) for body in ("one", "two", "three")]
    assert outcome(folder, expect, *sent).passed


def test_a_difference_reads_by_time(folder: Path) -> None:
    expect = "{at: 1m, tier: critical, to: [b, a], contains: [x]}, {at: 0m, tier: warning, to: [a]}"
    found = outcome(folder, expect, told(90, "a"), told(0, "a"))
    assert list(found.diff()) == [
        "    0m        warning    a                              to a",
        "  - 1m        critical   a, b                           containing 'x'",
        "  + 1m30s     warning    a                              to a",
    ]


def test_programs_read_the_same(folder: Path) -> None:
    document = outcome(folder, "{at: 1m, tier: critical, to: [b]}", told(90, "a")).document()
    assert document["passed"] is False
    assert document["missing"] == [{"at": 60.0, "tier": "critical", "to": ["b"], "contains": []}]
    assert document["unexpected"] == document["sent"]
    assert document["sent"][0]["messages"] == [
        {"channel": "a", "subject": "to a", "body": "it failed"}
    ]
