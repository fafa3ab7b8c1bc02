"""What a drill plays, and who must hear of it. Derived from the plan that is deployed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alerting.plan import Plan, Tier
from alerting.plan.delivery import Delivery
from alerting.plan.occasions import occasions
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import no_run
from alerting.sentinel.judging import pipeline_key_of
from alerting.sentinel.messages import message_of
from alerting.sentinel.verdicts import Outage, Verdict
from alerting.settings import Settings
from alerting.settings.durations import format_duration
from alerting.settings.tiers import EscalationStep
from sandbox.flows import Outcome

FIRST_ESCALATION = timedelta(seconds=12)
BETWEEN_ESCALATIONS = timedelta(seconds=6)
STREAK_FLOW = "drill-streak"
UNATTENDED_QUEUE = "drill-unattended"


@dataclass(frozen=True)
class Target:
    """A deployment that a drill runs, named as the pipeline that it stands for."""

    flow: str
    deployment: str = "drill"
    entrypoint: str = "pipeline"


@dataclass(frozen=True)
class Run:
    """One run of a drill. `late` ones are due in the past, in a queue that no worker takes."""

    target: Target
    outcome: Outcome
    late: bool = False


@dataclass(frozen=True)
class Expected:
    """One notification that must arrive.

    `run` is the position, in the scenario, of the run whose end it announces; `due` is the time
    after that end at which it may be sent at the earliest.
    """

    tier: Tier
    channel: str
    subject: str
    run: int
    due: timedelta = timedelta(0)


@dataclass(frozen=True)
class Scenario:
    """Runs in order, each started when the one before has ended, and all who must be told.

    A run waits for what the one before it sends at once, a step for all that is due.
    """

    name: str
    steps: tuple[tuple[Run, ...], ...]
    expected: tuple[Expected, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, in order."""
        return tuple(run for step in self.steps for run in step)

    @property
    def attended(self) -> bool:
        """Whether a worker runs it, and not time alone."""
        return not any(run.late for run in self.runs)


class ScenarioBuilder:
    """Builds a drill's scenarios from what is deployed."""

    def __init__(self, settings: Settings, plan: Plan, suffix: str = "") -> None:
        """Take what is deployed; `suffix` tells this drill's flows from those of earlier ones."""
        self._settings = settings
        self._published = plan.published
        self._suffix = suffix

    def lanes(self) -> tuple[tuple[Scenario, ...], ...]:
        """Scenarios that follow one another stand in one lane; lanes take turns, step by step.

        Pipelines that are listed only fail in the outage: P1 watches them, and one that had
        failed elsewhere would count. The other scenarios use flows that only carry the tag.
        """
        return (
            (self._outage(),),
            (
                self._one_failure(),
                self._retry(),
                self._crash(),
                self._streak(),
                self._timeout(),
            ),
            (self._late(),),
        )

    def _one_failure(self) -> Scenario:
        return self._single("one failure", "drill-one-failure", Outcome.FAIL)

    def _crash(self) -> Scenario:
        return self._single("a crash by SIGTERM", "drill-crash", Outcome.CRASH)

    def _timeout(self) -> Scenario:
        return self._single("a timeout", "drill-timeout", Outcome.TIME_OUT, "with_timeout")

    def _single(
        self, name: str, flow: str, outcome: Outcome, entrypoint: str = "pipeline"
    ) -> Scenario:
        flow += self._suffix
        run = Run(Target(flow, entrypoint=entrypoint), outcome)
        return Scenario(name, ((run,),), tuple(self._told(VerdictKind.FAILURE, flow, 0)))

    def _retry(self) -> Scenario:
        target = Target(f"drill-retry{self._suffix}", entrypoint="with_retry")
        return Scenario("a retry that succeeds", ((Run(target, Outcome.SUCCEED_ON_RETRY),),))

    def _late(self) -> Scenario:
        flow = f"drill-late{self._suffix}"
        run = Run(Target(flow), Outcome.SUCCEED, late=True)
        return Scenario("late to start", ((run,),), tuple(self._told(VerdictKind.LATE, flow, 0)))

    def _streak(self) -> Scenario:
        """A streak that a success breaks just before its end, and one that is reached and ended."""
        flow, critical = f"{STREAK_FLOW}{self._suffix}", self._settings.tiers.critical
        failures = critical.consecutive_failures if critical else 1
        failed, succeeded = Run(Target(flow), Outcome.FAIL), Run(Target(flow), Outcome.SUCCEED)
        runs = (*(failed,) * (failures - 1), succeeded, *(failed,) * failures, succeeded)
        expected: list[Expected] = []
        for index, run in enumerate(runs):
            kind = VerdictKind.FAILURE if run is failed else VerdictKind.RECOVERY
            expected += self._told(kind, flow, index)
        last = len(runs) - 1
        expected += self._told(VerdictKind.STREAK, flow, last - 1, failures=failures)
        expected += self._told(VerdictKind.RESOLVED, flow, last)
        return Scenario(
            "a broken streak, and one reached", tuple((r,) for r in runs), tuple(expected)
        )

    def _outage(self) -> Scenario:
        settings = self._settings
        targets = [
            Target(settings.flow_of(key), pipeline.deployment or "drill")
            for key, pipeline in settings.pipelines.items()
        ]
        # First a success of each: a pipeline that never ran is no part of an outage.
        up = tuple(Run(target, Outcome.SUCCEED) for target in targets)
        down = tuple(Run(target, Outcome.FAIL) for target in targets)
        expected: list[Expected] = []
        for index, (key, target) in enumerate(zip(settings.pipelines, targets, strict=True)):
            began, failed, mended = index, index + len(up), index + len(up) + len(down)
            expected += self._told(VerdictKind.FAILURE, target.flow, failed)
            expected += self._told(VerdictKind.RECOVERY, target.flow, mended)
            if settings.pipelines[key].announce_success:
                for each in (began, mended):
                    expected += self._told(VerdictKind.SUCCESS, target.flow, each)
            if settings.pipelines[key].escalate:
                for step in settings.escalation:
                    expected += self._told(VerdictKind.ESCALATION, target.flow, failed, step=step)
                expected += self._told(VerdictKind.RESOLVED, target.flow, mended)
        last = len(up) + len(down) - 1
        expected += self._told(VerdictKind.ALL_DOWN, "", last)
        expected += self._told(VerdictKind.NOT_ALL_DOWN, "", last + 1)
        return Scenario("all pipelines down, escalation, recovery", (up, down, up), tuple(expected))

    def _told(
        self,
        kind: VerdictKind,
        flow: str,
        run: int,
        *,
        failures: int = 1,
        step: EscalationStep | None = None,
    ) -> Iterator[Expected]:
        """Who hears of a verdict, and under which title."""
        delivery = Delivery(self._settings)
        verdict = self._verdict(kind, flow, failures, step)
        message = message_of(verdict, self._published)
        for occasion in occasions(self._settings):
            if kind in occasion.kinds and occasion.step == step:
                for channel in delivery.reached(occasion.notify):
                    title, _ = message.text(delivery.kind(channel).form)
                    due = step.after if step else timedelta(0)
                    yield Expected(occasion.tier, channel, title, run, due)

    def _verdict(
        self, kind: VerdictKind, flow: str, failures: int, step: EscalationStep | None
    ) -> Verdict:
        """A verdict of which nothing is asked but a title."""
        run = no_run(flow, None, datetime.now(UTC))
        outage = Outage("", run, run, failures, run.at, (), 0)
        return Verdict(
            kind,
            run.run_id,
            run.at,
            run,
            outage,
            format_duration(step.after) if step else None,
            tuple(pipeline_key_of(each) for each in self._published.pipelines),
        )
