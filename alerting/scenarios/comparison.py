"""What was expected against what was sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from alerting.scenarios.timeline import Expected, Scenario, format_offset
from alerting.scenarios.told import Told


@dataclass(frozen=True)
class Outcome:
    """How a scenario went: all that was sent, what is missing, and what was not to be."""

    scenario: Scenario
    sent: tuple[Told, ...]
    missing: tuple[Expected, ...]
    unexpected: tuple[Told, ...]
    error: str | None
    """Why it could not be played to its end."""

    @property
    def passed(self) -> bool:
        """Whether exactly what was expected was sent."""
        return not (self.missing or self.unexpected or self.error)

    def diff(self) -> Iterator[str]:
        """Expected and sent by time: - is missing, + was not to be, the rest is as expected."""
        if self.error:
            yield f"  ! {self.error}"
        unexpected = {id(told) for told in self.unexpected}
        rows = [(t.at, 0, _line(" ", t)) for t in self.sent if id(t) not in unexpected]
        rows += [(told.at, 2, _line("+", told)) for told in self.unexpected]
        rows += [(expected.at, 1, _expected_line(expected)) for expected in self.missing]
        for _, _, line in sorted(rows):
            yield line

    def document(self) -> dict[str, Any]:
        """The outcome for programs; times in seconds since the start."""
        return {
            "name": self.scenario.name,
            "file": str(self.scenario.path),
            "line": self.scenario.line,
            "passed": self.passed,
            "error": self.error,
            "sent": [_told_document(told) for told in self.sent],
            "missing": [_expected_document(expected) for expected in self.missing],
            "unexpected": [_told_document(told) for told in self.unexpected],
        }


def compare(scenario: Scenario, sent: Sequence[Told], error: str | None = None) -> Outcome:
    """Find for each expectation what it stands for: each of what was sent is used once.

    `error` says why there may be more to be sent.
    """
    matches = _matched(scenario.expect, sent)
    met = set(matches.values())
    return Outcome(
        scenario,
        tuple(sent),
        tuple(each for index, each in enumerate(scenario.expect) if index not in met),
        tuple(told for index, told in enumerate(sent) if index not in matches),
        error,
    )


def is_met(expected: Expected, told: Told) -> bool:
    """Whether this is what was expected."""
    late = told.at - expected.at
    return (
        expected.tier is told.tier
        and frozenset(expected.to) == told.channels
        and timedelta(0) <= late <= told.leeway
        and all(_is_said(text, told) for text in expected.contains)
    )


def _is_said(text: str, told: Told) -> bool:
    return any(text in message.subject or text in message.body for message in told.messages)


def _matched(expect: Sequence[Expected], sent: Sequence[Told]) -> dict[int, int]:
    """The most expectations that can be met, by the index of what meets them.

    One that could be met by several gives way to one that could not: augmenting paths.
    """
    taken: dict[int, int] = {}

    def place(index: int, tried: set[int]) -> bool:
        for number, told in enumerate(sent):
            if number not in tried and is_met(expect[index], told):
                tried.add(number)
                if number not in taken or place(taken[number], tried):
                    taken[number] = index
                    return True
        return False

    for index in range(len(expect)):
        place(index, set())
    return taken


def _line(sign: str, told: Told) -> str:
    subject = told.messages[0].subject if told.messages else ""
    return _row(sign, told.at, told.tier, sorted(told.channels), subject)


def _expected_line(expected: Expected) -> str:
    contains = "".join(f" {text!r}" for text in expected.contains)
    text = f"containing{contains}" if contains else ""
    return _row("-", expected.at, expected.tier, sorted(expected.to), text)


def _row(sign: str, at: timedelta, tier: str, to: Sequence[str], text: str) -> str:
    return f"  {sign} {format_offset(at):<9} {tier:<10} {', '.join(to):<30} {text}".rstrip()


def _expected_document(expected: Expected) -> dict[str, Any]:
    return {
        "at": expected.at.total_seconds(),
        "tier": expected.tier.value,
        "to": sorted(expected.to),
        "contains": list(expected.contains),
    }


def _told_document(told: Told) -> dict[str, Any]:
    return {
        "at": told.at.total_seconds(),
        "tier": told.tier.value,
        "to": sorted(told.channels),
        "messages": [
            {"channel": m.channel, "subject": m.subject, "body": m.body} for m in told.messages
        ],
    }
