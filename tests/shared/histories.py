"""Histories of runs, written in a line each, and verdicts as tests read them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from alerting.sentinel.history import Ended
from alerting.sentinel.verdicts import Verdict

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
_NAMESPACE = UUID("00000000-0000-4000-8000-000000000000")


def minute(number: float) -> datetime:
    """A time, so many minutes after the history begins."""
    return START + timedelta(minutes=number)


def end(
    outcome: str,
    at: float,
    flow: str = "orders",
    deployment: str | None = None,
    message: str = "the warehouse is asleep",
) -> Ended:
    """A run that ended in minute `at`: F failed, C crashed, S succeeded."""
    name = f"{flow}/{deployment}/{at}/{outcome}"
    return Ended(
        at=minute(at),
        state_id=uuid5(_NAMESPACE, f"state {name}"),
        run_id=uuid5(_NAMESPACE, f"run {name}"),
        run="brave-otter",
        flow=flow,
        failed=outcome != "S",
        deployment=deployment,
        state={"F": "Failed", "C": "Crashed", "S": "Completed"}[outcome],
        message="" if outcome == "S" else message,
    )


def runs(
    outcomes: str,
    flow: str = "orders",
    deployment: str | None = None,
    *,
    at: float = 0,
    every: float = 10,
) -> list[Ended]:
    """Runs of a pipeline that end one after another, such as "F F S"; minutes `every` apart."""
    return [
        end(outcome, at + every * number, flow, deployment)
        for number, outcome in enumerate(outcomes.split())
    ]


def told(verdicts: Iterable[Verdict], *kinds: str) -> list[tuple[str, float, str]]:
    """The kind (and step), minute and flow of each verdict; of these kinds when some are named."""
    return [
        (
            f"{verdict.kind} {verdict.step}" if verdict.step else str(verdict.kind),
            (verdict.at - START) / timedelta(minutes=1),
            verdict.ended.flow,
        )
        for verdict in verdicts
        if not kinds or verdict.kind in kinds
    ]
