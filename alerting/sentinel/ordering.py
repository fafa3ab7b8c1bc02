"""In which order verdicts are announced. Pure."""

from collections.abc import Iterable

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.verdicts import Verdict

GRAVITY = (
    VerdictKind.ALL_DOWN,
    VerdictKind.STREAK,
    VerdictKind.ESCALATION,
    VerdictKind.STALE,
    VerdictKind.FAILURE,
    VerdictKind.ANOMALY,
    VerdictKind.STUCK,
    VerdictKind.LATE,
    VerdictKind.RESOLVED,
    VerdictKind.NOT_ALL_DOWN,
    VerdictKind.RECOVERY,
    VerdictKind.FRESH,
    VerdictKind.SUCCESS,
    VerdictKind.SILENCE_OVER,
    VerdictKind.SUMMARY,
)


def in_order(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Verdicts by time, and the gravest first where several became true at once.

    Prefect acts on one after another, at a third of a second each.
    """
    return sorted(verdicts, key=lambda each: (each.at, GRAVITY.index(each.kind)))
