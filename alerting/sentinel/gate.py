"""Which verdicts people are told, and when. Pure: no I/O, no clock.

Three things stand between a verdict and a message, as in Alertmanager: silences, inhibition (while
all pipelines are down nobody is paged for each of them) and grouping.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from alerting.plan.published import PublishedSettings, occasion_name
from alerting.plan.verdicts import OVERDUE, VerdictKind
from alerting.sentinel.grouping import GROUPED, Grouping
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge, judge, rules_of
from alerting.sentinel.routes import route_of
from alerting.sentinel.verdicts import Verdict, verdict_id

_ALWAYS = frozenset({VerdictKind.RESOLVED, VerdictKind.SILENCE_OVER, VerdictKind.SUMMARY})
LEAST_FOR_ALL = 2
NOTHING_TOLD: frozenset[UUID] = frozenset()


class Gate:
    """Lets verdicts through that the judge gives, in the order of their times."""

    def __init__(self, judge: Judge, *, knows_storms: bool = True) -> None:
        """Stand behind a judge. `knows_storms` is False where there may have been one before."""
        self._judge = judge
        self._rules = rules_of(judge.settings)
        self._groups: dict[tuple[VerdictKind, str | None, str], Grouping] = {}
        self._all_down: Verdict | None = None
        self._all_down_held: Verdict | None = None
        self._looked = datetime.min.replace(tzinfo=UTC)
        """Up to when it is known that it was to be held."""
        self._explained: dict[str, Verdict] = {}
        self._down: set[str] = set()
        self._storm: set[str] = set()
        self._alone: set[str] = set()
        self._knows_storms = knows_storms

    def admit(
        self, verdicts: Iterable[Verdict], told: AbstractSet[UUID] = NOTHING_TOLD
    ) -> list[Verdict]:
        """Those of further verdicts that are told now, and what is told because of them."""
        let_through: list[Verdict] = []
        for verdict in sorted(verdicts, key=lambda each: each.at):
            let_through += self.tick(verdict.at, told)
            let_through += self._admit(verdict)
        return let_through

    def tick(self, now: datetime, told: AbstractSet[UUID] = NOTHING_TOLD) -> list[Verdict]:
        """What is told by now without a further verdict."""
        found: list[Verdict] = []
        held = self._all_down_held
        if held and (at := self._unsilenced_at(held, now)):
            self._all_down, self._all_down_held = held, None
            found.append(replace(held, at=at))
        for group in self._groups.values():
            for verdict in group.tick(now, told):
                self._note_page(verdict)
                found.append(verdict)
        return found

    def next_due(self, now: datetime) -> datetime | None:
        """When something will next be told without a further verdict."""
        times = [group.next_due for group in self._groups.values()]
        if self._all_down_held:
            ends = (self._judge.silences.covering(name, now) for name in self._names_down())
            times += [silence.ends for silence in ends if silence]
        return min((time for time in times if time and time > now), default=None)

    def _admit(self, verdict: Verdict) -> Iterator[Verdict]:
        if verdict.kind is VerdictKind.FAILURE:
            self._down.add(self._judge.key_of(verdict.ended))
        elif verdict.kind is VerdictKind.RECOVERY:
            yield from self._recovered(verdict)
        match verdict.kind:
            case VerdictKind.ALL_DOWN:
                yield from self._went_down(verdict)
            case VerdictKind.NOT_ALL_DOWN:
                yield from self._came_up(verdict)
            case VerdictKind.RESOLVED:
                yield from self._resolved(verdict)
            case _ if self._is_silenced(verdict):
                return
            case VerdictKind.STREAK if self._all_down and self._judge.pipeline_of(verdict.ended):
                self._explained[self._judge.key_of(verdict.ended)] = verdict
            case kind if kind in GROUPED:
                yield from self._grouped(verdict)
            case _:
                yield verdict

    def _is_silenced(self, verdict: Verdict) -> bool:
        if verdict.kind in _ALWAYS:
            return False
        silence = self._judge.silences.covering(self._name_of(verdict), verdict.at)
        if silence is None:
            return False
        if verdict.kind is not VerdictKind.RECOVERY or verdict.outage is None:
            return True
        # Who heard of a failure also hears of its end.
        return not verdict.outage.heard

    def _grouped(self, verdict: Verdict) -> Iterator[Verdict]:
        route = route_of(verdict, self._judge.settings)
        # Who has the same channels has the same lists.
        name = occasion_name(verdict.kind, verdict.step, route)
        key = (verdict.kind, verdict.step, self._rules.told_alike.get(name, route))
        group = self._groups.get(key)
        if group is None:
            group = Grouping(self._rules.individually)
            self._groups[key] = group
        for each in group.offer(verdict):
            self._note_page(each)
            yield each

    def _went_down(self, verdict: Verdict) -> Iterator[Verdict]:
        if not self._rules.pages_all_down or self._counts_as_all(verdict, verdict.at):
            self._all_down = verdict if self._rules.pages_all_down else None
            yield verdict
        else:
            self._all_down_held, self._looked = verdict, verdict.at

    def _came_up(self, verdict: Verdict) -> Iterator[Verdict]:
        was_told = self._all_down is not None or not self._rules.pages_all_down
        self._all_down = self._all_down_held = None
        if was_told:
            yield verdict
        up = self._judge.key_of(verdict.ended)
        for key in list(self._explained):
            # The one that came up is not down, also while its recovery must still last.
            if key != up:
                page = self._explained.pop(key)
                yield from self._grouped(replace(page, at=verdict.at))

    def _counts_as_all(self, verdict: Verdict, at: datetime) -> bool:
        """Whether enough of the pipelines that are down are not silenced."""
        if self._rules.through_silences:
            return True
        names = [self._judge.name_of(key) for key in verdict.pipelines]
        heard = [name for name in names if not self._judge.silences.covering(name, at)]
        return len(heard) >= LEAST_FOR_ALL

    def _unsilenced_at(self, held: Verdict, now: datetime) -> datetime | None:
        """When enough of the pipelines that are down were no longer silenced; None: not by now.

        Whoever looks later finds the same moment, which says whether it was to be told before.
        """
        if now < held.at:
            return None
        is_heard = self._counts_as_all(held, now)
        # From the beginning only where it is told: silences last for days, and looks are many.
        after, self._looked = held.at if is_heard else self._looked, now
        ends = (silence.ends for silence in self._judge.silences.over_between(after, now))
        by_now = now if is_heard else None
        return next((at for at in ends if self._counts_as_all(held, at)), by_now)

    def _names_down(self) -> list[str]:
        held = self._all_down_held
        return [self._judge.name_of(key) for key in held.pipelines] if held else []

    def _note_page(self, verdict: Verdict) -> None:
        """Remember what opened an incident: one of the pipeline's own, or the storm's."""
        if verdict.kind in self._rules.pages:
            opened = self._storm if verdict.members else self._alone
            ends = [each.ended for each in verdict.tells_of]
            opened.update(map(self._judge.key_of, ends))
            if verdict.kind in OVERDUE:
                self._judge.note_overdue(ends, verdict.at)

    def _recovered(self, verdict: Verdict) -> Iterator[Verdict]:
        key = self._judge.key_of(verdict.ended)
        self._down.discard(key)
        self._explained.pop(key, None)
        if not (self._knows_storms or self._storm or self._down):
            yield self._storm_over(verdict)

    def _resolved(self, verdict: Verdict) -> Iterator[Verdict]:
        key = self._judge.key_of(verdict.ended)
        in_storm = key in self._storm
        if not in_storm or key in self._alone:
            yield verdict
        self._alone.discard(key)
        self._storm.discard(key)
        # One who was started in the middle of a storm may not know all that were in it.
        is_known = in_storm if self._knows_storms else not self._down
        if is_known and not self._storm:
            yield self._storm_over(verdict)

    def _storm_over(self, verdict: Verdict) -> Verdict:
        """Closes the storm's incident, whose last pipeline this verdict is about."""
        self._knows_storms = True
        about = ("storm", str(verdict.ended.state_id))
        found = verdict_id(self._rules.scope, VerdictKind.RESOLVED, *about)
        last = replace(verdict, kind=VerdictKind.RESOLVED)
        # Of one member, which is not told for itself: it says that this is about several.
        return replace(last, id=found, members=(last,), outage=None)

    def _name_of(self, verdict: Verdict) -> str:
        return self._judge.name_of(self._judge.key_of(verdict.ended))


def let_through(
    history: Iterable[Ended], settings: PublishedSettings, now: datetime
) -> list[Verdict]:
    """What a history leads people to be told by `now`, whatever its order."""
    gate = Gate(Judge(settings))
    return [*gate.admit(judge(history, settings, now)), *gate.tick(now)]
