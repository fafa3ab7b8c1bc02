"""Runs that did not start in time, and runs that do not end. Pure: no I/O, no clock."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import pipeline_key, rules_of
from alerting.sentinel.verdicts import Verdict, verdict_id
from alerting.settings.durations import format_duration

_REMEMBERED = timedelta(hours=1)
"""How long a run is known that is not seen any more: an answer may leave one out."""


class Overdue:
    """Tells each such run once, for as long as it stays so."""

    def __init__(self, settings: PublishedSettings) -> None:
        """Begin with none known."""
        self._settings = settings
        self._known: dict[UUID, datetime] = {}

    def look(
        self, late: Iterable[tuple[Ended, datetime]], running: Iterable[Ended], now: datetime
    ) -> list[Verdict]:
        """The verdicts on runs that were not overdue before.

        Of late runs `at` is when they should have started, beside it since when they are late; of
        running ones when they began.
        """
        found = {verdict.id: verdict for verdict in self._overdue(late, running, now)}
        new = [verdict for verdict in found.values() if verdict.id not in self._known]
        self._known |= dict.fromkeys(found, now)
        self._known = {each: at for each, at in self._known.items() if now - at < _REMEMBERED}
        return sorted(new, key=lambda verdict: verdict.at)

    def _overdue(
        self, late: Iterable[tuple[Ended, datetime]], running: Iterable[Ended], now: datetime
    ) -> Iterator[Verdict]:
        for run, since in late:
            yield self._verdict(VerdictKind.LATE, run, since)
        for run in running:
            pipeline = self._settings.pipeline_of(run.flow, run.deployment)
            longest = pipeline.max_duration if pipeline else None
            if longest and run.at + longest <= now:
                facts = (("Longer than", format_duration(longest)),)
                yield self._verdict(VerdictKind.STUCK, run, run.at + longest, facts)

    def _verdict(
        self,
        kind: VerdictKind,
        run: Ended,
        at: datetime,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> Verdict:
        return Verdict(kind, overdue_id(kind, run, self._settings), at, run, facts=facts)


def overdue_id(kind: VerdictKind, run: Ended, settings: PublishedSettings) -> UUID:
    """The id of the verdict that a run is late or stuck."""
    key = pipeline_key(run, settings.pipeline_of(run.flow, run.deployment))
    return verdict_id(rules_of(settings).scope, kind, key, str(run.run_id))
