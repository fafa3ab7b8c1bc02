"""Whether all listed pipelines are down. Pure: no I/O, no clock."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.condition import Change
from alerting.sentinel.verdicts import Verdict, verdict_id


@dataclass(frozen=True, slots=True)
class _Entry:
    change: Change
    ran_before: bool
    anchor_before: str | None
    all_down_before: bool


class Outlook:
    """The listed pipelines, each up or down, over time.

    Pipelines that have not run are left out, and it takes two to be all.
    """

    def __init__(self, scope: str) -> None:
        """Begin with pipelines that have not run."""
        self._scope = scope
        self._anchors: dict[str, str | None] = {}
        self._up = 0
        self._all_down = False
        self._log: list[_Entry] = []
        self._known: defaultdict[str, set[Change]] = defaultdict(set)

    def update(self, pipeline: str, changes: tuple[Change, ...]) -> list[Verdict]:
        """What follows from a pipeline's changes, which replace those that were known of it.

        What follows from later changes of others is given again, with the ids it had.
        """
        known = self._known[pipeline]
        added, removed = set(changes) - known, known.difference(changes)
        if not added and not removed:
            return []
        first = min(change.ended.order for change in added | removed)
        redo: list[Change] = []
        while self._log and self._log[-1].change.ended.order >= first:
            redo.append(self._undo())
        kept = [change for change in redo if change not in removed]
        verdicts: list[Verdict] = []
        for change in sorted([*kept, *added], key=lambda each: each.ended.order):
            verdicts += self._apply(change)
        return verdicts

    def forget_before(self, time: datetime) -> None:
        """Let go of changes that nothing can come before any more. Their effect stays."""
        count = 0
        while count < len(self._log) and self._log[count].change.ended.at < time:
            change = self._log[count].change
            self._known[change.pipeline].discard(change)
            count += 1
        del self._log[:count]

    def _apply(self, change: Change) -> list[Verdict]:
        name, anchor = change.pipeline, change.anchor
        ran, before, were_down = name in self._anchors, self._anchors.get(name), self._all_down
        self._log.append(_Entry(change, ran, before, were_down))
        self._known[name].add(change)
        self._up += (anchor is None) - (ran and before is None)
        self._anchors[name] = anchor
        self._all_down = self._up == 0 and len(self._anchors) > 1
        if self._all_down and not were_down:
            return [self._went_down(change)]
        if were_down and not self._all_down:
            kind = VerdictKind.NOT_ALL_DOWN
            found = verdict_id(self._scope, kind, str(change.ended.state_id))
            return [Verdict(kind, found, change.ended.at, change.ended)]
        return []

    def _undo(self) -> Change:
        entry = self._log.pop()
        self._known[entry.change.pipeline].discard(entry.change)
        name, anchor = entry.change.pipeline, entry.anchor_before
        self._up += (entry.ran_before and anchor is None) - (entry.change.anchor is None)
        if entry.ran_before:
            self._anchors[name] = anchor
        else:
            del self._anchors[name]
        self._all_down = entry.all_down_before
        return entry.change

    def _went_down(self, change: Change) -> Verdict:
        kind = VerdictKind.ALL_DOWN
        # By the outages it consists of, so that a failure that is heard of late changes nothing.
        about = sorted(f"{pipeline}\x1e{anchor}" for pipeline, anchor in self._anchors.items())
        return Verdict(
            kind,
            verdict_id(self._scope, kind, *about),
            change.ended.at,
            change.ended,
            pipelines=tuple(sorted(self._anchors)),
        )
