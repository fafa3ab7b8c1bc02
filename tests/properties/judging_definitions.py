"""What the sentinel is to find, by its definitions and without regard to how long it takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import rules_of
from alerting.sentinel.verdicts import Verdict

Pipeline = tuple[str, str | None]


@dataclass(frozen=True)
class Found:
    """A verdict without its id. An escalation is about an outage, not about one of its runs."""

    kind: VerdictKind
    at: datetime
    pipeline: Pipeline
    state_id: UUID | None
    step: str | None = None


@dataclass(frozen=True)
class Definitions:
    """A history and the settings that it is judged by."""

    settings: PublishedSettings
    history: Sequence[Ended]

    def verdicts(self, now: datetime) -> Iterator[Found]:
        """All that is to be found by now."""
        ordered = sorted(
            (ended for ended in self.history if ended.at <= now),
            key=lambda ended: (ended.at, str(ended.state_id)),
        )
        for place, ended in enumerate(ordered):
            before, until = ordered[:place], ordered[: place + 1]
            if ended.failed:
                yield self._found(VerdictKind.FAILURE, ended)
                if ended in self._paged(self._failures_in_a_row(until, ended)):
                    yield self._found(VerdictKind.STREAK, ended)
                if not self._failures_in_a_row(before, ended):
                    yield from self._steps(ended, ordered[place:], now)
            elif failures := self._failures_in_a_row(before, ended):
                yield self._found(VerdictKind.RECOVERY, ended)
                if self._was_paged(failures, ended):
                    yield self._found(VerdictKind.RESOLVED, ended)
            if self._all_down(until) and not self._all_down(before):
                yield self._found(VerdictKind.ALL_DOWN, ended)
            if self._all_down(before) and not self._all_down(until):
                yield self._found(VerdictKind.NOT_ALL_DOWN, ended)

    def pipeline(self, ended: Ended) -> Pipeline:
        """The flow, or flow and deployment where the settings name one."""
        listed = self.settings.pipeline_of(ended.flow, ended.deployment)
        return ended.flow, listed.deployment if listed else None

    def _found(self, kind: VerdictKind, ended: Ended) -> Found:
        return Found(kind, ended.at, self.pipeline(ended), ended.state_id)

    def _failures_in_a_row(self, ordered: Sequence[Ended], like: Ended) -> list[Ended]:
        """The failures since the last success of the pipeline."""
        own = [each for each in ordered if self.pipeline(each) == self.pipeline(like)]
        successes = [place for place, each in enumerate(own) if not each.failed]
        return own[successes[-1] + 1 :] if successes else own

    def _paged(self, failures: list[Ended]) -> list[Ended]:
        """Those at which so many failures since the last page lie within the time."""
        rules = rules_of(self.settings)
        needed, within = rules.consecutive_failures, rules.within
        paged: list[Ended] = []
        if needed is None:
            return paged
        if within is None:
            return failures[needed - 1 :: needed]
        since: list[Ended] = []
        for failure in failures:
            since.append(failure)
            counted = since[-needed:]
            if len(counted) == needed and counted[-1].at - counted[0].at < within:
                paged.append(failure)
                since = []
        return paged

    def _was_paged(self, failures: list[Ended], success: Ended) -> bool:
        """Whether one of the verdicts on these failures opened an incident."""
        found = [VerdictKind.FAILURE]
        found += [VerdictKind.STREAK for _ in self._paged(failures)]
        found += [each.kind for each in self._steps(failures[0], [success], success.at)]
        return any(kind in rules_of(self.settings).pages for kind in found)

    def _steps(self, first: Ended, after: Sequence[Ended], now: datetime) -> Iterator[Found]:
        """The steps that were due in the outage that this failure began."""
        listed = self.settings.pipeline_of(first.flow, first.deployment)
        if listed is None or not listed.escalate:
            return
        for step in rules_of(self.settings).steps:
            due = first.at + step.after
            mended = any(
                not each.failed and each.at <= due
                for each in after
                if self.pipeline(each) == self.pipeline(first)
            )
            if due <= now and not mended:
                kind = VerdictKind.ESCALATION
                yield Found(kind, due, self.pipeline(first), None, step.label)

    def _all_down(self, ordered: Sequence[Ended]) -> bool:
        """Two or more listed pipelines, each with its last run failed, those never run left out."""
        last = {
            self.pipeline(ended): ended.failed
            for ended in ordered
            if self.settings.pipeline_of(ended.flow, ended.deployment)
        }
        return len(last) > 1 and all(last.values())

    def of(self, verdict: Verdict) -> Found:
        """A verdict in these terms."""
        about_outage = verdict.kind is VerdictKind.ESCALATION
        return Found(
            verdict.kind,
            verdict.at,
            self.pipeline(verdict.ended),
            None if about_outage else verdict.ended.state_id,
            verdict.step,
        )
