"""What a drill plays, and who must hear of it. Derived from the plan that is deployed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from alerting.plan import AutomationRule, Plan, Tier
from alerting.settings import Settings
from alerting.settings.durations import format_duration
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

    Runs of one `step` are started together. The next step waits for what the last one sends.
    """

    name: str
    steps: tuple[tuple[Run, ...], ...]
    expected: tuple[Expected, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, in order."""
        return tuple(run for step in self.steps for run in step)

    def step_of(self, run: int) -> range:
        """Positions of the runs that are started together with a run."""
        start = 0
        for step in self.steps:
            if run < start + len(step):
                return range(start, start + len(step))
            start += len(step)
        raise IndexError(f"{self.name} has no run {run}")


class ScenarioBuilder:
    """Builds a drill's scenarios from what is deployed."""

    def __init__(self, settings: Settings, plan: Plan, suffix: str = "") -> None:
        """Take what is deployed; `suffix` tells this drill's flows from those of earlier ones."""
        self._settings = settings
        self._rules = plan.automations
        self._suffix = suffix

    def lanes(self) -> tuple[tuple[Scenario, ...], ...]:
        """Scenarios that must follow one another stand in one lane; lanes run side by side.

        Pipelines that are listed only fail in the outage: P1 watches them, and one that had
        failed elsewhere would count. The other scenarios use flows that only carry the tag.
        """
        return (
            (self._outage(),),
            (self._streak(), self._timeout()),
            (self._late(), self._one_failure(), self._retry(), self._crash()),
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
        return Scenario(name, ((run,),), tuple(self._told(Tier.WARNING, flow, 0)))

    def _retry(self) -> Scenario:
        target = Target(f"drill-retry{self._suffix}", entrypoint="with_retry")
        return Scenario("a retry that succeeds", ((Run(target, Outcome.SUCCEED_ON_RETRY),),))

    def _late(self) -> Scenario:
        flow = f"drill-late{self._suffix}"
        run = Run(Target(flow), Outcome.SUCCEED, late=True)
        return Scenario("late to start", ((run,),), tuple(self._told(Tier.LATE, flow, 0)))

    def _streak(self) -> Scenario:
        """A streak that a success breaks just before its end, and one that is reached."""
        flow, critical = f"{STREAK_FLOW}{self._suffix}", self._settings.tiers.critical
        failures = critical.consecutive_failures if critical else 1
        failed, succeeded = Run(Target(flow), Outcome.FAIL), Run(Target(flow), Outcome.SUCCEED)
        runs = (*(failed,) * (failures - 1), succeeded, *(failed,) * failures)
        expected: list[Expected] = []
        for index, run in enumerate(runs):
            tier = Tier.WARNING if run is failed else Tier.RECOVERY
            expected += self._told(tier, flow, index)
        expected += self._told(Tier.CRITICAL, flow, len(runs) - 1, failures=failures)
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
            failed, mended = index + len(up), index + len(up) + len(down)
            expected += self._told(Tier.WARNING, target.flow, failed)
            expected += self._told(Tier.RECOVERY, target.flow, mended)
            if settings.pipelines[key].escalate:
                expected += self._told(Tier.ESCALATION, target.flow, failed)
        last = len(up) + len(down) - 1
        expected += self._told(Tier.P1, "", last, key="p1-all-down", count=len(targets))
        return Scenario("all pipelines down, escalation, recovery", (up, down, up), tuple(expected))

    def _told(
        self, tier: Tier, flow: str, run: int, key: str | None = None, **numbers: int
    ) -> Iterator[Expected]:
        """Who hears of a tier: every notification of its rules, its subject filled in."""
        values = {"flow": flow, **numbers}
        for rule in self._rules:
            if rule.tier is tier and key in (None, rule.key) and not rule.standby:
                for notification in rule.notifications:
                    subject = notification.subject.replace("{{ flow.name }}", flow)
                    for name, value in values.items():
                        subject = subject.replace(f"{{{{ event.payload.{name} }}}}", str(value))
                    yield Expected(tier, notification.channel, subject, run, self._due(rule))

    def _due(self, rule: AutomationRule) -> timedelta:
        steps = {
            f"escalation-{format_duration(s.after)}": s.after for s in self._settings.escalation
        }
        return steps.get(rule.key, timedelta(0))
