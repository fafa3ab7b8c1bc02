"""One pipeline's history, judged. Pure: no I/O, no clock."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from alerting.plan.published import PublishedPipeline, PublishedStep, SentinelSettings
from alerting.plan.silences import Silences
from alerting.plan.verdicts import OVERDUE, VerdictKind
from alerting.sentinel.condition import Change, Condition, is_change
from alerting.sentinel.escalation import due_steps
from alerting.sentinel.freshness import MOMENT, next_stale, stale
from alerting.sentinel.history import Ended
from alerting.sentinel.verdicts import Outage, Verdict, verdict_id


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a pipeline is judged by besides its own runs."""

    rules: SentinelSettings
    silences: Callable[[], Silences]
    """The silences as they are known now."""
    deployed: datetime | None = None
    """Since when it is expected to run, None when nobody expects it."""
    known: Mapping[str, datetime] = field(default_factory=dict)
    """Since when Prefect knows a pipeline, by its name: before, it is not expected either."""


@dataclass(frozen=True, slots=True)
class _Entry:
    ended: Ended
    before: Condition


class PipelineHistory:
    """A pipeline's recent ends in the order of their timestamps, in whatever order they come."""

    def __init__(
        self, key: str, listed: PublishedPipeline | None, flow: str, around: Surroundings
    ) -> None:
        """Begin with a pipeline that has not run; `listed` is its entry in the settings."""
        self.key = key
        self.condition = Condition()
        self.has_changed = False
        """Whether the last end that was observed changed when the pipeline was up or down."""
        self.name = listed.name if listed else flow
        """As silences name it."""
        self.flow = flow
        self._listed = listed
        self._around = around
        self._rules = around.rules
        self._entries: list[_Entry] = []
        self._known: set[UUID] = set()
        self._found_stale: str | None = None
        """The anchor after which it was found stale before anything further was heard of."""
        self._overdue: list[datetime] = []
        """When somebody was paged for a run that is late or stuck, once between two successes."""

    def observe(self, ended: Ended) -> list[Verdict]:
        """What follows from a further end, also where it belongs before others.

        Then what follows from the later ones is given again, with the ids it had.
        """
        self.has_changed = False
        if self.knows(ended):
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
        self.has_changed = bool(later) or is_change(before, self.condition)
        return verdicts

    def knows(self, ended: Ended) -> bool:
        """Whether it was observed before, as far as is remembered; of the last success it is."""
        success = self.condition.success
        is_last = success is not None and success.state_id == ended.state_id
        return is_last or ended.state_id in self._known

    def overdue(self, at: datetime) -> None:
        """Somebody was paged then for a run that is late or stuck: the next success ends it."""
        success = self.condition.success
        if success:
            # It was late by then, and told after it was heard that another run had succeeded.
            at = max(at, success.at + MOMENT)
        if not self.is_overdue:
            self._overdue.append(at)

    @property
    def is_overdue(self) -> bool:
        """Whether somebody was paged for a run that is late or stuck, and no success ended it."""
        success = self.condition.success
        return any(success is None or success.at < at for at in self._overdue)

    def due(self, now: datetime) -> Iterator[Verdict]:
        """What has become true by now without a further run."""
        condition = self.condition
        if condition.is_down and condition.outage:
            yield from self._steps(condition.outage, now)
        elif self._is_settled(condition, now):
            yield from self._recovered(condition)
        for verdict in self.stale(now):
            self._found_stale = condition.anchor or ""
            yield verdict

    def stale(self, by: datetime) -> Iterator[Verdict]:
        """That its data has been stale by then, since its last success."""
        if self._listed:
            yield from stale(self.key, self._listed, self.condition.success, self._around, by)

    def next_due(self, now: datetime) -> datetime | None:
        """When something will next become true without a further run, as things stand."""
        condition, times = self.condition, list[datetime]()
        if condition.is_down and condition.outage:
            silences = self._around.silences()
            since = condition.outage.clock
            ends = silences.last_end_before(self.name, since, now)
            times += [(ends or since) + step.after for step in self._rules.steps]
            if running := silences.covering(self.name, now):
                times.append(running.ends)
        elif condition.mended and self._rules.flap_for:
            times.append(condition.mended.at + self._rules.flap_for)
        if self._listed and (at := next_stale(self._listed, condition.success, self._around, now)):
            times.append(at)
        return min((time for time in times if time > now), default=None)

    def changes(self) -> Iterator[Change]:
        """When the pipeline went down and came up, as far back as its history goes."""
        for entry, after in zip(
            self._entries,
            [*(e.before for e in self._entries[1:]), self.condition],
            strict=True,
        ):
            if is_change(entry.before, after):
                down = after.outage if after.is_down else None
                yield Change(entry.ended, self.key, after.anchor or down.anchor if down else None)

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
        over = min(success.at, time) if (success := self.condition.success) else None
        self._overdue = [at for at in self._overdue if over is None or at > over]

    def _advance(self, ended: Ended) -> Iterator[Verdict]:
        before = self.condition
        self._entries.append(_Entry(ended, before))
        if self._is_settled(before, ended.at):
            yield from self._recovered(before)
            before = Condition(success=before.success, ran=True)
        if ended.failed:
            yield from self._failed(before, ended)
        else:
            yield from self._succeeded(before, ended)

    def _failed(self, before: Condition, ended: Ended) -> Iterator[Verdict]:
        outage = self._worse(before, ended)
        self.condition = replace(before, outage=outage, mended=None, ran=True)
        # A failure too soon after the success is the same outage, of which people know.
        if not before.mended:
            yield self._verdict(VerdictKind.FAILURE, ended, outage, str(ended.state_id))
        if outage.streaks > (before.outage.streaks if before.outage else 0):
            about = (outage.anchor, str(outage.streaks))
            yield self._verdict(VerdictKind.STREAK, ended, outage, *about)

    def _worse(self, before: Condition, ended: Ended) -> Outage:
        anchor = before.anchor or f"first {ended.state_id}"
        known = before.outage or Outage(anchor, ended, ended, 0, ended.at, (), 0)
        if before.mended:
            escalated = known.escalated or self._is_escalated(known, before.mended)
            known = replace(
                known,
                clock=ended.at,
                counted=(),
                escalated=escalated,
                seemed_over=before.anchor or "",
                earlier=known.failures,
            )
        within, needed = self._rules.within, self._rules.consecutive_failures
        # What happens in a silence counts towards no page.
        silenced = self._around.silences().covering(self.name, ended.at)
        counted = known.counted if silenced else (*known.counted, ended.at)
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
            heard=known.heard or not silenced,
        )

    def _succeeded(self, before: Condition, ended: Ended) -> Iterator[Verdict]:
        # Also where this success came in time and was heard of too late.
        was_stale = self._found_stale == (before.anchor or "")
        if self._listed:
            # A success at the very moment comes in time.
            by = ended.at - MOMENT
            for verdict in stale(self.key, self._listed, before.success, self._around, by):
                was_stale = True
                yield verdict
        after = Condition(success=ended, ran=True)
        if before.is_down and before.outage:
            yield from self._steps(before.outage, ended.at, until_success=True)
            after = replace(after, outage=before.outage, mended=ended)
        elif before.mended:
            after = replace(after, outage=before.outage, mended=before.mended)
        self.condition = after
        if self._is_settled(after, ended.at):
            yield from self._recovered(after)
            self.condition = Condition(success=ended, ran=True)
        elif not before.is_down:
            if was_stale:
                yield self._plain(VerdictKind.FRESH, ended)
            pages_stale = VerdictKind.STALE in self._rules.pages
            if (was_stale and pages_stale) or self._was_overdue(before, ended):
                yield self._plain(VerdictKind.RESOLVED, ended)
        if self._rules.success and self._listed and self._listed.announce_success:
            yield self._plain(VerdictKind.SUCCESS, ended)

    def _was_overdue(self, before: Condition, ended: Ended) -> bool:
        """Whether a success ends what people were told of since the one before it."""
        since = before.success.at if before.success else None
        return any(at <= ended.at and (since is None or since < at) for at in self._overdue)

    def _is_settled(self, condition: Condition, at: datetime) -> bool:
        """Whether an outage is over for good by then."""
        if condition.mended is None:
            return False
        flap_for = self._rules.flap_for
        return flap_for is None or at - condition.mended.at >= flap_for

    def _recovered(self, condition: Condition) -> Iterator[Verdict]:
        outage, mended = condition.outage, condition.mended
        if outage is None or mended is None:
            return
        at = mended.at + self._rules.flap_for if self._rules.flap_for else mended.at
        # A step is due outside of silences alone, also where all failures are in some.
        outage = replace(outage, heard=outage.heard or self._is_escalated(outage, mended))
        about = str(mended.state_id)
        yield replace(self._verdict(VerdictKind.RECOVERY, mended, outage, about), at=at)
        if self._was_paged(outage, mended):
            yield replace(self._verdict(VerdictKind.RESOLVED, mended, outage, about), at=at)

    def _was_paged(self, outage: Outage, mended: Ended) -> bool:
        """Whether an incident was opened for an outage."""
        pages = self._rules.pages
        return (
            VerdictKind.FAILURE in pages
            or VerdictKind.STALE in pages
            or not OVERDUE.isdisjoint(pages)
            or (VerdictKind.STREAK in pages and outage.streaks > 0)
            or (VerdictKind.ESCALATION in pages and self._is_escalated(outage, mended))
        )

    def _is_escalated(self, outage: Outage, mended: Ended) -> bool:
        steps = self._steps(outage, mended.at, until_success=True)
        return outage.escalated or next(steps, None) is not None

    def _steps(
        self, outage: Outage, by: datetime, *, until_success: bool = False
    ) -> Iterator[Verdict]:
        """The escalation steps that are due by then. A success at the very moment comes in time."""
        if self._listed is None or not self._listed.escalate:
            return
        for at, clock, step in self._due_steps(outage, by):
            if at < by or (at == by and not until_success):
                about = [outage.anchor, step.label]
                # Not by when it failed, which changes with a failure that is heard of late.
                about += [outage.seemed_over] if outage.seemed_over else []
                about += [clock.isoformat()] if clock != outage.clock else []
                found = self._verdict(VerdictKind.ESCALATION, outage.latest, outage, *about)
                yield replace(found, at=at, step=step.label)

    def _due_steps(
        self, outage: Outage, by: datetime
    ) -> Iterator[tuple[datetime, datetime, PublishedStep]]:
        silences = self._around.silences()
        silent = [*silences.over_between(outage.clock, by), *silences.running(by)]
        times = [(each.starts, each.ends) for each in silent if each.concerns(self.name)]
        times.sort(key=lambda each: each[1])
        return due_steps(self._rules.steps, outage.clock, times)

    def _plain(self, kind: VerdictKind, ended: Ended) -> Verdict:
        found = verdict_id(self._rules.scope, kind, self.key, str(ended.state_id))
        return Verdict(kind, found, ended.at, ended)

    def _verdict(self, kind: VerdictKind, ended: Ended, outage: Outage, *about: str) -> Verdict:
        found = verdict_id(self._rules.scope, kind, self.key, *about)
        return Verdict(kind, found, ended.at, ended, outage)
