"""From history to verdicts. Pure: no I/O, no clock.

A streak, an outage and a recovery belong to a pipeline: a flow, or a flow and deployment where the
settings name one. Runs count in the order of their terminal states' timestamps, whatever the order
in which they are heard of.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from alerting.plan.published import PublishedPipeline, PublishedSettings, SentinelSettings
from alerting.plan.silences import Silence, Silences
from alerting.plan.verdicts import OVERDUE, VerdictKind
from alerting.sentinel.history import NOTHING, Ended
from alerting.sentinel.outage import Outlook
from alerting.sentinel.pipeline import PipelineHistory, Surroundings
from alerting.sentinel.verdicts import Verdict

REORDERED = timedelta(minutes=10)
"""How late an end may be heard of and still count in its place."""
TIDY_EVERY = timedelta(minutes=1)


class Judge:
    """Judges runs as they end, with memory for what recently ended and for what is failing."""

    def __init__(
        self,
        settings: PublishedSettings,
        *,
        reordered: timedelta = REORDERED,
        silences: Silences | None = None,
        deployed: datetime | None = None,
        known: Mapping[str, datetime] | None = None,
    ) -> None:
        """Begin with pipelines that have not run.

        `deployed` is since when the listed ones are expected to, and `known` since when there is
        one to run, by its name. Raises ValueError for settings of a stack that triggers judge.
        """
        self.settings = settings
        self.silences = silences or silences_of(settings)
        self._rules = rules_of(settings)
        self._around = Surroundings(self._rules, lambda: self.silences, deployed, known or {})
        self._listed = {(p.flow, p.deployment): p for p in settings.pipelines}
        self._names = {pipeline_key_of(p): p.name for p in settings.pipelines}
        # Those of which something is expected are looked at also before they have run.
        self._histories = {
            pipeline_key_of(p): PipelineHistory(pipeline_key_of(p), p, p.flow, self._around)
            for p in settings.pipelines
            if p.fresh_within or p.deadline
        }
        self._outlook = Outlook(self._rules.scope)
        self._given: dict[UUID, Verdict] = {}
        self._reordered = reordered
        self._latest: datetime | None = None
        self._tidied: datetime | None = None

    def observe(self, ended: Ended) -> list[Verdict]:
        """The verdicts that follow from a run's end and were not given before, by time."""
        pipeline = self.pipeline_of(ended)
        history = self._history(ended, pipeline)
        found = history.observe(ended)
        if pipeline and history.has_changed:
            found += self._outlook.update(history.key, tuple(history.changes()))
        new = self._new(found)
        self._latest = max(self._latest or ended.at, ended.at)
        self._tidy(self._latest)
        return new

    def note_overdue(self, runs: Iterable[Ended], at: datetime) -> None:
        """People were told then of runs that are late or stuck; a page for them is to be closed."""
        if not OVERDUE.isdisjoint(self._rules.pages):
            for run in runs:
                self._history(run, self.pipeline_of(run)).overdue(at)

    def tick(self, now: datetime) -> list[Verdict]:
        """What has become true by now without a further run, such as a due escalation step."""
        self._latest = max(self._latest or now, now)
        self._tidy(self._latest)
        return self._new(
            verdict for history in self._histories.values() for verdict in history.due(now)
        )

    def stale(self, by: datetime) -> list[Verdict]:
        """Whose data has been stale by then, also where people were told before."""
        return [found for history in self._histories.values() for found in history.stale(by)]

    def next_due(self, now: datetime) -> datetime | None:
        """When something will next become true without a further run, as things stand."""
        times = (history.next_due(now) for history in self._histories.values())
        return min((time for time in times if time and time > now), default=None)

    def needs_past(self, ended: Ended) -> bool:
        """Whether what came before an end must be known: nothing is, or an outage may begin."""
        history = self._histories.get(self.key_of(ended))
        if history is None or not history.condition.ran:
            return True
        if history.knows(ended):
            # Its past was asked for then. What was let go of since would be counted once more.
            return False
        return ended.failed and not history.condition.is_down

    def key_of(self, ended: Ended) -> str:
        """What tells the pipeline of a run from others."""
        return pipeline_key(ended, self.pipeline_of(ended))

    def pipeline_of(self, ended: Ended) -> PublishedPipeline | None:
        """The listed pipeline of a run: by flow and deployment, else by flow alone."""
        return self._listed.get((ended.flow, ended.deployment)) or self._listed.get(
            (ended.flow, None)
        )

    def name_of(self, key: str) -> str:
        """The pipeline with this key as settings and silences name it: an unlisted one by flow."""
        return self._names.get(key, key)

    def failing(self) -> list[Ended]:
        """The latest failure of each pipeline whose last run failed."""
        conditions = (history.condition for history in self._histories.values())
        return [each.outage.latest for each in conditions if each.outage and each.is_down]

    def awaited(self) -> list[str]:
        """The flows whose successes are told, or keep something from being told."""
        told = self._rules.success
        listed = self.settings.pipelines
        return sorted(
            {
                pipeline.flow
                for pipeline in listed
                if pipeline.fresh_within
                or pipeline.deadline
                or (told and pipeline.announce_success)
            }
        )

    def troubled(self) -> list[str]:
        """The flows of pipelines that are failing, or that people were paged for as overdue."""
        histories = self._histories.values()
        return sorted({h.flow for h in histories if h.condition.is_down or h.is_overdue})

    def _history(self, ended: Ended, pipeline: PublishedPipeline | None) -> PipelineHistory:
        key = pipeline_key(ended, pipeline)
        history = self._histories.get(key)
        if history is None:
            history = PipelineHistory(key, pipeline, ended.flow, self._around)
            self._histories[key] = history
        return history

    def _new(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        new = {verdict.id: verdict for verdict in verdicts if verdict.id not in self._given}
        self._given.update(new)
        return sorted(new.values(), key=lambda verdict: verdict.at)

    def _tidy(self, now: datetime) -> None:
        """Keep memory bounded: forget what can no longer change and nobody will ask for again."""
        if self._tidied and now - self._tidied < TIDY_EVERY:
            return
        self._tidied = now
        if self._reordered == timedelta.max:
            return
        horizon = now - self._reordered
        self._outlook.forget_before(horizon)
        for history in self._histories.values():
            history.forget_before(horizon)
        self._given = {
            found: verdict
            for found, verdict in self._given.items()
            if self._is_open(verdict, horizon)
        }

    def _is_open(self, verdict: Verdict, horizon: datetime) -> bool:
        """Whether the same verdict could be found again."""
        if verdict.at >= horizon:
            return True
        history = self._histories.get(self.key_of(verdict.ended))
        if history is None:
            return False
        if verdict.kind is VerdictKind.STALE:
            # Of a pipeline that has not succeeded since, it is found again at each look.
            success = history.condition.success
            return (success.state_id if success else NOTHING) == verdict.ended.state_id
        return verdict.outage is not None and history.remembers(verdict.outage.anchor)


def judge(history: Iterable[Ended], settings: PublishedSettings, now: datetime) -> list[Verdict]:
    """Every verdict that a history has led to by `now`, by time, whatever its order."""
    judging = Judge(settings, reordered=timedelta.max)
    ordered = sorted(history, key=lambda ended: ended.order)
    found = [verdict for ended in ordered if ended.at <= now for verdict in judging.observe(ended)]
    return sorted([*found, *judging.tick(now)], key=lambda verdict: verdict.at)


def silences_of(settings: PublishedSettings, adhoc: Iterable[Silence] = ()) -> Silences:
    """The silences of a stack: its maintenance windows, and those that somebody has added."""
    return Silences(adhoc, rules_of(settings).maintenance)


def rules_of(settings: PublishedSettings) -> SentinelSettings:
    """What a stack's sentinel judges by. Raises ValueError where triggers judge."""
    if settings.sentinel is None:
        raise ValueError("this stack is judged by triggers: set data-alerts:evaluation: sentinel")
    return settings.sentinel


def pipeline_key(ended: Ended, pipeline: PublishedPipeline | None) -> str:
    """What tells a run's pipeline from others; no name of Prefect's holds a slash."""
    return pipeline_key_of(pipeline) if pipeline else ended.flow


def pipeline_key_of(pipeline: PublishedPipeline) -> str:
    """What tells a listed pipeline from others."""
    return f"{pipeline.flow}/{pipeline.deployment}" if pipeline.deployment else pipeline.flow
