"""Checks, and what they find: the cause before what follows from it. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Target = TypeVar("Target")


class Verdict(StrEnum):
    """What became of a check, in the order in which findings are read."""

    WRONG = "wrong"
    NOT_MADE = "not made"
    """What it rests on is wrong, or it does not apply here."""
    GOOD = "good"


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong, and what to do about it."""

    text: str
    remedy: str

    @classmethod
    def of(cls, error: Exception, remedy: str) -> "Trouble":
        """An error whose text is `what is wrong: what to do`; `remedy` where it does not say."""
        text, _, told = str(error).partition(": ")
        return cls(text, told or remedy)


class NotMadeError(Exception):
    """A check cannot be made; the text says why."""


@dataclass(frozen=True)
class Finding:
    """What a check found. `remedy` is empty where nothing is to be done."""

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Check(Generic[Target]):
    """One thing to look at. `find` may raise NotMadeError.

    `needs` are the checks that it rests on: it is not made unless all of them are good.
    """

    name: str
    good: str
    """What is said when nothing is wrong."""
    find: Callable[[Target], Iterable[Trouble]]
    needs: tuple[str, ...] = ()


def examine(checks: Sequence[Check[Target]], target: Target) -> list[Finding]:
    """Make every check that can be made.

    Checks come in the order of likelihood, a cause before its consequences, and so do the findings
    of one verdict.
    """
    findings: list[Finding] = []
    unfit: set[str] = set()
    for check in checks:
        made = list(_made(check, target, unfit))
        if any(finding.verdict is not Verdict.GOOD for finding in made):
            unfit.add(check.name)
        findings += made
    order = list(Verdict)
    return sorted(findings, key=lambda finding: order.index(finding.verdict))


def _made(check: Check[Target], target: Target, unfit: Collection[str]) -> Iterator[Finding]:
    if missing := [need for need in check.needs if need in unfit]:
        yield Finding(check.name, Verdict.NOT_MADE, f"it rests on {' and '.join(missing)}")
        return
    count = 0
    try:
        for trouble in check.find(target):
            count += 1
            yield Finding(check.name, Verdict.WRONG, trouble.text, trouble.remedy)
    except NotMadeError as error:
        yield Finding(check.name, Verdict.NOT_MADE, str(error))
        return
    if not count:
        yield Finding(check.name, Verdict.GOOD, check.good)
