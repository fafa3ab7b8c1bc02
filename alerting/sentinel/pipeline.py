"""One pipeline's history, judged. Pure: no I/O, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from alerting.plan.published import SentinelSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended
from alerting.sentinel.verdicts import Outage, Verdict, verdict_id


@dataclass(frozen=True, slots=True)
class Condition:
    """How a pipeline is after some of its runs: healthy, or in an outage."""

    anchor: str | None = None
    """State id of its last success, None when it has had none."""
    outage: Outage | None = None
    ran: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A pipeline went down or came up, or ran for the first time."""

    ended: Ended
    pipeline: str
    anchor: str | None
    """The outage's anchor; None when it is up."""


@dataclass(frozen=True, slots=True)
class _Entry:
    ended: Ended
    before: Condition


class PipelineHistory:
    """A pipeline's recent ends in the order of their timestamps, in whatever order they come."""

    def __init__(self, key: str, rules: SentinelSettings, *, escalates: bool) -> None:
        """Begin with a pipeline that has not run."""
        self.key = key
        self.condition = Condition()
        self.has_changed = False
        """Whether the last end that was observed changed when the pipeline was up or down."""
        self._rules = rules
        self._escalates = escalates
        self._entries: list[_Entry] = []
        self._known: set[UUID] = set()

    def observe(self, ended: Ended) -> list[Verdict]:
        """What follows from a further end, also where it belongs before others.

        Then what follows from the later ones is given again, with the ids it had.
        """
        self.has_changed = False
        if ended.state_id in self._known:
            return []
        self._known.add(ended.state_id)
        position = len(self._entries)
        while position and self._entries[position - 1].ended.order > ended.order:
            position -= 1
        later = [entry.ended for entry in self._entries[position:]]
        if later:
            self.condition = self._entries[position].before
            del self._entries[position:]
        before = self.condition
        verdicts = [verdict for each in (ended, *later) for verdict in self._advance(each)]
        self.has_changed = bool(later) or _is_change(before, self.condition)
        return verdicts

    def due(self, now: datetime) -> Iterator[Verdict]:
        """The escalation steps that are due by now in the present outage."""
        return self._steps(self.condition.outage, now)

    def changes(self) -> Iterator[Change]:
        """When the pipeline went down and came up, as far back as its history goes."""
        for entry, after in zip(
            self._entries,
            [*(e.before for e in self._entries[1:]), self.condition],
            strict=True,
        ):
            if _is_change(entry.before, after):
                anchor = after.outage.anchor if after.outage else None
                yield Change(entry.ended, self.key, anchor)

    def remembers(self, anchor: str) -> bool:
        """Whether an outage could be judged again: it lasts, or its end may still be moved."""
        conditions = (self.condition, *(entry.before for entry in self._entries))
        return any(each.outage and each.outage.anchor == anchor for each in conditions)

    def forget_before(self, time: datetime) -> None:
        """Let go of ends that nothing can come before any more. Their effect stays."""
        count = 0
        while count < len(self._entries) and self._entries[count].ended.at < time:
            self._known.discard(self._entries[count].ended.state_id)
            count += 1
        del self._entries[:count]

    def _advance(self, ended: Ended) -> Iterator[Verdict]:
        before = self.condition
        self._entries.append(_Entry(ended, before))
        if ended.failed:
            outage = self._failed(before, ended)
            self.condition = replace(before, outage=outage, ran=True)
            yield self._verdict(VerdictKind.FAILURE, ended, outage, str(ended.state_id))
            if outage.streaks > (before.outage.streaks if before.outage else 0):
                about = (outage.anchor, str(outage.streaks))
                yield self._verdict(VerdictKind.STREAK, ended, outage, *about)
        else:
            self.condition = Condition(anchor=str(ended.state_id), ran=True)
            if before.outage:
                yield from self._steps(before.outage, ended.at, until_success=True)
                yield self._verdict(VerdictKind.RECOVERY, ended, before.outage, str(ended.state_id))

    def _failed(self, before: Condition, ended: Ended) -> Outage:
        anchor = before.anchor or f"first {ended.state_id}"
        known = before.outage or Outage(anchor, ended, ended, 0, (), 0)
        within, needed = self._rules.within, self._rules.consecutive_failures
        counted = (*known.counted, ended.at)
        if within is not None:
            counted = tuple(at for at in counted if ended.at - at < within)
        streaks = known.streaks
        if needed is None:
            counted = ()
        elif len(counted) == needed:
            counted, streaks = (), streaks + 1
        return replace(
            known,
            latest=ended,
            failures=known.failures + 1,
            counted=counted,
            streaks=streaks,
        )

    def _steps(
        self, outage: Outage | None, by: datetime, *, until_success: bool = False
    ) -> Iterator[Verdict]:
        if outage is None or not self._escalates:
            return
        for step in self._rules.steps:
            at = outage.first.at + step.after
            # A success at the very moment comes in time.
            if at < by or (at == by and not until_success):
                yield replace(
                    self._verdict(
                        VerdictKind.ESCALATION, outage.latest, outage, outage.anchor, step.label
                    ),
                    at=at,
                    step=step.label,
                )

    def _verdict(self, kind: VerdictKind, ended: Ended, outage: Outage, *about: str) -> Verdict:
        found = verdict_id(self._rules.scope, kind, self.key, *about)
        return Verdict(kind, found, ended.at, ended, outage)


def _is_change(before: Condition, after: Condition) -> bool:
    return not before.ran or bool(before.outage) != bool(after.outage)
