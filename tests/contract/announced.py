"""Announcements of the sentinel's, of runs as a Prefect server tells of them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from prefect.server.events.schemas.events import ReceivedEvent

from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import announcement, ended_run
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from alerting.sentinel.verdicts import Verdict
from tests.contract.prefect_events import COMPLETED, FAILED, OCCURRED, Run, as_streamed, received
from tests.shared.every_verdict import every_verdict

BETWEEN = timedelta(minutes=30)
OF_RUNS = {
    "failure",
    "recovery",
    "streak",
    "escalation 15m",
    "escalation 1h",
    "all-down",
    "not-all-down",
}
"""Verdicts that any stack's runs can lead to."""


@dataclass(frozen=True)
class Announced:
    """A verdict, and its announcement as the server took it in."""

    name: str
    verdict: Verdict
    event: ReceivedEvent


def announced(*runs: Run, settings: PublishedSettings) -> list[Announced]:
    """What is announced in the end of runs that end one after another."""
    history = [_end(run, OCCURRED + number * BETWEEN) for number, run in enumerate(runs)]
    return [
        _announced(verdict, settings)
        for verdict in judge(history, settings, OCCURRED + timedelta(days=1))
    ]


def of_runs(settings: PublishedSettings) -> list[Announced]:
    """At least one announcement of each kind that runs lead to, for the example's pipelines."""
    runs = [Run(), Run(), Run(), Run("load-clicks", "prod"), Run(state=COMPLETED)]
    found = announced(*runs, settings=settings)
    assert {each.name for each in found} >= OF_RUNS
    return found


def every_kind(settings: PublishedSettings) -> list[Announced]:
    """At least one announcement of each kind, alone and in a list, as far as settings have it."""
    found = [*of_runs(settings), *(_announced(each, settings) for each in every_verdict(settings))]
    assert len({each.verdict.kind for each in found}) > len(OF_RUNS)
    return found


def _announced(verdict: Verdict, settings: PublishedSettings) -> Announced:
    return Announced(
        f"{verdict.kind} {verdict.step}" if verdict.step else verdict.kind.value,
        verdict,
        received(announcement(verdict, settings, OCCURRED)),
    )


def failed_with(error: str) -> Run:
    """A run that failed with an error."""
    return Run(state=FAILED.model_copy(update={"message": error}))


def _end(run: Run, at: datetime) -> Ended:
    """The run's end as the sentinel reads it from the server's event."""
    state = run.state.model_copy(update={"timestamp": at})
    ended = ended_run(as_streamed(replace(run, state=state).event()), "dlt")
    assert ended is not None
    return ended
